"""Alignment by several processes: hashes of images and aligned faces in shards, until the first process joins them.

Images are shared out in the order in which their source is read, so that each process goes through it once and has one
shard in memory. A machine's faces are not written into a file that another machine writes: not every network's file
system would keep both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from core.data import alignment
from core.data.align_batch import BATCH, PENDING, aligned_batch
from core.data.duplicates import HASHES, hash_images
from core.data.file_array import FileArray, WritableFileArray
from core.data.measured import squares_of
from core.data.sources.base import Source
from core.data.ties import unchanged
from core.data.work_files import parts
from core.errors import LookwhereError
from core.files import write_parquet
from core.process_group import meet, stopping, summed, told_by_first
from core.ranks import Ranks
from core.shards import ShardManifest, drop, shard_manifest

#: Images whose hashes are one shard, and faces that are one: 38 MB, and a multiple of the detector's batch.
HASHED, SHARD = 8192, 1024
ARRAYS = ("faces", "landmarks", "source", "state")


def in_reading_order(source: Source, paths: Iterable[str]) -> list[str]:
    """The paths in the order in which the source gives them."""
    remaining = set(paths)
    return [name for name in source.names if name in remaining]


def hashes_by(
    ranks: Ranks, path: Path, identity: Mapping[str, object]
) -> Callable[[Source, Iterable[str], Callable[[], object]], pd.DataFrame]:
    """`core.data.duplicates.hash_images` by all processes, each its blocks; the hashes lie in the store's folder.

    `identity` says of what data set and reader they are.
    """

    def hashed(source: Source, paths: Iterable[str], tick: Callable[[], object] = lambda: None) -> pd.DataFrame:
        ordered = in_reading_order(source, paths)
        blocks = [ordered[start : start + HASHED] for start in range(0, len(ordered), HASHED)]
        path.mkdir(parents=True, exist_ok=True)
        manifests = [ShardManifest.from_items(identity, n, block) for n, block in enumerate(blocks)]
        mine = [n for n in ranks.mine(len(blocks)) if not manifests[n].is_done(_hash_file(path, n))]
        images = _Reading(source, [name for n in mine for name in blocks[n]])
        with stopping(ranks) as stop:
            for n in mine:
                began, file = time.perf_counter(), _hash_file(path, n)
                write_parquet(file, hash_images(images, blocks[n], tick))
                manifests[n].write(file, time.perf_counter() - began, ranks)
                stop.between()
        meet(ranks)
        tables = [pd.read_parquet(_hash_file(path, n)) for n in range(len(blocks))]
        return pd.concat(tables, ignore_index=True).astype(dict.fromkeys(HASHES, "uint64"))

    return hashed


def _hash_file(path: Path, number: int) -> Path:
    return path / f"hashes-{number:05}.parquet"


def _face_file(path: Path, number: int) -> Path:
    return path / f"aligned-{number:05}.npz"


class _Reading:
    """Some images of a source, gone through once, a piece at a time: a tar begins anew with every `iterate`."""

    def __init__(self, source: Source, names: list[str], planned: pd.DataFrame | None = None) -> None:
        self.source, images = source, source.iterate(names)
        self.rest = images if planned is None else unchanged(images, planned, source)

    def iterate(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            path, data = next(self.rest, (None, b""))
            if path != name:
                raise LookwhereError(f"{self.source.path}: {name} has gone while it was read; run again, it goes on")
            yield name, data

    def why_empty(self, name: str) -> str | None:
        return self.source.why_empty(name)


def take_in(path: Path, arrays: Mapping[str, WritableFileArray], identity: Mapping[str, object]) -> None:
    """Put the shards that are there and of this work into the store's arrays, and delete all of them."""
    work = ShardManifest.from_items(identity, 0, ()).work_sha256
    for file in sorted(path.glob("aligned-*.npz")):
        try:
            manifest = shard_manifest(file)
        except LookwhereError:
            continue
        if manifest.work_sha256 != work or not ShardManifest(
            work_sha256=work, number=manifest.number, items=manifest.items, items_sha256=manifest.items_sha256
        ).is_done(file):
            continue
        with np.load(file) as shard:
            rows = shard["rows"]
            for name in ARRAYS:  # what is done is told last
                arrays[name][rows] = shard[name]
                arrays[name].flush()
        drop([file])
    drop(path.glob("aligned-*.npz"))


def drop_shards(path: Path) -> None:
    """Delete what several processes left in a folder whose store is finished."""
    drop([*path.glob("aligned-*.npz"), *path.glob("hashes-*.parquet")])


def align_by_several(
    source: Source,
    aligner: alignment.Resizer | alignment.FaceAligner,
    path: Path,
    identity: dict,
    faces: pd.DataFrame,
    ranks: Ranks,
    tick: Callable[[int], object],
) -> None:
    """Align this process's share of the faces that are still to do, a shard a file in the store's folder.

    `faces` are those planned, a row each of the store's arrays.
    """
    meet(ranks)  # the arrays are there
    pending = faces.index[FileArray(parts(path)["state"])[:] == PENDING]
    row_of = pd.Series(pending, index=faces.loc[pending, "path"])
    ordered = in_reading_order(source, row_of.index)
    shards = [ordered[start : start + SHARD] for start in range(0, len(ordered), SHARD)]
    manifests = [ShardManifest.from_items(identity, n, row_of.loc[shard]) for n, shard in enumerate(shards)]
    mine = [n for n in ranks.mine(len(shards)) if not manifests[n].is_done(_face_file(path, n))]
    images = _Reading(source, [name for n in mine for name in shards[n]], faces)
    with stopping(ranks) as stop:
        for n in mine:
            began, batches = time.perf_counter(), []
            for low in range(0, len(shards[n]), BATCH):
                names = shards[n][low : low + BATCH]
                batches.append(aligned_batch(aligner, list(images.iterate(names))))
                tick(len(names))
            arrays = {name: np.concatenate([batch[name] for batch in batches]) for name in ARRAYS}
            file = _face_file(path, n)
            partial_file = file.with_name(f"{file.name}.partial-{ranks.rank}")
            with partial_file.open("wb") as out:
                np.savez(out, rows=row_of.loc[shards[n]].to_numpy(np.int64), **arrays)
            partial_file.replace(file)
            manifests[n].write(file, time.perf_counter() - began, ranks)
            stop.between()
    meet(ranks)  # so are the shards of all


def measure_with_first(path: Path, ranks: Ranks) -> None:
    """What the other processes do while the first one ends: each measures its part of the faces."""
    rows = told_by_first(ranks, None)
    squares_of(FileArray(parts(path)["faces"]), rows, None, partial(summed, ranks), ranks)
    meet(ranks)
