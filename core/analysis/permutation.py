"""Relabelling whole units within strata: the two-sample contrast of many cells, fast, and its family-wise p."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Permutations held at once; part of what makes a seed's result the same everywhere.
BLOCK = 250


@dataclass(frozen=True)
class Stratum:
    """The units of a stratum that are relabelled as a whole, k of them.

    `side` bool (k,): which are «A». `sums` float64 (k, 3C + 2): S, S², m·S, m and m² of a unit's m faces with the sum
    S of their C centred cells. `keep_a`, `keep_b`: 1 − leverage on either side.
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


def relabellings(sides: list[np.ndarray], permutations: int, rng: np.random.Generator) -> Iterator[list[np.ndarray]]:
    """Blocks of relabelled sides, bool (block, k) a stratum of k units; each keeps its number of «A»."""
    for start in range(0, permutations, BLOCK):
        block = min(BLOCK, permutations - start)
        yield [rng.permuted(np.tile(side, (block, 1)), axis=1) for side in sides]


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
    known, stratum = np.unique(strata[rows], return_inverse=True)
    units, kinds = int(of.max(initial=-1)) + 1, max(len(known), 1)
    # Where a unit is one face this is the face's own stratum.
    home = np.bincount(of * kinds + stratum, minlength=units * kinds).reshape(units, kinds).argmax(axis=1)
    side = np.zeros(units, dtype=bool)
    side[of] = a[rows]
    both = (np.bincount(home[side], minlength=kinds) > 0) & (np.bincount(home[~side], minlength=kinds) > 0)
    kept = both[home]
    unit = np.full(len(a), -1)
    unit[rows] = np.where(kept, np.cumsum(kept) - 1, -1)[of]
    return unit, side[kept], (np.cumsum(both) - 1)[home[kept]]


def sums_by(place: np.ndarray, x: np.ndarray, size: int) -> np.ndarray:
    """Sums of rows (n, C) by `place` (n,): (size, C)."""
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(size))
    return np.add.reduceat(x[order], starts, axis=0)


def layers_of(x: np.ndarray, place: np.ndarray, side: np.ndarray, stratum: np.ndarray) -> list[Stratum]:
    """Cells of faces (n, C), centred by stratum, with each face's unit (n,); the units' side and stratum (U,)."""
    faces = np.bincount(place, minlength=len(side)).astype(np.float64)[:, None]
    total = sums_by(place, x, len(side))
    sums = np.concatenate([total, total**2, faces * total, faces, faces**2], axis=1)
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


def stratified_contrast(
    layers: list[Stratum], labels: list[np.ndarray], dtype: type
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Difference and HC2 variance (B, C), weight Σ n_A n_B / n (B, 1), of relabelled sides bool (B, k) a stratum.

    With c = 1 − p on side A and −p on B (p: A's share of a stratum's faces) and x centred by stratum, the coefficient
    is d = Σ_A x / W, its variance Σ_units (c S − c² m d)² / (1 − leverage) / W²: a polynomial in d of sums over A.
    """
    top = weight = constant = linear = square = 0.0
    cells = (layers[0].sums.shape[1] - 2) // 3
    for layer, label in zip(layers, labels, strict=True):
        inside = (label.astype(dtype) @ layer.sums.astype(dtype)).astype(np.float64)
        outside = layer.sums.sum(axis=0) - inside
        (s, q, p, n, m), (_, q_b, p_b, n_b, m_b) = (
            np.split(part, [cells, 2 * cells, 3 * cells, 3 * cells + 1], axis=1) for part in (inside, outside)
        )
        c, c_b = n_b / (n + n_b), n / (n + n_b)
        alpha, beta = c**2 / layer.keep_a, c_b**2 / layer.keep_b
        top = top + s
        weight = weight + n * c
        constant = constant + alpha * q + beta * q_b
        linear = linear - 2 * c * alpha * p + 2 * c_b * beta * p_b
        square = square + c**2 * alpha * m + c_b**2 * beta * m_b
    d = top / weight
    return d, np.maximum(constant + d * (linear + d * square), 0) / weight**2, weight


def studentised(delta: np.ndarray, variance: np.ndarray, weight: np.ndarray | float) -> np.ndarray:
    """Studentised; the floor (cells have unit variance) gives 0 for a cell without any, not 0 / 0."""
    return delta / np.sqrt(np.maximum(variance, 1e-9 / weight))


SAMPLES = 2000


_SIGN_BLOCK = 250


def max_t(sums: np.ndarray, permutations: int = SAMPLES, seed: int = 0) -> np.ndarray:
    """Family-wise p (C,) of «the mean is 0» for the columns of `sums` (P, C), one row an independent unit.

    Signs of whole rows are flipped; |t| of a cell is set against the permutations' largest (Westfall & Young 1993;
    Winkler et al. 2014, NeuroImage 92:381). Σx / √Σx² orders as t does, and its denominator knows no signs.
    """
    return max_t_chance(np.asarray(sums, dtype=np.float64)[:, None], permutations, seed)[0]


def max_t_chance(sums: np.ndarray, permutations: int, seed: int) -> np.ndarray:
    """p (F, C) of F families at once, from `sums` (P, F, C), by the same flips."""
    units, families, cells = sums.shape
    norm = np.sqrt((sums**2).sum(axis=0))
    scaled = np.divide(sums, norm, out=np.zeros_like(sums), where=norm > 0)
    seen = np.abs(scaled.sum(axis=0))
    draw, flat, above = np.random.default_rng(seed), scaled.reshape(units, -1), np.zeros((families, cells))
    for start in range(0, permutations, _SIGN_BLOCK):
        block = min(_SIGN_BLOCK, permutations - start)
        signs = draw.integers(0, 2, (block, units), dtype=np.int8) * 2.0 - 1
        largest = np.abs(signs @ flat).reshape(block, families, cells).max(axis=2)
        above += (largest[:, :, None] >= seen - 1e-9).sum(axis=0)
    return (1 + above) / (1 + permutations)
