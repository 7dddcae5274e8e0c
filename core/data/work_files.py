"""The files of a store that is being made: arrays on disk that a next run goes on with."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import numpy as np

from core import template
from core.data.file_array import WritableFileArray
from core.data.measures import FROM_SOURCE
from core.errors import LookwhereError

#: What helps where the work is damaged.
MEND = "delete this folder"


def reserve(path: Path, count: int) -> None:
    """A full disk must not be found out half-way through a sparse file."""
    file = path / "faces.npy"
    allocated = file.stat().st_blocks * 512 if file.exists() else 0
    need = max(count * template.SIDE * template.SIDE * 3 - allocated, 0)
    free = shutil.disk_usage(next(there for there in (path, *path.absolute().parents) if there.exists())).free
    if need > free:
        raise LookwhereError(
            f"{path}: {need / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free; choose another disk with --out"
        )


def parts(path: Path) -> dict[str, Path]:
    """The arrays by name."""
    work = {name: path / f"{name}.partial.npy" for name in ("state", "source")}
    return {name: path / f"{name}.npy" for name in ("faces", "landmarks")} | work


def drop_work(path: Path) -> None:
    """Take away what only unfinished work needs, as far as the folder lets itself be written."""
    with contextlib.suppress(OSError):
        for file in (parts(path)["state"], parts(path)["source"], path / "unfinished.json"):
            file.unlink(missing_ok=True)


def open_work(path: Path, count: int) -> dict[str, WritableFileArray]:
    """`faces`, `landmarks`, `state` and `source` (what was measured there) of `count` faces on disk: those of
    unfinished work, or else empty ones.

    Work of before anything was measured has NaN for its measures. Raises `LookwhereError` where what is there is
    damaged.
    """
    shapes = {"faces": (count, template.SIDE, template.SIDE, 3), "landmarks": (count, 5, 2), "state": (count,)}
    shapes["source"] = (count, len(FROM_SOURCE))
    kinds = {"faces": np.uint8, "landmarks": np.float32, "state": np.uint8, "source": np.float32}
    begun, files = (path / "unfinished.json").is_file(), parts(path)
    for name in [name for name, file in files.items() if not begun or (name == "source" and not file.is_file())]:
        array = WritableFileArray.create(files[name], shapes[name], kinds[name], MEND)
        if name == "source":
            array[:] = np.nan
            array.flush()
    try:
        arrays = {name: WritableFileArray(file, MEND) for name, file in files.items()}
    except (ValueError, FileNotFoundError) as error:
        raise LookwhereError(f"{path}: the unfinished work is damaged ({error}); {MEND}") from error
    wrong = [name for name, array in arrays.items() if (array.shape, array.dtype) != (shapes[name], kinds[name])]
    if wrong:
        raise LookwhereError(f"{path}: the unfinished work is damaged (shape of {wrong[0]}); {MEND}")
    return arrays
