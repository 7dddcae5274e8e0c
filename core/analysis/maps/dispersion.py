"""How alike maps are within a set of faces: dispersion, and its comparison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.permutation import BLOCK
from core.errors import LookwhereError
from core.estimate import Estimate


def standardised(shapes: np.ndarray) -> np.ndarray:
    """Maps (N, h, w) as vectors (N, h·w) of mean 0 and length 1: their products are Pearson correlations.

    Raises `LookwhereError` for a map with one value in all cells, which correlates with nothing.
    """
    z = shapes.reshape(len(shapes), -1).astype(np.float64)
    z = z - z.mean(axis=1, keepdims=True)
    length = np.sqrt((z**2).sum(axis=1, keepdims=True))
    flat = int((length == 0).sum())
    if flat:
        raise LookwhereError(f"{flat} of {len(z)} maps have one value in all cells; leave them out: they have no shape")
    return z / length


def dispersion(shapes: np.ndarray) -> float:
    """1 − mean Pearson correlation of all pairs of maps (N, h, w): 0 all alike, 1 nothing in common; NaN under 2 maps.

    |Σ z|² is N + the sum over ordered pairs, so no pair is visited. As a mean over pairs it is unbiased at any N.
    """
    z = standardised(shapes)
    n = len(z)
    return float(1 - ((z.sum(axis=0) ** 2).sum() - n) / (n * (n - 1))) if n > 1 else np.nan


@dataclass(frozen=True)
class Dispersions:
    """Dispersion within `wrong` and within `right`, `n` faces each; `difference` wrong − right, `ratio` wrong / right.

    All with 95 % percentile intervals. `p`: of exchangeable labels, two-sided. `left_out`: wrong faces that have no
    right one of their group to stand beside them.
    """

    wrong: Estimate
    right: Estimate
    difference: Estimate
    ratio: Estimate
    p: float
    n: int
    left_out: int
    draws: int
    seed: int


def compare_dispersion(
    shapes: np.ndarray, wrong: np.ndarray, groups: np.ndarray | None = None, draws: int = 1000, seed: int = 0
) -> Dispersions:
    """Dispersion of maps (N, h, w) within `wrong`, bool (N,), against as many correct ones of each of `groups`, (N,).

    The values are exact means over all such choices of right faces. Intervals resample k faces a group and side with
    replacement; a face is never paired with itself, or every repetition would be a pair of correlation 1 and the
    dispersion come out too small. p relabels right and wrong within groups: beside the dispersion it answers to any
    other difference of the two sets of maps, a mean shape apart for one.

    The test says whether incorrect predictions vary more among themselves than correct ones. It does not say why:
    incorrect ones are less certain, and a weak map is a noisier shape. Cross `groups` with bins of |margin| to compare
    equals. A high dispersion is not «no pattern»: see `own_pattern`. Faces of one person count as separate ones.
    Raises `LookwhereError` where fewer than 2 faces can be matched.
    """
    z, wrong = standardised(shapes), np.asarray(wrong, dtype=bool)
    label = np.zeros(len(z), dtype=np.int64) if groups is None else pd.factorize(groups, use_na_sentinel=False)[0]
    members = [(np.flatnonzero((label == g) & wrong), np.flatnonzero((label == g) & ~wrong)) for g in np.unique(label)]
    sizes = np.array([min(len(w), len(r)) for w, r in members])
    n = int(sizes.sum())
    if n < 2:
        raise LookwhereError(
            f"{n} incorrect faces have a correct one of their group: no pair to compare, widen the filter"
        )
    members, sizes = [m for m, k in zip(members, sizes, strict=True) if k], sizes[sizes > 0]
    rng = np.random.default_rng(seed)
    values = [_expected([z[m[s]].sum(axis=0)[None] for m in members], [len(m[s]) for m in members], sizes)[0]
              for s in (0, 1)]  # fmt: skip
    resampled = np.empty((2, draws))
    relabelled = np.empty(draws)
    for start in range(0, draws, BLOCK):
        block = slice(start, min(start + BLOCK, draws))
        for s in (0, 1):
            resampled[s, block] = _resampled(z, [m[s] for m in members], sizes, block.stop - start, rng)
        relabelled[block] = _relabelled(z, members, sizes, block.stop - start, rng)
    observed = values[0] - values[1]
    reached = (np.abs(relabelled) >= abs(observed) - 1e-12).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = _estimate(values[0] / values[1], resampled[0] / resampled[1])
    return Dispersions(
        _estimate(values[0], resampled[0]),
        _estimate(values[1], resampled[1]),
        _estimate(observed, resampled[0] - resampled[1]),
        ratio,
        float((1 + reached) / (1 + draws)),
        n,
        int(wrong.sum()) - n,
        draws,
        seed,
    )


def _expected(sums: list[np.ndarray], counts: list[int], sizes: np.ndarray) -> np.ndarray:
    """Mean dispersion (B,) of all choices of `sizes` faces a group, from the groups' sums of z (B, C) and counts."""
    total, pairs = 0.0, 0.0
    for z, count, k in zip(sums, counts, sizes, strict=True):
        square = (z**2).sum(axis=1)
        likeness = (square - count) / (count * (count - 1)) if count > 1 else 0.0
        total = total + k / count * z
        pairs = pairs + k * (k - 1) * likeness - (k / count) ** 2 * square
    n = sizes.sum()
    return 1 - ((total**2).sum(axis=1) + pairs) / (n * (n - 1))


def _resampled(
    z: np.ndarray, members: list[np.ndarray], sizes: np.ndarray, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Dispersion (draws,) of `sizes` faces a group, drawn with replacement, over pairs of different faces."""
    total, itself = 0.0, 0.0
    for rows, k in zip(members, sizes, strict=True):
        picks = rng.integers(0, len(rows), (draws, k)) + np.arange(draws)[:, None] * len(rows)
        times = np.bincount(picks.ravel(), minlength=draws * len(rows)).reshape(draws, len(rows)).astype(np.float64)
        total = total + times @ z[rows]
        itself = itself + (times**2).sum(axis=1)
    pairs = sizes.sum() ** 2 - itself
    # One face drawn every time has no pair.
    return 1 - ((total**2).sum(axis=1) - itself) / np.where(pairs > 0, pairs, np.nan)


def _relabelled(
    z: np.ndarray,
    members: list[tuple[np.ndarray, np.ndarray]],
    sizes: np.ndarray,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Wrong − right (draws,) after relabelling within groups."""
    sums: tuple[list, list] = ([], [])
    for wrong, right in members:
        rows = np.concatenate([wrong, right])
        side = np.zeros(len(rows), dtype=bool)
        side[: len(wrong)] = True
        picked = rng.permuted(np.tile(side, (draws, 1)), axis=1).astype(np.float64) @ z[rows]
        sums[0].append(picked)
        sums[1].append(z[rows].sum(axis=0) - picked)
    each = [_expected(sums[s], [len(m[s]) for m in members], sizes) for s in (0, 1)]
    return each[0] - each[1]


def _estimate(value: float, draws: np.ndarray) -> Estimate:
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return Estimate(float(value), float(low), float(high))
