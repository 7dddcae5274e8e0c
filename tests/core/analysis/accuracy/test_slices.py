"""Slices: a planted one is found, planted nulls are not, and no half knows the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom

from core.analysis.accuracy.slices import LEAST, _tails, find_slices, halves
from core.data.targets import task_for
from core.task import carrying
from tests.helpers.made_audit import made_faces
from tests.helpers.made_columns import MADE_COLUMNS, with_made_columns


def audited(n: int = 2000, seed: int = 0, planted: float = 0.0, persons: int | None = None) -> pd.DataFrame:
    """Faces of whom one in twenty is incorrect, and of Black women with glasses the share `planted` more."""
    faces = with_made_columns(made_faces(n, seed, persons=persons), seed)
    draw = np.random.default_rng([seed, 9])
    inside = (faces["gender"] == "female") & (faces["ethnicity"] == "Black") & (faces["glasses"] == "yes")
    return faces.assign(correct=draw.random(n) > 0.05 + planted * inside.to_numpy())


@pytest.mark.parametrize("persons", [None, 500])
def test_a_planted_slice_is_found_and_named_first(persons: int | None) -> None:
    search = find_slices(audited(planted=0.4, persons=persons), MADE_COLUMNS, draws=200)
    first = search.held.iloc[0]
    assert first["slice"] == "Black women, glasses: yes"
    assert set(first["columns"]) == {"gender", "ethnicity", "glasses"}
    assert 0 < first["low"] < first["less"]
    assert first["accuracy"] == pytest.approx(1 - first["incorrect"] / first["n"])
    assert first["p"] <= search.critical < 0.01
    assert search.by_person is (persons is not None)


def test_a_slice_of_the_classified_column_is_named_by_the_tasks_words() -> None:
    column = MADE_COLUMNS[0]
    search = find_slices(carrying(audited(planted=0.4), task_for(column)), MADE_COLUMNS, draws=50)
    assert search.held.iloc[0]["slice"] == "Black women with glasses"


@pytest.mark.parametrize("seed", range(4))
def test_errors_at_random_make_no_slice_that_holds(seed: int) -> None:
    search = find_slices(audited(1200, seed), MADE_COLUMNS, draws=100)
    assert search.searched > 100
    assert search.held.empty
    assert not search.taken["holds"].any()


def test_counts_are_those_of_the_slice_in_each_half() -> None:
    faces = audited(planted=0.4)
    first = halves(faces)
    row = find_slices(faces, MADE_COLUMNS, draws=50).taken.iloc[0]
    inside = ((faces["gender"] == "female") & (faces["ethnicity"] == "Black") & (faces["glasses"] == "yes")).to_numpy()
    wrong = ~faces["correct"].to_numpy()
    assert (row["searched_n"], row["searched_incorrect"]) == ((inside & first).sum(), (inside & first & wrong).sum())
    assert (row["n"], row["incorrect"]) == ((inside & ~first).sum(), (inside & ~first & wrong).sum())
    rest = ~inside & ~first
    assert row["others"] == pytest.approx(1 - (wrong & rest).sum() / rest.sum())


def test_the_search_does_not_see_the_other_half() -> None:
    """With other errors in the second half the same slices are taken, with the same numbers of the first."""
    faces = audited(planted=0.3)
    changed = faces.assign(correct=faces["correct"].where(halves(faces), True))
    changed.loc[changed.index[~halves(faces)][:40], "correct"] = False
    columns = ["slice", "searched_n", "searched_incorrect", "searched_p"]
    first_slices, two = (find_slices(table, MADE_COLUMNS, draws=20).taken[columns] for table in (faces, changed))
    pd.testing.assert_frame_equal(*(t.sort_values("slice", ignore_index=True) for t in (first_slices, two)))


def test_people_and_near_copies_are_in_one_half() -> None:
    of_people = made_faces(600, persons=70)
    assert of_people.assign(half=halves(of_people))[["identity", "half"]].drop_duplicates()["identity"].is_unique
    copies = made_faces(600, columns={"cluster": np.arange(600) // 3})
    assert copies.assign(half=halves(copies))[["cluster", "half"]].drop_duplicates()["cluster"].is_unique
    assert abs(halves(copies).mean() - 0.5) < 0.01


def test_tails_are_the_hypergeometric_distributions() -> None:
    n = np.array([5, 40, 95])
    expected = [[hypergeom.sf(k - 1, 100, 12, size) for k in range(13)] for size in n]
    np.testing.assert_allclose(_tails(n, 100, 12), expected, rtol=1e-9, atol=1e-12)


def test_few_faces_no_errors_and_one_group_are_searched_in_vain() -> None:
    few = audited(2 * LEAST)
    assert find_slices(few[few["gender"] == "female"][:LEAST].assign(ethnicity="White", age=30)).searched == 0
    search = find_slices(audited(400).assign(correct=True), MADE_COLUMNS)
    assert search.searched > 0
    assert search.taken.empty
    assert search.held.empty
    assert np.isnan(search.critical)


def test_slices_that_are_the_same_faces_are_taken_once() -> None:
    """A column that says again what another says adds no second finding."""
    faces = audited(planted=0.4)
    again = faces.assign(camera=MADE_COLUMNS[0].levelled(faces["glasses"]))
    twice = tuple(
        MADE_COLUMNS[0].__class__(name=name, kind="category", levels=("no", "yes")) for name in ("glasses", "camera")
    )
    names = find_slices(again, twice, draws=20).taken["slice"]
    assert sum("yes" in name and name.startswith("Black women") for name in names) == 1


def test_a_crossing_that_hardly_narrows_a_slice_is_that_slice() -> None:
    """Nearly all faces are in colour: «women, colour» is not searched beside «women», «women, grey» is."""
    faces = audited(3000)
    grey = np.random.default_rng(1).random(3000) < 0.06
    colour = MADE_COLUMNS[0].__class__(name="image_colour", kind="category", levels=("grey", "colour"), measured=True)
    faces = faces.assign(image_colour=colour.levelled(np.where(grey, "grey", "colour")))
    wrong = (faces["gender"] == "female").to_numpy() & (np.random.default_rng(2).random(3000) < 0.3)
    search = find_slices(faces.assign(correct=~wrong), (colour,), draws=50)
    assert search.held["slice"].iloc[0] == "women"
    assert "women, image_colour: colour" not in set(search.taken["slice"])
