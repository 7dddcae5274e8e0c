"""What was measured from the images behind an audit, of the aligned store it was made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.audit.folder import Audit
from core.audit.manifest import AuditManifest
from core.data.measured import publishable, with_measures, write_measured
from core.data.measures import BY_NAME
from core.data.store import AlignedStore
from core.data.store_info import aligned_otherwise
from core.errors import LookwhereError


def measures_of(manifest: AuditManifest, faces: pd.DataFrame, store: AlignedStore) -> pd.DataFrame:
    """`face_id` and the measures of an audit's `faces`, in their order: apparent skin tone too, so not to be published.

    Raises `LookwhereError` where the store is not what was audited, or nothing was measured there.
    """
    if manifest.data_fingerprint != store.manifest.data_fingerprint:
        raise LookwhereError(f"{store.path}: other data than was audited; give the aligned store that the audit is of")
    if how := aligned_otherwise(manifest.aligned, store.manifest.alignment):
        raise LookwhereError(f"{store.path}: the audited faces, but aligned otherwise ({how})")
    if store.measured is None:
        raise LookwhereError(
            f"{store.path}: nothing was measured from its images; run `python -m core measure --data {store.path}`"
        )
    place = pd.Index(store.faces["face_id"].astype(str)).get_indexer(faces["face_id"].astype(str))
    if (place < 0).any():
        raise LookwhereError(f"{store.path}: lacks {int((place < 0).sum()):,} of the audited faces")
    measures = store.measured.iloc[place].reset_index(drop=True)
    return pd.concat([faces[["face_id"]].reset_index(drop=True), measures], axis=1)


def write_published(folder: Path, manifest: AuditManifest, faces: pd.DataFrame, store: AlignedStore) -> None:
    """Write what may be published by face of a store's measures into an audit's folder, if any were made."""
    if store.measured is not None:
        write_measured(folder, publishable(measures_of(manifest, faces, store)))


def with_all_measures(audit: Audit, store: AlignedStore) -> Audit:
    """The audit with every measure of its store, apparent skin tone among them: for what is shown by group, here.

    It stays in memory: what is published of an audit has no skin tone by face. Raises as `measures_of` does.
    """
    table = measures_of(audit.manifest, audit.faces, store).drop(columns="face_id").set_axis(audit.faces.index)
    own = [name for name in audit.faces if not any(name.startswith(measure) for measure in BY_NAME)]
    faces, columns = with_measures(audit.faces[own], table)
    return replace(audit, faces=faces, measured=columns)
