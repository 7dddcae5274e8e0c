"""A piece of long work in a file of its own, with a manifest beside it that says what it is of.

A shard is taken for done only where its manifest says that it is of this very work and of these things, and the file
has the bytes that it says; any other is done again. So it does not matter which process wrote it, or when
one was killed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from core.errors import LookwhereError
from core.files import write_json
from core.integrity import FileRecord, damage, record_files
from core.json_record import JsonRecord
from core.ranks import Ranks


@dataclass(frozen=True, kw_only=True)
class ShardManifest(JsonRecord):
    """What a shard is of: the work, by the digest of its identity, and its items, by their names in order.

    Once it is written, also the record of its `file`, the seconds it was computed, and by which of how many processes.
    """

    work_sha256: str
    number: int
    items: int
    items_sha256: str
    file: FileRecord | None = None
    seconds: float = 0.0
    rank: int = 0
    processes: int = 1

    MEND: ClassVar = "delete it"

    @classmethod
    def from_items(cls, identity: Mapping[str, object], number: int, items: Iterable[object]) -> ShardManifest:
        """The manifest of a shard that is not written yet."""
        work, names = json.dumps(identity, sort_keys=True, ensure_ascii=False), [str(item) for item in items]
        digests = [
            hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest() for text in (work, "\n".join(names))
        ]
        return cls(work_sha256=digests[0], number=number, items=len(names), items_sha256=digests[1])

    def is_done(self, file: Path) -> bool:
        """Whether the shard lies there, whole and of what this says."""
        try:
            manifest = shard_manifest(file)
        except LookwhereError:
            return False
        as_now = replace(manifest, file=None, seconds=0.0, rank=0, processes=1)
        return as_now == self and manifest.file is not None and damage(file, manifest.file) is None

    def write(self, file: Path, seconds: float, ranks: Ranks) -> None:
        """Write the manifest of a shard that was written now."""
        record = record_files(file.parent, (file.name,))[file.name]
        manifest = replace(self, file=record, seconds=seconds, rank=ranks.rank, processes=ranks.world)
        write_json(file.with_suffix(".json"), manifest.to_json())


def shard_manifest(file: Path) -> ShardManifest:
    """The manifest beside a shard. Raises `LookwhereError` where there is none, or it is damaged."""
    return ShardManifest.from_json(file.with_suffix(".json"))


def drop(files: Iterable[Path]) -> None:
    """Delete shards and their manifests."""
    for file in files:
        file.unlink(missing_ok=True)
        file.with_suffix(".json").unlink(missing_ok=True)
