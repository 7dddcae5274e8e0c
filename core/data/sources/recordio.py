"""MXNet's RecordIO, read without MXNet: memory-mapped, random access by key, split records re-joined.

A frame is u32 magic, u32 (cflag << 29 | length), the data, zeros up to 4 bytes; little-endian. A record whose data hold
the magic is written in parts, and the magic is put back between them. An image record starts with `IfQQ`: flag, label,
two ids; with flag > 0 that many float32 labels follow and the header's label says nothing.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.sources.base import Source
from core.errors import LookwhereError

MAGIC = 0xCED7230A
_MAGIC_BYTES = struct.pack("<I", MAGIC)
_FRAME = struct.Struct("<II")
_HEADER = struct.Struct("<IfQQ")
WHOLE, START, MIDDLE, END = range(4)
_LENGTH = (1 << 29) - 1
#: How images begin that a pack may hold: JPEG, PNG, WebP, GIF, BMP, TIFF.
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")
#: Headers are gathered in blocks of this many records: 64 MB at a time, whatever the file's size.
_BLOCK = 1 << 20


class RecordError(Exception):
    """One damaged record: names its key and its offset; the others can still be read."""

    def __init__(self, key: int, offset: int, reason: str) -> None:
        super().__init__(f"record {key} at offset {offset}: {reason}")
        self.key, self.offset, self.reason = key, offset, reason


@dataclass(frozen=True)
class Record:
    """An image record: `labels` float32 (L,), `payload` the encoded image (empty in header records)."""

    flag: int
    labels: np.ndarray
    payload: bytes

    @property
    def is_image(self) -> bool:
        """True where the payload starts as an image does; the flag does not tell."""
        return self.payload.startswith(BEGINNINGS)


class RecordFile:
    """`train.rec` with its `train.idx`. `keys` and `offsets` are int64 (K,), in the order of the index."""

    def __init__(self, path: Path, index: Path | None = None) -> None:
        """Raises `LookwhereError` where a file is missing, empty or no RecordIO."""
        self.path = path
        index = index or path.with_suffix(".idx")
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise LookwhereError(f"{path}: cannot be read ({error}); is the download complete?") from error
        if not index.is_file():
            raise LookwhereError(f"{index}: missing; a .rec file needs its .idx beside it")
        self.keys, self.offsets = _read_index(index)
        order = np.argsort(self.keys, kind="stable")
        self._sorted, self._places = self.keys[order], self.offsets[order]

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: int) -> bool:
        place = np.searchsorted(self._sorted, key)
        return bool(place < len(self._sorted) and self._sorted[place] == key)

    def read(self, key: int) -> bytes:
        """A record's data, parts joined. Raises `KeyError` for an unknown key, `RecordError` for a damaged record."""
        place = np.searchsorted(self._sorted, key)
        if place >= len(self._sorted) or self._sorted[place] != key:
            raise KeyError(key)
        return self._read_at(key, int(self._places[place]))

    def read_many(self, keys: Iterable[int]) -> Iterator[tuple[int, bytes | RecordError]]:
        """Records in the given order; a damaged one comes as its error, and the rest still follow."""
        selected = np.fromiter(keys, dtype=np.int64)
        places = np.searchsorted(self._sorted, selected)
        if len(selected) and (places.max() >= len(self._sorted) or (self._sorted[places] != selected).any()):
            bad = selected[(places >= len(self._sorted)) | (self._sorted[places % len(self._sorted)] != selected)]
            raise KeyError(int(bad[0]))
        for key, offset in zip(selected.tolist(), self._places[places].tolist(), strict=True):
            try:
                yield key, self._read_at(key, offset)
            except RecordError as error:
                yield key, error

    def _check(self) -> None:
        """Raises `LookwhereError` where the file was cut: to read its map beyond its end ends the process (SIGBUS)."""
        if self._data.size() < len(self._data):
            raise LookwhereError(f"{self.path}: cut while it was read; put it back whole and run again")

    def _read_at(self, key: int, offset: int) -> bytes:
        self._check()
        data, size, start = self._data, len(self._data), offset
        parts: list[bytes] = []
        while True:
            if offset < 0 or offset + 8 > size:
                raise RecordError(key, start, "the file ends before it")
            magic, word = _FRAME.unpack_from(data, offset)
            if magic != MAGIC:
                raise RecordError(key, start, f"no magic number at {offset}")
            part, length = word >> 29, word & _LENGTH
            end = offset + 8 + length
            if end > size:
                raise RecordError(key, start, "the file ends inside it")
            if part == WHOLE and not parts:
                return data[offset + 8 : end]
            expected = (MIDDLE, END) if parts else (START,)
            if part not in expected:
                raise RecordError(key, start, f"part of kind {part} where {expected} was due")
            parts.append(data[offset + 8 : end])
            if part == END:
                return _MAGIC_BYTES.join(parts)
            offset = end + (-length % 4)

    def headers(self, keys: np.ndarray) -> pd.DataFrame:
        """Of records, without their images: `key, offset, good, flag, label` (the first), `image`, a row a key.

        Vectorised, in blocks: no Python object a record. `good` is False where the frame or header cannot be read,
        `image` is True where the payload starts as an image does.
        """
        self._check()
        places = np.searchsorted(self._sorted, keys)
        offsets = self._places[np.minimum(places, len(self._places) - 1)]
        buffer = np.frombuffer(self._data, dtype=np.uint8)
        blocks = [_headers(buffer, offsets[n : n + _BLOCK]) for n in range(0, len(offsets), _BLOCK)]
        columns = [np.concatenate(parts) for parts in zip(*blocks, strict=True)] if blocks else [[]] * 4
        return pd.DataFrame(
            {"key": keys, "offset": offsets} | dict(zip(("good", "flag", "label", "image"), columns, strict=True))
        )


