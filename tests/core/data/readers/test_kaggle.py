"""The Kaggle gender set: folders are the labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.faces import UNRECORDED
from core.data.readers import choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import KAGGLE
from tests.helpers.datasets_made import labels_of, read, rejects, tree


@pytest.mark.parametrize("above", ["", "archive/Dataset/"])
def test_folders_give_gender_and_split_at_any_depth(tmp_path: Path, above: str) -> None:
    reading = read("kaggle-gender", tree(tmp_path, [above + name for name in KAGGLE]))
    assert labels_of(reading, "gender", "split") == {
        "training-female-112944": ("female", "train"),
        "training-female-7": ("female", "train"),
        "training-male-112944": ("male", "train"),
        "validation-female-112944": ("female", "val"),
        "validation-male-9": ("male", "val"),
    }
    assert set(reading.faces["path"]) == {above + name for name in KAGGLE}
    assert rejects(reading) == {}


def test_there_is_no_ethnicity_no_age_and_no_identity(tmp_path: Path) -> None:
    faces = read("kaggle-gender", tree(tmp_path, KAGGLE)).faces
    assert list(faces) == ["face_id", "path", "gender", "ethnicity", "age", "identity", "split"]
    assert set(faces["ethnicity"]) == {UNRECORDED}
    assert faces["age"].isna().all()
    assert faces["identity"].isna().all()
    assert str(faces["age"].dtype) == "Int16"


def test_other_casing_is_the_same_layout(tmp_path: Path) -> None:
    source = open_source(tree(tmp_path, ["training/Female/1.JPG", "VALIDATION/male/2.jpeg"]))
    assert choose_reader(source).name == "kaggle-gender"
    assert labels_of(read("kaggle-gender", tmp_path), "gender") == {
        "training-female-1": "female",
        "validation-male-2": "male",
    }


def test_strays_and_second_copies_are_rejected_and_hidden_files_are_none(tmp_path: Path) -> None:
    strays = ["Training/cover.jpg", "Training/male/7.jpg", "Training/male/7.jpg.jpg", "more/Training/male/7.jpg"]
    hidden = ["Training/male/._7.jpg", "__MACOSX/Training/male/7.jpg", ".git/Training/male/7.jpg"]
    reading = read("kaggle-gender", tree(tmp_path, strays + hidden))
    assert reading.faces["path"].tolist() == ["Training/male/7.jpg"]
    assert rejects(reading) == {
        "Training/cover.jpg": "not in Training|Validation/female|male",
        "Training/male/7.jpg.jpg": "same name as another image",
        "more/Training/male/7.jpg": "same name as another image",
    }


def test_folders_named_otherwise_are_those_of_another_reader(tmp_path: Path) -> None:
    source = open_source(tree(tmp_path, ["train/women/1.jpg", "train/men/1.jpg"]))
    assert choose_reader(source).name == "class-folders"


def test_refusal_of_other_pictures(tmp_path: Path) -> None:
    source = open_source(tree(tmp_path, ["a/1.jpg", "b/1.jpg"]))
    says = r"not kaggle-gender: images do not lie in .*; it expects Training and Validation"
    with pytest.raises(LookwhereError, match=says):
        choose_reader(source, "kaggle-gender")
