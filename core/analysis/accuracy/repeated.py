"""Label error where it can be seen: photographs that occur more than once, whose copies may carry different labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.intervals import wilson
from core.audit.folder import Audit
from core.data.faces import UNRECORDED
from core.data.filters import Filter
from core.estimate import Estimate
from core.task import task_of

ALL = "all"


@dataclass(frozen=True)
class Repeated:
    """Near-copies among the audited faces of a filter, exact ones having been dropped at alignment.

    `table`, a row for all and one an ethnicity that all copies of a photograph agree on: `group`, `photographs`,
    `faces`, `differ` (photographs whose copies' labels differ), `share` of them with `low`, `high` (Wilson), and
    `wrong`, `wrong_low`, `wrong_high`: the share of labels wrong at least, one of two that differ. Groups of under
    `minimum` photographs are left out. `dropped` counts files of the whole data set that were left out as exact copies
    with different labels, None where the audit does not say; whichever label differed. `by_face`: the aligned faces
    told the near-copies; else image hashes alone did, which also join different people before one backdrop.
    """

    table: pd.DataFrame
    dropped: int | None
    by_face: bool = True

    @property
    def wrong(self) -> Estimate | None:
        """The share of wrong labels among all repeated photographs; None where there are too few."""
        rows = self.table[self.table["group"] == ALL]
        if rows.empty:
            return None
        return Estimate(*(float(rows[name].iloc[0]) for name in ("wrong", "wrong_low", "wrong_high")))


def repeated_photographs(audit: Audit, filter: Filter | None = None) -> Repeated:
    """How often copies of one photograph disagree on the class.

    A copy is a face of the same `cluster`. Of a photograph's labels the rarer class's are the fewest that can be
    wrong; both copies may be, so the share is a lower bound. Copied photographs are no random sample of all.
    """
    task = task_of(audit.faces)
    mask = (filter or Filter()).narrowed(outcome="all").mask(audit.faces)
    faces = audit.faces.loc[mask, list(dict.fromkeys(["cluster", task.attribute, "ethnicity"]))]
    copied = faces[faces["cluster"].duplicated(keep=False)]
    positive = pd.Series(task.is_positive(copied), copied.index).groupby(copied["cluster"]).sum()
    ethnicity = copied["ethnicity"].astype(str).groupby(copied["cluster"]).agg(["first", "nunique"])
    size = copied.groupby("cluster").size()
    fewest = np.minimum(positive, size - positive).to_numpy(dtype=np.int64)
    groups = {ALL: np.ones(len(size), dtype=bool)}
    for name in sorted(set(ethnicity["first"]) - {UNRECORDED}):
        groups[name] = ((ethnicity["first"] == name) & (ethnicity["nunique"] == 1)).to_numpy()
    rows = []
    for name, inside in groups.items():
        n, differ = int(inside.sum()), int((fewest[inside] > 0).sum())
        if n < audit.minimum_faces:
            continue
        count = int(size.to_numpy()[inside].sum())
        wrong = fewest[inside].sum() / count
        low, high = (float(end) for end in wilson(differ, n))
        # The least wrong labels of a photograph that differs, as a share of all copies.
        each = fewest[inside].sum() / differ * n / count if differ else n / count
        rows.append((name, n, count, differ, differ / n, low, high, wrong, low * each, high * each))
    columns = ["group", "photographs", "faces", "differ", "share", "low", "high", "wrong", "wrong_low", "wrong_high"]
    rejects = audit.manifest.rejects or {}
    dropped = rejects.get("exact copies with different labels")
    return Repeated(pd.DataFrame(rows, columns=columns), dropped, audit.manifest.copies_by is not None)
