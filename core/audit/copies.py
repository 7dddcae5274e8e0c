"""Near-copies among audited faces, told anew by the aligned faces: image hashes alone also join different people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.audit.folder import Audit
from core.data.same_photograph import BY_FACE, by_aligned_face
from core.data.store import AlignedStore
from core.errors import LookwhereError


def with_copies_of(audit: Audit, data: Path | None) -> Audit:
    """The audit with each face's `cluster` as the aligned faces of the store at `data` tell it; in memory, no file
    changes. Without a store it is the audit.

    Raises `LookwhereError` where the store is not what was audited.
    """
    return audit if data is None else with_clusters_of(audit, AlignedStore.open(data))


def with_clusters_of(audit: Audit, store: AlignedStore) -> Audit:
    """`with_copies_of` a store that is open."""
    place = pd.Index(store.faces["face_id"].astype(str)).get_indexer(audit.faces["face_id"].astype(str))
    if store.manifest.data_fingerprint != audit.manifest.data_fingerprint or (place < 0).any():
        raise LookwhereError(f"{store.path}: other data than was audited; give the aligned store that the audit is of")
    # Faces before a store told near-copies so are gone through here; those after it stay as they are.
    rows = store.faces["row"].to_numpy()[place]
    cluster = by_aligned_face(store.images, rows, store.faces["cluster"].to_numpy()[place])
    return replace(
        audit, faces=audit.faces.assign(cluster=cluster), manifest=replace(audit.manifest, copies_by=BY_FACE)
    )
