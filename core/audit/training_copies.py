"""Which audited faces show photographs that the model was trained on: looked up, counted, left out where asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.classifiers.info import ModelInfo, PartInfo
from core.errors import LookwhereError
from core.json_record import JsonRecord, Share
from core.progress import Progress

if TYPE_CHECKING:  # the app reads the record, and needs no store for it
    from core.classifiers.training_hashes import TrainingHashes
    from core.data.shared_images import SharedImages
    from core.data.store import AlignedStore


#: Comparisons that are remembered, a few bytes a face each.
MOST_KNOWN = 16
_KNOWN: dict[tuple, SharedImages] = {}


@dataclass(frozen=True, kw_only=True)
class TrainingCopies(JsonRecord):
    """What came of looking audited faces up among training faces.

    `datasets` are the names of the data compared with, `compared` how many training faces they have. `copies` counts
    audited faces whose image file or aligned pixels are equal to one of these, `near_copies` others that are as alike
    as near-copies; None where only the model's own hashes were asked, which tell nothing of these. `left_out` says
    whether these faces are missing from the audit; `accuracy_without` is the accuracy without them where they are in
    it, None where there are none or nothing else. `by_hashes` are those of `datasets` that were asked by hashes alone,
    so that near-copies of theirs are not known, and `not_asked` further data that the model was trained on.
    `training_faces` is how many of the faces compared were trained on, by the model's record, where that is not all of
    them: which ones is not known then. It is None where all were, or the record does not say.
    """

    datasets: tuple[str, ...]
    compared: int
    copies: int
    near_copies: int | None
    left_out: bool
    accuracy_without: Share | None = None
    by_hashes: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
    training_faces: int | None = None

    @property
    def found(self) -> int:
        """Copies and near-copies together."""
        return self.copies + (self.near_copies or 0)


@dataclass(frozen=True)
class LookUp:
    """Which faces were found, bool (N,) in the order of the audited faces before any is left out, and the record."""

    found: np.ndarray
    record: TrainingCopies

    def with_accuracy(self, correct: pd.Series) -> TrainingCopies:
        """The record with the accuracy without the faces found; `correct` is that of all audited faces in order."""
        if self.record.left_out or not self.found.any() or self.found.all():
            return self.record
        return replace(self.record, accuracy_without=round(float(correct[~self.found].mean()), 6))


def look_up(
    store: AlignedStore,
    faces: pd.DataFrame,
    info: ModelInfo,
    training: Sequence[AlignedStore] = (),
    progress: Progress | None = None,
    hashes: TrainingHashes | None = None,
) -> LookUp | None:
    """Look `faces` of `store` up among the training faces; None where nothing is known of these.

    With `training` the training faces of these stores are compared with, and found ones are to be left out. Without it
    those of the store itself are, where the model was trained on some of it and none of these is audited; copies of
    the model's other training faces are told by its own `hashes`. Found faces are then counted and stay. Which faces of
    a store were trained on the `hashes` say; without them all are, of the audited store itself its train split. Raises
    `LookwhereError` where the model says that it was trained on other data than one of `training`.
    """
    from core.data.shared_images import MANY_PAIRS, shared_images

    parts = info.data.trained_on if info.data else {}
    if not training:
        own = store.faces[store.faces["split"] == "train"]
        looked = store.manifest.data_fingerprint in parts and len(faces) * len(own) <= MANY_PAIRS
        if looked and hashes is not None:
            own = _trained(store, parts, hashes)
        if not looked or own.empty or not set(faces["face_id"]).isdisjoint(own["face_id"]):
            return None if hashes is None else _by_hashes(store, faces, info, hashes)
        shared = shared_images(store, faces, store, own, progress)
        mine = parts.pop(store.manifest.data_fingerprint)
        not_asked = tuple(part.dataset for part in parts.values())
        if not not_asked:
            return _record(shared, (store.manifest.dataset,), left_out=False)
        return _with_others(shared, mine.dataset, not_asked, hashes and (store, faces, hashes))
    result: SharedImages | None = None
    for trained_on in training:
        print_of, theirs = trained_on.manifest.data_fingerprint, trained_on.faces
        if parts and print_of not in parts:
            raise LookwhereError(f"{trained_on.path}: not data that the model was trained on, as its model.json has it")
        if hashes is not None:
            theirs = _trained(trained_on, parts, hashes)
        elif print_of == store.manifest.data_fingerprint:
            theirs = theirs[theirs["split"] == "train"]
            if theirs.empty or not set(faces["face_id"]).isdisjoint(theirs["face_id"]):
                raise LookwhereError(
                    f"{trained_on.path}: these are the audited faces themselves; audit their test split instead"
                )
        of_store = _compared(store, faces, trained_on, theirs, progress)
        result = of_store if result is None else result | of_store
    assert result is not None
    compared = {trained_on.manifest.data_fingerprint: trained_on.manifest.dataset for trained_on in training}
    names = tuple(parts[print_of].dataset if print_of in parts else name for print_of, name in compared.items())
    rest = tuple(part.dataset for print_of, part in parts.items() if print_of not in compared)
    training_faces = _training_faces(parts, tuple(compared), result.compared)
    return _record(result, names, left_out=True, not_asked=rest, training_faces=training_faces)


def _training_faces(parts: Mapping[str, PartInfo], compared: tuple[str, ...], count: int) -> int | None:
    """How many of the `count` faces were trained on; None where all were, or the record lacks one of the data sets."""
    if not all(print_of in parts for print_of in compared):
        return None
    trained = sum(parts[print_of].faces for print_of in compared)
    return trained if 0 < trained < count else None


def _trained(store: AlignedStore, parts: Mapping[str, PartInfo], hashes: TrainingHashes) -> pd.DataFrame:
    """The faces of a store that were trained on; all where the hashes know none, which are then of another alignment.

    The hashes are of all data sets together. So where those of its train split suffice, its others are taken for copies
    of another data set's faces.
    """
    faces, part = store.faces, parts.get(store.manifest.data_fingerprint)
    trained = hashes.among(store, faces)
    of_split = trained & (faces["split"] == "train").to_numpy()
    if part is not None and of_split.sum() >= part.faces:
        trained = of_split
    return faces[trained] if trained.any() else faces


def _with_others(
    shared: SharedImages,
    own: str,
    other_names: tuple[str, ...],
    hashed: tuple[AlignedStore, pd.DataFrame, TrainingHashes] | None,
) -> LookUp:
    """What was found in the training part of the audited data `own`, with copies from `other_names` by their hashes."""
    if hashed is None:
        return _record(shared, (own,), left_out=False, not_asked=other_names)
    store, faces, hashes = hashed
    copy = shared.copy | hashes.among(store, faces)
    both = replace(shared, copy=copy, near=shared.near & ~copy, compared=hashes.count)
    return _record(both, (own, *other_names), left_out=False, by_hashes=other_names)


def _compared(
    store: AlignedStore,
    faces: pd.DataFrame,
    trained_on: AlignedStore,
    training_faces: pd.DataFrame,
    progress: Progress | None,
) -> SharedImages:
    """`shared_images`, once in a process for the same faces: the models of an experiment ask it again and again."""
    from core.data.shared_images import shared_images

    key = tuple(
        (
            str(aligned.path),
            aligned.manifest.data_fingerprint,
            hashlib.sha256("\n".join(table["face_id"]).encode()).digest(),
        )
        for aligned, table in ((store, faces), (trained_on, training_faces))
    )
    if key not in _KNOWN:
        while len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.pop(next(iter(_KNOWN)))
        _KNOWN[key] = shared_images(store, faces, trained_on, training_faces, progress)
    return _KNOWN[key]


def _by_hashes(store: AlignedStore, faces: pd.DataFrame, info: ModelInfo, hashes: TrainingHashes) -> LookUp:
    trained = hashes.among(store, faces)
    names = tuple(part.dataset for part in info.data.parts) if info.data else ()
    record = TrainingCopies(
        datasets=names or ((info.data and info.data.dataset) or "its own",),
        compared=hashes.count,
        copies=int(trained.sum()),
        near_copies=None,
        left_out=False,
    )
    return LookUp(trained, record)


def _record(
    shared: SharedImages,
    datasets: tuple[str, ...],
    *,
    left_out: bool,
    by_hashes: tuple[str, ...] = (),
    not_asked: tuple[str, ...] = (),
    training_faces: int | None = None,
) -> LookUp:
    record = TrainingCopies(
        datasets=datasets,
        compared=shared.compared,
        copies=int(shared.copy.sum()),
        near_copies=int(shared.near.sum()),
        left_out=left_out,
        by_hashes=by_hashes,
        not_asked=not_asked,
        training_faces=training_faces,
    )
    return LookUp(shared.any, record)
