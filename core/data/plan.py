"""What of a data set is to be aligned: its labels read, copies dropped, near-copies clustered, splits assigned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.data.columns import Column
from core.data.duplicates import HASHES, drop_copies, hash_images, near_clusters
from core.data.readers import Reader, Reading
from core.data.sources.base import Source
from core.data.splits import NEAR_TORN, Subset, assign_splits, near_disagreements, torn_apart
from core.errors import LookwhereError
from core.progress import Progress


@dataclass(frozen=True)
class Plan:
    """What is to be aligned. `read` counts the labelled images that were read; `own_splits`: the data set has splits.

    Each row of `faces` is an image, in the order of the store's arrays; `rejects`, `repaired` and `disagreements` have
    a row a file.
    """

    faces: pd.DataFrame
    rejects: pd.DataFrame
    repaired: pd.DataFrame
    disagreements: pd.DataFrame
    read: int
    own_splits: bool = False
    remarks: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()


def plan(
    source: Source,
    reader: Reader,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    subset: Subset | None = None,
    reading: Reading | None = None,
    hashed: Callable[..., pd.DataFrame] = hash_images,
) -> Plan:
    """Read labels, hash every image once (unless the reader says not to), drop copies, cluster near-copies, split.

    `reading` is what the reader gave, where it was asked already; `hashed` gives what `hash_images` does. Raises
    `LookwhereError` where no labelled image is there, or none that can be read.
    """
    reading = reading or reader.read(source)
    if reading.faces.empty:
        reasons = reading.main_reasons()
        raise LookwhereError(
            f"{source.path}: no labelled face in it"
            + (f": {reasons}; `python -m core datasets --check` lists all" if reasons else "")
            + f"; {reader.name} expects {reader.expects}"
        )
    read = len(reading.faces) + len(reading.otherwise) + len(reading.rejects)
    if subset is not None:
        reading = replace(reading, faces=subset.choose(reading.faces, seed))
    if len(reading.otherwise):
        both = pd.concat([reading.faces, reading.otherwise], ignore_index=True)
        reading = replace(reading, faces=both.sort_values("face_id", ignore_index=True))
    if reader.find_copies:
        tick = progress("reading", len(reading.faces)) if progress else (lambda: None)
        hashes = hashed(source, reading.faces["path"], tick)
        return _without_copies(source, reading, read, seed, hashes, reader.mirrored_together)
    faces = reading.faces.assign(cluster=np.arange(len(reading.faces)))
    return Plan(
        faces=_with_split(faces, seed),
        rejects=reading.rejects,
        repaired=reading.repaired,
        disagreements=reading.disagreements,
        read=read,
        own_splits="split" in reading.faces,
        remarks=reading.remarks,
        columns=reading.columns,
    )


def _with_split(faces: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The faces with the data set's own splits, or with those drawn where it has none."""
    return faces if "split" in faces else faces.assign(split=assign_splits(faces, seed))


def _without_copies(
    source: Source, reading: Reading, read: int, seed: int, hashes: pd.DataFrame, mirrored_together: bool
) -> Plan:
    """The plan of images whose `hashes` (`hash_images`) are known: an image a face, near-copies in one cluster.

    `mirrored_together`: splits that are drawn keep mirrored copies together too.
    """
    faces = reading.faces.merge(hashes, on="path", how="left", validate="one_to_one")
    bad = faces["problem"] != ""
    unreadable = faces.loc[bad, ["path", "problem"]].set_axis(["file", "reason"], axis=1)
    if bad.all():
        raise LookwhereError(f"{source.path}: none of {len(faces)} images can be read ({faces['problem'].iloc[0]})")
    readable, own_splits = faces[~bad].reset_index(drop=True), "split" in reading.faces
    faces, copies = drop_copies(readable)
    if faces.empty:
        raise LookwhereError(f"{source.path}: no image is left of {read}: {copies['reason'].iloc[0]}")
    clusters = near_clusters(faces)
    drawn_by = clusters if mirrored_together else near_clusters(faces.drop(columns="mirrored"))
    faces = _with_split(faces.assign(cluster=drawn_by), seed).assign(cluster=clusters)
    tables = [reading.disagreements, near_disagreements(faces)]
    if own_splits:
        tables.append(torn_apart(readable, "sha256", "split: exact copies in more than one; at most one is kept"))
    if own_splits or not mirrored_together:
        tables.append(torn_apart(faces, "cluster", NEAR_TORN))
    return Plan(
        faces=faces.drop(columns=[*HASHES, "problem"]),
        rejects=pd.concat([reading.rejects, unreadable, copies], ignore_index=True),
        repaired=reading.repaired,
        disagreements=pd.concat(tables, ignore_index=True),
        read=read,
        own_splits=own_splits,
        remarks=reading.remarks,
        columns=reading.columns,
    )
