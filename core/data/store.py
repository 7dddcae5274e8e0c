"""Aligned faces on disk: `faces.npy`, `faces.parquet`, and `store.json`, written last.

Without `store.json` there is no store, only work that a next run resumes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from core import template
from core.data.columns import Column, restored
from core.data.faces import SPLITS, check_faces, fingerprint
from core.data.file_array import FileArray
from core.data.measured import read_measured
from core.data.otherwise import read_otherwise
from core.data.store_info import StoreInfo
from core.errors import LookwhereError
from core.integrity import check_files, damage
from core.remote import STORE, fetched

NO_FACE = "no face found"
#: What lies beside `store.json`, in the order in which it is written.
FILES = ("faces.npy", "landmarks.npy", "faces.parquet", "rejects.parquet", "disagreements.parquet")
#: Those of them that are read where they are asked for (`core.data.file_array`).
ARRAYS = FILES[:2]


@dataclass(frozen=True)
class AlignedStore:
    """A finished store.

    `images` is uint8 (R, 112, 112, 3) and `landmarks` float32 (R, 5, 2), in pixels of the aligned face; both are
    read where they are asked for, and a face's place in them is its column `row`. `disagreements` (`file, what`) are
    labels that two places of the data set give differently; it is empty too in a store of before these were kept, whose
    `manifest` then has no `disagreements`. `opened` says which files images and landmarks are read from: device, inode,
    time of change.
    """

    path: Path
    images: FileArray
    landmarks: FileArray
    faces: pd.DataFrame
    rejects: pd.DataFrame
    manifest: StoreInfo
    disagreements: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"file": [], "what": []}, dtype=str))
    opened: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str | Path) -> AlignedStore:
        """The store in a folder, or at an address (`core.remote`).

        Raises `LookwhereError` where it is missing, unfinished, damaged or of another format.
        """
        path = fetched(path, STORE)
        if not (path / "store.json").is_file():
            raise LookwhereError(f"{path}: no finished store here; make it with `python -m core align --data PATH`")
        try:
            manifest = StoreInfo.from_json(path / "store.json")
            check_files(path, manifest.files, StoreInfo.MEND)
            opened = {name: _state((path / name).stat()) for name in ARRAYS}
            images, landmarks = FileArray(path / "faces.npy"), FileArray(path / "landmarks.npy")
            faces = pd.read_parquet(path / "faces.parquet")
            rejects = pd.read_parquet(path / "rejects.parquet")
            recorded = manifest.disagreements is not None
            disagreements = {"disagreements": pd.read_parquet(path / "disagreements.parquet")} if recorded else {}
        except (OSError, ValueError) as error:
            raise LookwhereError(f"{path}: the store is damaged ({error}); delete it and align again") from error
        check_faces(faces, f"{path}/faces.parquet")
        faces = restored(faces, manifest.columns, f"{path}/faces.parquet")
        for name, array, shape in (
            ("faces", images, (template.SIDE, template.SIDE, 3)),
            ("landmarks", landmarks, (5, 2)),
        ):
            if array.shape[1:] != shape or faces["row"].max() >= len(array):
                raise LookwhereError(
                    f"{path}/{name}.npy: shape {array.shape} does not go with faces.parquet; align again"
                )
        if len(faces) != manifest.faces:
            raise LookwhereError(
                f"{path}/store.json: counts {manifest.faces:,} faces, and faces.parquet has {len(faces):,}; align again"
            )
        for what, said, true in _counts(manifest, faces, rejects, disagreements.get("disagreements")):
            if said != true:
                raise LookwhereError(
                    f"{path}/store.json: counts {said:,} {what}, and the tables beside it {true:,}; {manifest.MEND}"
                )
        if fingerprint(faces) != manifest.data_fingerprint:
            raise LookwhereError(f"{path}/faces.parquet: changed since it was written; align again")
        return cls(path, images, landmarks, faces, rejects, manifest, **disagreements, opened=opened)

    def check_unchanged(self) -> None:
        """Raises `LookwhereError` where images or landmarks were written over since the store was opened.

        What is made of them is asked for this before it is kept. A file that was replaced or deleted is read on
        as it was; one that only got another time of change is read whole, and is as it was.
        """
        for file, then in ((self.path / name, state) for name, state in self.opened.items()):
            try:
                now = _state(file.stat())
            except OSError:
                continue
            digest = self.manifest.files.get(file.name)
            if now != then and now[:2] == then[:2] and (digest is None or damage(file, digest)):
                raise LookwhereError(f"{file}: changed while it was read; align again")

    @property
    def unrecorded(self) -> str | None:
        """A sentence where nothing is recorded of the store's files, as versions before format 3 did; else None.

        A changed image is then not told of: labels and places alone are compared with their fingerprint.
        """
        if self.manifest.files:
            return None
        return (
            f"{self.path}: nothing is recorded of its files, as in stores of before, so an image that changed is not "
            f"told; align again, or record them as they are with `python -m core verify {self.path} --record`"
        )

    @cached_property
    def measured(self) -> pd.DataFrame | None:
        """What was measured from the images (`core.data.measured`), a row for each of `faces`; None where nothing was.

        It is local, as the images are: apparent skin tone by face is in it. Raises `LookwhereError` if it is damaged.
        """
        return read_measured(self.path, self.faces)

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the faces can be grouped by beside gender, ethnicity and age."""
        return self.manifest.columns

    @cached_property
    def otherwise(self) -> pd.DataFrame:
        """The faces labelled with none of the two classes (`core.data.otherwise`), in the columns of `faces`."""
        return read_otherwise(self.path, self.columns) if any(self.manifest.otherwise.values()) else self.faces[:0]

    def split(self, *names: str) -> pd.DataFrame:
        """The faces of the named splits, in order. Raises `LookwhereError` where there are none."""
        faces = self.faces[self.faces["split"].isin(names)].reset_index(drop=True)
        if faces.empty:
            there = ", ".join(split for split in SPLITS if (self.faces["split"] == split).any())
            raise LookwhereError(f"{self.path}: no face in split {', '.join(names)}; there are {there}")
        return faces


def _counts(
    manifest: StoreInfo, faces: pd.DataFrame, rejects: pd.DataFrame, disagreements: pd.DataFrame | None
) -> Iterator[tuple[str, int, int]]:
    """What the manifest counts that the tables beside it tell too: in words, as it says, and as they do.

    One of an earlier format was counted by other rules.
    """
    if manifest.format < StoreInfo.SEALED_FROM:
        return
    for reason, n in (rejects["reason"].value_counts() if "reason" in rejects else pd.Series(dtype=int)).items():
        yield f"rejects by reason «{reason}»"[:200], manifest.rejects.get(str(reason), 0), int(n)
    yield "rejects", sum(manifest.rejects.values()), len(rejects)
    if disagreements is not None:
        yield "disagreements", sum((manifest.disagreements or {}).values()), len(disagreements)
    yield "clusters of near-copies", manifest.near_copy_clusters, int((faces["cluster"].value_counts() > 1).sum())


def _state(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns


def average_face(store: AlignedStore, faces: pd.DataFrame) -> Image.Image:
    """The mean of the given faces, for looking at an alignment; reads the images in blocks."""
    total = np.zeros((template.SIDE, template.SIDE, 3))
    rows = faces["row"].to_numpy()
    for start in range(0, len(rows), 1024):
        total += store.images[rows[start : start + 1024]].sum(axis=0, dtype=np.int64)
    return Image.fromarray((total / len(rows)).round().astype(np.uint8))
