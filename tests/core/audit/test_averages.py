"""Average faces by cell: how cells are merged, what a filter selects, and that nobody can be seen through them."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.audit.averages import OPEN, UNKNOWN, Averages, assign_cells, average_faces, merge_bands
from core.data.faces import ADULT_AGE, AGE_BANDS, AGE_EDGES
from core.data.filters import Filter
from core.errors import LookwhereError
from core.privacy import MINIMUM_FACES

ADULT = AGE_EDGES.index(ADULT_AGE)


def made_faces(count: int, seed: int, unknown: float = 0.1) -> pd.DataFrame:
    """Labels of very unequal groups, so that cells of every size occur."""
    draw = np.random.default_rng(seed)
    age = pd.array(draw.gamma(2.0, 15.0, count).astype(int).clip(0, 110), dtype="Int16")
    age[draw.random(count) < unknown] = pd.NA
    gender = draw.choice(["female", "male"], count)
    wrong = draw.random(count) < 0.2
    faces = pd.DataFrame(
        {
            "gender": gender,
            "ethnicity": draw.choice(["White", "Black", "Asian"], count, p=[0.7, 0.2, 0.1]),
            "age": age,
            "split": draw.choice(["test", "val"], count, p=[0.8, 0.2]),
            "predicted": np.where(wrong, np.where(gender == "male", "female", "male"), gender),
        }
    )
    return faces.assign(correct=faces["gender"] == faces["predicted"])


def strangers(counts: list[int]) -> list[np.ndarray]:
    """The persons of bands with so many faces, each of a person of its own."""
    return np.split(np.arange(sum(counts)), np.cumsum(counts)[:-1])


@pytest.mark.parametrize(
    ("counts", "runs"),
    [
        ([11] * 7, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7)]),
        ([20, 5, 20, 3, 20, 11, 40], [(0, 1), (1, 3), (3, 5), (5, 6), (6, 7)]),
        ([20, 11, 10, 11, 11, 11, 10], [(0, 1), (1, 3), (3, 4), (4, 5), (5, 7)]),
        ([4, 4, 3, 4, 4, 3, 0], [(0, 3), (3, 7)]),
        ([1, 2, 3, 50, 50, 50, 50], [(3, 4), (4, 5), (5, 6), (6, 7)]),
        ([10, 0, 0, 5, 6, 0, 0], [(3, 7)]),
        ([50, 50, 50, 1, 2, 3, 4], [(0, 1), (1, 2), (2, 3)]),
        ([2, 2, 2, 2, 2, 2, 2], [(0, 7)]),
        ([0, 0, 10, 1, 0, 0, 0], [(0, 7)]),
        ([1, 1, 1, 1, 1, 1, 4], []),
        ([0] * 7, []),
    ],
)
def test_merge_bands_by_hand(counts: list[int], runs: list[tuple[int, int]]) -> None:
    assert merge_bands(strangers(counts)) == runs


@given(st.lists(st.integers(0, 30), min_size=len(AGE_BANDS), max_size=len(AGE_BANDS)))
def test_every_run_has_11_faces_and_none_crosses_18_where_both_sides_have_them(counts: list[int]) -> None:
    runs = merge_bands(strangers(counts))
    children, adults = sum(counts[:ADULT]), sum(counts[ADULT:])
    for low, high in runs:
        assert 0 <= low < high <= len(counts)
        assert sum(counts[low:high]) >= MINIMUM_FACES
    for (_, end), (start, _) in itertools.pairwise(runs):
        assert end <= start
    crossing = [run for run in runs if run[0] < ADULT < run[1]]
    if max(children, adults) >= MINIMUM_FACES:
        assert not crossing
        in_runs = sum(sum(counts[low:high]) for low, high in runs)
        assert in_runs == sum(side for side in (children, adults) if side >= MINIMUM_FACES)
    else:
        assert len(runs) == (children + adults >= MINIMUM_FACES)


@pytest.mark.parametrize("seed", range(3))
def test_cells_are_a_partition_of_the_faces_that_take_part(seed: int) -> None:
    faces = made_faces(500, seed)
    cells, place = assign_cells(faces)
    assert place.shape == (500,)
    np.testing.assert_array_equal(np.bincount(place[place >= 0], minlength=len(cells)), cells["n"])
    assert (cells["n"] >= MINIMUM_FACES).all()
    assert (place == -1).any()
    for n, cell in cells.iterrows():
        inside = faces[place == n]
        for key in ("split", "gender", "ethnicity", "predicted"):
            assert (inside[key] == cell[key]).all()
        if cell["age_from"] == UNKNOWN:
            assert inside["age"].isna().all()
        else:
            assert inside["age"].between(cell["age_from"], cell["age_to"] - 1).all()


def test_few_faces_of_unknown_age_take_no_part_and_many_have_a_cell_of_their_own() -> None:
    ages = pd.array([30] * 15 + [pd.NA] * 21, dtype="Int16")
    ethnicity = ["White"] * 25 + ["Black"] * 11
    faces = pd.DataFrame({"ethnicity": ethnicity, "age": ages}).assign(gender="male", predicted="male", split="test")
    cells, place = assign_cells(faces)
    np.testing.assert_array_equal(np.bincount(place + 1), [10, 11, 15])
    assert cells[["ethnicity", "age_from", "age_to", "n"]].to_numpy().tolist() == [
        ["Black", UNKNOWN, UNKNOWN, 11],
        ["White", ADULT_AGE, OPEN, 15],
    ]


def filters() -> list[Filter]:
    ages = [(0, None), (0, 18), (18, None), (3, 10), (0, 30), (18, 45), (30, 60), (45, None), (7, 33)]
    choices = itertools.product(
        [(), ("female",), ("male",)],
        [(), ("White",), ("Black",), ("White", "Asian")],
        ages,
        ["all", "correct", "incorrect"],
        [(), ("test",)],
    )
    return [Filter(g, e, low, high, outcome, split) for g, e, (low, high), outcome, split in choices]


@pytest.mark.parametrize(("seed", "count"), [(0, 60), (1, 250), (2, 900)])
def test_no_two_shown_averages_differ_by_1_to_10_faces(seed: int, count: int) -> None:
    faces = made_faces(count, seed)
    pictures = np.random.default_rng(seed).integers(0, 256, (count, 2, 2, 3), dtype=np.uint8)
    averages = average_faces(pictures, np.arange(count), faces)
    place = assign_cells(faces)[1]
    averages_seen = {}
    for filter in filters():
        face, n = averages.mean(filter)
        inside = np.isin(place, np.flatnonzero(averages.select(filter)))
        assert n == inside.sum()
        assert (face is None) == (n == 0)
        assert filter.mask(faces)[inside].all()
        if n:
            averages_seen[inside.tobytes()] = inside
    sets = np.array(list(averages_seen.values())).astype(np.int32)
    assert len(sets) > 2
    apart = (sets @ (1 - sets).T) + ((1 - sets) @ sets.T)
    assert np.isin(apart, range(1, MINIMUM_FACES)).sum() == 0
    for part in (sets @ sets.T, sets @ (1 - sets).T):
        assert np.isin(part, range(1, MINIMUM_FACES)).sum() == 0


@settings(deadline=None, max_examples=30)
@given(st.integers(11, 400), st.integers(0, 10_000))
def test_whatever_the_table_every_cell_holds_11_faces(count: int, seed: int) -> None:
    cells, _ = assign_cells(made_faces(count, seed))
    assert (cells["n"] >= MINIMUM_FACES).all()


@pytest.mark.parametrize("block", [7, 64, 1024])
def test_averages_equal_a_slow_masked_mean(block: int) -> None:
    faces = made_faces(300, seed=4)
    draw = np.random.default_rng(4)
    pictures = draw.integers(0, 256, (400, 4, 4, 3), dtype=np.uint8)
    rows = draw.permutation(400)[:300]
    averages = average_faces(pictures, rows, faces, block=block)
    place = assign_cells(faces)[1]
    for n, mean in enumerate(averages.means):
        slow = sum(pictures[row].astype(float) for row, cell in zip(rows, place, strict=True) if cell == n)
        np.testing.assert_allclose(mean, slow / averages.cells["n"][n], atol=0.5)
    for filter in (Filter(), Filter(gender=("female",)), Filter(ethnicity=("White",), age_from=18)):
        face, n = averages.mean(filter)
        inside = np.isin(place, np.flatnonzero(averages.select(filter)))
        assert n == inside.sum() > 0
        np.testing.assert_allclose(face, pictures[rows[inside]].astype(float).mean(axis=0), atol=1.0)


def test_pictures_are_read_in_blocks_however_many_they_are() -> None:
    class Pictures:
        shape = (5000, 2, 2, 3)
        largest = 0

        def __getitem__(self, rows: np.ndarray) -> np.ndarray:
            Pictures.largest = max(Pictures.largest, len(rows))
            return np.full((len(rows), 2, 2, 3), 255, dtype=np.uint8)

    ticks: list[int] = []
    averages = average_faces(Pictures(), np.arange(5000), made_faces(5000, 0), block=100, tick=ticks.append)
    assert Pictures.largest == 100
    assert sum(ticks) == 5000
    assert (averages.means == 255).all()


def test_a_filter_selects_the_cells_that_lie_wholly_inside() -> None:
    rows = [
        ("test", "female", "White", "female", 0, 18, 11),
        ("test", "female", "White", "male", 0, OPEN, 12),
        ("test", "male", "Black", "male", 18, 45, 13),
        ("val", "male", "Black", "male", 45, OPEN, 14),
        ("test", "male", "Asian", "male", UNKNOWN, UNKNOWN, 15),
    ]
    columns = ["split", "gender", "ethnicity", "predicted", "age_from", "age_to", "n"]
    averages = Averages(pd.DataFrame(rows, columns=columns), np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1))

    def chosen(**choice: object) -> list[int]:
        return np.flatnonzero(averages.select(Filter(**choice))).tolist()

    assert chosen() == [0, 1, 2, 3, 4]
    assert chosen(gender=("male",)) == [2, 3, 4]
    assert chosen(ethnicity=("White", "Asian")) == [0, 1, 4]
    assert chosen(outcome="incorrect") == [1]
    assert chosen(outcome="correct", split=("test",)) == [0, 2, 4]
    assert chosen(age_from=18) == [2, 3]
    assert chosen(age_to=18) == [0]
    assert chosen(age_from=18, age_to=45) == [2]
    assert chosen(age_from=20, age_to=50) == []
    assert averages.mean(Filter(gender=("male",), split=("test",)))[0].item() == round((2 * 13 + 4 * 15) / 28)
    assert averages.mean(Filter(ethnicity=("Others",))) == (None, 0)


@pytest.mark.parametrize("count", [5, 300])
def test_save_and_load_without_pickle(tmp_path: Path, count: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (count, 2, 2, 3), dtype=np.uint8)
    averages = average_faces(pictures, np.arange(count), made_faces(count, 0))
    assert (len(averages.cells) == 0) == (count < MINIMUM_FACES)
    averages.save(tmp_path / "averages.npz")
    with np.load(tmp_path / "averages.npz", allow_pickle=False) as content:
        assert all(content[name].dtype != object for name in content.files)
    again = Averages.load(tmp_path / "averages.npz")
    pd.testing.assert_frame_equal(again.cells, averages.cells, check_dtype=False)
    np.testing.assert_array_equal(again.means, averages.means)
    for filter in (Filter(), Filter(age_from=18, outcome="correct")):
        (face, n), (second_face, m) = averages.mean(filter), again.mean(filter)
        assert n == m
        np.testing.assert_array_equal(face, second_face)


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut", "spoilt", "pickled", "incomplete"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "averages.npz"
    average_faces(np.full((300, 9, 9, 3), 7, np.uint8), np.arange(300), made_faces(300, 0)).save(file)
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "pickled":
        np.savez(file, means=np.array([{}], dtype=object))
    elif damage == "incomplete":
        np.savez(file, cell_n=np.array([11]))
    else:
        broken = {
            "empty": b"",
            "text": b"no archive",
            "cut": whole[:900],
            "spoilt": whole[:60] + bytes(200) + whole[260:],
        }
        file.write_bytes(broken[damage])
    with pytest.raises(LookwhereError, match=r"averages\.npz"):
        Averages.load(file)
