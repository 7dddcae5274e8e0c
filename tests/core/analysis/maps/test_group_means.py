"""Group means: streaming equals whole, filters equal hand-made masks, small groups show nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.maps.group_means import MeanMap, group, intersectional, study_grid
from core.audit.averages import assign_cells
from core.audit.folder import Audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.privacy import MINIMUM_FACES
from tests.helpers.made_audit import made_audit

COUNT = 400


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (COUNT, 4, 4, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def audit(pictures: np.ndarray) -> Audit:
    """400 made faces: many White, fewer Black, 8 Asian (all women); a fifth predicted wrong."""
    draw = np.random.default_rng(1)
    gender = draw.choice(["female", "male"], COUNT)
    ethnicity = draw.choice(["White", "Black"], COUNT, p=[0.75, 0.25])
    gender[:8], ethnicity[:8] = "female", "Asian"
    columns = {"gender": gender, "ethnicity": ethnicity}
    return made_audit(COUNT, 1, columns=columns, ages=(1, 80), errors=0.2, shape=(3, 2), images=pictures)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 40), st.lists(st.integers(0, 40), max_size=5), st.integers(0, 1000), st.sampled_from([0.0, 1e3]))
def test_mean_and_error_are_numpys_however_the_maps_are_cut(
    count: int, cuts: list[int], seed: int, offset: float
) -> None:
    maps = np.random.default_rng(seed).normal(offset, 1, (count, 2, 3))
    streamed, merged = MeanMap(), MeanMap()
    for part in np.split(maps, sorted(min(cut, count) for cut in cuts)):
        streamed.update(part)
        merged = MeanMap().update(part).merge(merged)
    for means in (streamed, merged, MeanMap().update(maps)):
        mean, error = means.result()
        assert means.n == count
        np.testing.assert_allclose(mean, maps.mean(axis=0), rtol=1e-9, atol=1e-12)
        if count > 1:
            expected = maps.std(axis=0, ddof=1) / np.sqrt(count)
            np.testing.assert_allclose(error, expected, rtol=1e-6)
        else:
            assert np.isnan(error).all()


def test_mean_and_error_by_hand() -> None:
    mean, error = MeanMap().update(np.array([[[1.0]], [[3.0]]])).update(np.array([[[5.0]]])).result()
    assert mean.item() == 3.0
    assert error.item() == pytest.approx(2 / np.sqrt(3))


def test_an_empty_mean_is_refused() -> None:
    with pytest.raises(LookwhereError, match="no face"):
        MeanMap().result()
    with pytest.raises(LookwhereError, match="no face"):
        MeanMap().update(np.zeros((0, 3, 3))).merge(MeanMap()).result()


def test_float16_maps_are_summed_in_float64() -> None:
    maps = np.full((40_000, 1, 1), 0.1, dtype=np.float16)
    assert MeanMap().update(maps).result()[0].item() == pytest.approx(float(np.float16(0.1)), rel=1e-9)


FILTERS = [
    Filter(),
    Filter(gender=("female",)),
    Filter(ethnicity=("White", "Black"), outcome="incorrect"),
    Filter(gender=("male",), ethnicity=("White",), age_from=18),
    Filter(age_from=30, age_to=60, outcome="correct"),
    Filter(age_to=18),
]


def masked_by_hand(faces: pd.DataFrame, filter: Filter) -> np.ndarray:
    keep = []
    for row in faces.itertuples():
        keep.append(
            (not filter.gender or row.gender in filter.gender)
            and (not filter.ethnicity or row.ethnicity in filter.ethnicity)
            and row.age >= filter.age_from
            and (filter.age_to is None or row.age < filter.age_to)
            and (filter.outcome == "all" or row.correct == (filter.outcome == "correct"))
        )
    return np.array(keep, dtype=bool)


@pytest.mark.parametrize("filter", FILTERS, ids=Filter.describe)
def test_a_group_equals_a_mean_masked_by_hand(audit: Audit, pictures: np.ndarray, filter: Filter) -> None:
    keep = masked_by_hand(audit.faces, filter)
    group_mean = group(audit, filter, target="margin")
    assert group_mean.n == keep.sum() >= MINIMUM_FACES
    assert group_mean.correct == audit.faces["correct"][keep].sum()
    evidence = audit.evidence[keep].astype(np.float64)
    np.testing.assert_allclose(group_mean.map, (evidence[:, 0] - evidence[:, 1]).mean(axis=0) / 6, rtol=1e-4, atol=1e-6)
    own = np.where(audit.faces["gender"][keep] == "male", 1, 0)
    maps = np.maximum(evidence[np.arange(len(own)), own], 0) / 6
    np.testing.assert_allclose(group(audit, filter).map, maps.mean(axis=0), rtol=1e-5)
    low = maps.min(axis=(1, 2), keepdims=True)
    scaled = (maps - low) / (maps - low).max(axis=(1, 2), keepdims=True).clip(1e-9)
    np.testing.assert_allclose(group(audit, filter, normalisation="scaled").map, scaled.mean(axis=0), rtol=1e-3)
    assert not group_mean.too_small
    assert group_mean.name == filter.describe()


def test_the_face_of_a_group_is_the_mean_of_its_whole_cells(audit: Audit, pictures: np.ndarray) -> None:
    place = assign_cells(audit.faces)[1]
    everyone = group(audit, Filter())
    assert everyone.face_n == (place >= 0).sum() < everyone.n
    np.testing.assert_allclose(everyone.face, pictures[place >= 0].mean(axis=0), atol=1.0)
    adults = group(audit, Filter(age_from=18))
    inside = np.isin(place, np.flatnonzero(audit.averages.select(Filter(age_from=18))))
    assert 0 < adults.face_n == inside.sum() <= adults.n
    np.testing.assert_allclose(adults.face, pictures[inside].mean(axis=0), atol=1.0)
    between = group(audit, Filter(age_from=50, age_to=55))
    assert between.n >= MINIMUM_FACES
    assert (between.face, between.face_n) == (None, 0)


@pytest.mark.parametrize("size", [0, 1, 10, 11])
def test_under_11_faces_nothing_averaged_is_given(audit: Audit, size: int) -> None:
    few = audit.faces.assign(ethnicity=["Rare"] * size + ["White"] * (COUNT - size))
    group_mean = group(replace(audit, faces=few), Filter(ethnicity=("Rare",)))
    assert group_mean.n == size
    assert group_mean.too_small == (size < 11)
    assert (group_mean.map is None) == (size < 11)
    if size < 11:
        assert group_mean.face is None
        assert group_mean.face_n == 0
    assert group_mean.correct == audit.faces["correct"][:size].sum()


def test_groups_are_ordered_by_falling_count_women_first(audit: Audit) -> None:
    pairs = [("female", "White"), ("male", "White"), ("female", "Black"), ("male", "Black"), ("female", "Asian")]
    assert intersectional(audit, Filter()) == pairs
    assert intersectional(audit, Filter(gender=("male",))) == [("male", "White"), ("male", "Black")]
    assert intersectional(audit, Filter(ethnicity=("Asian",), outcome="incorrect")) == [("female", "Asian")]
    assert intersectional(audit, Filter(age_from=100)) == []


def test_the_studys_grid_splits_every_group_by_outcome(audit: Audit) -> None:
    filter = Filter(age_from=18)
    grid = study_grid(audit, filter, target="predicted")
    whole = [("female", ""), ("male", "")]
    assert list(zip(grid["gender"], grid["ethnicity"], strict=True)) == whole + intersectional(audit, filter)
    for gender, row in zip(("female", "male"), grid.iloc[:2].itertuples(), strict=True):
        assert row.correct.n + row.incorrect.n == group(audit, Filter(gender=(gender,), age_from=18)).n
    for row in grid.iloc[2:].itertuples():
        whole = group(audit, Filter(gender=(row.gender,), ethnicity=(row.ethnicity,), age_from=18))
        assert row.correct.n + row.incorrect.n == whole.n
        assert (row.correct.correct, row.incorrect.correct) == (row.correct.n, 0)
        assert row.correct.n == whole.correct
        expected = group(audit, filter.narrowed(gender=(row.gender,), ethnicity=(row.ethnicity,), outcome="incorrect"))
        assert row.incorrect.filter == expected.filter
    asian = grid[grid["ethnicity"] == "Asian"].iloc[0]
    assert asian["correct"].map is None
    assert study_grid(audit, Filter(age_from=100)).empty
    assert list(study_grid(audit, Filter(age_from=100)).columns) == ["gender", "ethnicity", "correct", "incorrect"]
