"""Which faces of a store an audit is of: those of its splits whose true class is labelled."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.audit.folder import read_manifest
from core.audit.manifest import ALL
from core.classifiers.folder import Model
from core.data.default_store import folder_name
from core.data.store import AlignedStore
from core.data.store_names import OF_ANYBODY
from core.data.targets import check_labelled
from core.errors import LookwhereError


def faces_of(splits: tuple[str, ...] | None, store: AlignedStore, model: Model) -> tuple[pd.DataFrame, str]:
    """The faces to audit, and a word for them. To a model that never saw the data, every face is a test face."""
    training_fingerprints = model.info.data.fingerprints if model.info.data else ()
    if splits is None and store.manifest.data_fingerprint not in training_fingerprints:
        return store.faces.assign(split="test"), ALL
    if splits is not None and ALL in splits:
        return store.faces, ALL
    splits = splits or ("test",)
    return store.split(*splits), "-".join(splits)


def classed(faces: pd.DataFrame, model: Model, store: AlignedStore, label: str) -> tuple[pd.DataFrame, int]:
    """The faces whose true class is labelled, and how many others there are.

    Raises `LookwhereError` where there is none, or no column of the store holds the class.
    """
    task = model.info.task
    if task.attribute not in faces:
        raise LookwhereError(
            f"{store.path}: no column {task.attribute}, which {model.name} classifies; align the data again with it"
        )
    check_labelled(store, task)
    has_class = task.known(faces)
    if not has_class.any():
        raise LookwhereError(
            f"{store.path}: no face in {label} has {' or '.join(task.classes)} as its {task.attribute}, which "
            f"{model.name} classifies; audit other data"
        )
    return (faces, 0) if has_class.all() else (faces[has_class].reset_index(drop=True), int((~has_class).sum()))


def default_name(store: AlignedStore, label: str, model: Path) -> str:
    """The audit's name: DATASET-SPLIT, or FOLDER-SPLIT where the layout is anybody's or other data have that name.

    An audit of these data that an earlier version called by the layout is found again.
    """
    dataset = store.manifest.dataset
    name, own = f"{dataset}-{label}", f"{folder_name(store.path) or dataset}-{label}"
    if ((earlier := model / "audits" / name) / "audit.json").is_file():
        return name if read_manifest(earlier).data_fingerprint == store.manifest.data_fingerprint else own
    return own if dataset in OF_ANYBODY else name
