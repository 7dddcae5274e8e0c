"""LFW with its two lists, All-Age-Faces with its names and lists, and the London set with its table."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.faces import UNRECORDED
from core.data.readers import choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import LFW_IMAGES, lfw, london
from tests.helpers.datasets_made import disagreements, labels_of, read, rejects, repaired, tree


def test_the_lists_of_lfw_give_gender_and_the_name_the_person(tmp_path: Path) -> None:
    reading = read("lfw", lfw(tmp_path))
    assert labels_of(reading, "gender", "identity", "path") == {
        "Ada_L_0001": ("female", "Ada_L", "lfw/Ada_L_0001.jpg"),
        "Ada_L_0002": ("female", "Ada_L", "lfw/Ada_L_0002.jpg"),
        "Bob_0001": ("male", "Bob", "lfw/Bob_0001.jpg"),
    }
    assert rejects(reading) == {
        "lfw/Eve_0001.jpg": "named in both female_names.txt and male_names.txt",
        "lfw/Kim_0001.jpg": "named in neither female_names.txt nor male_names.txt",
    }
    assert reading.remarks == ("male_names.txt: 1 of its 3 names have no image here",)
    assert set(reading.faces["ethnicity"]) == {UNRECORDED}


def test_a_folder_a_person_and_lists_written_otherwise_are_lfw_too(tmp_path: Path) -> None:
    tree(tmp_path, ["Ada_L/Ada_L_0001.png", "Bob/Bob_0001.png"])
    tree(tmp_path, {"Female_names.txt": "\ufeffada_l_0001\n", "male_names.txt": "Bob\\Bob_0001.jpg\n"})
    assert choose_reader(open_source(tmp_path)).name == "lfw"
    assert labels_of(read("lfw", tmp_path), "gender") == {"Ada_L_0001": "female", "Bob_0001": "male"}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (LFW_IMAGES, "LFW, but female_names.txt and male_names.txt are missing; or give a CSV .* --labels"),
        (["female_names.txt", "male_names.txt", "a.jpg"], "LFW, but its images are not named Aaron_Eckhart_0001.jpg"),
    ],
)
def test_near_misses_of_lfw(tmp_path: Path, files: list[str], says: str) -> None:
    with pytest.raises(LookwhereError, match=f"not lfw: looks like {says}"):
        choose_reader(open_source(tree(tmp_path, files)))


AAF = ["original images/00001A02.jpg", "original images/07380A80.jpg", "original images/07381A30.jpg"]


def test_names_of_all_age_faces_give_age_and_lists_gender_and_split(tmp_path: Path) -> None:
    tree(tmp_path, [*AAF, "original images/00009A10.jpg", "original images/cover.jpg"])
    lists = {"image sets/train.txt": "00001A02.jpg 0\n07380A80.jpg 1\n", "image sets/val.txt": "07381A30.jpg 1\n"}
    reading = read("all-age-faces", tree(tmp_path, lists | {"image sets/test.txt": "00002A02.jpg 0\n"}))
    assert labels_of(reading, "gender", "age", "split") == {
        "00001A02": ("female", 2, "train"),
        "07380A80": ("male", 80, "train"),
        "07381A30": ("male", 30, "val"),
    }
    assert disagreements(reading) == {
        "original images/07380A80.jpg": "gender: list male, number female; the list counts"
    }
    assert rejects(reading) == {
        "original images/00009A10.jpg": "in no list of image sets",
        "original images/cover.jpg": "not named 00001A02.jpg",
    }
    assert reading.remarks == ("image sets: 1 of 4 listed images are not here",)


def test_without_lists_the_number_gives_the_gender_and_crops_give_way_to_photographs(tmp_path: Path) -> None:
    reading = read("all-age-faces", tree(tmp_path, ["aglined faces/00001A02.jpg", *AAF]))
    assert labels_of(reading, "gender") == {"00001A02": "female", "07380A80": "female", "07381A30": "male"}
    assert "split" not in reading.faces
    assert rejects(reading) == {"aglined faces/00001A02.jpg": "same name as another image"}
    assert "women up to 07380" in reading.remarks[0]


def test_the_london_set_says_what_people_said_of_themselves(tmp_path: Path) -> None:
    tree(london(tmp_path), ["smiling_front/001_08.jpg", "neutral_front/007_03.jpg", "logo.jpg"])
    reading = read("london", tmp_path)
    assert labels_of(reading, "gender", "ethnicity", "age", "identity") == {
        "001_03": ("female", "White", 24, "001"),
        "001_08": ("female", "White", 24, "001"),
        "002_03": ("male", "East Asian and White", None, "002"),
    }
    assert rejects(reading) == {
        "neutral_front/007_03.jpg": "person not in london_info.csv",
        "logo.jpg": "not named 001_03.jpg",
    }
    assert repaired(reading) == {"neutral_front/002_03.jpg": "age NA is no number of years: not known"}
    assert reading.remarks == ()


def test_a_spreadsheet_may_have_taken_the_zeros_of_the_london_set(tmp_path: Path) -> None:
    info = "\ufeffface_id;face_age;face_gender;face_eth\n1;24,0;female;white\n2;30;male;black\n"
    tree(london(tmp_path), {"london_info.csv": info})
    assert labels_of(read("london", tmp_path), "age", "ethnicity") == {"001_03": (24, "White"), "002_03": (30, "Black")}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"001_03.jpg": ""}, "but london_info.csv is missing"),
        ({"001_03.jpg": "", "london_info.csv": "face_id,face_age\n"}, "but column face_gender is missing"),
        ({"a.jpg": "", "london_info.csv": "face_id,face_gender\n"}, "but there is no image named 001_03.jpg"),
    ],
)
def test_near_misses_of_the_london_set(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(LookwhereError, match=f"not london: looks like the London set, {says}"):
        choose_reader(open_source(tree(tmp_path, files)))


def test_the_london_table_may_have_an_x_before_each_number(tmp_path: Path) -> None:
    tree(london(tmp_path), {"london_info.csv": "face_id,face_age,face_sex\nX001,24,female\nx002,30,male\n"})
    assert labels_of(read("london", tmp_path), "age", "gender") == {"001_03": (24, "female"), "002_03": (30, "male")}


def test_a_crop_of_a_listed_photograph_is_counted_once(tmp_path: Path) -> None:
    tree(tmp_path, ["aglined faces/07380A80.jpg", *AAF])
    tree(
        tmp_path, {"image sets/train.txt": "07380A80.jpg 1\n00001A02.jpg 0\n", "image sets/val.txt": "07381A30.jpg 1\n"}
    )
    reading = read("all-age-faces", tmp_path)
    assert len(reading.faces) == 3
    assert rejects(reading) == {"aglined faces/07380A80.jpg": "same name as another image"}
    assert list(disagreements(reading)) == ["original images/07380A80.jpg"]
