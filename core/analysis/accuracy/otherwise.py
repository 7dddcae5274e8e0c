"""Faces labelled otherwise than with one of two classes: what a model calls them, and how surely."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.intervals import wilson
from core.audit.folder import Audit
from core.data.faces import person_codes
from core.data.filters import Filter


def labelled_otherwise(audit: Audit, wanted: Filter | None = None) -> pd.DataFrame:
    """A row a label: label, n, people, called (the positive class), share, low, high, sureness.

    `share` is that of the faces called so, with Wilson's interval, of people where they are known; `sureness` is the
    median probability of the class that a face is called. Of the faces in the filter, whatever it asks of gender and
    outcome. Empty where there is no such face.
    """
    faces, task = audit.otherwise, audit.task
    columns = ["label", "n", "people", "called", "share", "low", "high", "sureness"]
    if faces.empty:
        return pd.DataFrame(columns=columns)
    faces = faces[(wanted or Filter()).narrowed(gender=(), outcome="all").mask(faces)]
    rows = []
    for label, group in faces.groupby("gender", sort=True):
        p = task.p(group).astype(np.float64)
        n, called = len(group), int((group["predicted"] == task.positive).sum())
        people = len(np.unique(person_codes(group)))
        low, high = (float(end) for end in wilson(called * people / n, people))
        rows.append((str(label), n, people, called, called / n, low, high, float(np.median(np.maximum(p, 1 - p)))))
    return pd.DataFrame(rows, columns=columns)


def usual_sureness(audit: Audit, wanted: Filter | None = None) -> float:
    """The median probability of the class that the faces of the two classes are called; NaN where there is none."""
    faces = audit.passing((wanted or Filter()).narrowed(gender=(), outcome="all"))
    p = audit.task.p(faces).astype(np.float64)
    return float(np.median(np.maximum(p, 1 - p))) if len(p) else np.nan
