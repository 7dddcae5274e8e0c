"""Which column of a Parquet holds the images, and which its genders, as the hub's own conversions write them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.readers import choose_reader
from core.data.sources import open_source
from core.data.sources.tables import ParquetSource
from core.errors import LookwhereError
from tests.helpers.datasets_made import jpeg, labels_of

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def images(*contents: bytes | None) -> pa.Array:
    return pa.array([{"bytes": data, "path": f"{n}.jpg"} for n, data in enumerate(contents)], STRUCT)


def written(path: Path, columns: dict, features: dict | None = None) -> Path:
    table = pa.table(columns)
    if features is not None:
        meta = json.dumps({"info": {"features": features}}).encode()
        table = table.replace_schema_metadata({b"huggingface": meta})
    pq.write_table(table, path)
    return path


def genders(path: Path) -> list[str]:
    source = open_source(path)
    return list(labels_of(choose_reader(source).read(source), "gender").values())


@pytest.mark.parametrize("features", [None, {"img": {"_type": "Image"}, "voice": {"_type": "Audio"}}])
def test_images_may_have_a_column_of_another_name(tmp_path: Path, features: dict | None) -> None:
    columns = {"img": images(jpeg(), jpeg(grey=1)), "gender": ["f", "m"]}
    if features is not None:
        columns["voice"] = images(b"RIFF", b"RIFF")
    path = written(tmp_path / "faces.parquet", columns, features)
    assert genders(path) == ["female", "male"]
    assert dict(open_source(path).iterate(["faces.parquet/1"])) == {"faces.parquet/1": jpeg(grey=1)}


def test_of_two_columns_of_images_none_is_guessed(tmp_path: Path) -> None:
    columns = {"left": images(jpeg()), "right": images(jpeg()), "gender": ["f"]}
    assert not isinstance(open_source(written(tmp_path / "faces.parquet", columns)), ParquetSource)


def test_a_label_whose_names_are_genders_is_the_gender(tmp_path: Path) -> None:
    features = {"label": {"names": ["Women", "men"], "_type": "ClassLabel"}}
    columns = {"image": images(jpeg(), jpeg()), "label": [0, 1]}
    path = written(tmp_path / "faces.parquet", columns, features)
    assert genders(path) == ["female", "male"]
    source = open_source(path)
    assert "faces.parquet: column label is read as gender" in choose_reader(source).read(source).remarks


@pytest.mark.parametrize("names", [["cat", "dog"], ["female", "dog"], []])
def test_any_other_label_is_none(tmp_path: Path, names: list[str]) -> None:
    features = {"label": {"names": names, "_type": "ClassLabel"}}
    path = written(tmp_path / "faces.parquet", {"image": images(jpeg()), "label": [0]}, features)
    with pytest.raises(LookwhereError, match=r"column gender is missing in faces\.parquet; it has label"):
        genders(path)


def test_our_own_name_counts_before_a_label(tmp_path: Path) -> None:
    features = {"label": {"names": ["female", "male"], "_type": "ClassLabel"}}
    columns = {"image": images(jpeg(), jpeg()), "label": [0, 0], "sex": ["m", "f"]}
    assert genders(written(tmp_path / "faces.parquet", columns, features)) == ["male", "female"]


def test_paths_without_bytes_are_no_images(tmp_path: Path) -> None:
    path = written(tmp_path / "faces.parquet", {"image": images(None, None), "gender": ["f", "m"]})
    with pytest.raises(LookwhereError, match=r"faces\.parquet: column image names files and holds no image: write"):
        genders(path)
    assert genders(written(tmp_path / "some.parquet", {"image": images(None, jpeg()), "gender": ["f", "m"]}))


def test_pixels_in_lists_are_told_and_views_of_bytes_are_read(tmp_path: Path) -> None:
    pixels = pa.array([[1, 2]], pa.list_(pa.uint8()))
    with pytest.raises(
        LookwhereError, match=r"lists\.parquet: image holds list<.*uint8>, and no bytes of an image file"
    ):
        genders(written(tmp_path / "lists.parquet", {"image": pixels, "gender": ["f"]}))
    assert genders(written(tmp_path / "views.parquet", {"image": pa.array([jpeg()], pa.binary_view()), "sex": ["f"]}))
