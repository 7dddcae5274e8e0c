"""Accuracy by group with intervals, ratios and differences of error rates, curves. Rates are shares of 0–1."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from core.data.faces import AGE_BANDS, age_band
from core.errors import LookwhereError
from core.estimate import Estimate
from core.task import GENDERS

#: Two-sided 95 %.
Z95 = float(norm.ppf(0.975))
#: What every faces table can be grouped by.
GROUP_COLUMNS = ("gender", "ethnicity", "age band")
#: Groups with fewer faces are shown, but neither called best nor worst.
SMALLEST_RANKED = 50


def wilson(k: int | np.ndarray, n: int | np.ndarray, z: float = Z95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval of k successes in n (Wilson 1927, JASA 22:209); NaN where n is 0."""
    k, n = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = k / n
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At k = 0 and k = n the bounds are 0 and 1 exactly; rounding must not say otherwise.
    return np.where((k == 0) & (n > 0), 0.0, centre - half), np.where((k == n) & (n > 0), 1.0, centre + half)


def newcombe(k1: int, n1: int, k2: int, n2: int) -> Estimate:
    """Difference k1/n1 − k2/n2 with Newcombe's hybrid score interval (1998, Stat Med 17:873, method 10)."""
    if min(n1, n2) == 0:
        return Estimate(np.nan, np.nan, np.nan)
    p1, p2 = k1 / n1, k2 / n2
    (l1, u1), (l2, u2) = wilson(k1, n1), wilson(k2, n2)
    return Estimate(
        p1 - p2,
        float(p1 - p2 - np.hypot(p1 - l1, u2 - p2)),
        float(p1 - p2 + np.hypot(u1 - p1, p2 - l2)),
    )


def risk_ratio(k1: int, n1: int, k2: int, n2: int) -> Estimate:
    """Ratio of two shares (k1/n1)/(k2/n2), interval by Katz et al. 1978 (Biometrics 34:469) on the logarithm.

    Where a count is 0, half an event is added to each (Haldane), for the interval and the value; NaN without faces.
    """
    if min(n1, n2) == 0:
        return Estimate(np.nan, np.nan, np.nan)
    a, b, c, d = float(k1), float(n1), float(k2), float(n2)
    if k1 == 0 or k2 == 0:
        a, b, c, d = a + 0.5, b + 0.5, c + 0.5, d + 0.5
    ratio = (a / b) / (c / d)
    error = np.sqrt(1 / a - 1 / b + 1 / c - 1 / d)
    return Estimate(ratio, ratio * np.exp(-Z95 * error), ratio * np.exp(Z95 * error))


def predict(faces: pd.DataFrame, threshold: float = 0.5) -> np.ndarray:
    """Predicted gender (N,) when «male» is said from p_male ≥ threshold on."""
    return np.where(faces["p_male"].to_numpy() >= threshold, GENDERS[1], GENDERS[0])


def check_columns(by: Sequence[str], known: Collection[str] = GROUP_COLUMNS) -> None:
    """Raise `LookwhereError` where groups are asked for by a column that is not among the known ones, naming these."""
    if unknown := [column for column in by if column not in known]:
        raise LookwhereError(f"groups by {', '.join(map(repr, unknown))}: no such column; there are {', '.join(known)}")


def accuracy_by(faces: pd.DataFrame, by: list[str], threshold: float = 0.5) -> pd.DataFrame:
    """Accuracy by the columns `by` (`age band` too; none for all): n, correct, errors, accuracy, low, high.

    Groups that never occur are absent, those with no face after filtering cannot occur; order is by name or age.
    Raises `LookwhereError` for an unknown column.
    """
    check_columns(by, (*GROUP_COLUMNS, *faces.columns.difference(GROUP_COLUMNS)))
    right = predict(faces, threshold) == faces["gender"].to_numpy()
    table = faces.assign(right=right)
    if "age band" in by:
        band = age_band(faces["age"])
        names = np.array([*AGE_BANDS, "unknown"])[np.where(band < 0, len(AGE_BANDS), band)]
        table["age band"] = pd.Categorical(names, [*AGE_BANDS, "unknown"], ordered=True)
    if not by:
        counted = pd.DataFrame({"n": [len(table)], "correct": [int(right.sum())]})
    else:
        counted = table.groupby(by, observed=True)["right"].agg(n="size", correct="sum").reset_index()
    counted["errors"] = counted["n"] - counted["correct"]
    counted["accuracy"] = counted["correct"] / counted["n"].where(counted["n"] > 0)
    counted["low"], counted["high"] = wilson(counted["correct"], counted["n"])
    return counted


def holm(p: Sequence[float]) -> np.ndarray:
    """Holm's step-down p-values (1979, Scand J Stat 6:65) of a family, float64 (K,).

    As statsmodels' `multipletests` has them (a test compares), which collects garbage at each call, 0.2 s in an app.
    """
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(stepped)
    result[order] = np.minimum(stepped, 1)
    return result


@dataclass(frozen=True)
class Gap:
    """The best and the worst group of a table by accuracy, among groups of 50 and more faces."""

    worst: pd.Series
    best: pd.Series

    @property
    def difference(self) -> Estimate:
        """Best less worst accuracy, Newcombe interval. Of chosen extremes it is too large: a maximum is biased up."""
        return newcombe(self.best["correct"], self.best["n"], self.worst["correct"], self.worst["n"])

    @property
    def ratio(self) -> Estimate:
        """How many times the worst group's error rate is the best's."""
        return risk_ratio(self.worst["errors"], self.worst["n"], self.best["errors"], self.best["n"])


def gap(table: pd.DataFrame, smallest: int = SMALLEST_RANKED) -> Gap | None:
    """The gap of an `accuracy_by` table; None where fewer than two groups are large enough."""
    ranked = table[table["n"] >= smallest].sort_values("accuracy", kind="stable")
    if len(ranked) < 2:
        return None
    return Gap(ranked.iloc[0], ranked.iloc[-1])


def confusion(faces: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """Counts, rows the labelled gender, columns the predicted one."""
    table = pd.crosstab(faces["gender"].to_numpy(), predict(faces, threshold))
    return table.reindex(index=GENDERS, columns=GENDERS, fill_value=0)


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
