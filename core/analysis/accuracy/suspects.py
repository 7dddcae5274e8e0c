"""The list of labels to review."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.accuracy.label_noise import likely_mislabels
from core.audit.folder import Audit

#: Columns of the list beside the label and the prediction.
LISTED = ("face_id", "path", "age", "ethnicity")


def suspects(audit: Audit) -> pd.DataFrame:
    """The faces that a reviewer looks at first: errors whose labels the model's own confidence doubts, surest first.

    Columns `face_id`, `path`, `ethnicity`, `age`, the label, `predicted`, the probability, and `decision`, empty.
    """
    task, faces = audit.task, audit.faces
    doubted = likely_mislabels(faces) if task.is_gender else np.ones(len(faces), dtype=bool)
    rows = faces[doubted & ~faces["correct"].to_numpy(dtype=bool)]
    rows = rows.iloc[np.argsort(-np.abs(task.margin(rows)), kind="stable")]
    listed = [*LISTED, *([] if task.attribute in LISTED else [task.attribute]), "predicted", task.probability]
    return rows[listed].assign(decision="").reset_index(drop=True)
