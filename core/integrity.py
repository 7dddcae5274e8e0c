"""What the files of a folder were when its manifest was written, and whether they still are."""

from __future__ import annotations

import os
import reprlib
import stat as modes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import LookwhereError
from core.files import sha256
from core.json_record import JsonRecord

#: Files up to this many bytes are read whole whenever their folder is opened; of larger ones the size is compared then,
#: and all of them by `python -m core verify`.
WHOLE_UP_TO = 64 * 2**20
#: Files that were as recorded, by device, inode, size, time of change and hash: a process reads each whole once, also
#: where it wrote the file itself or the folder was renamed since.
_verified: set[tuple[int, int, int, int, str]] = set()


@dataclass(frozen=True, kw_only=True)
class FileRecord(JsonRecord):
    """A file's size in bytes and its SHA-256, in hex."""

    bytes: int
    sha256: str


def record_files(folder: Path, names: Iterable[str]) -> dict[str, FileRecord]:
    """The records of files as they are now; names that are not there are left out."""
    records = {}
    for file in (folder / name for name in names):
        if file.is_file():
            stat = file.stat()
            records[file.name] = FileRecord(bytes=stat.st_size, sha256=sha256(file))
            _verified.add(_key(stat, records[file.name]))
    return records


def _key(stat: os.stat_result, record: FileRecord) -> tuple[int, int, int, int, str]:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, record.sha256


def damage(file: Path, record: FileRecord, whole: bool = True) -> str | None:
    """What is wrong with a file, in words; None where it is as recorded.

    What is no file, a device without end or a pipe that nobody writes into, is not read. Without `whole`, files above
    `WHOLE_UP_TO` are compared by their size alone.
    """
    try:
        stat = file.stat()
        if not modes.S_ISREG(stat.st_mode):
            return "no file"
        if stat.st_size != record.bytes:
            return f"{stat.st_size:,} bytes where {record.bytes:,} were written"
        key = _key(stat, record)
        if key in _verified or (stat.st_size > WHOLE_UP_TO and not whole):
            return None
        if sha256(file) != record.sha256:
            return "changed since it was written (SHA-256 differs)"
    except OSError as error:
        return f"missing or not readable ({error.strerror or error})"
    _verified.add(key)
    return None


def check_names(files: Iterable[str], origin: str, mend: str) -> None:
    """Raises `LookwhereError` for a name that leads out of a folder: what lies elsewhere is not even looked at."""
    for name in files:
        if name in ("", ".", "..") or any(sign in name for sign in "/\\\0"):
            raise LookwhereError(f"{origin}: records {reprlib.repr(name)}, which is no file of its folder; {mend}")


def recorded_files(content: object, origin: str, mend: str) -> dict[str, FileRecord]:
    """What a manifest, as `json.loads` gave it, records of the files beside it under `files`; none where it has none.

    Raises `LookwhereError`, calling the manifest `origin`, where that is no such record.
    """
    records = content.get("files") if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping) or not isinstance(records, Mapping | None):
        raise LookwhereError(f"{origin}: its files are not recorded as they are by this program; {mend}")
    check_names(map(str, records or {}), origin, mend)
    return {str(name): FileRecord.from_json(record, f"{origin}, {name}") for name, record in (records or {}).items()}


def check_files(folder: Path, files: Mapping[str, FileRecord], mend: str, whole: bool = False) -> None:
    """Raises `LookwhereError` naming the first file of a folder that is not as recorded, and the mend."""
    check_names(files, str(folder), mend)
    for name, record in files.items():
        if (wrong := damage(folder / name, record, whole)) is not None:
            raise LookwhereError(f"{folder / name}: {wrong}; {mend}")
