"""Faces drawn from a large audit, for tests whose time grows with the faces.

Counts, accuracies and mean maps are always of all faces. Tests of maps resample or permute faces, and of millions they
would take minutes to tell what some thousands tell as well; so of each side at most `MOST_DRAWN` faces are tested,
drawn at random, the same ones every time. The sample's own error is that of the intervals and of p.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.audit.folder import Audit
from core.data.filters import Filter

#: Faces of a side that are tested; the standard error of a mean is then 0.7 % of the standard deviation.
MOST_DRAWN = 20_000


def drawn_rows(audit: Audit, sides: Sequence[Filter], seed: int = 0) -> np.ndarray | None:
    """The rows int64 (n,), rising, of the faces of all sides; None where no side has more than `MOST_DRAWN`.

    Sides that share faces are drawn from together, so that none of them is thinned out more than the other.
    """
    if len(audit.faces) <= MOST_DRAWN:
        return None
    masks = [side.mask(audit.faces) for side in sides]
    if max(int(mask.sum()) for mask in masks) <= MOST_DRAWN:
        return None
    if np.add.reduce(masks, dtype=np.int8).max() > 1:
        masks = [np.logical_or.reduce(masks)]
    rows_by_side = []
    for place, mask in enumerate(masks):
        rows = np.flatnonzero(mask)
        if len(rows) > MOST_DRAWN:
            rows = np.random.default_rng([seed, place]).choice(rows, MOST_DRAWN, replace=False)
        rows_by_side.append(rows)
    return np.sort(np.concatenate(rows_by_side))


def drawn(audit: Audit, *sides: Filter, seed: int = 0) -> Audit:
    """The audit of faces drawn from each of the sides; itself where there are no more than are tested anyway."""
    rows = drawn_rows(audit, sides, seed)
    return audit if rows is None else audit.of_rows(rows)


def drawn_words(audit: Audit, *sides: Filter) -> str | None:
    """«Intervals and tests of maps are of 40,000 faces drawn at random …»; None where all faces are tested."""
    rows = drawn_rows(audit, sides)
    if rows is None:
        return None
    whole = int(np.logical_or.reduce([side.mask(audit.faces) for side in sides]).sum())
    return (
        f"Maps of {len(rows):,} of these {whole:,} faces, drawn at random, are tested here, at most {MOST_DRAWN:,} a "
        "side: intervals and p are as wide as that sample's error. Accuracies are of all faces."
    )
