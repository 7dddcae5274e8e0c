"""An average of eleven pictures of one person is that person: people are counted, not pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.audit.averages import Averages, assign_cells, average_faces
from core.audit.images import AuditImages
from core.data.splits import person_numbers
from core.privacy import MINIMUM_FACES, MOST_OF_ONE, enough_people


def pictures_of(identities: list[str | None], age: int = 30, cluster: list[int] | None = None) -> pd.DataFrame:
    """Faces of one group, one a name; None is a person nobody named."""
    count = len(identities)
    return pd.DataFrame(
        {
            "gender": "male",
            "ethnicity": "White",
            "age": pd.array([age] * count, dtype="Int16"),
            "split": "test",
            "predicted": "male",
            "correct": True,
            "identity": pd.array(identities, dtype="string"),
            "cluster": range(count) if cluster is None else cluster,
        }
    )


NAMES = [f"p{n}" for n in range(40)]


@pytest.mark.parametrize(
    ("identities", "enough"),
    [
        (NAMES[:11], True),
        (NAMES[:10], False),
        (["one"] * 14, False),
        (["one"] * 14 + ["two"] * 14, False),
        (NAMES[:10] * 5, False),
        (NAMES[:11] * 5, True),
        ([None] * 11, True),
        (NAMES[:12] + ["one"] * 4, True),
        (NAMES[:12] + ["one"] * 5, False),
    ],
)
def test_people_are_counted_not_pictures(identities: list[str | None], enough: bool) -> None:
    assert enough_people(person_numbers(pictures_of(identities))) == enough
    assert (len(assign_cells(pictures_of(identities))[0]) == 1) == enough


def test_near_copies_of_a_picture_are_of_one_person() -> None:
    assert not len(assign_cells(pictures_of([None] * 12, cluster=[0, 0, 0, *range(3, 12)]))[0])
    assert len(assign_cells(pictures_of([None] * 13, cluster=[0, 0, 0, *range(3, 13)]))[0])
    # a near-copy under another name joins the two names
    joined = person_numbers(pictures_of(["a", "a", "b", "b"], cluster=[0, 1, 1, 2]))
    assert len(set(joined)) == 1


def test_one_person_in_two_age_bands_counts_once_in_their_sum() -> None:
    faces = pd.concat([pictures_of(NAMES[:10], 20), pictures_of(NAMES[:10], 35)], ignore_index=True)
    faces["cluster"] = range(20)
    assert not len(assign_cells(faces)[0])
    faces.loc[0, "identity"] = "eleventh"
    cells, _ = assign_cells(faces)
    assert cells["n"].tolist() == [20]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 90)), min_size=11, max_size=150), st.integers(0, 2**9))
def test_no_sum_of_cells_has_few_people_or_much_of_one(faces: list[tuple[int, int]], rows: int) -> None:
    table = pictures_of([f"p{person**2 // 20}" for person, _ in faces]).assign(age=[age for _, age in faces])
    cells, place = assign_cells(table)
    who = person_numbers(table)
    sums = np.isin(place, [n for n in range(len(cells)) if rows >> n & 1])
    if sums.any():
        counts = np.unique(who[sums], return_counts=True)[1]
        assert len(counts) >= MINIMUM_FACES
        assert counts.max() <= MOST_OF_ONE * counts.sum()


def test_cells_that_earlier_versions_stored_of_few_people_are_not_opened() -> None:
    named_faces = pd.concat(
        [pictures_of(NAMES[:20]), pictures_of(["one"] * 14).assign(ethnicity="Rare")], ignore_index=True
    )
    named_faces["cluster"] = range(34)
    images = np.full((34, 2, 2, 3), 9, dtype=np.uint8)
    before = average_faces(images, np.arange(34), named_faces.drop(columns="identity"))
    assert sorted(before.cells["ethnicity"]) == ["Rare", "White"]
    assert before.of_at_least(MINIMUM_FACES, named_faces).cells["ethnicity"].tolist() == ["White"]
    assert not len(before.of_at_least(21, named_faces).cells)
    unknown = named_faces.assign(age=pd.array([pd.NA] * 34, dtype="Int16"))
    averages = average_faces(images, np.arange(34), unknown.drop(columns="identity"))
    assert averages.of_at_least(MINIMUM_FACES, unknown).cells["ethnicity"].tolist() == ["White"]
    empty = Averages(before.cells.iloc[:0], before.means[:0])
    assert not len(empty.of_at_least(MINIMUM_FACES, named_faces).cells)


def test_an_average_of_chosen_pictures_is_of_people_too() -> None:
    images = np.full((30, 2, 2, 3), 9, dtype=np.uint8)
    shots = AuditImages(Path(), images, np.arange(30), people=np.array([0] * 15 + list(range(1, 16))))
    assert shots.average(np.arange(15)) is None
    assert shots.average(np.arange(15, 30)) is not None
