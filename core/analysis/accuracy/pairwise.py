"""Two groups' accuracies tested against each other, and all pairs with Holm's correction."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import gammaln, ndtr

from core.analysis.accuracy.by_group import LARGE_GROUP
from core.analysis.accuracy.counts import Groups, design_effect, group_counts
from core.analysis.intervals import holm, newcombe
from core.estimate import Estimate
from core.verdicts import TestVerdict

#: Below this expected count in any cell of the 2 × 2 table the normal approximation is not used (Cochran 1954).
SMALLEST_EXPECTED = 5
ALPHA = 0.05
Family = Literal["pairs", "rest"]
REST = "all others"


@dataclass(frozen=True)
class TwoGroups:
    """k1/n1 − k2/n2 with Newcombe's 95 % interval, and the two-sided p of `test`: «score» or «Fisher exact»."""

    difference: Estimate
    p: float
    test: str


def two_groups(k1: float, n1: float, k2: float, n2: float) -> TwoGroups:
    """Two shares compared. The score test (pooled z, Pearson's χ² without correction), or Fisher's exact test where
    any expected count is under 5. Effective counts (Rao & Scott) need not be whole; Fisher's takes them rounded."""
    difference = newcombe(k1, n1, k2, n2)
    if min(n1, n2) == 0:
        return TwoGroups(difference, float("nan"), "none")
    pooled = (k1 + k2) / (n1 + n2)
    if min(n1, n2) * min(pooled, 1 - pooled) < SMALLEST_EXPECTED:
        p = fisher(round(n1 - k1), round(n1), round(n2 - k2), round(n2))
        return TwoGroups(difference, p, "Fisher exact")
    z = difference.value / np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return TwoGroups(difference, float(2 * ndtr(-abs(z))), "score")


def fisher(k1: int, n1: int, k2: int, n2: int) -> float:
    """Fisher's exact two-sided p: the tables no likelier than this one. As scipy's, at a fiftieth of its time."""
    total = k1 + k2
    k = np.arange(max(0, total - n2), min(total, n1) + 1)
    log = -gammaln(k + 1) - gammaln(n1 - k + 1) - gammaln(total - k + 1) - gammaln(n2 - total + k + 1)
    weight = np.exp(log - log.max())
    return float(min(1.0, weight[weight <= weight[k1 - k[0]] * (1 + 1e-7)].sum() / weight.sum()))


def pairwise(
    faces: pd.DataFrame,
    by: list[str],
    threshold: float = 0.5,
    family: Family = "pairs",
    smallest: int = LARGE_GROUP,
) -> pd.DataFrame:
    """Every pair of groups, or every group against all other faces; Holm's correction over the table's rows.

    Columns: first, second, n_first, n_second, accuracy_first, accuracy_second, difference, low, high (Newcombe, of this
    pair alone), p, p_holm, test, verdict; by rising p. Groups under `smallest` faces are in no pair and in no «all
    others». Where people are known, counts are divided by their design effects (Rao & Scott 1992).
    """
    return pairs_of(group_counts(faces, by, threshold, smallest), family)


def pairs_of(groups: Groups, family: Family = "pairs") -> pd.DataFrame:
    """`pairwise` of faces counted already."""
    table = groups.table[["group", "n", "accuracy"]].to_dict("records")
    k, n = groups.effective
    rows = []
    if family == "pairs":
        for a, b in itertools.combinations(range(len(table)), 2):
            rows.append(_row(table[a], table[b], two_groups(k[a], n[a], k[b], n[b])))
    elif len(table) > 1:
        for a in range(len(table)):
            rest = (groups.member >= 0) & (groups.member != a)
            right, each = groups.right[rest], None if groups.each is None else groups.each[rest]
            effect, _ = design_effect(right, None if groups.unit is None else groups.unit[rest], each)
            faces = len(right) if each is None else int(each.sum())
            correct = right.sum() if each is None else (right * each).sum()
            everyone_else = {"group": REST, "n": faces, "accuracy": correct / faces}
            rows.append(_row(table[a], everyone_else, two_groups(k[a], n[a], correct / effect, faces / effect)))
    columns = [
        "first",
        "second",
        "n_first",
        "n_second",
        "accuracy_first",
        "accuracy_second",
        "difference",
        "low",
        "high",
        "p",
        "test",
    ]
    result = pd.DataFrame(rows, columns=columns)
    result.insert(10, "p_holm", holm(result["p"].to_numpy(dtype=float)))
    result["verdict"] = [verdict(p, corrected) for p, corrected in zip(result["p"], result["p_holm"], strict=True)]
    return result.sort_values("p", kind="stable", ignore_index=True)


def _row(first: dict, second: dict, result: TwoGroups) -> dict:
    d = result.difference
    return {
        "first": first["group"], "second": second["group"], "n_first": first["n"], "n_second": second["n"],
        "accuracy_first": first["accuracy"], "accuracy_second": second["accuracy"],
        "difference": d.value, "low": d.low, "high": d.high, "p": result.p, "test": result.test,
    }  # fmt: skip


def verdict(p: float, p_holm: float) -> TestVerdict:
    """A test's outcome at 5 % over the family."""
    if p_holm < ALPHA:
        return TestVerdict.DIFFER
    return TestVerdict.NOT_AFTER_HOLM if p < ALPHA else TestVerdict.NO_DIFFERENCE_SEEN
