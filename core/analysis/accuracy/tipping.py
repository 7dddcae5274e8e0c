"""How many labels would have to be wrong before a gap between two groups is no more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.accuracy.counts import columns_of, group_counts
from core.analysis.accuracy.label_noise import likely_mislabels
from core.analysis.intervals import Z95, clopper_pearson, wilson
from core.audit.folder import Audit
from core.data.filters import Filter
from core.task import task_of

LEVEL = 0.95
COLUMNS = (
    "worse", "better", "n_worse", "n_better", "difference", "low", "high", "errors", "wrong_labels", "suspected",
)  # fmt: skip


def tipping_points(
    audit: Audit, filter: Filter | None = None, threshold: float = 0.5, by: Sequence[str] = ()
) -> pd.DataFrame:
    """Every pair of groups, of any size, whose accuracies' 95 % interval (Newcombe) leaves out zero.

    Groups are of the columns `by`, without any of gender, ethnicity and age that are known and differ (`columns_of`).

    Columns: `worse`, `better` (groups), `n_worse`, `n_better`, `difference` of the accuracies (worse less better, under
    0) with `low`, `high`; `errors` of the worse group; `wrong_labels`, the least number of these that would have to be
    wrong labels for the interval to reach zero, NA where not even all of them are enough; and `suspected`, the errors
    whose labels confident learning doubts. Rows by rising `wrong_labels`. Empty where nothing makes groups.

    An error with a wrong label is a correct prediction of a face of the other class. Where groups or the filter are of
    what is classified it leaves the worse group, and joins the group of the other class that is otherwise alike, the
    better one or a third, if there is one; else it stays in its group, as a right one. Counts are divided by the
    groups' design effects where people are known, which are taken to stay as they are. Of a group under 50 faces (or 20
    people) the interval is made from exact bounds (Clopper & Pearson) where these are wider than Wilson's: few faces
    show little, and so tip by little.
    """
    filter = (filter or Filter()).narrowed(outcome="all")
    inside = filter.mask(audit.faces)
    faces = audit.faces[inside]
    attribute = task_of(audit.faces).attribute
    by = list(by) or columns_of(faces)
    if not by:
        return pd.DataFrame(columns=list(COLUMNS))
    rest = [column for column in by if column != attribute]
    moves = attribute in by or attribute in dict(filter.columns) or (attribute == "gender" and bool(filter.gender))
    groups = group_counts(faces, by, threshold, smallest=1, columns=audit.columns)
    table, small = groups.table, groups.small
    effect = table["effect"].to_numpy(dtype=float)
    effect = np.where(small, table["n"].to_numpy() / groups.effective_at(Z95)[1], effect)
    doubted = likely_mislabels(audit.faces)[inside] & ~groups.right
    suspects = np.bincount(groups.member[doubted & (groups.member >= 0)], minlength=len(table))
    k, n = table["correct"].to_numpy(dtype=float), table["n"].to_numpy(dtype=float)
    columns = (k, n, effect, small)
    _, _, high = _bounds(_Counts(*(c[:, None] for c in columns)), _Counts(*(c[None] for c in columns)))
    rows = []
    for a, b in np.argwhere(high < 0):
        worse, better = table.iloc[a], table.iloc[b]
        joins = attribute in by and worse[attribute] != better[attribute] and all(worse[rest] == better[rest])
        errors = int(worse["errors"])
        labels = np.arange(errors + 1.0)
        if moves:
            joined = labels if joins else 0 * labels
            moved = (k[a] + 0 * labels, n[a] - labels), (k[b] + joined, n[b] + joined)
        else:
            moved = (k[a] + labels, n[a] + 0 * labels), (k[b] + 0 * labels, n[b] + 0 * labels)
        bounds = _bounds(*(_Counts(*c, effect[row], small[row]) for c, row in zip(moved, (a, b), strict=True)))
        reached = np.flatnonzero(~(bounds[2] < 0))
        rows.append(
            (worse["group"], better["group"], int(worse["n"]), int(better["n"]), *(bound[0] for bound in bounds),
             errors, int(reached[0]) if len(reached) else None, int(suspects[a]))
        )  # fmt: skip
    result = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"wrong_labels": "Int64"})
    return result.sort_values(["wrong_labels", "difference"], kind="stable", ignore_index=True)


@dataclass(frozen=True, eq=False)
class _Counts:
    """A group's correct predictions `k` of `n`, for each number of wrong labels; its design effect; is it small?"""

    k: np.ndarray
    n: np.ndarray
    effect: np.ndarray
    small: np.ndarray


def _bounds(worse: _Counts, better: _Counts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Differences and Newcombe's bounds (`newcombe_bounds`), of small groups from exact ones where wider."""
    ends = []
    with np.errstate(divide="ignore", invalid="ignore"):  # all faces of a group may be wrong labels
        for group in (worse, better):
            k, n = group.k / group.effect, group.n / group.effect
            low, high = wilson(k, n)
            if group.small.any():
                exact = clopper_pearson(k, n, LEVEL)
                low, high = (
                    np.where(group.small, wider, end)
                    for wider, end in ((np.minimum(low, exact[0]), low), (np.maximum(high, exact[1]), high))
                )
            ends.append((k / n, low, high))
        (p1, l1, u1), (p2, l2, u2) = ends
        return p1 - p2, p1 - p2 - np.hypot(p1 - l1, u2 - p2), p1 - p2 + np.hypot(u1 - p1, p2 - l2)
