"""Every data set that has a reader of its own is credited, with its terms."""

from __future__ import annotations

from core.data.readers import READERS
from core.present.text.credits import CREDITS, credit, data_set_title

#: Forms in which anybody's faces may lie.
FORMS = {"manifest", "class-folders", "image-folder"}


def test_every_published_data_set_has_its_credit() -> None:
    assert set(CREDITS) == set(READERS) - FORMS


def test_a_joined_name_credits_all_of_its_parts_and_an_own_one_none() -> None:
    both = credit("lfw + utkface")
    assert both is not None
    assert both.startswith("Labeled Faces in the Wild") and "UTKFace" in both
    assert credit("holiday-photos") is None


def test_two_data_sets_of_one_reader_are_told_by_their_folders_and_credited_once() -> None:
    assert credit("utkface half + utkface rest") == CREDITS["utkface"]
    assert data_set_title("utkface half + manifest a") == "UTKFace half + manifest a"
    assert data_set_title("Kaggle's gender set") == "Kaggle's gender set"
