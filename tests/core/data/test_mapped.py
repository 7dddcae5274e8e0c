"""Mapped images: pages are given back, nothing read or written is lost, and a file cut under its map is told."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from core.data.mapped import let_go, open_mapped
from core.errors import LookwhereError


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


def test_a_file_cut_under_its_map_is_told_before_it_is_read(tmp_path: Path) -> None:
    """To read on would end the process (SIGBUS); also a part that was taken before says so."""
    file = tmp_path / "i.npy"
    np.save(file, np.arange(4_000_000, dtype=np.uint8).reshape(1000, 4000))
    images = open_mapped(file)
    part = images[10:20]
    assert type(images[[900, 1]]) is np.ndarray and images[900, 5] == (900 * 4000 + 5) % 256
    with file.open("r+b") as stream:
        stream.truncate(5000)
    for read in (lambda: images[0], lambda: images[[900, 1]], lambda: images[5:9], lambda: part[0]):
        with pytest.raises(LookwhereError, match=r"i\.npy: cut while it was read; align again"):
            read()


def test_a_file_replaced_or_deleted_is_read_on(tmp_path: Path) -> None:
    file = tmp_path / "i.npy"
    np.save(file, np.full((10, 4000), 7, dtype=np.uint8))
    images = open_mapped(file)
    np.save(tmp_path / "other.npy", np.zeros((1, 4), dtype=np.uint8))
    (tmp_path / "other.npy").replace(file)
    assert images[[9, 0]].tolist() == [[7] * 4000] * 2
    file.unlink()
    assert int(images[9].sum()) == 28_000


def test_rows_are_read_through_the_file_as_through_the_map(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 60_000, (50, 40, 60), dtype=np.uint16)
    np.save(tmp_path / "i.npy", values)
    images, mask = open_mapped(tmp_path / "i.npy"), np.arange(50) % 3 == 0
    for index in (7, -1, np.int32(3), [4, 4, -50], np.array([49, 0, 2], dtype=np.uint8), mask, slice(3, 9), (2, 3),
                  np.array([[1, 2], [3, 4]]), [], np.array([], dtype=np.int64), ..., None, True):  # fmt: skip
        np.testing.assert_array_equal(images[index], values[index])
    assert images[[4, 4]].base is None or not isinstance(images[[4, 4]].base, np.memmap)
    for beyond in (50, -51, [0, 50]):
        with pytest.raises(IndexError):
            images[beyond]


READS = """
import sys
from pathlib import Path
import numpy as np
from core.data.mapped import open_mapped
from core.errors import LookwhereError
images = open_mapped(Path(sys.argv[1]))
rows = np.arange(len(images))
print("begun", flush=True)
try:
    while True:
        if not (images[rows] == 7).all():
            print("zeros were taken for data")
            break
except LookwhereError as error:
    print(error)
"""


def test_a_file_cut_in_the_middle_of_a_read_ends_nothing(tmp_path: Path) -> None:
    """A process does nothing but read; so the file is cut while a read goes on, not between two."""
    file = tmp_path / "i.npy"
    for length in (5000, 300_000, 999_999, 2_000_100):
        np.save(file, np.full((60, 112 * 112 * 3), 7, dtype=np.uint8))
        with subprocess.Popen([sys.executable, "-c", READS, str(file)], stdout=subprocess.PIPE, text=True) as reading:
            assert reading.stdout.readline() == "begun\n"
            time.sleep(0.05)
            os.truncate(file, length)
            output, _ = reading.communicate(timeout=60)
        assert (reading.returncode, output) == (0, f"{file}: cut while it was read; align again\n")
