"""Splits by the names of shards and folders, as the hub has them; and splits that a picture or a person crosses."""

from __future__ import annotations

import copy
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from core.data.build_store import build_store
from core.data.plan import Plan, plan
from core.data.readers import READERS, Reader, choose_reader
from core.data.sources import open_source
from core.data.sources.shards import configurations, splits_of
from core.errors import LookwhereError
from core.present.text.tables import store_report
from tests.helpers.datasets_made import jpeg, labels_of, read, tree

HASH = "d405faba4f4b9b85"


@pytest.mark.parametrize(
    ("paths", "splits"),
    [
        ([f"train-00000-of-00002-{HASH}.parquet", f"train-00001-of-00002-{HASH[::-1]}.parquet"], ["train"] * 2),
        ([f"data/train-00000-of-00001-{HASH}.parquet", "data/test-00000-of-00001.parquet"], ["train", "test"]),
        (["train-00000-of-00001.parquet"], ["train"]),
        (["default/train/0000.parquet", "default/validation/0000.parquet"], ["train", "val"]),
        (["train/0000.parquet", "train/0001.parquet", "dev/0000.parquet"], ["train", "train", "val"]),
        (["default/partial-train/0000.parquet", "default/partial-test/0000.parquet"], ["train", "test"]),
        (["Train.parquet", "Evaluation.parquet", "valid.parquet"], ["train", "test", "val"]),
        (["faces_train.parquet", "faces_test.parquet"], ["train", "test"]),
        (["test/my-train-part.parquet", "test/x.parquet"], ["train", "test"]),
        (["train/train_test.parquet", "test/train_test.parquet"], ["train", "test"]),
        (["train.parquet"], None),
        (["train/0000.parquet", "train/0001.parquet"], None),
        (["train.parquet", "more.parquet"], None),
        (["constrained.parquet", "latest.parquet"], None),
        (["0000.parquet", "0001.parquet"], None),
        ([], None),
    ],
)
def test_names_and_folders_of_shards_give_the_split(paths: list[str], splits: list[str] | None) -> None:
    assert splits_of(paths) == splits


@pytest.mark.parametrize(
    ("paths", "folders"),
    [
        (["0.25/train/0000.parquet", "1.25/train/0000.parquet"], ["0.25", "1.25"]),
        (
            [f"0.25/train-00000-of-00002-{HASH}.parquet", f"1.25/train-00000-of-00002-{HASH[::-1]}.parquet"],
            ["0.25", "1.25"],
        ),
        (["a/b/train.parquet", "a/c/train.parquet", "a/d/test.parquet"], ["a/b", "a/c"]),
        (["default/train/0000.parquet", "default/validation/0000.parquet"], []),
        (["train/0000.parquet", "validation/0000.parquet"], []),
        (["part1/0000.parquet", "part2/0000.parquet"], []),
    ],
)
def test_one_data_set_in_several_folders_is_seen(paths: list[str], folders: list[str]) -> None:
    assert configurations(paths) == folders


@pytest.mark.parametrize(
    "paths",
    [
        (f"data/train-00000-of-00001-{HASH}.parquet", f"data/test-00000-of-00001-{HASH}.parquet"),
        ("default/train/0000.parquet", "default/test/0000.parquet"),
        ("train/0000.parquet", "test/0001.parquet"),
    ],
)
def test_shards_of_one_name_are_all_read_with_their_splits(tmp_path: Path, paths: tuple[str, str]) -> None:
    for path, greys in zip(paths, ((10, 30), (50, 70)), strict=True):
        pq.write_table(
            pa.table({"image": [jpeg(grey=grey) for grey in greys], "gender": ["m", "f"]}),
            tree(tmp_path, {path: b""}) / path,
        )
    tree(tmp_path, {"README.md": "a data card"})
    source = open_source(tmp_path)
    assert choose_reader(source).name == "manifest"
    reading = read("manifest", tmp_path)
    assert sorted(labels_of(reading, "split").values()) == ["test", "test", "train", "train"]
    images = dict(source.iterate(reading.faces["path"]))
    split = reading.faces.set_index("path")["split"]
    split_and_grey = {
        (split[path], Image.open(io.BytesIO(data)).convert("L").getpixel((0, 0))) for path, data in images.items()
    }
    assert split_and_grey == {("train", 10), ("train", 30), ("test", 50), ("test", 70)}


