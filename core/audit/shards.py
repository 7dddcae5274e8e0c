"""The shards of an audit that is being made (`core.shards`): tables of faces with logits and maps."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import LookwhereError
from core.files import parquet_encodings
from core.privacy import coarse
from core.ranks import Ranks
from core.shards import ShardManifest, shard_manifest
from core.task import Task

#: Columns of the store that say where an image lies on one machine, or are not needed again.
LEFT_OUT = ["row", "sha256"]


def shard_file(work: Path, number: int) -> Path:
    """Where a shard lies in the folder of unfinished work; its manifest ends with `.json`."""
    return work / f"shard-{number:05}.parquet"


def shard_files(work: Path) -> list[Path]:
    """The shards that are there, in order."""
    return sorted(work.glob("shard-*.parquet"))


def seconds_of(work: Path) -> float:
    """How long the shards that are there were computed, by all processes together."""
    return sum(shard_manifest(file).seconds for file in shard_files(work))


def read_ahead(images: np.ndarray, batches: list[np.ndarray], beside: Executor) -> Iterator[np.ndarray]:
    """Images uint8 (B, 112, 112, 3) of each batch of rows; the next are read `beside` while these are used."""
    ahead: Future[np.ndarray] | None = None
    for rows, following in zip(batches, [*batches[1:], None], strict=True):
        batch = images[rows] if ahead is None else ahead.result()
        ahead = None if following is None else beside.submit(images.__getitem__, following)
        yield batch


@dataclass(frozen=True)
class ShardOutputs:
    """What the model gave for a shard's faces: `logits` (N, 2), `maps` (N, 2, h, w) where there are any, and how many
    `seconds` it took."""

    logits: np.ndarray
    maps: np.ndarray | None
    seconds: float


def write_shard(
    work: Path, manifest: ShardManifest, faces: pd.DataFrame, task: Task, outputs: ShardOutputs, ranks: Ranks
) -> None:
    """Write a shard and then its manifest. Raises `LookwhereError` where a value is not finite."""
    logits, maps = outputs.logits, outputs.maps
    if not np.isfinite(logits).all() or (maps is not None and not np.isfinite(maps).all()):
        raise LookwhereError("the network gave values that are not finite; are these the right weights?")
    if maps is not None:
        coarse(maps)
    with np.errstate(over="ignore"):
        p = (1 / (1 + np.exp(logits[:, 0].astype(np.float64) - logits[:, 1]))).astype(np.float32)
    # From 0.5 on, as accuracies by threshold have it: rounded tables of predictions have ties.
    predicted = np.where(p >= 0.5, task.positive, task.negative)
    scores = dict(zip((*task.logits, task.probability), (*logits.T, p), strict=True))
    table = faces.drop(columns=LEFT_OUT, errors="ignore").assign(
        **scores, predicted=predicted, correct=predicted == task.truth(faces)
    )
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    meta = {**(arrow.schema.metadata or {})}
    if maps is not None:
        width = int(np.prod(maps.shape[1:]))
        flat = pa.FixedSizeListArray.from_arrays(pa.array(maps.reshape(-1)), width)
        arrow = arrow.append_column("evidence", flat)
        meta[b"map_shape"] = f"{maps.shape[2]},{maps.shape[3]}".encode()
    file = shard_file(work, manifest.number)
    partial = file.with_name(f"{file.name}.partial-{ranks.rank}")
    pq.write_table(arrow.replace_schema_metadata(meta), partial, compression="zstd")
    partial.replace(file)
    manifest.write(file, outputs.seconds, ranks)


def joined(shards: list[Path], file: Path) -> pa.Schema:
    """Write the shards one after the other into one file; returns the schema of the first, with its metadata."""
    schema = pq.read_schema(shards[0])
    rows = sum(pq.read_metadata(shard).num_rows for shard in shards)
    with pq.ParquetWriter(file, schema.remove_metadata(), **parquet_encodings(schema, rows)) as out:
        for shard in shards:
            out.write_table(pq.read_table(shard).replace_schema_metadata(None))
    return schema
