"""Whether two audits are of nearly the same faces: their averages could be subtracted to the few that differ.

A face is told again by its image, where both audits keep a sketch of theirs, and by its id, since an image may be
stored anew. The sketch is the smallest hashes of all images (Broder 1997, SEQUENCES:21): of two sets of images
nearly all of the smallest hashes are the same where the sets nearly are. The smallest of each cell are in it too: of a
large data set and a small part of it, a cell may be nearly the same where the sets are not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.audit.averages import Averages
from core.audit.folder import read_manifest
from core.audit.manifest import AuditManifest
from core.data.faces import UNRECORDED
from core.errors import LookwhereError

#: Hashes in a sketch, of all images and of each cell, and the characters kept of each: too few to find an image by,
#: enough to tell two apart.
HASHES, OF_CELL, CHARACTERS = 256, 8, 12
#: Of two data sets a few images may be the same; of two parts of one more of the smallest hashes are.
SAME_PICTURES = 0.05
#: Equal ids are taken for equal faces where so many of them agree in gender, and in age where it is known.
SAME_GENDER, SAME_AGE = 0.9, 0.5


def sketch(faces: pd.DataFrame, place: np.ndarray | None = None) -> tuple[str, ...]:
    """The smallest of the images' SHA-256 (column `sha256` of a store's faces), cut; empty without any.

    They are `HASHES` of all, and `OF_CELL` of the faces of each cell, where `place` int (N,) says in which a face is,
    −1 for none.
    """
    if "sha256" not in faces:
        return ()
    hashes = faces["sha256"].dropna().astype(str).str[:CHARACTERS].drop_duplicates().sort_values()
    smallest = {*hashes.iloc[:HASHES]}
    if place is not None:
        cell = pd.Series(place, index=faces.index).loc[hashes.index]
        smallest.update(hashes[cell >= 0].groupby(cell[cell >= 0]).head(OF_CELL))
    return tuple(sorted(smallest))


def common(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    """How many of two sketches' images are in both."""
    return len(set(first) & set(second))


def same_pictures(first: AuditManifest, second: AuditManifest) -> bool:
    """Whether two audits are of one data set's images, whatever its faces are labelled with: as their sketches share
    some, which those of two data sets do not; or as the labels are the same too."""
    if first.data_fingerprint == second.data_fingerprint:
        return True
    fewest = min(len(first.pictures), len(second.pictures))
    return fewest > 0 and common(first.pictures, second.pictures) >= SAME_PICTURES * fewest


def same_ids(first: pd.DataFrame, second: pd.DataFrame) -> int:
    """How many faces of two tables (`face_id, gender, age`) have the same id, where equal ids mean equal faces.

    Other data sets number their images alike: then the labels of equal ids agree no more often than by chance.
    """
    columns = ["face_id", "gender", "age"]
    both = first[columns].merge(second[columns], on="face_id", suffixes=("", "_other"))
    # A table may leave gender out: then it tells nothing.
    labelled = both[(both[["gender", "gender_other"]] != UNRECORDED).all(axis=1)]
    if both.empty or (labelled["gender"] == labelled["gender_other"]).sum() < SAME_GENDER * len(labelled):
        return 0
    ages = both[["age", "age_other"]].astype("Float64").dropna()
    if len(ages) and (ages["age"] == ages["age_other"]).mean() < SAME_AGE:
        return 0
    return len(both)


def keeps_averages_of(path: Path, planned: AuditManifest, faces: pd.DataFrame) -> bool:
    """Whether the audit at `path` holds average faces of the same data as the planned one, or of some of its `faces`.

    A damaged audit does not count.
    """
    try:
        manifest = read_manifest(path)
        if manifest.averages is not None or not len(Averages.load(path / "averages.npz").cells):
            return False
        if manifest.data_fingerprint == planned.data_fingerprint or common(manifest.pictures, planned.pictures):
            return True
        audited = pd.read_parquet(path / "faces.parquet", columns=["face_id", "gender", "age"])
    except (LookwhereError, OSError, ValueError):
        return False
    return same_ids(faces, audited) > 0
