"""Parquet files with the pictures' bytes inside, as data sets are shared today."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from core.data.duplicates import hash_images
from core.data.faces import UNRECORDED
from core.data.images import decode
from core.data.readers import choose_reader
from core.data.sources import open_source, tables
from core.data.sources.tables import ManifestSource, ParquetSource
from core.errors import LookwhereError
from core.files import read_bounded
from tests.helpers.datasets_made import jpeg, labels_of, read, rejects, tree

GENDERS = ["female", "male", "F", "x", "male"]


def picture(grey: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (8, 8), grey).save(out, "PNG")
    return out.getvalue()


def write(path: Path, kind: str = "bytes", count: int = 5, rows: int = 2, **columns: object) -> Path:
    """Row groups of `rows`; picture n is n × 10 grey."""
    images = [picture(10 * n) for n in range(count)]
    if kind == "struct":
        images = [{"bytes": image, "path": f"{n}.png"} for n, image in enumerate(images)]
    table = pa.table(
        {"image": images, **(columns or {"gender": GENDERS[:count], "age": [20, None, 40, 50, 60][:count]})}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=rows)
    return path


@pytest.mark.parametrize("kind", ["bytes", "struct"])
def test_bytes_and_the_struct_of_hugging_face_are_read(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "faces.parquet", kind)
    source = open_source(path)
    assert isinstance(source, ParquetSource)
    assert choose_reader(source).name == "manifest"
    reading = read("manifest", path)
    # The path beside the bytes is what people know a face by.
    name = "{}.png" if kind == "struct" else "faces.parquet/{}"
    assert labels_of(reading, "gender", "age", "ethnicity", "path") == {
        name.format(n): (gender, age, UNRECORDED, f"faces.parquet/{n}")
        for n, gender, age in ((0, "female", 20), (1, "male", None), (2, "female", 40), (4, "male", 60))
    }
    assert rejects(reading) == {"faces.parquet/3": "gender 'x' is not known; write female or male"}
    images = dict(source.iterate(["faces.parquet/4", "faces.parquet/0", "faces.parquet/3"]))
    assert list(images) == ["faces.parquet/0", "faces.parquet/3", "faces.parquet/4"]
    assert [decode(data).getpixel((0, 0))[0] for data in images.values()] == [0, 30, 40]


@pytest.mark.parametrize("rows", [1, 3, 100, 1000])
def test_every_row_comes_with_its_own_picture_whatever_the_row_groups(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "faces.parquet"
    pq.write_table(
        pa.table({"image": [b"%d" % n for n in range(300)], "gender": ["m"] * 300}), path, row_group_size=rows
    )
    source = open_source(path)
    assert len(source) == len(source.names) == 300
    assert [int(data) for _, data in source.iterate(source.names)] == list(range(300))
    wanted = [0, 63, 64, 65, 128, 299]
    assert [int(data) for _, data in source.iterate([f"faces.parquet/{n}" for n in wanted])] == wanted
    assert source.read("faces.parquet/7") == b"7"


def test_row_groups_without_a_wanted_row_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source(write(tmp_path / "faces.parquet"))
    row_groups, batches = [], pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile,
        "iter_batches",
        lambda *args, **named: row_groups.append(named["row_groups"]) or batches(*args, **named),
    )
    assert len(list(source.iterate(["faces.parquet/2", "faces.parquet/3"]))) == 2
    assert row_groups == [[1]]


def test_a_row_without_bytes_comes_empty(tmp_path: Path) -> None:
    path = tmp_path / "faces.parquet"
    pq.write_table(pa.table({"image": [jpeg(), None], "gender": ["male", "male"]}), path)
    assert dict(open_source(path).iterate(["faces.parquet/1"])) == {"faces.parquet/1": b""}


@pytest.mark.parametrize("below", ["", "data/"])
def test_shards_are_one_data_set_and_give_the_split(tmp_path: Path, below: str) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"):
        write(tmp_path / f"{below}{name}.parquet", "struct", 2)
    tree(tmp_path, {"README.md": "a data card"})
    source = open_source(tmp_path)
    assert choose_reader(source).name == "manifest"
    reading = read("manifest", tmp_path)
    assert labels_of(reading, "split") == {
        "train-00000-of-00002.parquet/0": "train",
        "train-00000-of-00002.parquet/1": "train",
        "train-00001-of-00002.parquet/0": "train",
        "train-00001-of-00002.parquet/1": "train",
        "validation-00000-of-00001.parquet/0": "val",
        "validation-00000-of-00001.parquet/1": "val",
    }
    assert len(list(source.iterate(reading.faces["path"]))) == 6


def test_numbers_are_named_where_the_file_declares_their_names(tmp_path: Path) -> None:
    features = {"gender": {"names": ["Male", "Female"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    table = pa.table({"image": [jpeg(), jpeg()], "gender": pa.array([0, 1], pa.int64())})
    meta = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    pq.write_table(table.replace_schema_metadata(meta), tmp_path / "named.parquet")
    pq.write_table(table, tmp_path / "bare.parquet")
    with_names, bare = (read("manifest", tmp_path / name) for name in ("named.parquet", "bare.parquet"))
    assert list(labels_of(with_names, "gender").values()) == ["male", "female"]
    assert list(rejects(bare).values()) == [
        "gender '0' is not known; write female or male",
        "gender '1' is not known; write female or male",
    ]


def test_fingerprints_tell_labels_apart(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{n}" / "faces.parquet", gender=[g] * 5) for n, g in enumerate(["male", "male", "fema"])]
    first_fingerprint, same, third_fingerprint = (open_source(path).fingerprint() for path in paths)
    assert first_fingerprint == same != third_fingerprint


def test_a_column_image_that_holds_no_bytes_makes_a_manifest(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": ["a.jpg"], "path": ["a.jpg"], "gender": ["male"]}), tmp_path / "faces.parquet")
    tree(tmp_path, ["a.jpg"])
    source = open_source(tmp_path / "faces.parquet")
    assert isinstance(source, ManifestSource)
    assert labels_of(choose_reader(source).read(source), "gender") == {"a.jpg": "male"}


def test_near_miss_without_gender_and_a_column_of_lists(tmp_path: Path) -> None:
    path = write(tmp_path / "faces.parquet", label=[0] * 5)
    says = r"faces.parquet: looks like images in a Parquet, but column gender is missing in faces.parquet"
    with pytest.raises(LookwhereError, match=says):
        choose_reader(open_source(path))
    path = write(tmp_path / "lists.parquet", gender=[["male"]] * 5)
    with pytest.raises(LookwhereError, match=r"lists.parquet: column gender holds neither text nor numbers"):
        read("manifest", path)


def test_a_damaged_parquet_is_told_in_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "faces.parquet")
    body = path.read_bytes()
    path.write_bytes(body[:-20])
    with pytest.raises(LookwhereError, match=r"faces.parquet: the Parquet file is damaged or cut short") as caught:
        open_source(path)
    assert "\n" not in str(caught.value)
    path.write_bytes(body[:4] + bytes(200) + body[204:])
    source = open_source(path)
    with pytest.raises(LookwhereError, match=r"faces.parquet: the Parquet file is damaged"):
        list(source.iterate(source.names))


FAIRFACE = {
    "race": {"names": ["East Asian", "Latino_Hispanic"], "_type": "ClassLabel"},
    "age": {"names": ["0-2", "3-9", "more than 70"], "_type": "ClassLabel"},
    "gender": {"names": ["Male", "Female"], "_type": "ClassLabel"},
}


def test_race_and_ranges_of_age_are_read_and_further_columns_are_kept(tmp_path: Path) -> None:
    images = [{"bytes": picture(n), "path": "same.jpg"} for n in range(3)]
    columns = {"age": [0, 1, 2], "gender": [0, 1, 0], "race": [0, 1, 1], "service_test": [True, False, True]}
    columns |= {"box": [[1, 2], [3, 4], [5, 6]]}
    table = pa.table({"image": images, **columns})
    table = table.replace_schema_metadata({b"huggingface": json.dumps({"info": {"features": FAIRFACE}}).encode()})
    pq.write_table(table, tmp_path / "train-00000-of-00001.parquet")
    reading = read("manifest", tmp_path)
    assert labels_of(reading, "gender", "ethnicity", "age") == {
        "train-00000-of-00001.parquet/0": ("male", "East Asian", 0),
        "train-00000-of-00001.parquet/1": ("female", "Latino_Hispanic", 3),
        "train-00000-of-00001.parquet/2": ("male", "Latino_Hispanic", 70),
    }
    assert [remark.partition(": ")[2] for remark in reading.remarks] == [
        "column race is read as ethnicity",
        "not used: box",
        "3 of 3 are ranges, such as 0-2: the lower bound is kept",
    ]
    assert reading.own.to_dict("list") == {"service_test": ["true", "false", "true"]}


def test_numbers_that_are_none_are_missing_and_a_column_of_names_calls_the_faces(tmp_path: Path) -> None:
    table = {"image": [picture(1), picture(2)], "gender": ["m", "f"], "file": ["a\\1.jpg", "2.jpg"]}
    columns = {"identity": [7.0, float("nan")], "ethnicity": ["NA", None]}
    pq.write_table(pa.table(table | columns), tmp_path / "faces.parquet")
    assert labels_of(read("manifest", tmp_path), "identity", "ethnicity") == {
        "a\\1.jpg": ("7", "NA"),
        "2.jpg": (None, UNRECORDED),
    }


def test_a_row_group_that_unpacks_to_gigabytes_is_counted_and_never_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [picture(1), bytes(40_000_000), picture(3), picture(4)]
    table = pa.table({"image": [{"bytes": image, "path": None} for image in images], "gender": ["f", "m", "f", "m"]})
    pq.write_table(table, tmp_path / "faces.parquet", row_group_size=2, compression="zstd")
    monkeypatch.setattr(tables, "MAXIMUM_IMAGE_BYTES", 20_000_000)
    source = open_source(tmp_path / "faces.parquet")
    before = pa.total_allocated_bytes()
    found = dict(source.iterate(source.names))
    assert pa.total_allocated_bytes() - before < 1_000_000
    assert {name: len(data) > 0 for name, data in found.items()} == {
        f"faces.parquet/{row}": row > 1 for row in range(4)
    }
    hashes = hash_images(source, source.names).set_index("path")["problem"]
    assert hashes["faces.parquet/0"] == hashes["faces.parquet/1"]
    assert hashes["faces.parquet/1"].startswith("among images of 0.0 MB that unpack to 0.0 GB")
    assert (hashes[["faces.parquet/2", "faces.parquet/3"]] == "").all()


def test_images_that_hardly_compress_are_read_however_large_their_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAXIMUM_IMAGE_BYTES", 150)
    source = open_source(write(tmp_path / "faces.parquet"))
    assert all(dict(source.iterate(source.names)).values())


def test_labels_are_read_from_a_pipe_and_no_further_than_a_table_has(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for size, expected in ((3, b"abc"), (9, None)):
        writer = threading.Thread(target=pipe.write_bytes, args=(b"abcdefghi"[:size],))
        writer.start()
        if expected is None:
            with pytest.raises(OSError, match="more than is read of such a file"):
                read_bounded(pipe, 8)
        else:
            assert read_bounded(pipe, 8) == expected
        writer.join()


@pytest.mark.parametrize(
    "bomb", [["x" * 10_000] * 5_000, ["x" * 10_000, *[None] * 3_000, *["x" * 10_000] * 5_000], [7] * 100_000]
)
def test_a_column_that_unfolds_to_more_than_a_table_has_is_refused(
    bomb: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One text, kept once, that each of a billion rows says."""
    monkeypatch.setattr(tables, "MAXIMUM_TABLE_BYTES", 400_000)
    file, gender = tmp_path / "labels.parquet", {"gender": "gender"}
    pq.write_table(pa.table({"ethnicity": bomb}), file)
    assert file.stat().st_size < 50_000
    with pytest.raises(LookwhereError, match=r"labels\.parquet: column ethnicity: it unfolds to over"):
        tables.string_table(tables.open_parquet(file), {"ethnicity": "ethnicity"}, "labels.parquet")
    pq.write_table(pa.table({"gender": GENDERS * 200}), file)
    read = tables.string_table(tables.open_parquet(file.read_bytes()), gender, "labels.parquet")
    assert read["gender"].tolist() == GENDERS * 200
