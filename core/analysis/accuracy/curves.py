"""ROC with DeLong's interval, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.intervals import Z95, wilson
from core.errors import LookwhereError
from core.estimate import Estimate
from core.task import GENDERS


@dataclass(frozen=True)
class Roc:
    """`false_positive`, `true_positive` (K,) over falling thresholds of p_male; `auc` with its interval."""

    false_positive: np.ndarray
    true_positive: np.ndarray
    auc: Estimate
    n: int


def roc(faces: pd.DataFrame) -> Roc | None:
    """ROC of «male» by p_male, AUC with DeLong's interval (1988, Biometrics 44:837); None unless both genders occur."""
    male = (faces["gender"] == GENDERS[1]).to_numpy()
    score = (faces["logit_male"] - faces["logit_female"]).to_numpy(dtype=np.float64)
    m, n = int(male.sum()), int((~male).sum())
    if m < 2 or n < 2:
        return None
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    tp, fp = np.cumsum(male[order])[last], np.cumsum(~male[order])[last]
    ranks = pd.Series(score).rank().to_numpy()
    own_m, own_f = pd.Series(score[male]).rank().to_numpy(), pd.Series(score[~male]).rank().to_numpy()
    v_m = (ranks[male] - own_m) / n
    v_f = 1 - (ranks[~male] - own_f) / m
    auc = float(v_m.mean())
    error = np.sqrt(v_m.var(ddof=1) / m + v_f.var(ddof=1) / n)
    bounds = np.clip([auc - Z95 * error, auc + Z95 * error], 0, 1)
    return Roc(np.append(0, fp / n), np.append(0, tp / m), Estimate(auc, *map(float, bounds)), m + n)


def calibration(faces: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Equal-width bins of p_male: mean `p`, `n`, `share` labelled male with Wilson `low`, `high`; no empty bins."""
    if not len(faces):
        return pd.DataFrame(columns=["p", "n", "male", "share", "low", "high"])
    p = faces["p_male"].to_numpy(dtype=np.float64)
    place = np.minimum((p * bins).astype(int), bins - 1)
    table = pd.DataFrame({"p": p, "male": (faces["gender"] == GENDERS[1]).to_numpy()}).groupby(place)
    result = table.agg(p=("p", "mean"), n=("p", "size"), male=("male", "sum"))
    result["share"] = result["male"] / result["n"]
    result["low"], result["high"] = wilson(result["male"], result["n"])
    return result


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error: mean |share − p| of the bins, weighted by faces (Naeini et al. 2015)."""
    if table["n"].sum() == 0:
        raise LookwhereError("no face, so no calibration error")
    return float((table["n"] * (table["share"] - table["p"]).abs()).sum() / table["n"].sum())
