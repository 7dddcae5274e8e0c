"""Audits of the same faces, put in one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from core.audit.folder import Audit
from core.audit.manifest import AuditManifest
from core.errors import LookwhereError


def same_faces(manifest: AuditManifest) -> tuple:
    """What two audits must share to be of the same faces: data, splits, renamed ethnicities, number, attribute."""
    names = tuple(sorted(manifest.names.items()))
    return (manifest.data_fingerprint, manifest.splits, names, manifest.faces, manifest.task.attribute)


def align_audits(audits: Sequence[Audit]) -> tuple[Audit, ...]:
    """The audits with their faces in the first one's order.

    Raises `LookwhereError`, naming both, where data, splits, ethnicity names or face ids differ.
    """
    first, aligned = audits[0], [audits[0]]
    ids = pd.Index(first.faces["face_id"])
    for other in audits[1:]:
        pair = f"{first.path} and {other.path}"
        kinds = ("data", "splits", "ethnicity names", "number of faces", "attribute")
        pairs = zip(kinds, same_faces(first.manifest), same_faces(other.manifest), strict=True)
        if differing := [kind for kind, a, b in pairs if a != b]:
            raise LookwhereError(f"{pair}: audited with other {differing[0]}; audit both models on the same faces")
        order = pd.Index(other.faces["face_id"]).get_indexer(ids)
        if len(order) != len(other.faces) or (order < 0).any():
            raise LookwhereError(f"{pair}: not the same face_ids; audit both models on the same faces")
        if not np.array_equal(order, np.arange(len(order))):
            faces = other.faces.iloc[order].reset_index(drop=True)
            evidence = other.evidence[order] if other.has_maps else None
            other = replace(other, faces=faces, evidence=evidence, _maps={})
        aligned.append(other)
    return tuple(aligned)
