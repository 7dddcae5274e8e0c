"""Arrays of a store that is being made: written row by row, never mapped, so that no full disk or cut file ends it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from core.data import work_files
from core.data.file_array import WritableFileArray
from core.data.work_files import open_work, parts
from core.errors import LookwhereError
from core.template import SIDE


@pytest.mark.parametrize(("shape", "kind"), [((300, 40, 50), np.uint8), ((300, 5, 2), np.float32), ((300,), np.uint8)])
def test_what_is_written_is_what_numpy_reads(shape: tuple[int, ...], kind: type, tmp_path: Path) -> None:
    file, draw = tmp_path / "a.npy", np.random.default_rng(0)
    array = WritableFileArray.create(file, shape, kind, "delete this folder")
    expected = np.zeros(shape, dtype=kind)
    assert np.array_equal(np.load(file), expected)
    for rows in (np.array([7, 3, 4, 5, 299, 0]), np.arange(64), np.array([], dtype=np.int64), slice(90, 120)):
        values = draw.integers(0, 200, (len(expected[rows]), *shape[1:])).astype(kind)
        array[rows] = expected[rows] = values
    array[np.array([11, 12])] = expected[[11, 12]] = 9
    assert np.array_equal(array[:], expected) and np.array_equal(np.load(file), expected)
    np.save(tmp_path / "b.npy", expected)
    assert file.read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_a_cut_file_is_told_and_not_written_on(tmp_path: Path) -> None:
    """A write beyond the end would make the file whole again, with zeros for faces."""
    file = tmp_path / "faces.npy"
    array = WritableFileArray.create(file, (100, SIDE, SIDE, 3), np.uint8, "delete this folder")
    array[np.arange(100)] = 7
    os.truncate(file, 50_000)
    with pytest.raises(LookwhereError, match=r"faces\.npy: cut while it was read; delete this folder"):
        array[np.array([99])] = 8
    assert file.stat().st_size == 50_000


def test_unfinished_work_is_gone_on_with_and_a_full_disk_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = open_work(tmp_path, 20)
    assert np.isnan(arrays["source"][:]).all() and not arrays["state"][:].any()
    (tmp_path / "unfinished.json").write_text("{}")
    arrays["faces"][np.array([3])] = 5
    assert open_work(tmp_path, 20)["faces"][3].min() == 5

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space left"):
        arrays["faces"][np.array([4])] = 5


def test_work_of_another_shape_or_type_is_told(tmp_path: Path) -> None:
    open_work(tmp_path, 20)
    (tmp_path / "unfinished.json").write_text("{}")
    with pytest.raises(LookwhereError, match=r"damaged \(shape of faces\); delete this folder"):
        open_work(tmp_path, 21)
    np.save(parts(tmp_path)["landmarks"], np.zeros((20, 5, 2), dtype=np.float64))
    with pytest.raises(LookwhereError, match=r"damaged \(shape of landmarks\)"):
        open_work(tmp_path, 20)
    parts(tmp_path)["state"].write_bytes(b"")
    with pytest.raises(LookwhereError, match="the unfinished work is damaged"):
        open_work(tmp_path, 20)


def test_nothing_is_mapped_for_writing() -> None:
    """A map of a file that is cut, or of a hole on a full disk, ends the process at the next look or write (SIGBUS)."""
    core = Path(work_files.__file__).parents[1]
    mapped = [
        file.name for file in core.rglob("*.py") if "memmap(" in file.read_text() or "mmap_mode" in file.read_text()
    ]
    assert mapped == ["file_array.py"]
