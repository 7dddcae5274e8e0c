"""A folder a gender, with or without splits."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.faces import UNRECORDED
from core.data.readers import choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.data_set_trees import KAGGLE
from tests.helpers.datasets_made import labels_of, packed, read, rejects, tree


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["train/female/1.jpg", "val/male/1.jpg"], [("female", "train"), ("male", "val")]),
        (["Train/Women/1.JPG", "Test/MEN/1.png"], [("female", "train"), ("male", "test")]),
        (["a/b/valid/girls/1.jpg", "a/b/testing/boys/1.jpg"], [("female", "val"), ("male", "test")]),
        (["F/training/1.jpg", "M/validation/1.jpg"], [("female", "train"), ("male", "val")]),
        (["train/woman/2019/x/1.jpg", "test/man/1.jpg"], [("female", "train"), ("male", "test")]),
        (["train/females/1.jpg", "train/males/1.jpg"], [("female", "train"), ("male", "train")]),
    ],
)
@pytest.mark.parametrize("kind", ["folder", ".zip", ".tar.gz"])
def test_folders_give_gender_and_split_at_any_depth(
    tmp_path: Path, names: list[str], labels: list[tuple[str, str]], kind: str
) -> None:
    source = open_source(packed(tree(tmp_path / "set", names), kind))
    reader = choose_reader(source)
    assert reader.name == "class-folders"
    reading = reader.read(source)
    faces = reading.faces.set_index(reading.faces["path"].str.removeprefix("./"))
    assert [tuple(faces.loc[name, ["gender", "split"]]) for name in names] == labels
    assert rejects(reading) == {}


@pytest.mark.parametrize(
    "names", [["female/1.jpg", "male/1.jpg"], ["m/1.jpg", "f/1.jpg"], ["x/men/1.jpg", "x/men/2.jpg"]]
)
def test_without_splits_there_is_none(tmp_path: Path, names: list[str]) -> None:
    reading = read("class-folders", tree(tmp_path, names))
    assert choose_reader(open_source(tmp_path)).name == "class-folders"
    assert "split" not in reading.faces
    assert len(reading.faces) == 2


def test_faces_are_called_by_their_path_without_what_all_share(tmp_path: Path) -> None:
    names = ["set/one/train/men/1.jpg", "set/one/train/women/1.jpg.jpg", "set/one/test/men/1.PNG"]
    assert set(labels_of(read("class-folders", tree(tmp_path, names)), "gender")) == {
        "train/men/1",
        "train/women/1",
        "test/men/1",
    }


def test_two_folders_of_one_class_lose_nothing(tmp_path: Path) -> None:
    reading = read("class-folders", tree(tmp_path, ["a/men/1.jpg", "b/men/1.jpg", "b/women/1.jpg"]))
    assert len(reading.faces) == 3
    assert rejects(reading) == {}


def test_strays_and_contradictions_are_rejected_with_the_reason(tmp_path: Path) -> None:
    names = ["train/men/1.jpg", "train/women/1.jpg", "test/men/1.jpg", "cover.jpg", "train/men/women/1.jpg"]
    reading = read("class-folders", tree(tmp_path, [*names, "test/train/men/1.jpg", "men/7.jpg", "train/men/._1.jpg"]))
    assert rejects(reading) == {
        "cover.jpg": "in no folder called female, male, women, men …",
        "train/men/women/1.jpg": "its folders name both genders",
        "test/train/men/1.jpg": "its folders name more than one split",
        "men/7.jpg": "in no folder of a split, where others are: train, val or test",
    }


def test_kaggles_layout_has_a_reader_of_its_own_and_is_read_by_name(tmp_path: Path) -> None:
    source = open_source(tree(tmp_path, KAGGLE))
    assert choose_reader(source).name == "kaggle-gender"
    reading = choose_reader(source, "class-folders").read(source)
    assert reading.faces.groupby(["gender", "split"]).size().to_dict() == {
        ("female", "train"): 2,
        ("female", "val"): 1,
        ("male", "train"): 1,
        ("male", "val"): 1,
    }


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["a/1.jpg", "b/1.jpg"], "images do not lie in folders called female, male"),
        (["women/1.jpg", "b/1.jpg", "c/1.jpg"], r"female, male, women, men … \(33% of them do\)"),
        (["f/1.jpg"], "only one folder is called by a gender, by a single letter"),
    ],
)
def test_other_folders_are_refused(tmp_path: Path, names: list[str], says: str) -> None:
    with pytest.raises(LookwhereError, match=says):
        choose_reader(open_source(tree(tmp_path, names)))


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["smiling/1.jpg", "not_smiling/2.jpg"], ["yes", "no"]),
        (["set/Smiling/1.jpg", "set/no smiling/2.jpg"], ["yes", "no"]),
        (["train/happy/1.jpg", "val/neutral/2.jpg"], ["happy", "neutral"]),
        (["happy/train/2019/1.jpg", "neutral/test/2020/2.jpg"], ["happy", "neutral"]),
        (["not_smiling/1.jpg", "neutral/2.jpg"], ["not_smiling", "neutral"]),
    ],
)
def test_two_folders_of_any_names_are_the_classes_of_a_target(
    tmp_path: Path, names: list[str], labels: list[str]
) -> None:
    source = open_source(tree(tmp_path, names), "smiling")
    reader = choose_reader(source)
    assert reader.name == "class-folders"
    reading = reader.read(source)
    assert reading.faces["gender"].tolist() == [UNRECORDED] * 2 and reading.rejects.empty
    own = dict(zip(reading.faces["path"].str[-5], reading.own["smiling"], strict=True))
    assert [own[name[-5]] for name in names] == labels


def test_folders_that_are_no_two_classes_say_what_they_are(tmp_path: Path) -> None:
    source = open_source(tree(tmp_path / "three", ["a/1.jpg", "b/2.jpg", "c/3.jpg"]), "smiling")
    with pytest.raises(LookwhereError, match="--target smiling needs two folders; those of the images are a, b, c"):
        choose_reader(source)
    with pytest.raises(LookwhereError, match="call happy and neutral so, or classify what they are with --target NAME"):
        choose_reader(open_source(tree(tmp_path / "two", ["happy/1.jpg", "neutral/2.jpg"])))


def test_folders_of_genders_stay_such_where_another_column_is_classified(tmp_path: Path) -> None:
    source = open_source(tree(tmp_path, ["men/1.jpg", "women/2.jpg"]), "smiling")
    assert set(choose_reader(source).read(source).faces["gender"]) == {"female", "male"}
