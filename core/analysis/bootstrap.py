"""Bootstrap of means: resampling by unit (a person, or a face where nobody is known), and percentile intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

DRAWS = 2000


@dataclass(frozen=True)
class Resampling:
    """How often a bootstrap draws its sample anew, and the seed of its draws: the same two give the same interval."""

    draws: int = DRAWS
    seed: int = 0


#: Bootstrap counts held at a time: they stay in the processor's cache, and memory is bounded whatever the faces.
_BLOCK = 500_000
#: More units of a group than these are drawn in bundles by `highest_t`.
MOST_UNITS = 4000


def bootstrap_means(values: np.ndarray, people: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Means of values (n, K) in each of `draws` samples of whole people, float64 (draws, K)."""
    everyone = np.ones((1, len(values)), dtype=bool)
    return paired_means(values, everyone, people, draws, seed)[0]


def paired_means(values: np.ndarray, masks: np.ndarray, people: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Means of values (N, K) over each of the groups `masks` (G, N) in the same samples, float64 (G, draws, K).

    Groups without a common person are drawn each by itself and keep their number of people. Else people are drawn from
    all of them at once, so that what groups share moves them together; a sample may then miss a tiny group (NaN).
    A sample is a row of counts; all samples are one product with the people's sums.
    """
    random = np.random.default_rng(seed)
    rows = np.flatnonzero(masks.any(axis=0))
    codes, places = np.unique(people[rows], return_inverse=True)
    weighed = np.column_stack([values[rows], np.ones(len(rows))])
    sums = np.zeros((len(codes), len(masks), weighed.shape[1]))
    for index, mask in enumerate(masks):
        inside = mask[rows]
        np.add.at(sums[:, index], places[inside], weighed[inside])
    member = sums[:, :, -1] > 0
    stratum = member.argmax(axis=1) if (member.sum(axis=1) == 1).all() else np.zeros(len(codes), dtype=np.int64)
    totals = np.zeros((draws, len(masks) * weighed.shape[1]))
    for index in np.unique(stratum):
        members = sums[stratum == index].reshape(-1, totals.shape[1])
        count = len(members)
        block = max(1, _BLOCK // count)
        for start in range(0, draws, block):
            size = min(block, draws - start)
            picks = random.integers(0, count, (size, count)) + np.arange(size)[:, None] * count
            counts = np.bincount(picks.ravel(), minlength=size * count).reshape(size, count)
            totals[start : start + size] += counts.astype(np.float64) @ members
    totals = totals.reshape(draws, len(masks), -1).transpose(1, 0, 2)
    with np.errstate(invalid="ignore"):
        return totals[:, :, :-1] / totals[:, :, -1:]


def bootstrap_interval(replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle 95 % of bootstrap values (draws, K): low and high, (K,)."""
    low, high = np.nanpercentile(replicates, [2.5, 97.5], axis=0)
    return low, high


def by_unit(values: np.ndarray, units: np.ndarray | None) -> np.ndarray:
    """Sums of the rows of `values` (N, V) by person, float64 (P, V); the rows themselves where `units` is None."""
    values = np.asarray(values, dtype=np.float64)
    if units is None:
        return values
    codes = pd.factorize(units)[0]
    sums = np.zeros((codes.max() + 1, values.shape[1]))
    np.add.at(sums, codes, values)
    return sums


def resampled_sums(values: np.ndarray, units: np.ndarray | None, samples: int, draw: np.random.Generator) -> np.ndarray:
    """Column sums (R, V) of `values` (N, V) over faces, or people as a whole, drawn with replacement R times.

    Equal rows are drawn together, by one multinomial: exact, and fast for counts.
    """
    rows = by_unit(values, units)
    bits = np.packbits(values, axis=1) if units is None and values.dtype == bool else rows
    keys = np.ascontiguousarray(bits).view(f"V{bits.shape[1] * bits.itemsize}").ravel()
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    counts_of_draws = draw.multinomial(counts.sum(), counts / counts.sum(), size=samples)
    return counts_of_draws.astype(np.float64) @ rows[first].astype(np.float64)


def highest_t(parts: Sequence[np.ndarray], draws: int, seed: int, families: int = 1) -> np.ndarray:
    """The largest |t| over the cells of each of `draws` bootstrap samples under no effect: float64 (draws, families).

    `parts` (n_i, C) are independent units' shares in a sum, a part a group; each is centred, drawn with replacement
    and studentised anew (Hall 1988, Ann Stat 16:927; Efron & Tibshirani 1993, ch. 12). So the draws have the data's
    skewness and each group's own spread, which signs or labels drawn at random have not. The C cells are `families` of
    equally many. Of many units random bundles are drawn, whose sums vary as the units' do.
    """
    draw = np.random.default_rng(seed)
    bundled = [_bundles(part - part.mean(axis=0), draw) for part in parts]
    both = [np.concatenate([part, part**2], axis=1).astype(np.float32) for part in bundled]
    # A cell without any spread has t = 0 in all samples, one that loses it in a sample has a huge one there.
    least = 1e-6 * np.maximum(sum((part**2).sum(axis=0) for part in bundled), 1e-12)
    largest, cells = np.empty((draws, families)), parts[0].shape[1]
    block = max(1, _BLOCK // max(len(part) for part in bundled))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        total, variance = np.zeros((size, cells)), np.zeros((size, cells))
        for part in both:
            n = len(part)
            picks = draw.integers(0, n, (size, n)) + np.arange(size)[:, None] * n
            counts = np.bincount(picks.ravel(), minlength=size * n).reshape(size, n)
            sums = (counts.astype(np.float32) @ part).astype(np.float64)
            total += sums[:, :cells]
            variance += (sums[:, cells:] - sums[:, :cells] ** 2 / n) * n / (n - 1)
        t = np.abs(total) / np.sqrt(np.maximum(variance, least))
        largest[start : start + size] = t.reshape(size, families, -1).max(axis=2)
    return largest


def _bundles(part: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Rows (n, C) as they are, or the sums of `MOST_UNITS` random bundles of them."""
    if len(part) <= MOST_UNITS:
        return part
    starts = np.linspace(0, len(part), MOST_UNITS, endpoint=False).astype(np.int64)
    return np.add.reduceat(part[draw.permutation(len(part))], starts, axis=0)
