"""Arrays of a store that is being made: pages are given back, and nothing read or written is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from core.data.work_files import let_go


def mapped_memory() -> int:
    """Pages of files that count as this process's memory, in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is looked up as Linux tells it")
def test_what_was_read_no_longer_counts_and_what_was_written_stays(tmp_path: Path) -> None:
    faces, size = 400, 400 * 112 * 112 * 3 // 1024
    images = np.lib.format.open_memmap(tmp_path / "i.npy", mode="w+", dtype=np.uint8, shape=(faces, 112, 112, 3))
    images[:] = np.arange(faces, dtype=np.uint8)[:, None, None, None]
    full = mapped_memory()
    let_go(images)
    assert full - mapped_memory() > 0.8 * size
    assert images[7].min() == images[7].max() == 7
    images.flush()
    read = np.load(tmp_path / "i.npy", mmap_mode="r")
    total = int(read.sum(dtype=np.int64))
    let_go(read[3:9])  # a part lets all go
    assert int(read.sum(dtype=np.int64)) == total == int(np.arange(faces, dtype=np.uint8).sum()) * 112 * 112 * 3
    let_go(np.zeros(3))
