"""How many labels would have to be wrong before a gap between two groups is no more than chance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.accuracy.counts import columns_of, group_counts
from core.analysis.accuracy.label_noise import likely_mislabels
from core.analysis.intervals import newcombe
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
    rows = []
    for a in range(len(table)):
        for b in range(len(table)):
            worse, better = table.iloc[a], table.iloc[b]
            if worse["accuracy"] >= better["accuracy"]:
                continue
            joins = worse["ethnicity"] == better["ethnicity"] and worse["gender"] != better["gender"]

            def interval(labels: int, a: int = a, b: int = b, joins: bool = joins) -> tuple[float, float, float]:
                k, n = table["correct"].to_numpy(dtype=float), table["n"].to_numpy(dtype=float)
                if not moves:
                    stayed = newcombe((k[a] + labels) / effect[a], n[a] / effect[a], k[b] / effect[b], n[b] / effect[b])
                    return stayed.value, stayed.low, stayed.high
                moved = labels if joins else 0
                found = newcombe(
                    k[a] / effect[a],
                    (n[a] - labels) / effect[a],
                    (k[b] + moved) / effect[b],
                    (n[b] + moved) / effect[b],
                )
                return found.value, found.low, found.high

            difference, low, high = interval(0)
            if not high < 0:
                continue
            errors = int(worse["errors"])
            tips = next((labels for labels in range(1, errors + 1) if not interval(labels)[2] < 0), None)
            rows.append(
                (worse["group"], better["group"], int(worse["n"]), int(better["n"]), difference, low, high, errors,
                 tips, int(suspects[a]))
            )  # fmt: skip
    result = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"wrong_labels": "Int64"})
    return result.sort_values(["wrong_labels", "difference"], kind="stable", ignore_index=True)
