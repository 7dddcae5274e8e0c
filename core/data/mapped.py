"""Memory-mapped arrays of images: read only while their file is whole, pages given back once they were read."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import LookwhereError


class WatchedMap(np.memmap):
    """A mapped array that looks, before it is read, whether its file is as long as it was.

    To read a map beyond the end of its file ends the process (SIGBUS), with no word on which file it was. A file that
    was replaced or deleted stays whole under its map, and is read on.
    """

    #: Bytes of the file when it was opened.
    whole: int = 0

    def __array_finalize__(self, source: Any) -> None:
        super().__array_finalize__(source)
        self.whole = getattr(source, "whole", 0)

    def __getitem__(self, index: Any) -> Any:
        """Raises `LookwhereError` where the file was cut since it was opened."""
        if self._mmap is not None and self._mmap.size() < self.whole:
            raise LookwhereError(f"{self.filename}: cut while it was read; align again")
        read = super().__getitem__(index)
        # A copy is of no file any more.
        return read.view(np.ndarray) if isinstance(read, WatchedMap) and read._mmap is None else read


def open_mapped(file: Path) -> WatchedMap:
    """A NumPy file, mapped to be read. Raises `OSError` or `ValueError` where it cannot be."""
    array = np.load(file, mmap_mode="r").view(WatchedMap)
    array.whole = array._mmap.size()
    return array


def let_go(array: np.ndarray) -> None:
    """Give the pages of a memory-mapped array back: they stay in the system's cache, and no longer count as this
    process's memory. What was written into it is kept. Nothing for another array, or where the system cannot."""
    pages = getattr(array, "_mmap", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
