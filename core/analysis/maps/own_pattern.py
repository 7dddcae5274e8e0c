"""What maps of incorrect predictions have beyond the map that the network shows for correct and incorrect ones alike.

A network that looks at faces has a common map, and any set of its maps shows it. The common map says nothing of what
makes predictions incorrect. So incorrect predictions are compared with correct ones like them, and what lies along the
mean map of these correct ones is taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.analysis.intervals import Z95
from core.analysis.maps.differences import ABSTAIN_UNDER, MapDifference, difference
from core.analysis.maps.dispersion import standardised
from core.analysis.maps.sides import USUAL, Resampling, Sides
from core.analysis.permutation import Stratum, layers_of, stratified_contrast, sums_by, units_of
from core.errors import LookwhereError
from core.estimate import Estimate
from core.explain.placement import Placement
from core.privacy import MINIMUM_FACES

#: Random halves that are compared.
SPLITS = 500
#: Units' halves held at a time: memory is bounded whatever the faces.
_BLOCK = 500_000


@dataclass(frozen=True)
class OwnPattern:
    """W, the mean map of incorrect predictions, and C, that of correct ones like them: W = shown · C + own, own ⟂ C.

    All maps are taken without level and strength (mean 0, standard deviation 1 over the cells). Strata weigh in both
    means as in `difference`. `wrong` and `common` are W and C, float64 (h, w). `shown` is how much of the common map
    incorrect predictions show, 1 where they show all of it. `own` is the tested difference, whose `difference` is the
    own pattern. `strength` is |own| / |C| with bounds, without the part that chance adds. `halves` is Pearson's r of
    the own patterns of two random halves of both sides: the mean over the splits, and where 95 % of them lie. `reach`
    is how often the upper bound of the strength would fall under `limit` if there were no own pattern.
    """

    wrong: np.ndarray
    common: np.ndarray
    shown: Estimate
    own: MapDifference
    strength: Estimate
    halves: Estimate
    reach: float
    limit: float


def own_pattern(
    shapes: np.ndarray,
    sides: Sides,
    resampling: Resampling = USUAL,
    *,
    limit: float = 0.25,
    splits: int = SPLITS,
    minimum: int = MINIMUM_FACES,
    placement: Placement | None = None,
) -> OwnPattern:
    """The own pattern of incorrect predictions, side A, beside correct ones, B, of maps (N, h, w), none constant.

    `difference` tests it family-wise over the cells; its sides get names of their own. The bounds of the strength hold
    |own|² less the sum of its variances, whose own variance is 2 tr Σ² + 4 own' Σ own, the second term by Σ's largest
    eigenvalue: they are wider than need be. Raises `LookwhereError` where under 30 incorrect ones (people, where known)
    have a correct one in their stratum.
    """
    unit, side, home = units_of(sides.a, sides.a | sides.b, sides.people, sides.strata)
    if min(side.sum(), (~side).sum()) < ABSTAIN_UNDER:
        raise LookwhereError(
            f"{int(side.sum())} incorrect predictions have correct ones like them: a test needs {ABSTAIN_UNDER}"
        )
    used = unit >= 0
    place = unit[used]
    stratum = home[place]
    z = standardised(shapes[used]) * np.sqrt(shapes[0].size)
    mean_wrong, common, counts = _stratified_means(z, stratum, side[place])
    size = float(np.sqrt((common**2).sum()))
    along = z @ (common / size)
    beyond = z - along[:, None] * (common / size)

    x = np.column_stack([beyond, along])
    x -= (sums_by(stratum, x, len(counts)) / counts[:, None])[stratum]
    layers = layers_of(x, place, side, home)
    delta, variance, _, shares = stratified_contrast(layers)
    common_share = 1 + float(delta[-1]) / size
    error = Z95 * float(np.sqrt(variance[-1])) / size
    covariance = sum(part[:, :-1].T @ part[:, :-1] for part in shares)
    strength, reach = _strength(delta[:-1], covariance, size, limit)

    maps = np.zeros((len(shapes), *shapes.shape[1:]))
    maps[used] = beyond.reshape(-1, *shapes.shape[1:])
    own = difference(
        maps,
        replace(sides, names=("incorrect predictions", "correct ones like them")),
        resampling,
        minimum=minimum,
        placement=placement,
    )
    return OwnPattern(
        mean_wrong.reshape(shapes.shape[1:]),
        common.reshape(shapes.shape[1:]),
        Estimate(common_share, common_share - error, common_share + error),
        own,
        strength,
        _halves(layers, splits, resampling.seed),
        reach,
        limit,
    )


def _stratified_means(
    z: np.ndarray, stratum: np.ndarray, on_wrong: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean map (C,) of the incorrect and of the correct ones of `z` (N, C), and how many faces each stratum has (S,).

    A stratum weighs n_A n_B / (n_A + n_B) in both means, as in `difference`.
    """
    strata = int(stratum.max()) + 1
    faces = np.stack([np.bincount(stratum[on], minlength=strata) for on in (on_wrong, ~on_wrong)])
    weight = faces.prod(axis=0) / faces.sum(axis=0)
    incorrect, correct = (
        weight @ (sums_by(stratum[on], z[on], strata) / count[:, None]) / weight.sum()
        for on, count in zip((on_wrong, ~on_wrong), faces, strict=True)
    )
    return incorrect, correct, faces.sum(axis=0)


