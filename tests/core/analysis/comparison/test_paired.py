"""Paired comparisons against scipy, statsmodels, brute force and simulation."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from core.analysis.bootstrap import resampled_sums
from core.analysis.comparison.paired import (
    FAMILY_WISE,
    average_face,
    group_mask,
    mcnemar,
    paired_by_group,
    paired_map_difference,
)
from core.analysis.intervals import holm, newcombe_paired
from core.analysis.maps.shapes import by_rms
from core.analysis.permutation import max_t
from core.audit.catalogue import align_audits
from core.audit.folder import Audit
from core.data.faces import people
from core.data.filters import Filter
from core.errors import LookwhereError
from core.explain.grids import resample
from core.explain.placement import Placement
from tests.helpers.made_audit import made_audit, made_faces


def made_pair(root: Path, n: int = 600, shapes=((4, 4), (4, 4)), persons: int | None = None) -> list[Audit]:
    """Two audits of the same faces with independent noise, about 80 % and 80 % correct."""
    draw = np.random.default_rng(0)
    faces = made_faces(n, persons=persons)
    return [
        made_audit(
            faces=faces, correct=draw.random(n) < 0.8, evidence=draw.normal(size=(n, 2, *shape)),
            path=root / name / "audits/made-test",
        )
        for name, shape in zip("ab", shapes, strict=True)
    ]  # fmt: skip


def booleans(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    counts = [both, only_a, only_b, neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


@settings(deadline=None, max_examples=60)
@given(*[st.integers(0, 40)] * 4)
def test_mcnemar_is_statsmodels_and_scipys(both: int, only_a: int, only_b: int, neither: int) -> None:
    test = mcnemar(*booleans(both, only_a, only_b, neither))
    table = [[both, only_a], [only_b, neither]]
    assert (test.n, test.both, test.only_a, test.only_b) == (sum(map(sum, table)), both, only_a, only_b)
    if only_a + only_b == 0:
        assert test.p == test.mid_p == 1
        return
    assert test.p == pytest.approx(reference_mcnemar(table, exact=True).pvalue)
    assert test.p == pytest.approx(binomtest(only_a, only_a + only_b).pvalue)
    # mid-p by its definition: outcomes further from half, and half of those as far.
    total = only_a + only_b
    outcomes = np.arange(total + 1)
    apart, observed = np.abs(2 * outcomes - total), abs(only_a - only_b)
    mass = binom.pmf(outcomes, total, 0.5)
    assert test.mid_p == pytest.approx(mass[apart > observed].sum() + mass[apart == observed].sum() / 2)
    assert test.difference.value == pytest.approx((only_b - only_a) / test.n)
    assert test.difference.low <= test.difference.value <= test.difference.high


def test_the_paired_interval_is_newcombes_example() -> None:
    interval = newcombe_paired(both=36, only_a=2, only_b=12, neither=0)
    assert (interval.value, interval.low, interval.high) == pytest.approx((0.20, 0.0569, 0.3404), abs=5e-5)


@pytest.mark.parametrize("n", [40, 300])
def test_the_paired_interval_covers(n: int) -> None:
    draw = np.random.default_rng(1)
    shares = np.array([0.80, 0.04, 0.09, 0.07])
    tables = draw.multinomial(n, shares, size=2000)
    inside = [e.low <= shares[2] - shares[1] <= e.high for e in itertools.starmap(newcombe_paired, tables.tolist())]
    assert binomtest(sum(inside), len(inside), 0.95).pvalue > 1e-3 or np.mean(inside) > 0.95
    assert np.mean(inside) < 0.985, "an interval that always covers is no interval"


def test_holm_is_statsmodels() -> None:
    draw = np.random.default_rng(0)
    for size in [1, 2, 8, 20]:
        p = np.round(draw.random(size) ** 3, 2)  # with ties
        np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])


def test_people_widen_the_interval_and_are_drawn_as_a_whole() -> None:
    draw = np.random.default_rng(0)
    units = np.repeat(np.arange(50), 8)
    change = np.repeat(draw.choice([-1, 0, 1], 50, p=[0.1, 0.6, 0.3]), 8)
    a, b = change < 0, change > 0
    apart, together = mcnemar(a, b), mcnemar(a, b, units)
    assert together.difference.value == apart.difference.value
    assert together.difference.high - together.difference.low > 2 * (apart.difference.high - apart.difference.low)
    assert together.p > 10 * apart.p
    # Every person weighs the same here, so the bootstrap is that of 50 values.
    brute = change[::8][draw.integers(0, 50, (4000, 50))].mean(axis=1)
    expected = np.quantile(brute, [0.025, 0.975])
    np.testing.assert_allclose([together.difference.low, together.difference.high], expected, atol=0.02)


def test_resampled_sums_have_the_bootstraps_mean_and_variance() -> None:
    draw = np.random.default_rng(0)
    values = draw.integers(0, 2, (200, 2))
    sums = resampled_sums(values, None, 4000, draw)
    np.testing.assert_allclose(sums.mean(axis=0), values.sum(axis=0), rtol=0.01)
    np.testing.assert_allclose(sums.var(axis=0), 200 * values.var(axis=0), rtol=0.1)


def test_people_are_numbered_and_strangers_stand_alone() -> None:
    faces = made_faces(5)
    assert people(faces) is None
    codes = people(faces.assign(identity=pd.array(["x", pd.NA, "y", "x", pd.NA], dtype="string")))
    assert codes[0] == codes[3]
    assert len(set(codes)) == 4


def test_audits_are_put_in_one_order(tmp_path: Path) -> None:
    a, b = made_pair(tmp_path)
    order = np.random.default_rng(3).permutation(len(b.faces))
    mixed = made_audit(
        faces=b.faces.iloc[order].reset_index(drop=True), correct=b.faces["correct"].to_numpy()[order],
        evidence=b.evidence[order], path=tmp_path / "c/audits/made-test",
    )  # fmt: skip
    first, again = align_audits([a, mixed])
    assert first is a
    assert list(again.faces["face_id"]) == list(a.faces["face_id"])
    np.testing.assert_array_equal(again.evidence, b.evidence)
    np.testing.assert_array_equal(again.faces["correct"], b.faces["correct"])


@pytest.mark.parametrize(
    ("manifest", "word"),
    [({"data_fingerprint": "f" * 64}, "data"), ({"splits": ["val"]}, "splits"), ({"names": {"x": "White"}}, "names")],
)
def test_audits_of_other_faces_are_told_apart(tmp_path: Path, manifest: dict, word: str) -> None:
    a, b = made_pair(tmp_path, 60)
    faces = a.faces
    if "splits" in manifest:
        faces = faces.assign(split="val")
        manifest = manifest | {"data_fingerprint": a.manifest.data_fingerprint}
    second_audit = made_audit(
        faces=faces, correct=np.ones(60, bool), evidence=b.evidence, path=tmp_path / "c/audits/made-test",
        manifest=manifest,
    )  # fmt: skip
    with pytest.raises(LookwhereError, match=word) as error:
        align_audits([a, second_audit])
    assert str(a.path) in str(error.value)
    assert str(second_audit.path) in str(error.value)
    assert "\n" not in str(error.value)


def test_other_face_ids_are_an_error(tmp_path: Path) -> None:
    a, b = made_pair(tmp_path, 60)
    faces = a.faces.assign(face_id=[f"other-{n}" for n in range(60)])
    second_audit = made_audit(
        faces=faces, correct=np.ones(60, bool), evidence=b.evidence, path=tmp_path / "c/audits/made-test",
        manifest={"data_fingerprint": a.manifest.data_fingerprint},
    )  # fmt: skip
    with pytest.raises(LookwhereError, match="face_ids"):
        align_audits([a, second_audit])


def test_the_table_is_each_groups_own_mcnemar(tmp_path: Path) -> None:
    a, b = made_pair(tmp_path)
    filter = Filter(age_from=18)
    table = paired_by_group(a, b, filter=filter)
    assert len(table) == 7
    adult = filter.mask(a.faces)
    for row in table.itertuples():
        inside = adult & group_mask(a.faces, row.gender, row.ethnicity)
        right_a, right_b = a.faces["correct"][inside], b.faces["correct"][inside]
        assert row.n == inside.sum()
        assert row.difference == pytest.approx(right_b.mean() - right_a.mean())
        assert (row.only_a, row.only_b) == ((right_a & ~right_b).sum(), (right_b & ~right_a).sum())
        assert row.p == pytest.approx(reference_mcnemar(pd.crosstab(right_a, right_b), exact=True).pvalue)
    np.testing.assert_allclose(table["p_holm"], multipletests(table["p"], method="holm")[1])
    assert list(paired_by_group(a, b, ("gender",))["gender"]) == ["", "female", "male"]
    with pytest.raises(LookwhereError, match="outcome"):
        paired_by_group(a, b, filter=Filter(outcome="correct"))


@pytest.mark.parametrize(("fine", "coarse"), [(7, 4), (4, 4), (14, 7), (5, 3)])
def test_resampling_by_area_keeps_the_sum_and_the_place(fine: int, coarse: int) -> None:
    draw = np.random.default_rng(0)
    maps = draw.normal(size=(3, fine, fine))
    resampled = resample(maps, Placement.tiles((coarse, coarse)))
    np.testing.assert_allclose(resampled.sum(axis=(1, 2)), maps.sum(axis=(1, 2)))
    # Brute force: both grids are whole multiples on fine × coarse small cells.
    small = np.kron(maps, np.ones((1, coarse, coarse))) / coarse**2
    np.testing.assert_allclose(resampled, small.reshape(3, coarse, fine, coarse, fine).sum(axis=(2, 4)))


def test_max_t_is_the_permutation_test_by_brute_force() -> None:
    values = np.random.default_rng(0).normal(0.5, 1, (9, 3))

    def largest(flipped: np.ndarray) -> np.ndarray:
        return np.abs(flipped.mean(axis=0) / (flipped.std(axis=0, ddof=1) / 3))

    observed = largest(values)
    every = [largest(values * np.array(s)[:, None]).max() for s in itertools.product([1, -1], repeat=9)]
    expected = (np.array(every)[:, None] >= observed - 1e-9).mean(axis=0)
    np.testing.assert_allclose(max_t(values, 20_000), expected, atol=0.012)


def test_of_400_nulls_five_percent_are_found(tmp_path: Path) -> None:
    draw, rejections = np.random.default_rng(5), 0
    for _ in range(400):
        # Skewed in its parts, of correlated cells, and unequal in scale; its mean is 0.
        strength = draw.exponential(size=(2, 60, 1))
        common = draw.normal(size=(2, 60, 1))
        maps = strength * (common + draw.normal(size=(2, 60, 16))) * np.linspace(1, 3, 16)
        rejections += (max_t(maps[1] - maps[0], 400, int(draw.integers(1e9))) <= FAMILY_WISE).any()
    assert binomtest(rejections, 400, FAMILY_WISE).pvalue > 0.01, f"{rejections} of 400"


def test_of_200_nulls_of_people_five_percent_are_found() -> None:
    draw, rejections = np.random.default_rng(6), 0
    for _ in range(200):
        own = draw.normal(size=(40, 1, 9)).repeat(4, axis=1) + draw.normal(size=(40, 4, 9))
        rejections += (max_t(own.sum(axis=1), 400, int(draw.integers(1e9))) <= FAMILY_WISE).any()
    assert binomtest(rejections, 200, FAMILY_WISE).pvalue > 0.01, f"{rejections} of 200"


@pytest.mark.parametrize("shapes", [((4, 4), (4, 4)), ((7, 7), (4, 4)), ((4, 4), (7, 7))])
def test_a_planted_change_of_the_map_is_found_where_it_is(tmp_path: Path, shapes) -> None:
    a, b = made_pair(tmp_path, shapes=shapes)
    h, w = shapes[1]
    planted = b.evidence.copy()
    planted[:, 0, h - 1, w - 1] += np.float16(3)  # female evidence in the last corner
    b = replace(b, evidence=planted)
    pair = paired_map_difference(a, b, np.ones(600, bool), "margin", 500)
    assert pair.strength.difference.shape == (4, 4)
    assert pair.strength.survives[3, 3]
    assert pair.shape.survives[3, 3]
    assert pair.strength.p[0].min() > FAMILY_WISE
    assert ("averaged by area onto 4×4" in pair.resampled) == (shapes[0] != shapes[1])
    means = [audit.maps("margin", "raw").mean(axis=0) for audit in (a, b)]
    change = np.subtract(*(resample(mean[None], Placement.tiles((4, 4)))[0] for mean in means[::-1]))
    np.testing.assert_allclose(pair.strength.difference, change, atol=1e-6)
    np.testing.assert_allclose(pair.strength.b - pair.strength.a, pair.strength.difference, atol=1e-6)


def test_strength_alone_is_no_change_of_shape(tmp_path: Path) -> None:
    a, _ = made_pair(tmp_path)
    warm = a.evidence.copy()
    warm[:, :, 1, 1] += np.float16(2)
    a, louder = (replace(a, evidence=maps) for maps in (warm, warm * 2))
    pair = paired_map_difference(a, louder, np.ones(600, bool), "female", 500)
    assert pair.strength.survives[1, 1]
    assert not pair.shape.survives.any()
    np.testing.assert_allclose(pair.shape.difference, 0, atol=1e-3)


def test_scaling_by_rms_leaves_an_empty_map_empty() -> None:
    scaled = by_rms(np.stack([np.zeros((2, 2)), np.array([[3.0, 0], [0, 4]])]))
    assert not scaled[0].any()
    assert (scaled[1] ** 2).mean() == pytest.approx(1)


@pytest.mark.parametrize(("n", "means", "tested"), [(10, 0, 0), (11, 1, 0), (29, 1, 0), (30, 1, 1)])
def test_few_faces_are_not_averaged_and_not_tested(tmp_path: Path, n: int, means: int, tested: int) -> None:
    a, b = made_pair(tmp_path, 60)
    pair = paired_map_difference(a, b, np.arange(60) < n, permutations=100)
    assert (pair.strength is not None) == means
    assert (pair.strength is not None and pair.strength.survives is not None) == tested
    assert (pair.n, pair.units) == (n, n)


def test_the_number_of_people_decides_what_is_tested(tmp_path: Path) -> None:
    a, b = made_pair(tmp_path, 200, persons=20)
    pair = paired_map_difference(a, b, np.ones(200, bool), permutations=100)
    assert pair.units == people(a.faces).max() + 1 < 30
    assert pair.strength.difference is None


def test_the_average_face_is_taken_from_an_audit_that_stores_one(tmp_path: Path) -> None:
    faces = made_faces(300)
    images = np.random.default_rng(0).integers(0, 255, (300, 112, 112, 3), dtype=np.uint8)
    bare, full = (
        made_audit(
            faces=faces, errors=0.0, shape=(4, 4), images=images_given, path=tmp_path / name / "audits/made-test"
        )
        for name, images_given in (("a", None), ("b", images))
    )
    filter = Filter(("female",))
    face, n = average_face([bare, full], filter)
    expected, count = full.averages.mean(filter)
    np.testing.assert_array_equal(face, expected)
    assert n == count > 100
    assert average_face([bare], filter) == (None, 0)
    with pytest.raises(LookwhereError, match="outcome"):
        average_face([full], filter.narrowed(outcome="correct"))
