"""The shards of an audit that is being made: files of their own, each with a manifest beside it.

A shard is taken for done only where its manifest says that it is of this audit and of these faces, and the file is byte
by byte what it says; any other is done again. So it does not matter which process wrote it, or when one was killed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import LookwhereError
from core.files import write_json
from core.integrity import FileRecord, damage, record_files
from core.json_record import JsonRecord
from core.privacy import coarse
from core.ranks import Ranks
from core.task import Task

#: Columns of the store that say where a picture lies on one machine, or are not needed again.
LEFT_OUT = ["row", "sha256"]


@dataclass(frozen=True, kw_only=True)
class ShardManifest(JsonRecord):
    """What a shard is of: the audit, by the digest of its identity, and its faces in order.

    Once it is written, also the record of its `file`, the seconds it was computed, and by which of how many processes.
    """

    audit_sha256: str
    number: int
    faces: int
    face_ids_sha256: str
    file: FileRecord | None = None
    seconds: float = 0.0
    rank: int = 0
    processes: int = 1

    MEND: ClassVar = "delete it"

    @classmethod
    def of(cls, identity: Mapping[str, object], number: int, faces: pd.DataFrame) -> ShardManifest:
        """The manifest of a shard that is not written yet."""
        known = json.dumps(identity, sort_keys=True, ensure_ascii=False)
        return cls(
            audit_sha256=hashlib.sha256(known.encode()).hexdigest(),
            number=number,
            faces=len(faces),
            face_ids_sha256=hashlib.sha256("\n".join(faces["face_id"]).encode()).hexdigest(),
        )

    def done_in(self, work: Path) -> bool:
        """Whether the shard lies in the folder of unfinished work, whole and of what this says."""
        file = shard_file(work, self.number)
        try:
            kept = ShardManifest.from_json(file.with_suffix(".json"))
        except LookwhereError:
            return False
        as_now = replace(kept, file=None, seconds=0.0, rank=0, processes=1)
        return as_now == self and kept.file is not None and damage(file, kept.file) is None


def shard_file(work: Path, number: int) -> Path:
    """Where a shard lies in the folder of unfinished work; its manifest ends with `.json`."""
    return work / f"shard-{number:05}.parquet"


def shard_files(work: Path) -> list[Path]:
    """The shards that are there, in order."""
    return sorted(work.glob("shard-*.parquet"))


def seconds_of(work: Path) -> float:
    """How long the shards that are there were computed, by all processes together."""
    return sum(ShardManifest.from_json(file.with_suffix(".json")).seconds for file in shard_files(work))


def read_ahead(images: np.ndarray, batches: list[np.ndarray], beside: Executor) -> Iterator[np.ndarray]:
    """Images uint8 (B, 112, 112, 3) of each batch of rows; the next are read `beside` while these are used."""
    ahead: Future[np.ndarray] | None = None
    for rows, following in zip(batches, [*batches[1:], None], strict=True):
        batch = images[rows] if ahead is None else ahead.result()
        ahead = None if following is None else beside.submit(images.__getitem__, following)
        yield batch


def write_shard(
    work: Path,
    manifest: ShardManifest,
    faces: pd.DataFrame,
    task: Task,
    logits: np.ndarray,
    maps: np.ndarray | None,
    seconds: float,
    ranks: Ranks,
) -> None:
    """Write a shard and then its manifest. Raises `LookwhereError` where a value is not finite."""
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
    record = record_files(work, (file.name,))[file.name]
    written = replace(manifest, file=record, seconds=seconds, rank=ranks.rank, processes=ranks.world)
    write_json(file.with_suffix(".json"), written.to_json())


def joined(shards: list[Path], file: Path) -> pa.Schema:
    """Write the shards one after the other into one file; returns the schema of the first, with its metadata."""
    schema = pq.read_schema(shards[0])
    with pq.ParquetWriter(file, schema.remove_metadata(), compression="zstd", compression_level=9) as out:
        for shard in shards:
            out.write_table(pq.read_table(shard).replace_schema_metadata(None))
    return schema
