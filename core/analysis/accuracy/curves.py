"""ROC with DeLong's interval, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.intervals import Z95, wilson
from core.errors import LookwhereError
from core.estimate import Estimate
from core.task import task_of

#: From so many faces on, scores are counted in steps of a 2,048th of their power of two: sorting them takes seconds.
LARGE = 100_000
#: Points of a drawn curve: between two of them there is less than a pixel.
DRAWN = 1_000


@dataclass(frozen=True)
class Roc:
    """`false_positive`, `true_positive` (K,) over falling thresholds; `auc` with its interval. `off`: the most by which
    counting scores in steps moves the area, 0 where each score counts as it is."""

    false_positive: np.ndarray
    true_positive: np.ndarray
    auc: Estimate
    n: int
    off: float = 0.0

    def drawn(self) -> tuple[np.ndarray, np.ndarray]:
        """Both rates at no more than about `DRAWN` points evenly along the curve, its ends among them.

        A line between two of them leaves the curve by no more than the way from one to the next, 2/`DRAWN` in all.
        """
        if len(self.true_positive) <= DRAWN:
            return self.false_positive, self.true_positive
        along = np.floor((self.false_positive + self.true_positive) / 2 * DRAWN)
        turning = np.append(True, np.diff(along) > 0)
        turning[-1] = True
        return self.false_positive[turning], self.true_positive[turning]


def roc(faces: pd.DataFrame) -> Roc | None:
    """ROC of the positive class, AUC with DeLong's interval (1988, Biometrics 44:837); None without both classes.

    Of `LARGE` faces and more, scores are counted in steps; within a step, faces count as ties.
    """
    task = task_of(faces)
    positive = task.is_positive(faces)
    m, n = int(positive.sum()), int((~positive).sum())
    if m < 2 or n < 2:
        return None
    place = _places(faces, task.logits)
    size = int(place.max()) + 1
    each = np.bincount(place, minlength=size)
    wins = np.bincount(place[positive], minlength=size)
    some = np.flatnonzero(each)
    p, q = wins[some].astype(np.float64), (each - wins)[some].astype(np.float64)
    v_p = (np.cumsum(q) - q / 2) / n
    v_n = 1 - (np.cumsum(p) - p / 2) / m
    auc = float((p * v_p).sum() / m)
    error = np.sqrt(_spread(v_p, p, auc) / m + _spread(v_n, q, auc) / n)
    bounds = np.clip([auc - Z95 * error, auc + Z95 * error], 0, 1)
    rates = [np.append(0, np.cumsum(counts[::-1]) / total) for counts, total in ((q, n), (p, m))]
    off = float((p * q).sum() / (2 * m * n)) if len(faces) >= LARGE else 0.0
    return Roc(*rates, Estimate(auc, *map(float, bounds)), m + n, off)


def _places(faces: pd.DataFrame, logits: tuple[str, str]) -> np.ndarray:
    """Each face's place in the order of its score, from 0 on, ties alike; of `LARGE` faces near scores too."""
    low, high = (faces[name].to_numpy() for name in logits)
    if len(faces) < LARGE:
        score = high.astype(np.float64) - low.astype(np.float64)
        return np.unique(score, return_inverse=True)[1]
    score = high.astype(np.float32) - low.astype(np.float32) + np.float32(0)  # -0 counts as 0
    bits = score.view(np.int32)
    # A float's bits are in its order once those of negative numbers are turned round.
    return ((bits ^ ((bits >> 31) & 0x7FFFFFFF)) >> 12) + (1 << 19)


def _spread(values: np.ndarray, counts: np.ndarray, mean: float) -> float:
    """The sample variance of values that occur so many times."""
    return float((counts * (values - mean) ** 2).sum() / (counts.sum() - 1))


def area_bounds(auc: float, positive: int, negative: int, z: float = Z95) -> tuple[float, float]:
    """Low and high of an area under the ROC curve at a normal quantile `z`, for classes of any size from one face on.

    Newcombe's score interval (2006, Stat Med 25:559, method 5): the areas whose own standard error, Hanley & McNeil's
    with both classes taken for equally large, reaches from them to `auc`. It has a width where `auc` is 1.
    """
    from scipy.optimize import brentq  # Slow to import

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
    p, positive = task.p(faces).astype(np.float64), task.is_positive(faces)
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    n = np.bincount(place, minlength=bins)
    result = pd.DataFrame(
        {"p": np.bincount(place, p, bins), "n": n, "positive": np.bincount(place[positive], minlength=bins)}
    )
    result = result[n > 0]
    result["p"] /= result["n"]
    result["share"] = result["positive"] / result["n"]
    result["low"], result["high"] = wilson(result["positive"], result["n"])
    return result


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error: mean |share − p| of the bins, weighted by faces (Naeini et al. 2015)."""
    if table["n"].sum() == 0:
        raise LookwhereError("no face, so no calibration error")
    return float((table["n"] * (table["share"] - table["p"]).abs()).sum() / table["n"].sum())
