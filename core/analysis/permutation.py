"""Two groups' contrast in many cells by whole units within strata, its family-wise p, and random signs of units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Permutations held at once; part of what makes a seed's result the same everywhere.
BLOCK = 250


@dataclass(frozen=True)
class Stratum:
    """The units of a stratum, k of them.

    `side` bool (k,): which are «A». `sums` float64 (k, C + 1): the sum S of the C centred cells of a unit's faces, and
    their number m. `keep_a`, `keep_b`: 1 − leverage on either side.
    """

    side: np.ndarray
    sums: np.ndarray
    keep_a: float
    keep_b: float


def family_wise(statistic: np.ndarray, highest: np.ndarray) -> np.ndarray:
    """Adjusted p of statistics (C,) from each permutation's largest |statistic| (B,): (1 + count) / (1 + B)."""
    # The permutations are summed in float32: a tie must stay one.
    reached = (highest[:, None] >= np.abs(statistic) * (1 - 1e-5)).sum(axis=0)
    return (1 + reached) / (1 + len(highest))


def units_of(
    a: np.ndarray, either: np.ndarray, people: np.ndarray | None, strata: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each face's unit (N,), −1 for those that take no part; the units' side and stratum, numbered from 0 (U,)."""
    strata = np.zeros(len(a), dtype=np.int64) if strata is None else np.asarray(strata, dtype=np.int64)
    rows = np.flatnonzero(either & (strata >= 0))
    alone = np.arange(len(rows))
    if people is None:
        of = alone
    else:
        person = pd.factorize(pd.Series(people, dtype="object")[rows])[0]
        of = np.unique(np.where(person < 0, -1 - alone, person) * 2 + a[rows], return_inverse=True)[1]
    levels, stratum = np.unique(strata[rows], return_inverse=True)
    units, kinds = int(of.max(initial=-1)) + 1, max(len(levels), 1)
    # Where a unit is one face this is the face's own stratum.
    home = np.bincount(of * kinds + stratum, minlength=units * kinds).reshape(units, kinds).argmax(axis=1)
    side = np.zeros(units, dtype=bool)
    side[of] = a[rows]
    both = (np.bincount(home[side], minlength=kinds) > 0) & (np.bincount(home[~side], minlength=kinds) > 0)
    shared = both[home]
    unit = np.full(len(a), -1)
    unit[rows] = np.where(shared, np.cumsum(shared) - 1, -1)[of]
    return unit, side[shared], (np.cumsum(both) - 1)[home[shared]]


def sums_by(place: np.ndarray, x: np.ndarray, size: int) -> np.ndarray:
    """Sums of rows (n, C) by `place` (n,): (size, C)."""
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(size))
    return np.add.reduceat(x[order], starts, axis=0)


def layers_of(x: np.ndarray, place: np.ndarray, side: np.ndarray, stratum: np.ndarray) -> list[Stratum]:
    """Cells of faces (n, C), centred by stratum, with each face's unit (n,); the units' side and stratum (U,)."""
    faces = np.bincount(place, minlength=len(side)).astype(np.float64)[:, None]
    total = sums_by(place, x, len(side))
    sums = np.concatenate([total, faces], axis=1)
    k = np.bincount(stratum)
    share = np.bincount(stratum[side], minlength=len(k)) / k
    weight = (k * share * (1 - share)).sum()
    return [
        Stratum(
            side[stratum == s],
            sums[stratum == s],
            1 - 1 / k[s] - (1 - share[s]) ** 2 / weight,
            1 - 1 / k[s] - share[s] ** 2 / weight,
        )
        for s in range(len(k))
    ]


def stratified_contrast(layers: list[Stratum]) -> tuple[np.ndarray, np.ndarray, float, list[np.ndarray]]:
    """Difference and HC2 variance (C,), weight Σ n_A n_B / n, and the units' shares in the difference.

    With c = 1 − p on side A and −p on B (p: A's share of a stratum's faces) and x centred by stratum, the coefficient
    is d = Σ_A x / W, its variance Σ_units (c S − c² m d)² / (1 − leverage) / W². The shares are the terms of that sum
    before they are squared, of side A (k_A, C) and of side B.
    """
    faces = [layer.sums[:, -1] for layer in layers]
    part = [m[layer.side].sum() / m.sum() for layer, m in zip(layers, faces, strict=True)]
    weight = sum(m.sum() * p * (1 - p) for m, p in zip(faces, part, strict=True))
    d = sum(layer.sums[layer.side, :-1].sum(axis=0) for layer in layers) / weight
    shares: tuple[list, list] = ([], [])
    for layer, m, p in zip(layers, faces, part, strict=True):
        for place, (side, c, keep) in enumerate(((layer.side, 1 - p, layer.keep_a), (~layer.side, -p, layer.keep_b))):
            shares[place].append((c * layer.sums[side, :-1] - c**2 * m[side, None] * d) / np.sqrt(keep) / weight)
    both = [np.concatenate(parts) for parts in shares]
    return d, sum((part**2).sum(axis=0) for part in both), float(weight), both


def studentised(delta: np.ndarray, variance: np.ndarray, weight: np.ndarray | float) -> np.ndarray:
    """Studentised; the floor (cells have unit variance) gives 0 for a cell without any, not 0 / 0."""
    return delta / np.sqrt(np.maximum(variance, 1e-9 / weight))


SAMPLES = 2000


def max_t(sums: np.ndarray, permutations: int = SAMPLES, seed: int = 0) -> np.ndarray:
    """Family-wise p (C,) of «the mean is 0» for the columns of `sums` (P, C), one row an independent unit.

    Signs of whole rows are flipped; |t| of a cell is set against the permutations' largest (Westfall & Young 1993;
    Winkler et al. 2014, NeuroImage 92:381). Σx / √Σx² orders as t does, and its denominator knows no signs. Exact where
    a row is as likely as its negative, as the change between two models is where neither is better; for maps, which
    are skewed, see `highest_t`.
    """
    sums = np.asarray(sums, dtype=np.float64)
    norm = np.sqrt((sums**2).sum(axis=0))
    scaled = np.divide(sums, norm, out=np.zeros_like(sums), where=norm > 0)
    observed = np.abs(scaled.sum(axis=0))
    draw, above = np.random.default_rng(seed), np.zeros(sums.shape[1])
    for start in range(0, permutations, BLOCK):
        signs = draw.integers(0, 2, (min(BLOCK, permutations - start), len(sums)), dtype=np.int8) * 2.0 - 1
        largest = np.abs(signs @ scaled).max(axis=1)
        above += (largest[:, None] >= observed - 1e-9).sum(axis=0)
    return (1 + above) / (1 + permutations)
