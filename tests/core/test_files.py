"""Files are written whole, and only files: what a person names to be written into is not replaced."""

from __future__ import annotations

import io
import os
import shutil
import stat
import threading
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.errors import LookwhereError
from core.files import (
    LARGE_TABLE,
    file_to_write,
    put_folder,
    read_npz,
    write_bytes,
    write_npz,
    write_parquet,
    write_text,
)
from core.locks import alone


@pytest.mark.parametrize("write", [write_text, lambda path, text: write_bytes(path, text.encode())])
def test_a_pipe_is_written_into_and_stays_one(tmp_path: Path, write) -> None:
    """As /dev/stdout and /dev/null, which root can replace by a file."""
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write(pipe, "whole")
    reader.join(10)
    assert read == ["whole"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [file.name for file in tmp_path.iterdir()] == ["pipe"]


def test_a_folder_is_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match="this is a folder; name a file in it"):
        file_to_write(tmp_path)
    assert file_to_write(tmp_path / "new") == tmp_path / "new"


def test_what_has_no_name_cannot_be_locked() -> None:
    with pytest.raises(LookwhereError, match="give it a name"), alone(Path(), "making"):
        pass


def archive(file: Path, **arrays: bytes) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in arrays.items():
            out.writestr(f"{name}.npy", data)
    return file


def array_bytes(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def test_arrays_are_read_as_they_were_written(tmp_path: Path) -> None:
    arrays = {
        "a": np.arange(6).reshape(2, 3),
        "b": np.array(["x", "yy"]),
        "c": np.asfortranarray(np.eye(3)),
        "d": np.float32(2),
    }
    np.savez_compressed(tmp_path / "numpys.npz", **arrays)
    write_npz(tmp_path / "ours.npz", arrays)
    write_npz(tmp_path / "again.npz", arrays)
    for file in ("numpys.npz", "ours.npz"):
        read = read_npz(tmp_path / file)
        assert read.keys() == arrays.keys()
        assert all(np.array_equal(read[n], value) and read[n].dtype == value.dtype for n, value in arrays.items())
    assert (tmp_path / "ours.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_a_flipped_byte_of_arrays_is_told_or_changes_none(tmp_path: Path) -> None:
    arrays, file = {"a": np.arange(4000, dtype=np.int64)}, tmp_path / "x.npz"
    write_npz(file, arrays)
    whole, told = file.read_bytes(), 0
    for place in range(0, len(whole), 7):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :])
        try:
            read = read_npz(file, 10**6)
        except ValueError:
            told += 1
        else:
            assert all(np.array_equal(value, arrays["a"]) for value in read.values())
    assert told > 0.8 * len(whole) / 7


@pytest.mark.parametrize("kind", ["bomb", "head", "pickle", "cut", "none", "text"])
def test_arrays_that_would_fill_the_memory_or_run_code_are_refused(kind: str, tmp_path: Path) -> None:
    """numpy makes room for what a head tells before it reads: 8 TB here."""
    whole, file = array_bytes(np.zeros(1000)), tmp_path / "x.npz"
    if kind == "bomb":
        archive(file, a=array_bytes(np.zeros(200_000)))
    elif kind == "head":
        lie = whole.replace(b"(1000,), }         ", b"(1000000000000,), }")
        assert len(lie) == len(whole) and lie != whole
        archive(file, a=lie)
    elif kind == "pickle":
        np.savez(file, a=np.array([{"x": 1}], dtype=object))
    elif kind == "cut":
        file.write_bytes(archive(file, a=whole).read_bytes()[:-30])
    elif kind == "text":
        archive(file, a=b"no array")
    else:
        file.write_bytes(b"")
    tracemalloc.start()
    try:
        with pytest.raises(ValueError):
            read_npz(file, 10**6)
        assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("rows", [3, LARGE_TABLE])
def test_a_table_of_faces_is_read_as_it_was_and_small_ones_are_packed_slowly(tmp_path: Path, rows: int) -> None:
    draw = np.random.default_rng(0)
    names = pd.Series([f"UTKFace/{n}_0_{draw.integers(1 << 40)}.jpg" for n in range(rows)], dtype="str")
    table = pd.DataFrame({"path": names, "p_male": draw.random(rows).astype(np.float32), "gender": "female"})
    write_parquet(tmp_path / "faces.parquet", table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "faces.parquet"), table, check_dtype=False)
    row_group = pq.ParquetFile(tmp_path / "faces.parquet").metadata.row_group(0)
    encodings = {
        row_group.column(n).path_in_schema: row_group.column(n).encodings for n in range(row_group.num_columns)
    }
    assert "BYTE_STREAM_SPLIT" in encodings["p_male"] and "RLE_DICTIONARY" in encodings["gender"]
    assert ("DELTA_BYTE_ARRAY" in encodings["path"]) == (rows == LARGE_TABLE)
    assert "RLE_DICTIONARY" not in encodings["path"]


def test_a_folder_is_copied_whole_or_not_at_all(tmp_path: Path) -> None:
    """One copied in part has a manifest perhaps, passes for finished, and is never made again."""
    source, place = tmp_path / "source", tmp_path / "out/place"
    source.mkdir()
    for name in ("a.json", "b.bin", "c.log"):
        (source / name).write_text("new")
    os.mkfifo(source / "d.pipe")
    with pytest.raises(LookwhereError, match=r"out/place: cannot be copied to \(.*d\.pipe.* is a named pipe\)"):
        put_folder(source, place)
    assert not list(place.parent.iterdir())
    (source / "d.pipe").unlink()
    put_folder(source, place)
    (source / "a.json").write_text("newer")
    (source / "b.bin").unlink()
    put_folder(source, place, shutil.ignore_patterns("*.log"))
    assert [(file.name, file.read_text()) for file in place.iterdir()] == [("a.json", "newer")]
    assert [entry.name for entry in place.parent.iterdir()] == ["place"]
