"""The images behind an audit: its aligned store, opened where it is at hand and fits."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.audit.folder import Audit
from core.audit.manifest import AuditManifest
from core.classifiers.info import ModelInfo
from core.data.faces import check_faces, fingerprint
from core.data.file_array import FileArray
from core.data.filters import Filter
from core.data.splits import person_numbers
from core.data.store_info import StoreInfo, aligned_otherwise
from core.errors import LookwhereError
from core.privacy import MINIMUM_FACES, enough_people


@dataclass(frozen=True)
class AuditImages:
    """The audited faces' aligned images: `images` uint8 (R, 112, 112, 3), read where they are asked for.

    `rows` int64 (N,) says where in it each of the audit's faces is, `people` int64 (N,) of whom it is; None means a
    person of its own each.
    """

    path: Path
    images: FileArray
    rows: np.ndarray
    minimum: int = MINIMUM_FACES
    people: np.ndarray | None = None

    def face(self, row: int) -> np.ndarray:
        """The image of one of the audit's faces, uint8 (112, 112, 3).

        Raises `LookwhereError` where the file was cut since it was opened (`core.data.file_array`).
        """
        return np.asarray(self.images[self.rows[row]])

    def average(self, rows: np.ndarray) -> np.ndarray | None:
        """The mean of the images of the audit's faces at `rows`, uint8 (112, 112, 3); None under `minimum` people."""
        if not enough_people(rows if self.people is None else self.people[rows], self.minimum):
            return None
        total = np.zeros(self.images.shape[1:], dtype=np.int64)
        for row in rows:
            total += self.face(row)
        return (total / len(rows)).round().astype(np.uint8)


def rows_by_columns(audit: Audit, filter: Filter) -> np.ndarray:
    """Rows of the audit's faces that an average by a filter with columns is of, int64 (n,): the whole cells inside it.

    Cells are those of `Audit.picture_cells`. Any average of chosen faces, less another of the same but for one, would
    be that face; of whole cells no two differ by fewer people than the smallest cell has.
    """
    place, inside = audit.picture_cells, filter.mask(audit.faces)
    cells = np.setdiff1d(place[inside], place[~inside])
    return np.flatnonzero(np.isin(place, cells[cells >= 0]))


def average_by_columns(audit: Audit, images: AuditImages, filter: Filter) -> tuple[np.ndarray | None, int]:
    """The mean image uint8 (112, 112, 3) of faces that pass a filter with columns, for audits that store no average
    by these, and its number of faces (`rows_by_columns`); None and 0 where there is none."""
    rows = rows_by_columns(audit, filter)
    mean = images.average(rows)
    return mean, 0 if mean is None else len(rows)


def open_images(audit: Audit, root: Path) -> tuple[AuditImages | None, list[str]]:
    """The images of an audit's faces, from the store under `root` whose data it audited; and what was found instead.

    The faces are joined by `face_id`, since an audit may have renamed ethnicities and assigned another split.
    """
    data_fingerprint = audit.manifest.data_fingerprint
    if not data_fingerprint:
        return None, [f"{audit.path}/audit.json names no data fingerprint, so no store can be known to be its data"]
    first = root / audit.manifest.dataset
    folders = sorted(p for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
    looked = []
    for path in [first, *(p for p in folders if p != first)]:
        try:
            return replace(
                _open(path, data_fingerprint, audit.faces, audit.manifest.aligned),
                minimum=audit.minimum_faces,
                people=person_numbers(audit.faces),
            ), []
        except LookwhereError as error:
            looked.append(str(error))
    return None, looked


def _open(path: Path, data_fingerprint: str, audited: pd.DataFrame, aligned: Mapping[str, object]) -> AuditImages:
    """Raises `LookwhereError` where there is no finished store, it is damaged, or it is of other data."""
    if not (path / "store.json").is_file():
        if (path / "unfinished.json").is_file():
            raise LookwhereError(f"{path}: aligning was interrupted; the same command resumes it")
        raise LookwhereError(f"{path}: {'no store.json in it' if path.is_dir() else 'no such folder'}")
    try:
        store = StoreInfo.from_json(path / "store.json")
        if store.data_fingerprint != data_fingerprint:
            raise LookwhereError(
                f"{path}: other data than was audited ({store.faces} faces of {store.dataset}, seed {store.seed}, "
                f"fingerprint {store.data_fingerprint[:12]}…, not {data_fingerprint[:12]}…)"
            )
        if how := aligned_otherwise(aligned, store.alignment):
            raise LookwhereError(f"{path}: the audited faces, but aligned otherwise ({how})")
        images = FileArray(path / "faces.npy")
        faces = pd.read_parquet(path / "faces.parquet")
    except (OSError, ValueError) as error:
        raise LookwhereError(f"{path}: the store is damaged ({error}); delete it and align again") from error
    check_faces(faces, f"{path}/faces.parquet")
    if fingerprint(faces) != data_fingerprint:
        raise LookwhereError(f"{path}/faces.parquet: changed since it was written; delete the store and align again")
    place = pd.Series(faces["row"].to_numpy(dtype=np.int64), index=faces["face_id"].astype(str))
    rows = place.reindex(audited["face_id"].astype(str))
    if rows.isna().any():
        raise LookwhereError(
            f"{path}: lacks {int(rows.isna().sum()):,} of the audited faces, {rows.index[rows.isna()][0]} one"
        )
    rows = rows.to_numpy(dtype=np.int64)
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[-1] != 3 or rows.max(initial=-1) >= len(images):
        raise LookwhereError(f"{path}/faces.npy: shape {images.shape} does not go with faces.parquet; align again")
    return AuditImages(path, images, rows)


def align_command(manifest: AuditManifest, info: ModelInfo | None, out: Path | None = None) -> str:
    """The command that makes the store an audit was made from, as far as its manifest and the model's tell.

    The seed of the splits is known where the model was trained on the same data; by default it is 0.
    """
    words = ["python -m core align --data PATH"]
    if manifest.dataset:
        words.append(f"--dataset {shlex.quote(manifest.dataset)}")
    data = info.data if info else None
    if data and manifest.data_fingerprint in data.fingerprints and data.split_seed is not None:
        words.append(f"--seed {data.split_seed}")
    if out is not None:
        words.append(f"--out {shlex.quote(str(out))}")
    return " ".join(words)
