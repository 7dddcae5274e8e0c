"""Which groups are named worst and best: by bounds, of any size, at equal ages; levels by planted groups."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy import age_model
from core.analysis.accuracy.counts import group_counts
from core.analysis.accuracy.extremes import extremes
from core.analysis.accuracy.simultaneous import gap_of, largest_gap
from core.analysis.accuracy.surest import surest
from core.errors import LookwhereError


def made_faces(rows: list[tuple[str, str, int, int]], age: int | None = None, persons: bool = False) -> pd.DataFrame:
    """Faces of (gender, ethnicity, n, errors); of one age, or of none; with `persons` one person a group."""
    gender, ethnicity, right = (np.concatenate(parts) for parts in zip(*(
        (np.full(n, g), np.full(n, e), np.arange(n) >= wrong) for g, e, n, wrong in rows), strict=True))  # fmt: skip
    predicted = (gender == "male") == right
    identity = [f"{g}{e}" for g, e in zip(gender, ethnicity, strict=True)] if persons else [None] * len(gender)
    return pd.DataFrame(
        {
            "gender": gender, "ethnicity": ethnicity, "p_male": np.where(predicted, 0.9, 0.1), "correct": right,
            "age": pd.array([pd.NA if age is None else age] * len(gender), dtype="Int16"),
            "identity": pd.array(identity, dtype="string"),
        }
    )  # fmt: skip


def test_worst_is_the_lowest_upper_bound_and_best_the_highest_lower_one() -> None:
    value, low, high = np.array([0.5, 0.7, 0.9, 1.0]), np.array([0.1, 0.6, 0.88, 0.2]), np.array([0.9, 0.8, 0.92, 1])
    apart = low[:, None] - high[None]
    surest_groups = surest(value, low, high, apart)
    assert (surest_groups.worst, surest_groups.best, surest_groups.told_apart) == (1, 2, True)
    assert surest_groups.as_low.tolist() == [True, False, False, True]


def test_without_a_sure_pair_the_surest_is_given_and_nothing_is_told_apart() -> None:
    value, low, high = np.array([0.9, 0.8, 0.5]), np.array([0.85, 0.5, 0.0]), np.array([0.95, 0.97, 1.0])
    surest_groups = surest(value, low, high, low[:, None] - high[None])
    assert (surest_groups.best, surest_groups.worst, surest_groups.told_apart) == (0, 1, False)


def test_a_group_of_forty_that_fails_is_named_and_one_of_three_that_fails_twice_is_not() -> None:
    rows = [("female", "White", 300, 60), ("male", "White", 400, 8), ("female", "Black", 42, 30)]
    pair = extremes(made_faces(rows))
    assert (pair.worst["group"], pair.best["group"], pair.told_apart) == ("Black women", "White men", True)
    assert not pair.as_low
    pair = extremes(made_faces([*rows[:2], ("female", "Black", 3, 2)]))
    assert (pair.worst["group"], pair.as_low) == ("White women", ("Black women",))


def test_every_photograph_of_one_person_says_nothing_sure_of_a_group() -> None:
    many = made_faces([("female", "A", 60, 0), ("male", "A", 60, 50)])
    first_group = made_faces([("female", "A", 60, 0), ("male", "A", 60, 50)], persons=True)
    assert extremes(many).told_apart and not extremes(first_group).told_apart


@pytest.mark.parametrize("small", [1, 5, 30])
def test_at_equal_ages_a_small_group_is_no_surer_than_its_own_counts(small: int) -> None:
    draw = np.random.default_rng(small)
    rows = [("female", "A", 200, 20), ("male", "A", 200, 10), ("male", "B", 150, 12), ("female", "B", small, small)]
    faces = made_faces(rows, age=30)
    faces["age"] = pd.array(draw.integers(18, 80, len(faces)), dtype="Int16")
    pair = extremes(faces)
    raw = gap_of(group_counts(faces, ["gender", "ethnicity"], smallest=1))
    assert pair.at_equal_ages and (pair.worst["group"] == "B women") == pair.told_apart == (small > 1)
    if small > 1:
        assert pair.worst["high"] >= raw.worst["high"] - 1e-9
        assert pair.as_they_are.worst["group"] == "B women"


def test_groups_of_unrecorded_ethnicity_are_named_by_gender_alone() -> None:
    rows = [("female", "not recorded", 100, 30), ("male", "not recorded", 100, 5)]
    for age in (None, 30):
        pair = extremes(made_faces(rows, age))
        assert (pair.worst["group"], pair.best["group"]) == ("women", "men")
    assert extremes(made_faces(rows[:1])) is None


def test_among_equal_and_tiny_groups_a_worst_one_is_named_in_under_5_percent() -> None:
    draw, named_pairs = np.random.default_rng(4), 0
    sizes = (400, 300, 200, 120, 60, 30, 12, 6, 3, 1)
    for _ in range(60):
        rows = [
            ("female" if g % 2 else "male", "ABCDE"[g // 2], n, int(draw.binomial(n, 0.08)))
            for g, n in enumerate(sizes)
        ]
        named_pairs += largest_gap(made_faces(rows), ["gender", "ethnicity"], draws=200).distinguishable
    assert named_pairs <= 6  # binomial: 7 and more of 60 happen in 3 % at a rate of 5 %


def test_columns_of_full_rank_are_those_that_add_to_it() -> None:
    """The same columns as by the rank of each longer part of the design."""
    draw = np.random.default_rng(0)
    for _ in range(40):
        n, ethnicities, bands = draw.integers((2, 1, 1), (60, 6, 5))
        codes = (draw.integers(0, most, n) for most in (2, ethnicities, bands))
        x = age_model._design(*codes, ethnicities, bands, 0).x
        ranks = [np.linalg.matrix_rank(x[:, : k + 1]) for k in range(x.shape[1])]
        assert list(age_model._full_rank(x)) == list(np.diff([0, *ranks]) > 0)


def test_as_many_groups_as_faces_are_named_as_they_are_and_at_once() -> None:
    """Each face its own ethnicity: ages cannot be told from it, and nobody waits minutes to learn that."""
    rows = [(("female", "male")[n % 2], f"E{n}", 1, int(n % 10 == 0)) for n in range(480)]
    faces = made_faces(rows).assign(age=pd.array(20 + np.arange(480) % 60, dtype="Int16"))
    with pytest.raises(LookwhereError, match="480 faces in 480 groups are no more than the model has terms"):
        age_model.age_model(faces, smallest=1)
    began = time.process_time()
    pair = extremes(faces)
    assert time.process_time() - began < 10
    assert not pair.at_equal_ages and not pair.told_apart
