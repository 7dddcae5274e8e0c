"""A Zstandard file as `tarfile` reads it: onwards, and a few bytes back."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa

#: `tarfile` steps back by one byte at most.
KEPT = 1 << 16


class ZstandardFile(io.RawIOBase):
    """The unpacked bytes; `seek` goes on as far as is asked, and back only within what was read last.

    Raises `OSError` where the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._stream = pa.input_stream(str(path), compression="zstd")
        self._kept, self._start, self._at = b"", 0, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def read(self, count: int = -1) -> bytes:
        """The next `count` bytes, fewer at the end; all that are left where it is negative."""
        parts, remaining = [self._kept[self._at - self._start :]], count
        if count >= 0:
            parts = [parts[0][:count]]
            remaining = count - len(parts[0])
        self._at += len(parts[0])
        while remaining:
            data = self._stream.read(min(remaining, 1 << 20) if remaining > 0 else 1 << 20)
            if not data:
                break
            parts.append(data)
            self._kept = (self._kept + data)[-KEPT:]
            self._at += len(data)
            self._start = self._at - len(self._kept)
            remaining -= len(data) if remaining > 0 else 0
        return b"".join(parts)

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        place += self._at if whence == io.SEEK_CUR else 0
        if place < self._start:
            raise OSError(f"cannot go back to byte {place}")
        if place <= self._start + len(self._kept):
            self._at = place
        else:
            self._at = self._start + len(self._kept)
            while self._at < place and self.read(min(place - self._at, 1 << 20)):
                pass
        return self._at

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
