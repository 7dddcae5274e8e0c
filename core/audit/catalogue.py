"""Audits of the same faces, put in one order; and audits that share some, brought to these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.audit.folder import Audit
from core.audit.manifest import AuditManifest
from core.errors import LookwhereError


def same_faces(manifest: AuditManifest) -> tuple:
    """What two audits must share to be of the same faces: data, splits, renamed ethnicities, number, attribute, and
    the list by which their labels were reviewed, if they were."""
    names = tuple(sorted(manifest.names.items()))
    reviewed = manifest.review.sha256 if manifest.review else ""
    return (manifest.data_fingerprint, manifest.splits, names, manifest.faces, manifest.task.attribute, reviewed)


def align_audits(audits: Sequence[Audit]) -> tuple[Audit, ...]:
    """The audits with their faces in the first one's order.

    Raises `LookwhereError`, naming both, where data, splits, ethnicity names or face ids differ.
    """
    first, aligned = audits[0], [audits[0]]
    for audit in audits[1:]:
        pair = f"{first.path} and {audit.path}"
        kinds = ("data", "splits", "ethnicity names", "number of faces", "attribute", "reviewed labels")
        pairs = zip(kinds, same_faces(first.manifest), same_faces(audit.manifest), strict=True)
        if differing := [kind for kind, a, b in pairs if a != b]:
            raise LookwhereError(f"{pair}: audited with other {differing[0]}; audit both models on the same faces")
        if audit.faces["face_id"].equals(first.faces["face_id"]):
            aligned.append(audit)
            continue
        order = pd.Index(audit.faces["face_id"]).get_indexer(pd.Index(first.faces["face_id"]))
        if len(order) != len(audit.faces) or (order < 0).any():
            raise LookwhereError(f"{pair}: not the same face_ids; audit both models on the same faces")
        if not np.array_equal(order, np.arange(len(order))):
            audit = audit.of_rows(order)
        aligned.append(audit)
    return tuple(aligned)


def may_share_faces(first: AuditManifest, second: AuditManifest) -> bool:
    """Whether two audits may have faces in common: of one data set and task, splits that meet, ethnicities named alike.

    Of one data set that was read twice, as a later release or with another detector, the faces say how many they share
    (`share_ids`).
    """
    kinds = ((of.dataset, of.task, sorted(of.names.items())) for of in (first, second))
    if next(kinds) != next(kinds):
        return False
    if first.data_fingerprint is not None and first.data_fingerprint == second.data_fingerprint:
        # An audit of data that a model never saw calls every face a test face.
        return first.every_split or second.every_split or not {*first.splits}.isdisjoint(second.splits)
    return True


def share_ids(first: Path, second: Path) -> bool:
    """Whether the audits in two folders call at least half of the fewer faces alike; reads nothing but the ids."""
    ids = (
        pd.Index(pd.read_parquet(path / "faces.parquet", columns=["face_id"])["face_id"]) for path in (first, second)
    )
    fewer, more = sorted(ids, key=len)
    return 2 * int(fewer.isin(more).sum()) >= max(len(fewer), 1)


@dataclass(frozen=True)
class CommonFaces:
    """Audits brought to the faces that all of them have, in the first one's order.

    `left_out` counts each audit's other faces. The average faces are still those of each whole audit.
    """

    audits: tuple[Audit, ...]
    left_out: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many faces they have in common."""
        return len(self.audits[0].faces)


def common_faces(audits: Sequence[Audit]) -> CommonFaces:
    """The audits on the faces that they have in common, by face id.

    Raises `LookwhereError`, naming two of them, where they have no face in common, are of other data or another naming
    of ethnicities, or label a common face differently: it is then not known to be the same.
    """
    first = audits[0]
    shared = pd.Index(first.faces["face_id"])
    for second in audits[1:]:
        pair = f"{first.path} and {second.path}"
        if not may_share_faces(first.manifest, second.manifest):
            raise LookwhereError(
                f"{pair}: of other data, splits, ethnicity names or attribute; compare audits of one data set and one "
                "attribute"
            )
        shared = shared[shared.isin(second.faces["face_id"])]
        if not len(shared):
            raise LookwhereError(f"{pair}: have no face in common; audit both models on the same faces")
    on_shared_faces = tuple(restricted(audit, shared) for audit in audits)
    for audit in on_shared_faces[1:]:
        for label in dict.fromkeys(("gender", "ethnicity", audit.task.attribute)):
            ours, theirs = (labelled.faces[label].astype(object).to_numpy() for labelled in (on_shared_faces[0], audit))
            if not np.array_equal(ours, theirs):
                raise LookwhereError(
                    f"{first.path} and {audit.path}: label the same faces differently ({label}); audit both models on "
                    "one store"
                )
    return CommonFaces(on_shared_faces, tuple(len(audit.faces) - len(shared) for audit in audits))


def restricted(audit: Audit, ids: pd.Index) -> Audit:
    """The audit with these of its faces, in this order; itself where these are all, as they lie."""
    place = pd.Index(audit.faces["face_id"]).get_indexer(ids)
    return audit if np.array_equal(place, np.arange(len(audit.faces))) else audit.of_rows(place)
