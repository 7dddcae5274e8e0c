"""Intervals that hold for all groups at once, and the gap of the surest two, corrected for having been chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from core.analysis.accuracy.counts import Groups, group_counts, resample_accuracy
from core.analysis.accuracy.surest import surest
from core.analysis.intervals import newcombe_at, newcombe_bounds, wilson
from core.estimate import Estimate


@dataclass(frozen=True)
class SimultaneousIntervals:
    """`table`: that of `Groups` with the simultaneous `low` and `high`; `critical`: the score z they are made with, in
    place of 1.96; `resampled`: «people» or «faces»."""

    table: pd.DataFrame
    left_out: pd.DataFrame
    critical: float
    level: float
    resampled: str


@dataclass(frozen=True)
class LargestGap:
    """Best less worst accuracy among `groups` groups, shares of 0–1; `best` and `worst` with simultaneous bounds.

    `difference` has the interval that holds for all `pairs` at once, so for the pair chosen by looking too; `plain` is
    Newcombe's for a pair named beforehand. `bias`: how much choosing by looking widens the gap; `corrected` is the gap
    less that, never under 0. `as_low`: names of the groups that may be as low as the worst.
    """

    best: pd.Series
    worst: pd.Series
    difference: Estimate
    plain: Estimate
    bias: float
    corrected: float
    groups: int
    pairs: int
    critical: float
    level: float
    as_low: tuple[str, ...] = ()

    @property
    def distinguishable(self) -> bool:
        """True where the simultaneous interval of worst against best excludes 0."""
        return self.difference.low > 0


def simultaneous_accuracy(
    faces: pd.DataFrame, by: list[str], threshold: float = 0.5, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> SimultaneousIntervals:
    """Accuracy by group, of any size, with intervals that cover all groups' accuracies together with probability
    `level`.

    The largest studentised deviation over the groups is resampled; its quantile, never under Šidák's, stands for z in
    Wilson's score interval. Its upper bound fails where under an error is expected, so no interval is narrower than
    Clopper & Pearson's exact one (1934, Biometrika 26:404) at Šidák's level. Small groups, whose tails are heavy, have
    no part in the quantile, which is then that of the level they leave. Counts are divided by the design effect where
    people are known, and a little more where they are few (`Groups.effective_at`).
    """
    return simultaneous_intervals(group_counts(faces, by, threshold, smallest=1), draws, seed, level)


def simultaneous_intervals(
    groups: Groups, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> SimultaneousIntervals:
    """`simultaneous_accuracy` of faces counted already."""
    table, z = groups.table, float("nan")
    if len(table):
        alone, large = level ** (1 / len(table)), ~groups.small
        z = float(ndtri((1 + alone) / 2))
        if large.any():
            resampled, centre = resample_accuracy(groups, draws, seed)
            deviation = np.abs(resampled - centre) / _errors(groups, centre)
            z = max(_quantile(deviation[:, large], level ** large.mean()), z)
        low, high = groups.bounds_at(z, alone)
        table = table.assign(low=low, high=high)
    else:
        table = table.assign(low=np.nan, high=np.nan)
    return SimultaneousIntervals(table, groups.left_out, z, level, _resampled(groups))


def largest_gap(
    faces: pd.DataFrame, by: list[str], threshold: float = 0.5, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> LargestGap | None:
    """The gap of accuracy between the surely best and the surely worst group (`surest`); None where there are not two.

    The interval is Newcombe's with, for z, the resampled quantile of the largest studentised difference over all pairs,
    never under that of Tukey's studentised range; of a small group it is what follows from the two groups' own bounds.
    The bias of choosing is the mean, over resamples in which the two are chosen anew, of their gap less the gap it was
    drawn about (Efron & Tibshirani 1993, ch. 10). Where all groups are alike it misses about half, as the groups that
    chance has spread are taken for the truth: the correction is a cautious one.
    """
    return gap_of(group_counts(faces, by, threshold, smallest=1), draws, seed, level)


def gap_of(
    groups: Groups,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    between: tuple[str, str] | None = None,
) -> LargestGap | None:
    """`largest_gap` of faces counted already, by falling accuracy; of the groups named best and worst in `between`
    where others than these were chosen elsewhere."""
    if len(groups.table) < 2:
        return None
    bands = simultaneous_intervals(groups, draws, seed, level)
    table, large = bands.table, np.flatnonzero(~groups.small)
    resampled, centre = resample_accuracy(groups, draws, seed)
    z = ndtri((1 + level) / 2)
    if len(large) > 1:
        part = level ** (len(large) / len(table))
        a, b = (large[side] for side in np.triu_indices(len(large), 1))
        error = _errors(groups, centre)
        deviation = np.abs((resampled[:, a] - resampled[:, b]) - (centre[a] - centre[b])) / np.hypot(error[a], error[b])
        z = max(_quantile(deviation, part), tukey_z(part, len(large)))
    low, high = (table[name].to_numpy() for name in ("low", "high"))
    value, down, up = _differences(groups, low, high, float(z))
    extremes = surest(table["accuracy"].to_numpy(), low, high, down)
    best, worst, as_low = extremes.best, extremes.worst, extremes.as_low
    if between is not None:
        best, worst = (int(np.flatnonzero(table["group"] == name)[0]) for name in between)
        as_low = ~(down[:, worst] > 0) & (np.arange(len(table)) != worst)
    difference = Estimate(*(float(side[best, worst]) for side in (value, down, up)))
    k, n = groups.effective_at(float(z))
    plain = newcombe_at(k[best], n[best], k[worst], n[worst], float(ndtri((1 + level) / 2)))
    bias = _bias_of_choosing(resampled, centre, groups.effective[1], bands.critical)
    corrected = float(np.clip(difference.value - bias, 0, 1))
    count = len(table)
    return LargestGap(
        table.iloc[best], table.iloc[worst], difference, plain, bias, corrected, count, count * (count - 1) // 2,
        float(z), level, tuple(table["group"][as_low]),
    )  # fmt: skip


def _differences(
    groups: Groups, low: np.ndarray, high: np.ndarray, z: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accuracy of row less column with bounds that hold for all pairs at once, (G, G) each."""
    k, n = groups.effective_at(z)
    small = groups.small
    value, down, up = newcombe_bounds(k[:, None], n[:, None], k[None], n[None], z)
    own = small[:, None] | small[None]
    return value, np.where(own, low[:, None] - high[None], down), np.where(own, high[:, None] - low[None], up)