def _headers(buffer: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frame and image header at each offset: whether they are sound, the flag, the first label, an image behind."""
    need = _FRAME.size + _HEADER.size + 4
    inside = (offsets >= 0) & (offsets + need <= len(buffer))
    at = np.where(inside, offsets, 0)
    raw = np.zeros((len(offsets), need), dtype=np.uint8)
    if inside.any():
        raw[inside] = buffer[at[inside, None] + np.arange(need)]
    words = raw.view("<u4")
    flag = words[:, 2]
    label = np.where(flag > 0, raw[:, 32:36].copy().view("<f4")[:, 0], raw[:, 12:16].copy().view("<f4")[:, 0])
    good = inside & (words[:, 0] == MAGIC) & ((words[:, 1] & _LENGTH) >= _HEADER.size)
    start = at + _FRAME.size + _HEADER.size + 4 * flag.astype(np.int64)
    behind = good & (start + 4 <= len(buffer))
    head = np.zeros((len(offsets), 4), dtype=np.uint8)
    head[behind] = buffer[start[behind, None] + np.arange(4)]
    image = np.zeros(len(offsets), dtype=bool)
    for beginning in BEGINNINGS:
        image |= (head[:, : len(beginning)] == np.frombuffer(beginning, dtype=np.uint8)).all(axis=1)
    return good, flag, label, behind & image


def parse_record(data: bytes, key: int = -1, offset: int = -1) -> Record:
    """A record's data as header, labels and payload. Raises `RecordError` where it is too short for its header."""
    if len(data) < _HEADER.size:
        raise RecordError(key, offset, f"{len(data)} bytes are too few for an image header")
    flag, label, _, _ = _HEADER.unpack_from(data)
    if flag == 0:
        return Record(0, np.array([label], dtype=np.float32), data[_HEADER.size :])
    end = _HEADER.size + 4 * flag
    if end > len(data):
        raise RecordError(key, offset, f"{flag} labels do not fit into {len(data)} bytes")
    return Record(flag, np.frombuffer(data, dtype="<f4", count=flag, offset=_HEADER.size), data[end:])


def _read_index(index: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        table = pd.read_csv(index, sep="\t", header=None, names=["key", "offset"], dtype=np.int64)
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise LookwhereError(f"{index}: not lines of key, tab, offset ({error}); download it again") from error
    if table.empty:
        raise LookwhereError(f"{index}: no record in it; download it again")
    if table["key"].duplicated().any():
        twice = int(table.loc[table["key"].duplicated(), "key"].iloc[0])
        raise LookwhereError(f"{index}: key {twice} occurs twice; download it again")
    return table["key"].to_numpy(), table["offset"].to_numpy()


class RecordSource(Source):
    """The images of a `.rec` file; a name is a record's key as decimal digits."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, {})
        self.records = RecordFile(path)
        self._problems: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        return [str(key) for key in self.records.keys.tolist()]

    def __len__(self) -> int:
        return len(self.records)

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Payloads in the order of keys; a damaged record comes as empty bytes, and `problem` says what is wrong."""
        keys = np.sort(np.fromiter((int(name) for name in names), dtype=np.int64))
        for key, data in self.records.read_many(keys):
            try:
                if isinstance(data, RecordError):
                    raise data
                yield str(key), parse_record(data, key).payload
            except RecordError as error:
                self._problems[str(key)] = str(error)
                yield str(key), b""

    def problem(self, name: str) -> str | None:
        return self._problems.get(name)

    def not_read(self, image_files: Iterable[str] = ()) -> dict[str, int]:
        """Nothing: a record that is no image is rejected by its reader."""
        return {}

    def fingerprint(self) -> str:
        """SHA-256 over the index and the file's size."""
        digest = hashlib.sha256(str(self.path.stat().st_size).encode())
        digest.update(self.records.keys.tobytes() + self.records.offsets.tobytes())
        return digest.hexdigest()
