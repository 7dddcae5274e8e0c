"""ROC with DeLong's interval, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from core.analysis.intervals import Z95, wilson
from core.errors import LookwhereError
from core.estimate import Estimate
from core.task import task_of


@dataclass(frozen=True)
class Roc:
    """`false_positive`, `true_positive` (K,) over falling thresholds; `auc` with its interval."""

    false_positive: np.ndarray
    true_positive: np.ndarray
    auc: Estimate
    n: int


def roc(faces: pd.DataFrame) -> Roc | None:
    """ROC of the positive class, AUC with DeLong's interval (1988, Biometrics 44:837); None without both classes."""
    task = task_of(faces)
    positive = task.is_positive(faces)
    score = (faces[task.logits[1]] - faces[task.logits[0]]).to_numpy(dtype=np.float64)
    m, n = int(positive.sum()), int((~positive).sum())
    if m < 2 or n < 2:
        return None
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    tp, fp = np.cumsum(positive[order])[last], np.cumsum(~positive[order])[last]
    ranks = pd.Series(score).rank().to_numpy()
    own_p, own_n = pd.Series(score[positive]).rank().to_numpy(), pd.Series(score[~positive]).rank().to_numpy()
    v_p = (ranks[positive] - own_p) / n
    v_n = 1 - (ranks[~positive] - own_n) / m
    auc = float(v_p.mean())
    error = np.sqrt(v_p.var(ddof=1) / m + v_n.var(ddof=1) / n)
    bounds = np.clip([auc - Z95 * error, auc + Z95 * error], 0, 1)
    return Roc(np.append(0, fp / n), np.append(0, tp / m), Estimate(auc, *map(float, bounds)), m + n)


def area_bounds(auc: float, positive: int, negative: int, z: float = Z95) -> tuple[float, float]:
    """Low and high of an area under the ROC curve at a normal quantile `z`, for classes of any size from one face on.

    Newcombe's score interval (2006, Stat Med 25:559, method 5): the areas whose own standard error, Hanley & McNeil's
    with both classes taken for equally large, reaches from them to `auc`. It has a width where `auc` is 1.
    """
    more = (positive + negative) / 2 - 1

    def beyond(area: float) -> float:
        spread = area * (1 - area) * (1 + more * ((1 - area) / (2 - area) + area / (1 + area)))
        return abs(area - auc) - z * np.sqrt(max(spread, 0.0) / (positive * negative))

    # At 0 and 1 no area has an error, so that these solve it too; the other solution is meant.
    inner = min(max(auc, 1e-9), 1 - 1e-9)
    low = 0.0 if auc <= 0 else float(brentq(beyond, 0.0, inner))
    return low, 1.0 if auc >= 1 else float(brentq(beyond, inner, 1.0))


def calibration(faces: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Equal-width bins of the probability: mean `p`, `n`, `positive` of them labelled so, their `share` with Wilson
    `low`, `high`; no empty bins."""
    if not len(faces):
        return pd.DataFrame(columns=["p", "n", "positive", "share", "low", "high"])
    task = task_of(faces)
    p = task.p(faces).astype(np.float64)
    place = np.minimum((p * bins).astype(int), bins - 1)
    table = pd.DataFrame({"p": p, "positive": task.is_positive(faces)}).groupby(place)
    result = table.agg(p=("p", "mean"), n=("p", "size"), positive=("positive", "sum"))
    result["share"] = result["positive"] / result["n"]
    result["low"], result["high"] = wilson(result["positive"], result["n"])
    return result


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error: mean |share − p| of the bins, weighted by faces (Naeini et al. 2015)."""
    if table["n"].sum() == 0:
        raise LookwhereError("no face, so no calibration error")
    return float((table["n"] * (table["share"] - table["p"]).abs()).sum() / table["n"].sum())
