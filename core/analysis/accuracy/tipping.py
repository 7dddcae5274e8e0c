"""How many labels would have to be wrong before a gap between two groups is no more than chance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.accuracy.counts import columns_of, group_counts
from core.analysis.accuracy.label_noise import likely_mislabels
from core.analysis.intervals import Z95, newcombe_bounds
from core.audit.folder import Audit
from core.data.filters import Filter
from core.task import task_of

COLUMNS = (
    "worse", "better", "n_worse", "n_better", "difference", "low", "high", "errors", "wrong_labels", "suspected",
)  # fmt: skip


def tipping_points(audit: Audit, within: Filter | None = None, threshold: float = 0.5) -> pd.DataFrame:
    """Every pair of groups of 50 faces and more whose accuracies' 95 % interval (Newcombe) leaves out zero.

    Columns: `worse`, `better` (groups), `n_worse`, `n_better`, `difference` of the accuracies (worse less better, under
    0) with `low`, `high`; `errors` of the worse group; `wrong_labels`, the least number of these that would have to be
    wrong labels for the interval to reach zero, NA where not even all of them are enough; and `suspected`, the errors
    whose labels confident learning doubts. Rows by rising `wrong_labels`. Empty where nothing makes groups.

    An error with a wrong label is a right prediction of a face of the other gender: it leaves the worse group, and
    joins the group of that gender and the same ethnicity, the better one or a third. Where another attribute is
    classified it stays in its group, as a right one. Counts are divided by the groups' design effects where people are
    known, which are taken to stay as they are.
    """
    inside = (within or Filter()).narrowed(outcome="all").mask(audit.faces)
    faces = audit.faces[inside]
    by = columns_of(faces)
    moves = task_of(audit.faces).is_gender
    if not by or (moves and "gender" not in by):
        return pd.DataFrame(columns=list(COLUMNS))
    groups = group_counts(faces, by, threshold)
    table, effect = groups.table, groups.table["effect"].to_numpy(dtype=float)
    doubted = likely_mislabels(audit.faces)[inside] & ~groups.right
    suspects = np.bincount(groups.member[doubted & (groups.member >= 0)], minlength=len(table))
    k, n = table["correct"].to_numpy(dtype=float), table["n"].to_numpy(dtype=float)
    rows = []
    for a in range(len(table)):
        for b in range(len(table)):
            worse, better = table.iloc[a], table.iloc[b]
            if worse["accuracy"] >= better["accuracy"]:
                continue
            joins = worse["ethnicity"] == better["ethnicity"] and worse["gender"] != better["gender"]

            errors = int(worse["errors"])
            labels = np.arange(errors + 1.0)
            if moves:
                joined = labels if joins else 0 * labels
                counts = k[a] + 0 * labels, n[a] - labels, k[b] + joined, n[b] + joined
            else:
                counts = k[a] + labels, n[a] + 0 * labels, k[b] + 0 * labels, n[b] + 0 * labels
            scales = effect[[a, a, b, b]]
            with np.errstate(divide="ignore", invalid="ignore"):  # all faces of a group may be wrong labels
                found = newcombe_bounds(*(count / scale for count, scale in zip(counts, scales, strict=True)), Z95)
            difference, low, high = (bound[0] for bound in found)
            if not high < 0:
                continue
            reached = np.flatnonzero(~(found[2] < 0))
            tips = int(reached[0]) if len(reached) else None
            rows.append(
                (worse["group"], better["group"], int(worse["n"]), int(better["n"]), difference, low, high, errors,
                 tips, int(suspects[a]))
            )  # fmt: skip
    result = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"wrong_labels": "Int64"})
    return result.sort_values(["wrong_labels", "difference"], kind="stable", ignore_index=True)
