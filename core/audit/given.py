"""Answers that were imported as a table, for a model that cannot be run itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.classifiers.folder import Model
from core.data.store import AlignedStore
from core.data.table_store import TableStore


@dataclass(frozen=True)
class Given:
    """Predictions that were imported: logits float32 (N, 2) of the faces to audit, and how many faces have none.

    `unused` counts rows of the table that are of no face of the data set, None where its rows were not counted.
    """

    logits: np.ndarray
    lost: int
    unused: int | None


def given_of(model: Model, store: AlignedStore, faces: pd.DataFrame) -> tuple[pd.DataFrame, Given | None]:
    """The faces to audit and their imported predictions, where the model is nothing else; None for one that runs.

    All faces of the store are looked through: a base name that occurs in another split too must not pass for unique.
    """
    if model.classify is not None:
        return faces, None
    from core.classifiers.imported.predictions import scores_for

    names = ["face_id", "path"]
    every = pd.concat(
        [store.faces[names], *([store.otherwise[names]] if len(store.otherwise) else [])], ignore_index=True
    )
    logits, has_scores = scores_for(model.path, model.info, every)
    place = pd.Index(every["face_id"][has_scores]).get_indexer(faces["face_id"])
    # Of a table of labels and predictions at once, the rows left out are told already.
    counted = model.info.rows is not None and not isinstance(store, TableStore)
    unused = model.info.rows - int(has_scores.sum()) if counted else None
    given = Given(logits[place[place >= 0]], int((place < 0).sum()), unused)
    return faces[place >= 0].reset_index(drop=True), given
