"""What hiding each region costs for its size, and nose and mouth less every other region, with bounds at once.

Arrays of numbers alone: `core.checks.hiding` measures them with the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np
import pandas as pd

from core.checks.sample import Means, Sample, SampleGroup, bounds, draw_sample, partition, rounded
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.explain.regions import REGIONS
from core.task import GENDERS

#: The regions that are hidden as one, and what they are set beside.
TOGETHER = ("nose", "mouth")
CLAIMED = " and ".join(TOGETHER)
RIVALS = tuple(region for region in REGIONS if region not in TOGETHER)
#: How far regions are moved, down and across, in pixels of the template.
MOVE = 8
PLACES = ((0, 0), (-MOVE, 0), (MOVE, 0), (0, -MOVE), (0, MOVE))
#: The share of 5 % that one of six claims has.
LEVEL = 0.05 / 6
DRAWS = 2000
#: The share of the sample that is drawn among adults.
ADULTS = 4 / 5


class Way(StrEnum):
    """How a region's cost is measured: all of it hidden at once, or the mean of small patches, each hidden alone."""

    AT_ONCE = "at once"
    PATCHES = "patches"


@dataclass(frozen=True)
class Costs:
    """Logits lost per percent of the image hidden: float64 (n, 2 ways, fills, 5 places, 7 sets), in the order of
    `Way`, `fills`, `PLACES` and nose and mouth before `RIVALS`."""

    values: np.ndarray
    fills: tuple[str, ...]


def draw_correct(faces: pd.DataFrame, size: int, seed: int, minimum: int) -> Sample:
    """About `size` correct predictions, adults first: four in five of them, where there are others of known age.

    Either part is stratified by gender × ethnicity as `draw_sample` does, so weighted means are unbiased. Raises
    `LookwhereError` where fewer than `minimum` can be had.
    """
    right = faces["correct"].to_numpy(dtype=bool)
    adult = faces["age"].ge(ADULT_AGE).fillna(False).to_numpy(dtype=bool)
    parts = [np.flatnonzero(right & adult), np.flatnonzero(right & ~adult)]
    sizes = [round(size * ADULTS), size - round(size * ADULTS)]
    if min(map(len, parts)) < minimum or min(sizes) < minimum:
        parts, sizes = [np.flatnonzero(right)], [size]
    samples = [draw_sample(faces.iloc[rows], n, seed, minimum) for rows, n in zip(parts, sizes, strict=True)]
    place = np.concatenate([rows[sample.place] for rows, sample in zip(parts, samples, strict=True)])
    before = np.cumsum([0, *(sample.stratum.max() + 1 for sample in samples)])
    return Sample(
        place,
        np.concatenate([sample.weight for sample in samples]),
        np.concatenate([sample.stratum + start for sample, start in zip(samples, before, strict=False)]),
        faces.iloc[place].reset_index(drop=True),
        minimum,
    )


def groups_of(sample: Sample) -> list[SampleGroup]:
    """All of a sample of correct predictions, adults, and the genders of either, where they may be shown."""
    every = Filter(outcome="correct")
    groups = [SampleGroup(every.describe(), np.ones(len(sample), dtype=bool))]
    adults = Filter(outcome="correct", age_from=ADULT_AGE)
    adult_groups = partition(groups[0], sample.faces, [adults], groups, sample.minimum)
    for whole, members in ((every, groups[0]), *adult_groups.items()):
        parts = [whole.narrowed(gender=(gender,)) for gender in GENDERS]
        partition(members, sample.faces, parts, groups, sample.minimum)
    return groups


def tables(sample: Sample, costs: Costs, seed: int = 0) -> tuple[list[SampleGroup], dict[str, pd.DataFrame]]:
    """Tables `costs` (a way, fill and set a row, at the regions' own place, each by itself) and `less` (nose and mouth
    less a rival, a way and fill a row, bounds of `contrasts`)."""
    groups, own, less = groups_of(sample), [], []
    for group in groups:
        means = Means(sample, group, seed, DRAWS)
        replicates = means.replicates(costs.values)
        value, (low, high) = means.mean(costs.values), bounds(replicates)
        less_bounds = contrasts(value, replicates)
        for (w, way), (f, fill) in product(enumerate(Way), enumerate(costs.fills)):
            where = {"group": group.name, "way": way, "fill": fill}
            for s, name in enumerate((CLAIMED, *RIVALS)):
                at = (w, f, 0, s)
                own.append(rounded(where | {"hidden": name, "cost": value[at], "low": low[at], "high": high[at]}))
            for r, name in enumerate(RIVALS):
                three = dict(zip(("less", "low", "high"), less_bounds[:, w, f, r], strict=True))
                less.append(rounded(where | {"rival": name} | three))
    return groups, {"costs": pd.DataFrame(own), "less": pd.DataFrame(less)}


def contrasts(value: np.ndarray, replicates: np.ndarray) -> np.ndarray:
    """(3, ways, fills, rivals): nose and mouth less each rival at the regions' own place, and its widest bounds.

    `value` (ways, fills, places, sets) and bootstrap `replicates` (draws, …). Bounds hold for all contrasts at once, by
    the largest |t| of the draws at 1 − `LEVEL`; the widest over the places are kept.
    """
    less, less_drawn = value[..., :1] - value[..., 1:], replicates[..., :1] - replicates[..., 1:]
    error = less_drawn.std(axis=0)
    largest = np.abs((less_drawn - less) / np.maximum(error, 1e-12)).reshape(len(replicates), -1).max(axis=1)
    reach = float(np.quantile(largest, 1 - LEVEL)) * error
    return np.stack([less[:, :, 0], (less - reach).min(axis=2), (less + reach).max(axis=2)])
