"""The files of a store that is being made: arrays on disk that a next run goes on with."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from core import template
from core.errors import LookwhereError


def reserve(path: Path, count: int) -> None:
    """A full disk must not be found out half-way through a sparse file."""
    file = path / "faces.npy"
    held = file.stat().st_blocks * 512 if file.exists() else 0
    need = max(count * template.SIDE * template.SIDE * 3 - held, 0)
    free = shutil.disk_usage(next(there for there in (path, *path.absolute().parents) if there.exists())).free
    if need > free:
        raise LookwhereError(
            f"{path}: {need / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free; choose another disk with --out"
        )


def parts(path: Path) -> dict[str, Path]:
    """The arrays by name."""
    return {name: path / f"{name}.npy" for name in ("faces", "landmarks")} | {"state": path / "state.partial.npy"}


def open_maps(path: Path, count: int) -> dict[str, np.memmap]:
    """`faces`, `landmarks` and `state` of `count` faces on disk: those of unfinished work, or else empty ones.

    Raises `LookwhereError` where those of unfinished work are damaged.
    """
    shapes = {"faces": (count, template.SIDE, template.SIDE, 3), "landmarks": (count, 5, 2), "state": (count,)}
    kinds = {"faces": np.uint8, "landmarks": np.float32, "state": np.uint8}
    if not (path / "unfinished.json").is_file():
        return {
            name: np.lib.format.open_memmap(file, mode="w+", dtype=kinds[name], shape=shapes[name])
            for name, file in parts(path).items()
        }
    try:
        maps = {name: np.lib.format.open_memmap(file, mode="r+") for name, file in parts(path).items()}
    except (ValueError, FileNotFoundError) as error:
        raise LookwhereError(f"{path}: the unfinished work is damaged ({error}); delete this folder") from error
    if wrong := [name for name, array in maps.items() if array.shape != shapes[name]]:
        raise LookwhereError(f"{path}: the unfinished work is damaged (shape of {wrong[0]}); delete this folder")
    return maps
