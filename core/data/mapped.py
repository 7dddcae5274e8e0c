"""Memory-mapped arrays of images, whose pages a process need not keep once it has read them."""

from __future__ import annotations

import mmap

import numpy as np


def let_go(array: np.ndarray) -> None:
    """Give the pages of a memory-mapped array back: they stay in the system's cache, and no longer count as this
    process's memory. What was written into it is kept. Nothing for another array, or where the system cannot."""
    pages = getattr(array, "_mmap", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
