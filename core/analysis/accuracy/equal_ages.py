"""Accuracies at equal ages from a fitted regression: of groups and their pairs at once, and of women against men."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, ndtri

from core.analysis.accuracy.counts import Groups
from core.analysis.accuracy.logistic import Fit
from core.analysis.intervals import Z95
from core.estimate import Estimate
from core.task import GENDERS

#: Normal draws from which the critical values are taken: at 0.95 their own error is 0.2 points of the level.
DRAWS = 20_000
LEVEL = 0.95


@dataclass(frozen=True)
class EqualAges:
    """What the fit expects of each group if it had the ages of all faces; all shares of 0–1.

    `groups`: group, gender, ethnicity, n, accuracy, low, high. `pairs`: best, worst, difference (best less worst, 0 or
    more), low, high, within (of one gender); by falling difference. Intervals hold for all rows of a table at once.
    `women_less_men` at the ages and ethnicities of all faces, by itself, with the two-sided `p` of no difference and
    its `error`; NaN of one gender. `covariance` (G, G) of the groups' accuracies; `critical` and `critical_pairs`
    stand for 1.96.
    """

    groups: pd.DataFrame
    pairs: pd.DataFrame
    women_less_men: Estimate
    error: float
    p: float
    covariance: np.ndarray
    critical: float
    critical_pairs: float

    @property
    def largest(self) -> pd.Series | None:
        """The pair of groups that is furthest apart; None of one group."""
        return self.pairs.iloc[0] if len(self.pairs) else None


def equal_ages(
    table: pd.DataFrame,
    fit: Fit,
    row: Callable[..., np.ndarray],
    counts: np.ndarray,
    counted_groups: Groups | None = None,
) -> EqualAges:
    """From groups (`table`: group, gender, ethnicity, n; `g`, `e` their codes), a fit, its design's `row` of a gender,
    ethnicity and age band, and the faces by ethnicity and age band, int (E, B).

    Errors by the delta method. The critical values are quantiles of the largest of correlated normals, so they allow
    for what groups share. Intervals of groups are of the logit; those of pairs are made of the groups' own bounds
    (Zou & Donner 2008, Stat Med 27:1693), since near 100 % an accuracy is surer upwards than downwards.

    `counted_groups`, of the same rows, says which are small: their bounds are never narrower than the exact ones of
    their own counts, those of their pairs follow from both groups' own, and the critical values are of the others.
    """
    weight = counts.sum(axis=0) / counts.sum()
    means = [_mean(fit, [row(g, e, b) for b in range(len(weight))], weight) for g, e in table[["g", "e"]].to_numpy()]
    value, slopes = np.array([v for v, _ in means]), np.stack([s for _, s in means])
    covariance = slopes @ fit.cov @ slopes.T
    # Of one person the covariance is 0, and by rounding a little less.
    error = np.sqrt(np.maximum(np.diag(covariance), 0))
    small = np.zeros(len(value), dtype=bool) if counted_groups is None else counted_groups.small
    critical, z = _critical(covariance, error, np.flatnonzero(~small))
    low, high = _bounds(value, error, critical)
    if counted_groups is not None and small.any():
        alone = LEVEL ** (1 / len(value))
        exact = counted_groups.bounds_at(float(ndtri((1 + alone) / 2)), alone)
        low, high = (
            np.where(small, np.minimum(low, exact[0]), low),
            np.where(small, np.maximum(high, exact[1]), high),
        )
    groups = table[["group", "gender", "ethnicity", "n"]].assign(accuracy=value, low=low, high=high)
    pairs = _pairs(groups, covariance, error, z, small)
    d, own, p = _by_gender(fit, row, counts)
    return EqualAges(groups, pairs, Estimate(d, d - Z95 * own, d + Z95 * own), own, p, covariance, critical, z)


def _critical(covariance: np.ndarray, error: np.ndarray, large: np.ndarray) -> tuple[float, float]:
    """Critical values of the `large` groups (their places) and of their pairs, at the level that small ones leave."""
    count = len(error)
    level = LEVEL ** (len(large) / count)
    if not len(large):
        return float(ndtri((1 + LEVEL ** (1 / count)) / 2)), Z95
    normals, apart = _normals(covariance), covariance[np.ix_(large, large)]
    i, j = np.triu_indices(len(large), 1)
    critical = float(np.quantile(np.abs(normals[:, large] / error[large]).max(axis=1), level))
    if not len(i):
        return critical, Z95
    spread = np.sqrt(np.maximum(error[large[i]] ** 2 + error[large[j]] ** 2 - 2 * apart[i, j], 1e-300))
    between = np.abs((normals[:, large[i]] - normals[:, large[j]]) / spread)
    return critical, float(np.quantile(between.max(axis=1), level))


def _mean(fit: Fit, rows: list[np.ndarray], weight: np.ndarray) -> tuple[float, np.ndarray]:
    """Weighted mean of the fitted rates of design rows, and its derivative by the coefficients (P,)."""
    x = np.stack(rows)
    mu = expit(x @ fit.beta)
    return float(weight @ mu), (weight * mu * (1 - mu)) @ x


def _normals(covariance: np.ndarray) -> np.ndarray:
    """`DRAWS` centred normals (DRAWS, G) of this covariance, the same ones each time."""
    values, axes = np.linalg.eigh(covariance)
    normals = np.random.default_rng(0).normal(size=(DRAWS, len(covariance)))
    return normals @ (axes * np.sqrt(np.maximum(values, 0))).T


def _bounds(value: np.ndarray, error: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
    """Interval of shares by the logit, inside 0–1 whatever the error."""
    half = z * error / (value * (1 - value))
    return expit(logit(value) - half), expit(logit(value) + half)


def _pairs(
    groups: pd.DataFrame, covariance: np.ndarray, error: np.ndarray, z: float, small: np.ndarray
) -> pd.DataFrame:
    value, names, gender = (groups[column].to_numpy() for column in ("accuracy", "group", "gender"))
    low, high = _bounds(value, error, z)
    order = np.argsort(-value, kind="stable")
    a, b = (order[place] for place in np.triu_indices(len(order), 1))
    shared = 2 * covariance[a, b] / np.maximum(error[a] * error[b], 1e-300)
    down, up = value[a] - low[a], high[b] - value[b]
    rise, fall = high[a] - value[a], value[b] - low[b]
    table = pd.DataFrame({"best": names[a], "worst": names[b], "difference": value[a] - value[b]})
    table["low"] = table["difference"] - np.sqrt(np.maximum(down**2 + up**2 - shared * down * up, 0))
    table["high"] = table["difference"] + np.sqrt(np.maximum(rise**2 + fall**2 - shared * rise * fall, 0))
    own = small[a] | small[b]
    bound_low, bound_high = groups["low"].to_numpy(), groups["high"].to_numpy()
    table.loc[own, "low"], table.loc[own, "high"] = (
        (bound_low[a] - bound_high[b])[own],
        (bound_high[a] - bound_low[b])[own],
    )
    table["within"] = gender[a] == gender[b]
    return table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def _by_gender(fit: Fit, row: Callable[..., np.ndarray], counts: np.ndarray) -> tuple[float, float, float]:
    """Women's less men's accuracy at the ages and ethnicities of all faces, its error and two-sided p."""
    cells = np.argwhere(counts > 0)
    weight = counts[counts > 0] / counts.sum()
    (women, w), (men, m) = (_mean(fit, [row(g, e, b) for e, b in cells], weight) for g in range(len(GENDERS)))
    error = float(np.sqrt(max((w - m) @ fit.cov @ (w - m), 0.0)))
    if not error > 0:
        return float("nan"), float("nan"), float("nan")
    return women - men, error, float(2 * ndtr(-abs(women - men) / error))


def reach(fitted: EqualAges, matters: float) -> float:
    """How often all pairs of one gender would be shown to differ by less than `matters` if none differed at all."""
    same_gender = fitted.pairs["within"].to_numpy(dtype=bool)
    if not same_gender.any():
        return float("nan")
    place = {name: n for n, name in enumerate(fitted.groups["group"])}
    i, j = (fitted.pairs.loc[same_gender, side].map(place).to_numpy() for side in ("best", "worst"))
    c = fitted.covariance
    error = np.sqrt(np.maximum(np.diag(c)[i] + np.diag(c)[j] - 2 * c[i, j], 0))
    normals = _normals(c)
    return float((np.abs(normals[:, i] - normals[:, j]) + fitted.critical_pairs * error < matters).all(axis=1).mean())
