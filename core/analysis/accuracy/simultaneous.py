"""Intervals that hold for all groups at once, and the largest gap, chosen by looking and corrected for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.stats import norm, studentized_range

from core.analysis.accuracy.counts import Groups, group_counts, resample_accuracy
from core.analysis.intervals import clopper_pearson, newcombe_at, wilson
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
    """Best less worst accuracy among `groups` groups, shares of 0–1.

    `difference` has the interval that holds for all `pairs` at once, so for the pair chosen by looking too; `plain` is
    Newcombe's for a pair named beforehand. `bias`: how much resampling alone widens the largest gap; `corrected` is the
    gap less that, never under 0.
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

    @property
    def distinguishable(self) -> bool:
        """True where the simultaneous interval of worst against best excludes 0."""
        return self.difference.low > 0


def simultaneous_accuracy(
    faces: pd.DataFrame, by: list[str], threshold: float = 0.5, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> SimultaneousIntervals:
    """Accuracy by group with intervals that cover all groups' accuracies together with probability `level`.

    The largest studentised deviation over the groups is resampled; its quantile, never under Šidák's, stands for z in
    Wilson's score interval. Its upper bound fails where under an error is expected, so no interval is narrower than
    Clopper & Pearson's exact one (1934, Biometrika 26:404) at Šidák's level. Counts are divided by the design effect
    where people are known, and a little more where they are few (`Groups.effective_at`).
    """
    return simultaneous_intervals(group_counts(faces, by, threshold), draws, seed, level)


def simultaneous_intervals(
    groups: Groups, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> SimultaneousIntervals:
    """`simultaneous_accuracy` of faces counted already."""
    table, z = groups.table, float("nan")
    if len(table):
        drawn, centre = resample_accuracy(groups, draws, seed)
        deviation = np.abs(drawn - centre) / _errors(groups, centre)
        alone = level ** (1 / len(table))
        z = max(_quantile(deviation, level), float(norm.ppf((1 + alone) / 2)))
        counted = groups.effective_at(z)
        (low, high), exact = wilson(*counted, z), clopper_pearson(*counted, alone)
        low, high = np.minimum(low, exact[0]), np.maximum(high, exact[1])
        table = table.assign(low=low, high=high)
    else:
        table = table.assign(low=np.nan, high=np.nan)
    return SimultaneousIntervals(table, groups.left_out, z, level, _resampled(groups))


def largest_gap(
    faces: pd.DataFrame, by: list[str], threshold: float = 0.5, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> LargestGap | None:
    """The largest gap of accuracy between groups of 50 and more faces; None where there are not two.

    The interval is Newcombe's with, for z, the resampled quantile of the largest studentised difference over all pairs,
    never under that of Tukey's studentised range. The bias of the maximum is the mean resampled largest gap less
    the gap it was drawn about (Efron & Tibshirani 1993, ch. 10). Where all groups are alike it misses about half,
    as the groups that chance has spread are taken for the truth: the correction is a cautious one.
    """
    return gap_of(group_counts(faces, by, threshold), draws, seed, level)


def gap_of(groups: Groups, draws: int = 2000, seed: int = 0, level: float = 0.95) -> LargestGap | None:
    """`largest_gap` of faces counted already, by falling accuracy."""
    table = groups.table
    if len(table) < 2:
        return None
    drawn, centre = resample_accuracy(groups, draws, seed)
    i, j = np.triu_indices(len(table), 1)
    error = _errors(groups, centre)
    deviation = np.abs((drawn[:, i] - drawn[:, j]) - (centre[i] - centre[j])) / np.hypot(error[i], error[j])
    z = max(_quantile(deviation, level), tukey_z(level, len(table)))
    best, worst = table.iloc[0], table.iloc[-1]
    k, n = groups.effective_at(z)
    spread = np.nanmax(drawn, axis=1) - np.nanmin(drawn, axis=1)
    bias = float(np.mean(spread) - np.ptp(centre))
    difference = newcombe_at(k[0], n[0], k[-1], n[-1], z)
    plain = newcombe_at(k[0], n[0], k[-1], n[-1], float(norm.ppf((1 + level) / 2)))
    corrected = float(np.clip(difference.value - bias, 0, 1))
    return LargestGap(best, worst, difference, plain, bias, corrected, len(table), len(i), z, level)


@cache
def tukey_z(level: float, groups: int) -> float:
    """Critical z of all pairs of so many equally exact groups."""
    return float(studentized_range.ppf(level, groups, np.inf) / np.sqrt(2))


def _errors(groups: Groups, centre: np.ndarray) -> np.ndarray:
    """Standard error of each accuracy at the resampling's centre; a group with none cannot deviate."""
    error = np.sqrt(centre * (1 - centre) / groups.effective[1])
    return np.where(error > 0, error, np.inf)


def _quantile(deviation: np.ndarray, level: float) -> float:
    """Quantile of the largest deviation of each draw, the next one upwards."""
    return float(np.quantile(np.nanmax(deviation, axis=1), level, method="higher"))


def _resampled(groups: Groups) -> str:
    return "faces" if groups.unit is None else "people"
