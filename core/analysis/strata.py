"""Strata to compare within: the values of a column, bins of the margin, and their crossing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.data.columns import VALUE
from core.data.faces import REQUIRED, age_band
from core.data.measured import IN_GROUP
from core.errors import LookwhereError
from core.task import task_of

#: |margin| is matched in at most so many bins, of about `PER_BIN` faces of the smaller side; about 1 % of its spread
#: then remains as a difference.
MOST_BINS, PER_BIN = 30, 5


#: Columns that are no label of a face, or are offered by another name; others are, up to so many values.
NOT_ADJUSTED = {*REQUIRED, "predicted", "correct", "row"}


MOST_VALUES = 30

#: Strata that are compared within by default, where ages are known, and the lower bounds of their steps in years,
#: after 0. Within age bands ages differ enough for maps that depend on age alone to differ between groups; among
#: children, where looks change fast, steps are short.
AGE = "age"
AGE_STEPS = (1, 2, 3, 5, 7, 10, 13, 16, 18, *range(20, 86, 5))


def strata_of(
    faces: pd.DataFrame, by: str, a: np.ndarray | None = None, b: np.ndarray | None = None, per_bin: int = PER_BIN
) -> np.ndarray:
    """Strata int64 (N,) for `difference`, −1 where unknown: by «age» (`AGE_STEPS`), «age band», a column, or «margin».

    «margin» needs the two sides: |difference of the two logits| in quantile bins of the smaller one, about `per_bin` of
    its faces in each; faces outside its range are −1, having no counterpart. Raises `LookwhereError` for a column that
    is not there.
    """
    if by == AGE:
        years = faces["age"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isnan(years), -1, np.searchsorted(AGE_STEPS, years, side="right"))
    if by == "age band":
        return age_band(faces["age"]).astype(np.int64)
    if by == "margin":
        if a is None or b is None:
            raise LookwhereError("strata by margin are bins of the smaller side: name both sides")
        first, second = task_of(faces).logits
        margin = np.abs(faces[first] - faces[second]).to_numpy(dtype=np.float64)
        fewer = margin[a if a.sum() <= b.sum() else b]
        if not len(fewer):
            return np.full(len(faces), -1)
        bins = int(np.clip(len(fewer) // per_bin, 1, MOST_BINS))
        edges = np.quantile(fewer, np.linspace(0, 1, bins + 1))
        inside = (margin >= edges[0]) & (margin <= edges[-1])
        return np.where(inside, np.searchsorted(edges[1:-1], margin, side="right"), -1)
    if by not in faces:
        raise LookwhereError(f"no column {by!r} to adjust for; choose one of age band, {', '.join(faces.columns)}")
    return pd.factorize(faces[by])[0].astype(np.int64)


def crossed(strata: list[np.ndarray]) -> np.ndarray | None:
    """Strata by several columns at once; −1 where any is unknown, None of none."""
    if not strata:
        return None
    stacked = np.stack(strata, axis=1)
    together = np.unique(stacked, axis=0, return_inverse=True)[1].ravel()
    return np.where((stacked < 0).any(axis=1), -1, together)


def adjustable(faces: pd.DataFrame, a: np.ndarray, b: np.ndarray) -> list[str]:
    """«age band» and those columns of labels of which both sides share a value, and have more than one."""
    task = task_of(faces)
    not_adjusted = {*NOT_ADJUSTED, *task.logits, task.probability}
    # A number's own values stand beside its bands, and thirds within a group are no common strata of two groups.
    extra = [name for name in faces if name not in not_adjusted and not name.endswith((VALUE, IN_GROUP))]
    extra = [name for name in extra if faces[name].nunique() <= MOST_VALUES]
    adjustable = []
    for by in ("age band", "gender", "ethnicity", *extra):
        codes = strata_of(faces, by)
        on_a, on_b = (set(codes[side & (codes >= 0)]) for side in (a, b))
        if on_a & on_b and len(on_a | on_b) > 1:
            adjustable.append(by)
    return adjustable


def equal_ages(faces: pd.DataFrame, a: np.ndarray, b: np.ndarray) -> tuple[str, ...]:
    """What two groups' maps are adjusted for where nothing else is asked: their age, where both have faces in one step
    of it, and not all in the same."""
    if (a & b).any():
        return ()
    codes = strata_of(faces, AGE)
    on_a, on_b = (set(codes[side & (codes >= 0)]) for side in (a, b))
    return (AGE,) if on_a & on_b and len(on_a | on_b) > 1 else ()
