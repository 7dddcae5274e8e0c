"""Arrays in files that are too large to hold: read where they are asked for, never mapped into memory."""

from __future__ import annotations

import itertools
import math
import mmap
import os
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from core.errors import LookwhereError

#: Bytes that lie between two short rows and are read with them, rather than in a read of their own.
WINDOW = 1 << 18
#: What changes an array in place.
IN_PLACE = frozenset({"byteswap", "fill", "itemset", "partition", "put", "resize", "setfield", "setflags", "sort"})


class FileArray(NDArrayOperatorsMixin):
    """A NumPy file's array, of which every index reads from the file: what comes is in memory, and of no file any more.

    Whatever else an array can do (compare, add up, reshape) it does with all its values, which are read for it. What
    would change the values in place is refused: it would change what was read and neither the file nor the next read.

    A mapped file that is cut ends the process at the next look beyond its new end (SIGBUS), without a word on which it
    was; a read only comes short, and is told. A file that was replaced or deleted is read on as it was opened.
    """

    #: How the file is opened.
    _mode = os.O_RDONLY

    def __init__(self, file: Path, mend: str = "align again") -> None:
        """`mend` is said where the file is cut later. Raises `OSError` or `ValueError` where it is no such file."""
        # The map is asked for what the head says, which is held to the file's size, and is never looked at.
        try:
            head = np.load(file, mmap_mode="r")
        except EOFError as error:
            raise ValueError(f"{file.name} is empty") from error
        if not isinstance(head, np.memmap) or not head.ndim or not head.flags.c_contiguous:
            raise ValueError(f"{file.name} is no array that can be read by rows")
        self.shape, self.dtype, self.filename, self.mend = head.shape, head.dtype, file, mend
        self._offset, self._row = head.offset, head.itemsize * math.prod(head.shape[1:])
        self._file = os.open(file, self._mode | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._file)
        self._turn = threading.Lock()
        self._check_length()

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many values there are."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the values take in the file; none of them are in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("what a file holds is copied to be read")
        return self[:].astype(dtype or self.dtype, copy=False)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "at" or any(isinstance(value, FileArray) for value in options.get("out", ())):
            raise _unwritable(ufunc.__name__)
        read = [value[:] if isinstance(value, FileArray) else value for value in inputs]
        return getattr(ufunc, method)(*read, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if name in IN_PLACE:
            raise _unwritable(name)
        return getattr(self[:], name)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise _unwritable("item assignment")

    def __getitem__(self, index: Any) -> np.ndarray:
        """Reads the rows that the first axis is asked for. Raises `LookwhereError` where the file was cut since it was
        opened."""
        first, *rest = index if isinstance(index, tuple) and index else (index,)
        if first is None or first is Ellipsis or isinstance(first, (bool, np.bool_)):
            return self[:][index]
        if isinstance(first, slice):
            rows = range(*first.indices(len(self)))
            values = self._range(rows) if rows.step == 1 else self._rows(np.array(rows, dtype=np.int64))
            return values[(slice(None), *rest)] if rest else values
        places = np.asarray(first)
        if places.dtype == bool:
            if places.shape != self.shape[:1]:
                return self[:][index]
            places = np.flatnonzero(places)
        if places.dtype.kind not in "iu" and places.size:
            raise IndexError(f"{first!r} is no place in an array")
        rows = places.astype(np.int64).ravel()
        if len(rows) and not (rows.min() >= -len(self) and rows.max() < len(self)):
            raise IndexError(f"place {rows.max() if rows.max() >= len(self) else rows.min()} of {len(self)} rows")
        rows = np.where(rows < 0, rows + len(self), rows)
        if not rest:
            return self._rows(rows).reshape((*places.shape, *self.shape[1:]))[()]
        unique, again = np.unique(rows, return_inverse=True)
        return self._rows(unique)[(again.reshape(places.shape)[()], *rest)]

    def _rows(self, rows: np.ndarray) -> np.ndarray:
        """Rows at places int64 (n,), none of them negative."""
        if self._row >= mmap.PAGESIZE or not len(rows):
            values = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
            flat = values.reshape(len(rows), self._row // self.dtype.itemsize).view(np.uint8)
            for place, row in zip(flat, rows.tolist(), strict=True):
                self._read(place, row)
            return values
        # Short rows: what lies near each other is read at once, and what is not asked for left out.
        if (np.diff(rows) < 0).any():
            unique, again = np.unique(rows, return_inverse=True)
            return self._rows(unique)[again]
        values = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        window = rows // max(WINDOW // max(self._row, 1), 1)
        edges = [0, *(np.flatnonzero(np.diff(window)) + 1).tolist(), len(rows)]
        for start, end in itertools.pairwise(edges):
            low = int(rows[start])
            values[start:end] = self._range(range(low, int(rows[end - 1]) + 1))[rows[start:end] - low]
        return values

    def _range(self, rows: range) -> np.ndarray:
        values = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        if values.size:
            self._read(values.reshape(-1).view(np.uint8), rows.start)
        return values

    def _read(self, into: np.ndarray, row: int) -> None:
        """Fill bytes uint8 (n,) from a row on."""
        place, left = self._offset + row * self._row, memoryview(into)
        while len(left):
            if hasattr(os, "preadv"):
                got = os.preadv(self._file, [left], place)
            else:
                with self._turn:
                    os.lseek(self._file, place, os.SEEK_SET)
                    block = os.read(self._file, len(left))
                left[: len(block)], got = block, len(block)
            if not got:
                raise self._cut()
            place, left = place + got, left[got:]

    def _check_length(self) -> None:
        if os.fstat(self._file).st_size < self._offset + self.nbytes:
            raise self._cut()

    def _cut(self) -> LookwhereError:
        return LookwhereError(f"{self.filename}: cut while it was read; {self.mend}")


class WritableFileArray(FileArray):
    """One whose rows can be written too, each by a write of its own: a full disk is an `OSError`, where a map of the
    file would end the process (SIGBUS) without a word."""

    _mode = os.O_RDWR

    @classmethod
    def create(cls, file: Path, shape: tuple[int, ...], kind: type[np.generic], mend: str) -> WritableFileArray:
        """A new file of zeros, which takes no room on the disk until they are written over."""
        head = {"descr": np.lib.format.dtype_to_descr(np.dtype(kind)), "fortran_order": False, "shape": shape}
        with file.open("wb") as new:
            np.lib.format.write_array_header_1_0(new, head)
            new.truncate(new.tell() + math.prod(shape) * np.dtype(kind).itemsize)
        return cls(file, mend)

    def __setitem__(self, rows: np.ndarray | slice, values: Any) -> None:
        """Write rows, at places int64 (n,) or in a slice. Raises `OSError` where the disk is full, `LookwhereError`
        where the file was cut: what is written beyond its end would leave zeros before it."""
        places = np.arange(len(self))[rows]
        block = np.ascontiguousarray(np.broadcast_to(values, (len(places), *self.shape[1:])), dtype=self.dtype)
        flat = block.reshape(len(places), math.prod(self.shape[1:])).view(np.uint8)
        self._check_length()
        starts = [0, *(np.flatnonzero(np.diff(places) != 1) + 1).tolist()] if len(places) else []
        for start, end in itertools.pairwise([*starts, len(places)]):
            self._write(flat[start:end].reshape(-1), int(places[start]))

    def flush(self) -> None:
        """Wait until what was written is on the disk."""
        os.fsync(self._file)

    def _write(self, values: np.ndarray, row: int) -> None:
        """Write bytes uint8 (n,) from a row on."""
        place, left = self._offset + row * self._row, memoryview(values)
        while len(left):
            if hasattr(os, "pwrite"):
                put = os.pwrite(self._file, left, place)
            else:
                with self._turn:
                    os.lseek(self._file, place, os.SEEK_SET)
                    put = os.write(self._file, left)
            place, left = place + put, left[put:]


def _unwritable(change: str) -> TypeError:
    return TypeError(f"{change}: an array of a file is only read; change a copy of what it gives")
