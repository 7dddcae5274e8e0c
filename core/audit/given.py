"""Answers that were imported as a table, for a model that cannot be run itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.classifiers.folder import Model


@dataclass(frozen=True)
class Given:
    """Predictions that were imported: logits float32 (N, 2) of the faces to audit, and how many faces have none."""

    logits: np.ndarray
    lost: int


def given_of(model: Model, every: pd.DataFrame, faces: pd.DataFrame) -> tuple[pd.DataFrame, Given | None]:
    """The faces to audit and their imported predictions, where the model is nothing else; None for one that runs.

    `every` has `face_id, path` of all faces: a base name that occurs in another split too must not pass for unique.
    """
    if model.classify is not None:
        return faces, None
    from core.classifiers.imported.predictions import scores_for

    logits, has_scores = scores_for(model.path, model.info, every)
    place = pd.Index(every["face_id"][has_scores]).get_indexer(faces["face_id"])
    return faces[place >= 0].reset_index(drop=True), Given(logits[place[place >= 0]], int((place < 0).sum()))
