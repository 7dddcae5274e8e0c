"""Intervals and corrections for shares: Wilson, Newcombe, Clopper-Pearson, risk ratio, Holm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import betaincinv, ndtri

from core.estimate import Estimate


def clopper_pearson(k: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Exact binomial bounds (G,) of k in n, which need not be whole."""
    tail = (1 - level) / 2
    low = np.where(k > 0, betaincinv(np.maximum(k, 1e-9), n - k + 1, tail), 0.0)
    return low, np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1e-9), 1 - tail), 1.0)


def newcombe_bounds(
    k1: np.ndarray, n1: np.ndarray, k2: np.ndarray, n2: np.ndarray, z: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Differences k1/n1 − k2/n2 (N,) and Newcombe's bounds at any z; `newcombe` is that at 1.96."""
    p1, p2 = k1 / n1, k2 / n2
    (l1, u1), (l2, u2) = wilson(k1, n1, z), wilson(k2, n2, z)
    return p1 - p2, p1 - p2 - np.hypot(p1 - l1, u2 - p2), p1 - p2 + np.hypot(u1 - p1, p2 - l2)


def newcombe_at(k1: float, n1: float, k2: float, n2: float, z: float) -> Estimate:
    """`newcombe_bounds` of one pair."""
    return Estimate(*(float(value) for value in newcombe_bounds(k1, n1, k2, n2, z)))


def newcombe_paired(both: int, only_a: int, only_b: int, neither: int) -> Estimate:
    """Accuracy of B less A of the same faces, Newcombe's paired score interval (1998, Stat Med 17:2635, method 10)."""
    n = both + only_a + only_b + neither
    if n == 0:
        return Estimate(np.nan, np.nan, np.nan)
    right_b, right_a = both + only_b, both + only_a
    p_b, p_a = right_b / n, right_a / n
    (l_b, u_b), (l_a, u_a) = wilson(right_b, n), wilson(right_a, n)
    margins = float(right_a) * (n - right_a) * right_b * (n - right_b)
    cross = both * neither - only_a * only_b
    cross = max(cross - n / 2, 0.0) if cross > 0 else cross
    phi = cross / np.sqrt(margins) if margins > 0 else 0.0
    below = np.sqrt(max((p_b - l_b) ** 2 - 2 * phi * (p_b - l_b) * (u_a - p_a) + (u_a - p_a) ** 2, 0))
    above = np.sqrt(max((u_b - p_b) ** 2 - 2 * phi * (u_b - p_b) * (p_a - l_a) + (p_a - l_a) ** 2, 0))
    return Estimate(p_b - p_a, float(p_b - p_a - below), float(p_b - p_a + above))


#: Two-sided 95 %.
Z95 = float(ndtri(0.975))


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
