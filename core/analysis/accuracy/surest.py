"""Which group is the worst and which the best, by what is sure of them: the one rule, for groups of any size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Surest:
    """Places of the `worst` and the `best` group; `as_low` bool (G,): others that may be as low as the worst.

    `told_apart`: the best is sure to lie above the worst. Where it is not, no two groups are told apart, and the two
    are the pair whose difference is surest.
    """

    worst: int
    best: int
    as_low: np.ndarray
    told_apart: bool


def surest(value: np.ndarray, low: np.ndarray, high: np.ndarray, apart: np.ndarray) -> Surest:
    """Worst is the lowest upper bound, best the highest lower one of the others (docs/rules.md); two groups and more.

    `value`, `low`, `high` (G,): accuracies with bounds that hold for all groups at once. `apart` (G, G): lower bound of
    the accuracy of row less column, of intervals that hold for all pairs at once. Of equal bounds the lower (higher)
    accuracy decides. Where these two are not told apart, the pair with the highest bound in `apart` stands for them.
    """
    worst = int(np.lexsort((value, high))[0])
    candidates = np.delete(np.arange(len(value)), worst)
    best = int(candidates[np.lexsort((-value[candidates], -low[candidates]))[0]])
    if not apart[best, worst] > 0:
        ordered = np.where(value[:, None] >= value[None, :], apart, -np.inf)
        np.fill_diagonal(ordered, -np.inf)
        best, worst = (int(place) for place in np.unravel_index(ordered.argmax(), ordered.shape))
    as_low = ~(apart[:, worst] > 0)
    as_low[worst] = False
    return Surest(worst, best, as_low, bool(apart[best, worst] > 0))
