"""Faces labelled otherwise than with one of two classes: what a model calls them, and how surely."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.intervals import wilson
from core.audit.folder import Audit
from core.data.faces import person_codes
from core.data.filters import Filter


def labelled_otherwise(audit: Audit, filter: Filter | None = None) -> pd.DataFrame:
    """A row a label: label, n, people, called (the positive class), share, low, high, sureness.

    `share` is that of the faces called so, with Wilson's interval, of people where they are known; `sureness` is the
    median probability of the class that a face is called. Of the faces in the filter, whatever it asks of gender and
    outcome. Empty where there is no such face. Where another attribute than gender is classified, such a face has a
    true class: `correct` and `accuracy`, with its interval `accuracy_low` and `accuracy_high`, are beside the others.
    """
    faces, task = audit.otherwise, audit.task
    columns = ["label", "n", "people", "called", "share", "low", "high", "sureness"]
    columns += [] if task.is_gender else ["correct", "accuracy", "accuracy_low", "accuracy_high"]
    if faces.empty:
        return pd.DataFrame(columns=columns)
    faces = faces[(filter or Filter()).narrowed(gender=(), outcome="all").mask(faces)]
    rows = []
    for label, group in faces.groupby("gender", sort=True):
        p = task.p(group).astype(np.float64)
        n, called = len(group), int((group["predicted"] == task.positive).sum())
        people = len(np.unique(person_codes(group)))
        sureness = float(np.median(np.maximum(p, 1 - p)))
        row = [str(label), n, people, called, called / n, *_bounds(called, n, people), sureness]
        if not task.is_gender:
            right = int((group["predicted"].to_numpy(dtype=object) == task.truth(group)).sum())
            row += [right, right / n, *_bounds(right, n, people)]
        rows.append(row)
    return pd.DataFrame(rows, columns=columns)


def _bounds(count: int, n: int, people: int) -> tuple[float, float]:
    """Wilson's interval of a share of `n` faces, as of so many people."""
    low, high = wilson(count * people / n, people)
    return float(low), float(high)


def usual_sureness(audit: Audit, filter: Filter | None = None) -> float:
    """The median probability of the class that the faces of the two classes are called; NaN where there is none."""
    faces = audit.passing((filter or Filter()).narrowed(gender=(), outcome="all"))
    p = audit.task.p(faces).astype(np.float64)
    return float(np.median(np.maximum(p, 1 - p))) if len(p) else np.nan
