"""Writing whole files or none: what a page or a next run finds is never half-written."""

from __future__ import annotations

import errno
import hashlib
import json
import lzma
import math
import re
import reprlib
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import LookwhereError
from core.locks import put_in_place

if TYPE_CHECKING:
    import pyarrow as pa

#: Bytes that an archive of arrays may unpack to. Average faces of a large audit are some hundred megabytes.
MOST_ARRAYS = 4 * 2**30


def plain_name(name: str, what: str = "--name") -> str:
    """A name fit for one folder. Raises `LookwhereError` for any other, calling it `what`."""
    if not re.fullmatch(r"[\w.-]{1,80}", name) or name.startswith(".") or len(name.encode()) > 200:
        raise LookwhereError(f"{what} {reprlib.repr(name)}: use letters, digits, dots, dashes and underscores")
    return name


def read_bounded(path: Path, most: int) -> bytes:
    """A file whole, or a pipe. Raises `OSError`, its `strerror` the reason, where it has over `most` bytes."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"over {most / 1e6:,.0f} MB, more than is read of such a file", str(path))
    return data


def read_npz(file: Path, most: int = MOST_ARRAYS) -> dict[str, np.ndarray]:
    """The arrays of a NumPy archive, none of them pickled.

    Raises `OSError`, or `ValueError` where it is damaged, unpacks to over `most` bytes, or an array's head tells of
    more than there is: numpy would make room for that before it reads.
    """
    try:
        with zipfile.ZipFile(file) as packed:
            if (size := sum(entry.file_size for entry in packed.infolist())) > most:
                raise ValueError(f"it unpacks to {size / 1e9:,.1f} GB")
            for entry in packed.infolist():
                _check_head(packed, entry)
        with np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(str(error) or type(error).__name__) from error


def write_npz(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """A NumPy archive, none of it pickled. LZMA takes a seventh less than what NumPy writes, of averages."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as packed:
        for name, array in arrays.items():
            with packed.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)


def _check_head(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Raise `ValueError` where an array's head tells of more bytes than its entry has."""
    with packed.open(entry) as array:
        first_format = np.lib.format.read_magic(array) == (1, 0)
        read_head = np.lib.format.read_array_header_1_0 if first_format else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_head(array)
    if math.prod(shape) * dtype.itemsize > entry.file_size:
        raise ValueError(f"{entry.filename} tells of {shape} values and has {entry.file_size:,} bytes")


def nameable(path: Path, flag: str = "--out") -> Path:
    """The path, before work is spent on it. Raises `LookwhereError` where it is not UTF-8: manifests could not name
    it, nor could a line on the screen."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        raise LookwhereError(f"{flag} {str(path)!a}: this is no text in UTF-8; choose another name") from error
    return path


def file_to_write(path: Path, flag: str = "--out") -> Path:
    """The path, before work is spent on what is to be written there. Raises `LookwhereError` where it is a folder, or
    not UTF-8."""
    if path.is_dir():
        raise LookwhereError(f"{flag} {path}: this is a folder; name a file in it")
    return nameable(path, flag)


def write_text(path: Path, content: str) -> None:
    """Write whole or not at all."""
    write_bytes(path, content.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write whole or not at all; into a device or a pipe, as `/dev/stdout`, which no file may replace."""
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            file.write(content)
        return
    with put_in_place(path) as partial:
        partial.write_bytes(content)


def put_folder(source: Path, place: Path, ignore: Callable[[str, list[str]], Iterable[str]] | None = None) -> None:
    """Copy a folder to `place`, whole or not at all: one that was copied in part would pass for finished.

    What is at `place` goes when the copy is whole; `ignore` is as `shutil.copytree` has it. Raises `LookwhereError`
    where a file cannot be copied, and `OSError`.
    """
    work = place.with_name(f".{place.name}.unfinished")
    shutil.rmtree(work, ignore_errors=True)
    try:
        shutil.copytree(source, work, ignore=ignore)
        shutil.rmtree(place, ignore_errors=True)
        work.replace(place)
    except shutil.Error as error:  # a list of all files that could not be copied, and why
        raise LookwhereError(f"{place}: cannot be copied to ({error.args[0][0][2]})") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_json(path: Path, content: dict) -> None:
    """Write whole or not at all."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


#: Columns of a face's own names, which a dictionary makes larger.
NAMES = ("face_id", "path")
#: Tables of so many rows are not compressed at zstd's slowest level, which writes some two megabytes a second.
LARGE_TABLE = 100_000


def parquet_encodings(schema: pa.Schema, rows: int) -> dict[str, object]:
    """Options of a Parquet writer by which a table of faces is small; values stay bit for bit what they are.

    Bytes of floats are put beside those of the same place (`BYTE_STREAM_SPLIT`). Names are stored as they are, for the
    slowest level finds most in them, and in a large table by what each shares with the one before.
    """
    import pyarrow as pa

    large = rows >= LARGE_TABLE
    encodings, dictionaries = {}, []
    for field in schema:
        inner, name = field.type, field.name
        if pa.types.is_fixed_size_list(inner):
            inner, name = inner.value_type, f"{name}.list.element"
        if pa.types.is_floating(inner):
            encodings[name] = "BYTE_STREAM_SPLIT"
        elif field.name in NAMES and (pa.types.is_large_string(inner) or pa.types.is_string(inner)):
            if large:
                encodings[name] = "DELTA_BYTE_ARRAY"
        else:
            dictionaries.append(name)
    level = 9 if large else 19
    options = {"compression": "zstd", "compression_level": level, "use_dictionary": dictionaries}
    return options | {"column_encoding": encodings or None}


def write_parquet(path: Path, table: pd.DataFrame, texts: Mapping[str, str] | None = None) -> None:
    """Write whole or not at all, zstd-compressed; `texts` are kept in the schema's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = pa.Table.from_pandas(table, preserve_index=False)
    content = content.replace_schema_metadata({**(content.schema.metadata or {}), **(texts or {})})
    with put_in_place(path) as partial:
        pq.write_table(content, partial, **parquet_encodings(content.schema, len(table)))


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