def test_both_margins_of_one_data_set_are_refused_with_the_mend(tmp_path: Path) -> None:
    for margin in ("0.25", "1.25"):
        file = tree(tmp_path, {f"{margin}/train/0000.parquet": b""}) / f"{margin}/train/0000.parquet"
        pq.write_table(pa.table({"image": [jpeg()], "gender": ["m"]}), file)
    with pytest.raises(LookwhereError, match=r"several times, in 0\.25, 1\.25; give one of these folders"):
        open_source(tmp_path)
    assert len(open_source(tmp_path / "0.25")) == 1


def photo(seed: int, quality: int = 90) -> bytes:
    grid = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(grid).resize((112, 112), Image.Resampling.BICUBIC).save(out, "JPEG", quality=quality)
    return out.getvalue()


def aligned_manifest() -> Reader:
    reader = copy.copy(READERS["manifest"])
    reader.aligned = True
    return reader


def planned(folder: Path, rows: list[str], images: dict[str, bytes], columns: str) -> Plan:
    tree(folder, images)
    tree(folder, {"manifest.csv": f"path,gender,{columns}\n" + "".join(f"{row}\n" for row in rows)})
    return plan(open_source(folder), aligned_manifest())


def test_own_splits_that_a_person_or_a_picture_crosses_are_kept_and_told(tmp_path: Path) -> None:
    images = {
        "a.jpg": photo(1),
        "a again.jpg": photo(1, quality=60),
        "b.jpg": photo(2),
        "b copy.jpg": photo(2),
        "c.jpg": photo(3),
        "d.jpg": photo(4),
        "e.jpg": photo(5),
        "e again.jpg": photo(5, quality=60),
    }
    people = ("p1", "p2", "p3", "p3", "p4", "p4", "p5", "p5")
    splits = ("train", "test", "train", "test", "train", "val", "train", "train")
    rows = [f"{file},m,{who},{split}" for file, who, split in zip(images, people, splits, strict=True)]
    work = planned(tmp_path / "set", rows, images, "identity,split")
    assert work.own_splits
    split_of = work.faces.set_index("path")["split"].to_dict()
    copies = {"b.jpg", "b copy.jpg"}
    assert set(images) - set(split_of) < copies
    assert split_of.items() <= dict(zip(images, splits, strict=True)).items()
    report = store_report(build_store(open_source(tmp_path / "set"), aligned_manifest(), tmp_path / "store"))
    assert "people: 5, 1 of them in more than one of the data set's own splits" in report
    assert "near-copies: 2 clusters, 1 of them in more than one of the data set's own splits" in report
    disagreements = work.disagreements.groupby("what")["file"].agg(sorted).to_dict()
    assert disagreements == {
        "person of more than one split": ["person p3: test, train", "person p4: train, val"],
        "split: exact copies in more than one; at most one is kept": ["b copy.jpg", "b.jpg"],
        "split: near-copies in more than one; both are kept": ["a again.jpg", "a.jpg"],
    }


def test_where_no_split_is_named_neither_crosses(tmp_path: Path) -> None:
    """Twenty people of two pictures, each encoded twice: a chain of person, picture and person stays in one split."""
    images = {f"{n}-{k}.jpg": photo(n // 2, quality=90 - 30 * k) for n in range(40) for k in range(2)}
    rows = [f"{file},m,p{int(file.partition('-')[0]) // 2}" for file in images]
    work = planned(tmp_path / "set", rows, images, "identity")
    assert not work.own_splits
    assert work.faces.groupby("identity")["split"].nunique().max() == 1
    assert work.faces.groupby("cluster")["split"].nunique().max() == 1
    assert work.disagreements.empty
