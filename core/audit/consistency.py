"""What `audit.json` says, held against itself and against the faces beside it.

A digest tells that a file was changed, and whoever changes it can make the digest anew. What is shown beside the faces'
own numbers must be true of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd

from core.audit.manifest import AuditManifest
from core.errors import LONGEST_NAME, LookwhereError
from core.template import SIDE

#: How far a share that was rounded to six digits may be off.
ROUNDED = 2e-6


def check_manifest(manifest: AuditManifest, faces: pd.DataFrame, origin: str) -> None:
    """Raises `LookwhereError`, calling the manifest `origin`, for the first thing in it that cannot be."""
    for what in itertools.chain(_of_itself(manifest), _of_faces(manifest, faces)):
        raise LookwhereError(f"{origin}: {what}; {manifest.MEND}")


def _of_itself(manifest: AuditManifest) -> Iterator[str]:
    """What of the manifest contradicts itself, in words."""
    for name in ("model", "dataset"):
        word = getattr(manifest, name)
        if not 0 < len(word) <= LONGEST_NAME or not word.isprintable():
            yield f"its {name} is no name of 1 to {LONGEST_NAME} signs"
    unknown = set(manifest.cells) - {column.name for column in manifest.columns}
    if unknown:
        yield f"its cells name {min(unknown)[:LONGEST_NAME]!r}, which is no column of this audit"
    if len({column.name for column in manifest.columns}) < len(manifest.columns):
        yield "it names a column twice"
    placement = manifest.maps and manifest.maps.placement
    if placement and manifest.map_shape:
        if (len(placement.rows), len(placement.columns)) != manifest.map_shape:
            yield "the placement is not of its maps"
        for centres in (placement.rows, placement.columns):
            rising = all(low < high for low, high in itertools.pairwise(centres))
            if not rising or not -SIDE <= centres[0] <= centres[-1] <= 2 * SIDE:
                yield "the placement's centres do not rise, or lie far from the face"
    copies = manifest.training_copies
    if copies is not None:
        if not copies.left_out and copies.found > manifest.faces:
            yield f"it counts {copies.found:,} training copies among {manifest.faces:,} faces"
        if (copies.training_faces or 0) > copies.compared:
            yield "its training copies are of more training faces than were compared"
    for note in (*manifest.warnings, *filter(None, [manifest.averages])):
        if (note.n or 0) > manifest.faces or note.predicted not in (None, *manifest.task.classes):
            yield f"the note {note.code} is not of its faces"
    if manifest.speed is not None and manifest.speed.decisions > manifest.speed.faces:
        yield "more decisions changed than faces were tried"
    check = manifest.float32_check
    if check is not None and not check.decisions <= check.faces <= manifest.faces:
        yield "more decisions are others in float32 than faces were computed again, or these than it has faces"
    if manifest.review is not None and manifest.review.flipped > manifest.faces:
        yield "more labels were flipped than it has faces"


def _of_faces(manifest: AuditManifest, faces: pd.DataFrame) -> Iterator[str]:
    """What of the manifest is not true of the faces, and what of the faces cannot be, in words."""
    task = manifest.task
    if not len(faces):
        yield "an audit of no face"
        return
    if not faces["predicted"].isin(task.classes).all():
        yield f"faces.parquet predicts a class that is none of {', '.join(task.classes)}"
    positive = task.is_positive(faces)
    called = (faces["predicted"] == task.positive).to_numpy(dtype=bool)
    correct = faces["correct"].to_numpy(dtype=bool)
    if not np.array_equal(correct, positive == called):
        yield "faces.parquet calls predictions correct that are not, or the other way round"
    p = task.p(faces) if task.probability in faces else np.zeros(0)
    if not ((p >= 0) & (p <= 1)).all():
        yield "faces.parquet has probabilities beyond 0 to 1"
    accuracy = float(correct.mean())
    if manifest.accuracy is not None and abs(manifest.accuracy - accuracy) > ROUNDED:
        yield f"its accuracy is {manifest.accuracy:g}, and that of faces.parquet {accuracy:.6f}"
    strange = {str(split) for split in faces["split"].unique()} ^ set(manifest.splits)
    if strange:
        yield f"its splits are not those of faces.parquet ({', '.join(sorted(strange))[:LONGEST_NAME]})"
