"""Arrays that stay in their files: every index reads what numpy would, and a file that is cut is told."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.data.file_array import FileArray
from core.errors import LookwhereError


def test_a_file_that_is_cut_is_told_before_it_is_read(tmp_path: Path) -> None:
    """To read on in a map would end the process (SIGBUS). What was read before stays what it was."""
    file = tmp_path / "i.npy"
    np.save(file, np.arange(4_000_000, dtype=np.uint8).reshape(1000, 4000))
    images = FileArray(file)
    part = images[10:20]
    assert type(images[[900, 1]]) is np.ndarray and images[900, 5] == (900 * 4000 + 5) % 256
    with file.open("r+b") as stream:
        stream.truncate(5000)
    assert part[0, 0] == 40_000 % 256
    for read in (lambda: images[2], lambda: images[[900, 1]], lambda: images[5:9], lambda: images.astype(int),
                 lambda: images.__array__(), lambda: images[..., 0], lambda: images[3, 0]):  # fmt: skip
        with pytest.raises(LookwhereError, match=r"i\.npy: cut while it was read; align again"):
            read()


def test_a_file_replaced_or_deleted_is_read_on(tmp_path: Path) -> None:
    file = tmp_path / "i.npy"
    np.save(file, np.full((10, 4000), 7, dtype=np.uint8))
    images = FileArray(file)
    np.save(tmp_path / "other.npy", np.zeros((1, 4), dtype=np.uint8))
    (tmp_path / "other.npy").replace(file)
    assert images[[9, 0]].tolist() == [[7] * 4000] * 2
    file.unlink()
    assert int(images[9].sum()) == 28_000


@pytest.mark.parametrize(
    ("shape", "kind"), [((5000, 2, 7, 7), np.float16), ((50, 40, 60), np.uint16), ((9000,), np.int64), ((70, 5), "<f4")]
)
def test_every_index_reads_what_numpy_would(shape: tuple[int, ...], kind: type, tmp_path: Path) -> None:
    draw, n = np.random.default_rng(0), shape[0]
    values = draw.integers(0, 60_000, shape).astype(kind)
    np.save(tmp_path / "a.npy", values)
    read = FileArray(tmp_path / "a.npy")
    assert (read.shape, read.ndim, len(read)) == (shape, len(shape), n)
    assert (read.size, read.nbytes) == (values.size, values.nbytes)
    indices = [7, -1, np.int32(3), [4, 4, -n], np.array([n - 1, 0, 2], dtype=np.uint16), np.arange(n) % 3 == 0]
    indices += [slice(3, 9), slice(None, None, -2), slice(9, 3), slice(None), ..., None, True, []]
    indices += [np.array([[1, 2], [3, 4]]), np.array([], dtype=np.int64), draw.integers(0, n, 400)]
    indices += [np.sort(draw.integers(0, n, 40))]
    if len(shape) > 1:
        indices += [(2, 1), (slice(2, 5), 1), ([1, 5, 1], 1), ([1, 5], [0, 1]), (..., 0)]
        indices += [(np.arange(n) % 2 == 0, slice(1))]
    for index in indices:
        np.testing.assert_array_equal(read[index], values[index], err_msg=str(index))
        assert np.shape(read[index]) == np.shape(values[index])
    assert np.array_equal(read, values) and np.asarray(read).dtype == values.dtype
    assert read.astype(np.float64).dtype == np.float64
    for beyond in (n, -n - 1, [0, n], 1.5, "face"):
        with pytest.raises(IndexError):
            read[beyond]


def test_what_is_read_is_of_no_file_any_more(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(60.0).reshape(30, 2))
    array = FileArray(tmp_path / "a.npy")
    rows = array[3:5]
    rows += 1
    assert array[3:5].tolist() == [[6, 7], [8, 9]]


@pytest.mark.parametrize("content", [np.array(3), np.asfortranarray(np.ones((3, 4))), np.array([{}], dtype=object)])
def test_what_has_no_rows_in_a_file_is_refused(content: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", content, allow_pickle=True)
    (tmp_path / "empty.npy").write_bytes(b"")
    for name in ("a.npy", "empty.npy"):
        with pytest.raises(ValueError):
            FileArray(tmp_path / name)


READS = """
import sys
from pathlib import Path
import numpy as np
from core.data.file_array import FileArray
from core.errors import LookwhereError
images = FileArray(Path(sys.argv[1]))
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


def test_it_does_what_an_array_does(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
    np.save(tmp_path / "a.npy", values)
    array = FileArray(tmp_path / "a.npy")
    assert (array == values).all() and (array == array).all() and not (array + 1 == values).any()
    assert array.mean() == np.mean(array) == values.mean() and array.max() == 23
    assert np.add.reduce(array).shape == (3, 2)
    assert array.tobytes() == values.tobytes() and array.reshape(2, -1).shape == (2, 12) and array.T.shape == (2, 3, 4)
    assert [row.tolist() for row in array] == values.tolist() and array.astype(float).dtype == float
    assert not hasattr(array, "nothing") and not hasattr(array, "_mmap")


def test_what_would_change_it_in_place_is_refused(tmp_path: Path) -> None:
    """It would change a copy, and neither the file nor what is read next. Every method of NumPy's that changes an array
    is tried: those that fail on an array which may not be written."""
    values = np.arange(6.0)[::-1].reshape(2, 3).copy()
    np.save(tmp_path / "a.npy", values)
    array, locked = FileArray(tmp_path / "a.npy"), values.copy()
    locked.flags.writeable = False
    arguments = {"byteswap": (True,), "fill": (1,), "itemset": (0, 1.0), "partition": (1,), "put": ([0], [9.0]),
                 "resize": (3,), "setfield": (1.0, np.float64), "setflags": (True,), "sort": ()}  # fmt: skip
    for name in filter(partial(hasattr, locked), dir(np.ndarray)):
        tried = arguments.get(name, ())
        try:
            getattr(locked, name)(*tried)
            changes = False
        except Exception as error:
            changes = "read-only" in str(error) or "WRITEABLE" in str(error) or "not own" in str(error)
        if changes and not name.startswith("__"):
            with pytest.raises(TypeError, match=f"{name}: an array of a file is only read"):
                getattr(array, name)(*tried)
    for name in arguments.keys() - {"itemset"}:
        with pytest.raises(TypeError, match=f"^{name}: an array of a file is only read; change a copy"):
            getattr(array, name)
    with pytest.raises(TypeError, match=r"^item assignment: an array of a file is only read"):
        array[1] = 0
    with pytest.raises(TypeError, match=r"^add: an array of a file is only read"):
        array += 1
    with pytest.raises(TypeError, match=r"^add: an array of a file is only read"):
        np.add.at(array, [0], 1)
    assert np.array_equal(array, values)
