"""Memory-mapped arrays of images: read only while their file is whole, pages given back once they were read."""

from __future__ import annotations

import math
import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import LookwhereError


class WatchedMap(np.memmap):
    """A mapped array that is told where its file is cut under it.

    To read a map beyond the end of its file ends the process (SIGBUS), with no word on which file it was. So rows of a
    page and more are read through the file, which can only come short; what else is read is looked at before, so that
    nothing ends, and after, so that the zeros that stand for what was cut meanwhile are not taken for data. A file that
    was replaced or deleted stays whole under its map, and is read on.
    """

    #: Bytes of the file when it was opened; what to do where it was cut; the open file, of a whole array alone.
    whole: int = 0
    mend: str = ""
    file: Any = None

    def __array_finalize__(self, source: Any) -> None:
        super().__array_finalize__(source)
        self.whole, self.mend = getattr(source, "whole", 0), getattr(source, "mend", "")

    def __getitem__(self, index: Any) -> Any:
        """Raises `LookwhereError` where the file was cut since it was opened."""
        if self._mmap is None:
            return super().__getitem__(index)
        self._check()
        if (rows := self._rows(index)) is not None:
            return self._read(rows)
        read = super().__getitem__(index)
        self._check()
        # A copy is of no file any more.
        return read.view(np.ndarray) if isinstance(read, WatchedMap) and read._mmap is None else read

    def _check(self) -> None:
        if self._mmap.size() < self.whole:
            raise LookwhereError(f"{self.filename}: cut while it was read; {self.mend}")

    def _rows(self, index: Any) -> np.ndarray | None:
        """Places of whole rows to read through the file, int64 () or (n,), none of them negative; None for any other
        index, which numpy reads or refuses."""
        if self.file is None or self.ndim < 2 or self.itemsize * math.prod(self.shape[1:]) < mmap.PAGESIZE:
            return None
        if not isinstance(index, int | np.integer | list | np.ndarray) or isinstance(index, bool):
            return None
        rows = np.asarray(index)
        if rows.ndim > 1 or rows.dtype.kind not in "iu" or rows.size == 0:
            return None
        rows = rows.astype(np.int64)
        inside = rows.min() >= -len(self) and rows.max() < len(self)
        return np.where(rows < 0, rows + len(self), rows) if inside else None

    def _read(self, rows: np.ndarray) -> np.ndarray:
        values = np.empty((*rows.shape, *self.shape[1:]), dtype=self.dtype)
        flat = values.reshape(rows.size, -1).view(np.uint8)
        for place, row in zip(flat, rows.ravel().tolist(), strict=True):
            if os.preadv(self.file.fileno(), [place], self.offset + row * place.nbytes) < place.nbytes:
                raise LookwhereError(f"{self.filename}: cut while it was read; {self.mend}")
        return values


def open_mapped(file: Path, mend: str = "align again") -> WatchedMap:
    """A NumPy file, mapped to be read; `mend` is said where it is cut later. Raises `OSError` or `ValueError` where it
    cannot be."""
    stream = file.open("rb")
    try:
        array = np.load(file, mmap_mode="r").view(WatchedMap)
        array.whole, array.mend = array._mmap.size(), mend
        # A system without reads at a place, an array in Fortran's order, a file replaced just now: by the map alone.
        same = os.path.samestat(os.fstat(stream.fileno()), file.stat())
        if same and hasattr(os, "preadv") and array.flags.c_contiguous:
            array.file, stream = stream, None
    finally:
        if stream is not None:
            stream.close()
    return array


def let_go(array: np.ndarray) -> None:
    """Give the pages of a memory-mapped array back: they stay in the system's cache, and no longer count as this
    process's memory. What was written into it is kept. Nothing for another array, or where the system cannot."""
    pages = getattr(array, "_mmap", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
