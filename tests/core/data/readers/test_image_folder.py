"""Image folders with Hugging Face's metadata.csv or metadata.jsonl."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.readers import choose_reader
from core.data.sources import open_source
from core.errors import LookwhereError
from tests.helpers.datasets_made import labels_of, packed, read, rejects, tree

CSV = "file_name,gender,race,text\n1.jpg,f,White,a face\n2.jpg,m,Black,\n"
JSONL = (
    '{"file_name": "1.jpg", "gender": "f", "race": "White", "text": "a face"}\n'
    '{"file_name": "2.jpg", "gender": "m", "race": "Black", "box": [1, 2]}\n'
)


@pytest.mark.parametrize(("name", "content"), [("metadata.csv", CSV), ("metadata.jsonl", JSONL)])
@pytest.mark.parametrize("kind", ["folder", ".zip"])
def test_a_table_in_each_folder_gives_labels_and_folders_the_split(
    tmp_path: Path, name: str, content: str, kind: str
) -> None:
    names = [f"{split}/{n}.jpg" for split in ("train", "validation") for n in (1, 2)]
    tree(tmp_path / "set", [*names, "train/3.jpg", "else/1.jpg"])
    tree(tmp_path / "set", {f"train/{name}": content, f"validation/{name}": content})
    source = open_source(packed(tmp_path / "set", kind))
    assert choose_reader(source).name == "image-folder"
    reading = choose_reader(source).read(source)
    assert labels_of(reading, "gender", "ethnicity", "split") == {
        "train/1.jpg": ("female", "White", "train"),
        "train/2.jpg": ("male", "Black", "train"),
        "validation/1.jpg": ("female", "White", "val"),
        "validation/2.jpg": ("male", "Black", "val"),
    }
    assert rejects(reading) == {"train/3.jpg": f"no row in train/{name}", "else/1.jpg": "no metadata in its folder"}
    assert "text" in reading.own


def test_one_table_at_the_root_names_files_below_it(tmp_path: Path) -> None:
    tree(tmp_path, ["train/1.jpg", "train/2.jpg"])
    tree(tmp_path, {"metadata.csv": "file_name,sex\ntrain/1.jpg,f\ntrain\\2.jpg,m\n"})
    reading = read("image-folder", tmp_path)
    assert labels_of(reading, "gender") == {"train/1.jpg": "female", "train/2.jpg": "male"}
    assert "split" not in reading.faces  # a single folder train says no more than that it is all


def test_a_column_for_the_split_counts_before_folders(tmp_path: Path) -> None:
    tree(tmp_path, ["train/1.jpg", "test/1.jpg"])
    tree(tmp_path, {"metadata.csv": "file_name,gender,split\ntrain/1.jpg,f,val\ntest/1.jpg,m,train\n"})
    assert labels_of(read("image-folder", tmp_path), "split") == {"train/1.jpg": "val", "test/1.jpg": "train"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("file_name,text\n1.jpg,x\n", "column gender is missing in train/metadata.csv; it has file_name, text"),
        ("name,gender\n1.jpg,f\n", "column file_name is missing in train/metadata.csv; it has name, gender"),
    ],
)
def test_near_misses(tmp_path: Path, content: str, says: str) -> None:
    tree(tree(tmp_path, ["train/1.jpg"]), {"train/metadata.csv": content})
    with pytest.raises(LookwhereError, match=f"not image-folder: looks like a Hugging Face image folder, but {says}"):
        choose_reader(open_source(tmp_path))
