"""How alike two maps are, face by face, and the maps turned towards the predicted class."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

#: Of the range 0–1 in which SSIM's two constants are given (Wang et al. 2004).
K1, K2 = 0.01, 0.03


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row correlation (n,) of (n, K) with (n, K); NaN where a row is constant."""
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))


def spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row rank correlation (n,) of maps (n, …), ties at their mean rank; NaN where a map is constant."""
    flat = [np.asarray(x, dtype=np.float64).reshape(len(x), -1) for x in (a, b)]
    return pearson(*(rankdata(x, axis=1) for x in flat))


def ssim(a: np.ndarray, b: np.ndarray, signed: bool = True) -> np.ndarray:
    """Row by row structural similarity (n,) of maps (n, …) in one window.

    Each map is divided by its largest magnitude and, where signed, −1…1 moved to 0…1: the measure's term for the means
    is made for positive values. Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861; the maps' few cells leave no
    room for more windows.
    """
    flat = [np.asarray(x, dtype=np.float64).reshape(len(x), -1) for x in (a, b)]
    x, y = (f / (1e-12 + np.abs(f).max(axis=1, keepdims=True)) for f in flat)
    if signed:
        x, y = (x + 1) / 2, (y + 1) / 2
    c1, c2 = K1**2, K2**2
    mx, my = x.mean(axis=1), y.mean(axis=1)
    cov = ((x - mx[:, None]) * (y - my[:, None])).mean(axis=1)
    return (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (x.var(axis=1) + y.var(axis=1) + c2))


def similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of maps (n, h, w) with maps (n, h, w), the four of `MEASURES`: (n, 4)."""
    absolute = np.abs(a), np.abs(b)
    return np.stack([spearman(a, b), spearman(*absolute), ssim(a, b), ssim(*absolute, signed=False)], axis=1)
