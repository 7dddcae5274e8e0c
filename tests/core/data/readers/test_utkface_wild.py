"""UTKFace in the wild is told apart from the chips."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.readers import READERS, choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import (
    UTKFACE_DATE as DATE,
)
from tests.helpers.data_set_trees import (
    UTKFACE_PHOTOS as PHOTOS,
)
from tests.helpers.datasets_made import labels_of, read, rejects, repaired, tree


@pytest.mark.parametrize("above", ["", "UTKFace/"])
def test_photos_in_parts_are_read_as_the_chips_names_are(tmp_path: Path, above: str) -> None:
    tree(tmp_path, [above + name for name in PHOTOS])
    assert choose_reader(open_source(tmp_path)).name == "utkface-wild"
    reading = read("utkface-wild", tmp_path)
    assert labels_of(reading, "gender", "ethnicity", "age") == {
        f"1_0_0_{DATE}": ("male", "White", 1),
        f"30_1_3_{DATE}": ("female", "Indian", 30),
        f"55_1_4_{DATE}": ("female", "Others", 55),
    }
    assert rejects(reading) == repaired(reading) == {}


def test_chips_have_the_border_of_the_shipped_study_and_photos_decide_it_themselves() -> None:
    assert READERS["utkface"].border == 30
    assert READERS["utkface-wild"].border is None


def test_traps_of_the_names_are_those_of_the_chips(tmp_path: Path) -> None:
    names = [*PHOTOS, "part1/61_1_20170109150557335.jpg", "part1/24_0_1_20170116220224657 .jpg"]
    reading = read("utkface-wild", tree(tmp_path, [*names, f"part2/1_0_0_{DATE}.jpg"]))
    assert rejects(reading) == {
        "part1/61_1_20170109150557335.jpg": "name lacks a label field",
        f"part2/1_0_0_{DATE}.jpg": "same name as another image",
    }
    assert repaired(reading) == {"part1/24_0_1_20170116220224657 .jpg": "suffix misspelt, labels good"}
    assert len(reading.faces) == 4


@pytest.mark.parametrize(
    "name", [f"1_0_0_{DATE}.jpg", f"crop_part1/1_0_0_{DATE}.jpg.chip.jpg", f"part1/1_0_0_{DATE}.jpg.chip.jpg"]
)
def test_chips_are_not_in_the_wild_even_in_parts(tmp_path: Path, name: str) -> None:
    source = open_source(tree(tmp_path, [name]))
    assert choose_reader(source).name == "utkface"
    with pytest.raises(LookwhereError, match="not utkface-wild: most images do not lie in part1, part2, part3, or are"):
        choose_reader(source, "utkface-wild")


def test_photos_are_refused_as_chips_by_name_too(tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match="not utkface: photos in part1, part2, part3 are utkface-wild"):
        choose_reader(open_source(tree(tmp_path, PHOTOS)), "utkface")


def test_parts_of_other_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match=r"not utkface-wild: only 0 of 2 image names read \[age\]"):
        choose_reader(open_source(tree(tmp_path, ["part1/cat.jpg", "part2/dog.jpg"])), "utkface-wild")
