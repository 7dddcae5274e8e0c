"""Who gets no answer: accuracy and share answered by group where a model abstains from what it is least sure of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.accuracy.by_group import GROUP_COLUMNS, check_columns, right_calls
from core.analysis.accuracy.counts import (
    columns_of,
    design_effect,
    group_rows,
    outside_of_groups,
    tally,
)
from core.analysis.accuracy.group_rule import GroupRule
from core.analysis.accuracy.simultaneous import simultaneous_intervals
from core.analysis.bootstrap import Resampling
from core.analysis.intervals import risk_ratio, wilson
from core.data.columns import Column
from core.data.faces import people
from core.errors import LookwhereError
from core.estimate import Estimate
from core.task import task_of

#: The share of faces without an answer that is shown first.
ABSTAINED = 0.1


@dataclass(frozen=True)
class AbstentionRule:
    """Which faces get no answer: the `share` that the model is least sure of or, where a `cutoff` is given, those under
    this certainty. With `equal` each group has a cutoff of its own, so that the same share of each gets none."""

    share: float = ABSTAINED
    cutoff: float | None = None
    equal: bool = False

    def cutoffs(self, sure: np.ndarray, member: np.ndarray, groups: int) -> np.ndarray:
        """The least certainty that is answered in each group, float64 (groups,), of faces `sure` (N,) in the groups
        `member` int (N,)."""
        if not self.equal:
            return np.full(groups, cutoff_for(sure, self.share) if self.cutoff is None else self.cutoff)
        share = self.share if self.cutoff is None else float((sure < self.cutoff).mean())
        return np.array([cutoff_for(sure[member == row], share) for row in range(groups)])


@dataclass(frozen=True)
class Abstention:
    """What a model that answers only where it is sure enough does for each group; all shares of 0–1.

    `table`: group, gender, ethnicity, n, cutoff (the least certainty that is answered), answered, share with share_low
    and share_high, errors, accuracy with low and high, of the answered faces; error_ratio with ratio_low and
    ratio_high, the group's error rate over that of all other answered faces. Intervals of shares, and those of
    accuracies, hold for all groups at once (95 %); those of ratios are of each alone. `share` of all faces `n` is
    answered, `accuracy` of these is right, `accuracy_of_all` without abstaining. `equal`: each group has a cutoff of
    its own, so that the same share of it is answered.
    """

    table: pd.DataFrame
    n: int
    share: float
    accuracy: Estimate
    accuracy_of_all: float
    equal: bool


#: What is asked unless something else is.
DEFAULT_RULE, DEFAULT_RESAMPLING = AbstentionRule(), Resampling()


def certainty(faces: pd.DataFrame) -> np.ndarray:
    """How sure the model is of its answer, float64 (N,): the probability of the likelier class, 0.5–1."""
    p = faces[task_of(faces).probability].to_numpy(dtype=np.float64)
    return np.maximum(p, 1 - p)


def cutoff_for(sure: np.ndarray, abstained: float) -> float:
    """The least certainty that is answered so that the share `abstained` of faces is not, or less where many are
    equally sure. Raises `LookwhereError` unless it lies from 0 up to, not at, 1."""
    if not 0 <= abstained < 1:
        raise LookwhereError(f"a model may abstain on a share from 0 up to under 1 of the faces, not on {abstained:g}")
    return float(np.sort(sure)[int(np.floor(abstained * len(sure) + 1e-9))]) if len(sure) else float("nan")


def abstention(
    faces: pd.DataFrame,
    rule: AbstentionRule = DEFAULT_RULE,
    by: Sequence[str] | None = None,
    threshold: float = 0.5,
    columns: Sequence[Column] = (),
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> Abstention:
    """Abstain on faces by a rule, and tell what it does for each group.

    Groups are of the columns `by`, by default of those of gender, ethnicity and age that are known and differ
    (`columns_of`). People are clustered where they are known, as in `simultaneous_accuracy`. The intervals take the
    cutoffs as given. `columns` are the audit's, for groups by these. Faces of which it is not recorded what groups are
    made by are in no group. Raises `LookwhereError` for no face, an unknown column, or a share that is none.
    """
    if not len(faces):
        raise LookwhereError("no face, so none is answered")
    by = columns_of(faces) if by is None else list(by)
    check_columns(by, (*GROUP_COLUMNS, *(column.name for column in columns)))
    member, names = group_rows(faces, by, columns)
    unit, sure = people(faces), certainty(faces)
    right = right_calls(faces, threshold)
    each = rule.cutoffs(sure, member, len(names))
    answered = sure >= each[member]
    aside = outside_of_groups(names, [name for name in by if name not in GROUP_COLUMNS], columns)
    names = names.drop(columns="age band").assign(cutoff=each)
    draws, seed = resampling.draws, resampling.seed
    shares = simultaneous_intervals(tally(member, names, answered, unit, GroupRule(1, "", aside)), draws, seed).table
    table = shares[["group", "gender", "ethnicity", "n", "cutoff"]].assign(
        answered=shares["correct"], share=shares["accuracy"], share_low=shares["low"], share_high=shares["high"]
    )
    present = np.unique(member[answered])
    answered_groups = tally(
        np.searchsorted(present, member[answered]),
        names.iloc[present].reset_index(drop=True),
        right[answered],
        None if unit is None else np.unique(unit[answered], return_inverse=True)[1],
        GroupRule(1, "", {reason: rows[present] for reason, rows in aside.items()}),
    )
    rates = simultaneous_intervals(answered_groups, draws, seed).table.set_index("group")
    columns = rates[["errors", "accuracy", "low", "high"]].reindex(table["group"]).reset_index(drop=True)
    table = pd.concat([table.reset_index(drop=True), columns], axis=1)
    table["errors"] = table["errors"].fillna(0).astype(int)
    table = table.assign(
        **_ratios(rates, right[answered], answered_groups.unit).reindex(table["group"]).reset_index(drop=True)
    )
    effect = design_effect(right[answered], answered_groups.unit)[0]
    overall = float(right[answered].mean())
    low, high = wilson(right[answered].sum() / effect, answered.sum() / effect)
    return Abstention(
        table.sort_values("share", kind="stable", ignore_index=True),
        len(faces), float(answered.mean()), Estimate(overall, float(low), float(high)), float(right.mean()), rule.equal,
    )  # fmt: skip


def _ratios(rates: pd.DataFrame, right: np.ndarray, unit: np.ndarray | None) -> pd.DataFrame:
    """Each group's error rate over that of all others (Katz; counts over the design effects where people are known)."""
    errors, n = rates["errors"].to_numpy(dtype=float), rates["n"].to_numpy(dtype=float)
    effect = rates["effect"].to_numpy(dtype=float)
    whole = design_effect(right, unit)[0]
    rows = []
    for k, m, d in zip(errors, n, effect, strict=True):
        rest = (errors.sum() - k) / whole, (n.sum() - m) / whole
        ratio = risk_ratio(k / d, m / d, *rest)
        rows.append((ratio.value, ratio.low, ratio.high))
    return pd.DataFrame(rows, columns=["error_ratio", "ratio_low", "ratio_high"], index=rates.index)
