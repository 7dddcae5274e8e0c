"""CelebA in the original layout and in Kaggle's."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.faces import UNRECORDED
from core.data.readers import choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import (
    CELEBA_IMAGES as IMAGES,
)
from tests.helpers.data_set_trees import (
    CELEBA_MALE as MALE,
)
from tests.helpers.data_set_trees import (
    celeba as original,
)
from tests.helpers.data_set_trees import (
    celeba_of_kaggle as kaggle,
)
from tests.helpers.datasets_made import disagreements, labels_of, read, rejects, repaired, tree

EXPECTED = {
    "000001": ("female", UNRECORDED, None, "train"),
    "000002": ("male", UNRECORDED, None, "train"),
    "000003": ("female", UNRECORDED, None, "val"),
    "000004": ("male", UNRECORDED, None, "test"),
}


def test_the_original_layout_with_runs_of_spaces(tmp_path: Path) -> None:
    original(tmp_path)
    reading = read("celeba", tmp_path)
    assert labels_of(reading, "gender", "ethnicity", "age", "split") == EXPECTED
    assert labels_of(reading, "identity") == {"000001": "2880", "000002": "2880", "000003": "7", "000004": "8"}
    assert rejects(reading) == repaired(reading) == disagreements(reading) == {}


@pytest.mark.parametrize("male", [MALE, (0, 1, 0, 1)], ids=["-1 and 1", "0 and 1"])
def test_the_kaggle_layout_with_commas_and_two_folders(tmp_path: Path, male: tuple[int, ...]) -> None:
    assert choose_reader(open_source(kaggle(tmp_path, male))).name == "celeba"
    reading = read("celeba", tmp_path)
    assert labels_of(reading, "gender", "ethnicity", "age", "split") == EXPECTED
    assert reading.faces["identity"].isna().all()
    assert rejects(reading) == repaired(reading) == disagreements(reading) == {}


def test_a_wrong_count_line_is_reported(tmp_path: Path) -> None:
    original(tmp_path, count=202599)
    assert disagreements(read("celeba", tmp_path)) == {
        "list_attr_celeba.txt: 202599 and 4": "the count in the first line and the rows differ"
    }


def test_without_partition_and_identity_there_is_no_split_and_no_person(tmp_path: Path) -> None:
    original(tmp_path)
    (tmp_path / "list_eval_partition.txt").unlink()
    (tmp_path / "identity_CelebA.txt").unlink()
    reading = read("celeba", tmp_path)
    assert "split" not in reading.faces
    assert reading.faces["identity"].isna().all()
    assert len(reading.faces) == 4


def test_pictures_rows_and_labels_that_lack_are_told(tmp_path: Path) -> None:
    files = original(tmp_path, male=(1, 2, -1, 1, 1))
    (tmp_path / IMAGES[3]).unlink()
    tree(tmp_path, ["img_align_celeba/000005.jpg", "img_align_celeba/000006.jpg", "img_align_celeba/._000001.jpg"])
    tree(tmp_path, {"identity_CelebA.txt": files["identity_CelebA.txt"].replace("000001.jpg 2880\n", "")})
    reading = read("celeba", tmp_path)
    assert rejects(reading) == {
        "000004.jpg": "in list_attr_celeba.txt, but the image is missing",
        IMAGES[1]: "male '2' is not known; write 1 for male, and -1 or 0 for female",
        "img_align_celeba/000005.jpg": "no row in list_eval_partition.txt",
        "img_align_celeba/000006.jpg": "no row in list_attr_celeba.txt",
    }
    assert labels_of(reading, "gender") == {"000001": "male", "000003": "female"}
    assert repaired(reading) == {IMAGES[0]: "no row in identity_CelebA.txt: person not known"}


def test_a_person_in_two_splits_and_a_second_row_are_listed(tmp_path: Path) -> None:
    files = original(tmp_path)
    tree(tmp_path, {"identity_CelebA.txt": files["identity_CelebA.txt"].replace(" 7", " 8") + "000001.jpg 9\n"})
    reading = read("celeba", tmp_path)
    assert disagreements(reading) == {
        "000001.jpg": "second row in identity_CelebA.txt; the first counts",
        "person 8: test, val": "person in more than one split",
    }


def test_aligned_pictures_are_preferred_to_those_in_the_wild_and_png_is_jpg(tmp_path: Path) -> None:
    original(tmp_path)
    (tmp_path / IMAGES[1]).rename(tmp_path / IMAGES[1].replace(".jpg", ".png"))
    tree(tmp_path, ["Img/000001.jpg"])
    reading = read("celeba", tmp_path)
    assert rejects(reading) == {"Img/000001.jpg": "same name as another image"}
    assert IMAGES[1].replace(".jpg", ".png") in reading.faces["path"].tolist()


@pytest.mark.parametrize(
    ("drop", "add", "says"),
    [
        (
            "img_align_celeba/",
            {"img_align_celeba.7z": "7z"},
            "images are still packed in img_align_celeba.7z: unpack",
        ),
        ("img_align_celeba/", {}, "there is no image in it"),
        ("list_attr", {}, "list_attr_celeba.txt is missing"),
        ("list_attr", {"list_attr_celeba.csv": "image_id,Young\n"}, "column Male is missing in list_attr_celeba.csv"),
        ("list_attr", {"list_attr_celeba.csv": "picture,Male\n"}, "column image_id is missing in list_attr_celeba.csv"),
    ],
    ids=["images in a 7z beside", "no image", "no list", "column Male missing", "column image_id missing"],
)
def test_near_misses_come_first(tmp_path: Path, drop: str, add: dict[str, str], says: str) -> None:
    original(tmp_path)
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.relative_to(tmp_path).as_posix().startswith(drop):
            file.unlink()
    with pytest.raises(LookwhereError, match=rf"knows this data set \(not celeba: looks like CelebA, but .*{says}"):
        choose_reader(open_source(tree(tmp_path, add)))


def test_a_damaged_list_is_told_in_one_line(tmp_path: Path) -> None:
    original(tmp_path)
    tree(tmp_path, {"list_eval_partition.txt": b"\0\1\2\0"})
    with pytest.raises(LookwhereError, match=r"list_eval_partition.txt: not a text file"):
        read("celeba", tmp_path)


TRUE = ["000001.jpg,False,x", "000002.jpg,True,x", "000003.jpg,false,x", "000004.jpg,TRUE,x"]
PLAIN = ["000001.jpg,-1,1", "000002.jpg,1,1", "000003.jpg,-1,1", "000004.jpg,1,1"]


@pytest.mark.parametrize(
    ("name", "head", "rows"),
    [
        ("list_attr_celeba.csv", ",Male,Young", PLAIN),
        ("list_attr_celeba.txt", "image_id,Male,Young", PLAIN),
        ("list_attr_celeba.txt", "image_id;Male;Young", [row.replace(",", ";") for row in PLAIN]),
        (
            "list_attr_celeba.csv",
            "image_id,Male,Young",
            TRUE,
        ),
        ("list_attr_celeba.csv", ",image_id,Male,Young", [f"{n},{row}" for n, row in enumerate(PLAIN)]),
        ("list_attr_celeba.txt", "Male\tYoung", [row.replace(",", "\t").replace("-1", "-1.0") for row in PLAIN]),
    ],
)
def test_the_list_as_it_goes_round(tmp_path: Path, name: str, head: str, rows: list[str]) -> None:
    tree(tree(tmp_path, IMAGES), {name: "\ufeff" + "\r\n".join([head, *rows, ""])})
    assert choose_reader(open_source(tmp_path)).name == "celeba"
    reading = read("celeba", tmp_path)
    assert labels_of(reading, "gender") == {face: labels[0] for face, labels in EXPECTED.items()}
    assert [remark for remark in reading.remarks if "is read as" in remark] == []