def _bias_of_choosing(resampled: np.ndarray, centre: np.ndarray, n: np.ndarray, z: float) -> float:
    """By how much the gap of groups chosen by their bounds, in each draw (draws, G), exceeds that of the same groups
    at the `centre` (G,) of the draws."""
    low, high = wilson(resampled * n, n, z)
    best = np.where(np.isnan(low), -1, low).argmax(axis=1)
    worst = np.where(np.isnan(high), 2, high).argmin(axis=1)
    each = np.arange(len(resampled))
    excess = (resampled[each, best] - centre[best]) - (resampled[each, worst] - centre[worst])
    return float(excess.mean())


@cache
def tukey_z(level: float, groups: int) -> float:
    """Critical z of all pairs of so many equally exact groups: the quantile of the range of that many normals, over √2.

    The range's distribution function is k ∫ φ(x) [Φ(x) − Φ(x − q)]^(k−1) dx (Tukey 1953). The trapezoidal rule is exact
    to twelve digits for so smooth a function. A test compares it with scipy.stats, whose import takes as long as the
    rest of a first page.
    """
    x, step = np.linspace(-9.0, 9.0, 1801, retstep=True)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    low, high = 0.0, 20.0
    while high - low > 1e-12:
        q = (low + high) / 2
        share = groups * step * float((density * (ndtr(x) - ndtr(x - q)) ** (groups - 1)).sum())
        low, high = (q, high) if share < level else (low, q)
    return (low + high) / 2 / math.sqrt(2)


def _errors(groups: Groups, centre: np.ndarray) -> np.ndarray:
    """Standard error of each accuracy at the resampling's centre; a group with none cannot deviate."""
    error = np.sqrt(centre * (1 - centre) / groups.effective[1])
    return np.where(error > 0, error, np.inf)


def _quantile(deviation: np.ndarray, level: float) -> float:
    """Quantile of the largest deviation of each draw, the next one upwards."""
    return float(np.quantile(np.nanmax(deviation, axis=1), level, method="higher"))


def _resampled(groups: Groups) -> str:
    return "faces" if groups.unit is None else "people"
