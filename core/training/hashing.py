"""Hashes of training faces for a model that has none yet, made from the stores that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.classifiers.info import ModelInfo, TrainingInfo, model_info
from core.classifiers.training_hashes import TrainingHashes
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.files import write_json
from core.training.left_out import AS_MANY, left_out


def add_hashes(model: Path, stores: Sequence[AlignedStore]) -> TrainingHashes:
    """Write the hashes of a model's training faces beside its weights, and their record into `model.json`.

    Raises `LookwhereError` where the model was not trained here, or on other data or other faces than the stores have.
    """
    info = model_info(model)
    if not info.trained_here or info.data is None or not info.data.fingerprints:
        raise LookwhereError(f"{model}: what it was trained on is not known, so its training faces have no hashes")
    faces_by_part = {part.fingerprint: part.faces for part in info.data.parts}
    for store in stores:
        if store.manifest.data_fingerprint not in info.data.fingerprints:
            raise LookwhereError(f"{store.path}: not data that {model.name} was trained on, as its model.json has it")
    if faces_by_part and (missing := faces_by_part.keys() - {store.manifest.data_fingerprint for store in stores}):
        names = ", ".join(part.dataset for part in info.data.parts if part.fingerprint in missing)
        raise LookwhereError(f"{model}: was trained on {names} too; give all of its stores")
    if not faces_by_part and len(stores) > 1:
        raise LookwhereError(f"{model}: was trained on one data set; give its store alone")
    if len(stores) > 1 and any(group.startswith(AS_MANY) for group in (info.training or TrainingInfo()).exclude):
        raise LookwhereError(
            f"{model}: random faces of several data sets were left out of its training, and are not told"
        )
    whole = info.data.faces.get("train", 0)
    tables = [_trained_on(store, info, faces_by_part.get(store.manifest.data_fingerprint, whole)) for store in stores]
    hashes = TrainingHashes.from_stores(stores, tables)
    write_json(model / "model.json", replace(info, training_faces=hashes.save(model)).to_json())
    return hashes


def _trained_on(store: AlignedStore, info: ModelInfo, count: int) -> pd.DataFrame:
    """The faces of a store that were trained on: its train split, or all where it names no splits of its own."""
    training = info.training or TrainingInfo()
    counts = []
    for faces in (store.split("train"), store.faces):
        faces = faces[~left_out(faces, training.exclude, training.seed or 0)]
        if len(faces) == count:
            return faces
        counts.append(f"{len(faces):,}")
    raise LookwhereError(
        f"{store.path}: has {counts[0]} training faces and {counts[1]} in all, the model was trained on {count:,}; "
        "give the store as it was then"
    )
