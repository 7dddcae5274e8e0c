"""What was measured from the images behind an audit, of the aligned store it was made from."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd

from core.audit.averages import Averages
from core.audit.folder import Audit
from core.audit.kept_averages import KeptAverages, read_kept, remember
from core.audit.manifest import AuditManifest
from core.data.measured import FILE, publishable, read_measured, with_measures, write_measured
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


def published_measures(manifest: AuditManifest, faces: pd.DataFrame, store: AlignedStore) -> pd.DataFrame | None:
    """What may be published by face of a store's measures (`measures_of`); None where none were made."""
    return None if store.measured is None else publishable(measures_of(manifest, faces, store))


def digests(table: pd.DataFrame | None) -> dict[str, str]:
    """Of each measure in a table a digest of its values, as they are stored, in the order of the faces."""
    names = [] if table is None else [name for name in table if name in BY_NAME]
    values = {name: np.nan_to_num(table[name].to_numpy(np.float32, copy=True), nan=-1e30) for name in names}
    return {name: hashlib.sha256(column.tobytes()).hexdigest()[:16] for name, column in values.items()}


def lay_published(audit: Audit, store: AlignedStore) -> None:
    """Write what may be published by face of a store's measures beside its audit.

    Raises `LookwhereError` where other values lie there or lay there, by whose thirds averages were shown: of the two,
    subtracted, single faces could be left.
    """
    table, models = publishable(measures_of(audit.manifest, audit.faces, store)), audit.path.parents[2]
    averages = Averages.load(audit.path / "averages.npz")
    if len(averages.cells):
        stored = KeptAverages.from_averages(averages, audit.manifest)
        planned = replace(stored, measures=digests(table))
        beside = replace(stored, measures=digests(read_measured(audit.path, audit.faces)))
        if any(kept.divided_otherwise(planned) for kept in (beside, *read_kept(models))):
            raise LookwhereError(
                f"{audit.path / FILE}: measures of other values lie beside this audit, or did: averages by thirds of "
                "both, subtracted, could show single faces; audit under another --name, which keeps no averages"
            )
        if planned.measures:
            remember(models, planned)
    write_measured(audit.path, table)


def with_all_measures(audit: Audit, store: AlignedStore) -> Audit:
    """The audit with every measure of its store, apparent skin tone among them: for what is shown by group, here.

    It stays in memory: what is published of an audit has no skin tone by face. Raises as `measures_of` does.
    """
    table = measures_of(audit.manifest, audit.faces, store).drop(columns="face_id").set_axis(audit.faces.index)
    own = [name for name in audit.faces if not any(name.startswith(measure) for measure in BY_NAME)]
    faces, columns = with_measures(audit.faces[own], table)
    return replace(audit, faces=faces, measured=columns)