def _strength(own: np.ndarray, covariance: np.ndarray, size: float, limit: float) -> tuple[Estimate, float]:
    """|own| / size with its bounds, and how often the upper one would fall under `limit` if own were nothing."""
    from scipy.special import ndtr

    chance = float(np.trace(covariance))
    spread, steep = 2 * float((covariance**2).sum()), 4 * float(np.linalg.eigvalsh(covariance)[-1])
    square = float(own @ own) - chance
    # |y − square| = z √(spread + steep · y): two roots in y, the true |own|².
    middle = square + Z95**2 * steep / 2
    root = np.sqrt(np.maximum(middle**2 - square**2 + Z95**2 * spread, 0))
    value, low, high = (np.sqrt(max(y, 0.0)) / size for y in (square, middle - root, middle + root))
    most = (limit * size) ** 2 - Z95 * np.sqrt(spread + steep * (limit * size) ** 2)
    return Estimate(float(value), float(low), float(high)), float(ndtr(most / np.sqrt(spread)))


def _halves(layers: list[Stratum], splits: int, seed: int) -> Estimate:
    """r of the contrasts of two halves of units, drawn anew in each stratum and side (its odd one in either half)."""
    draw = np.random.default_rng(seed)
    cells = layers[0].sums.shape[1] - 2
    # Incorrect ones and correct, by turns.
    parts = [layer.sums[on] for layer in layers for on in (layer.side, ~layer.side)]
    sums, group = np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    maps, faces = sums[:, :cells], sums[:, -1]
    starts = np.searchsorted(group, np.arange(len(parts)))
    correlations, place = np.empty(splits), np.arange(len(group))
    block = max(1, _BLOCK // len(group))
    for start in range(0, splits, block):
        halves = np.empty((min(block, splits - start), len(group)))
        for half in halves:
            order = np.lexsort((draw.random(len(group)), group))
            half[order] = (place + draw.integers(0, 2, len(parts))[group]) % 2
        first_half, second_half = (_contrasts(half, maps, faces, group, starts) for half in (halves, 1 - halves))
        correlations[start : start + len(halves)] = _correlation(first_half, second_half)
    low, high = np.nanpercentile(correlations, [2.5, 97.5])
    return Estimate(float(np.nanmean(correlations)), float(low), float(high))


def _contrasts(
    members: np.ndarray, maps: np.ndarray, faces: np.ndarray, group: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """Wrong less right (R, C) of the units `members` (R, U), 1 or 0, of sums of `maps` (U, C) over `faces` (U,).

    `group` (U,) is the unit's place in strata of two sides each, incorrect ones first, which begin at `starts`.
    """
    n = np.add.reduceat(members * faces, starts, axis=1)
    wrong, right = n[:, ::2], n[:, 1::2]
    both = np.maximum(wrong + right, 1)
    share = np.stack([right / both, -wrong / both], axis=2).reshape(n.shape)
    return (members * share[:, group]) @ maps / np.maximum((wrong * right / both).sum(axis=1), 1e-12)[:, None]


def _correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Pearson's r (R,) of the rows of two arrays (R, C); NaN of a constant row."""
    first, second = (rows - rows.mean(axis=1, keepdims=True) for rows in (first, second))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (first * second).sum(axis=1) / np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
