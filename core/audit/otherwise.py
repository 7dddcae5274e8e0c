"""What a model calls the faces that are labelled otherwise than with one of its two classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from core.audit.given import given_of
from core.audit.manifest import UNSEEN, AuditManifest
from core.classifiers.folder import Model
from core.data.store import AlignedStore

BATCH = 64


def call_otherwise(store: AlignedStore, model: Model, planned: AuditManifest, leave: list[str]) -> pd.DataFrame:
    """The store's faces labelled otherwise, of the audited splits, with the model's answers; empty without any.

    Columns are those of the audited faces without `correct`; `leave` are left out. Where another attribute than gender
    is classified they are the faces whose class is known, and of imported predictions those that have one.
    """
    faces, task = store.otherwise, planned.task
    if planned.chosen == UNSEEN:
        faces = faces.assign(split="test")
    elif not planned.every_split:
        faces = faces[faces["split"].isin(planned.splits)]
    if not task.is_gender and len(faces):
        faces = faces[task.known(faces)]
    if faces.empty:
        return faces
    faces = faces.reset_index(drop=True)
    faces, predictions = given_of(model, store, faces)
    logits = _logits(store, faces, model.classify) if predictions is None else predictions.logits
    negative, positive = task.logits
    with np.errstate(over="ignore"):
        p = (1 / (1 + np.exp(logits[:, 0].astype(np.float64) - logits[:, 1]))).astype(np.float32)
    called = np.where(p >= 0.5, task.positive, task.negative)
    answers = {negative: logits[:, 0], positive: logits[:, 1], task.probability: p, "predicted": called}
    return faces.drop(columns=leave, errors="ignore").assign(**answers)


def _logits(store: AlignedStore, faces: pd.DataFrame, classify: Callable) -> np.ndarray:
    """Logits float32 (N, 2) of the faces."""
    rows = faces["row"].to_numpy()
    parts = [classify(store.images[rows[low : low + BATCH]])[0] for low in range(0, len(rows), BATCH)]
    return np.concatenate(parts)
