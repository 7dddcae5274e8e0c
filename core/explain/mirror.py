"""The mirror test of a placement: averaged over faces and their mirror images, a map has no left and no right.

What is left of a difference between the mean map and its mirror image is that cells do not lie where they are drawn, or
that the network itself looks more to one side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.explain.method import Explanation
from core.explain.placement import Placement, enlarged, placed
from core.template import SIDE


@dataclass(frozen=True)
class Mirrored:
    """The mean strength of the maps of `n` images and of their mirror images, float64 (h, w), |E_female − E_male|.

    `placed` and `tiles`: its mismatch as the placement draws it, and as tiles would.
    """

    n: int
    strength: np.ndarray
    placed: float
    tiles: float


def mirror_mismatch(strength: np.ndarray, placement: Placement | None = None) -> float:
    """How unlike its own mirror image a map is, (h, w) and not negative: 0 where it is symmetric about the middle, 1
    where both nowhere overlap; NaN where it is empty.

    Σ |D − mirrored D| / Σ (D + mirrored D) of the map D as it is drawn, between the outermost columns' centres as far
    as they reach on both sides: beyond them nothing was measured.
    """
    at = placed(strength.shape, placement)
    reach = min(SIDE / 2 - at.columns[0], at.columns[-1] - SIDE / 2)
    inner = np.abs(np.arange(SIDE) + 0.5 - SIDE / 2) <= reach
    density = enlarged(strength, at, SIDE).astype(np.float64)[:, inner]
    total = 2 * density.sum()
    return float(np.abs(density - density[:, ::-1]).sum() / total) if total > 0 else float("nan")


def mirror_test(
    explain: Callable[[np.ndarray], Explanation], images: np.ndarray, placement: Placement | None, batch: int = 16
) -> Mirrored:
    """The test on images uint8 (n, 112, 112, 3), twice as many as are explained; `explain` as a classifier has it."""
    total: np.ndarray | float = 0.0
    for low in range(0, len(images), batch):
        faces = images[low : low + batch]
        for shown_faces in (faces, np.ascontiguousarray(faces[:, :, ::-1])):
            evidence = explain(shown_faces)[1].astype(np.float64)
            total = total + np.abs(evidence[:, 0] - evidence[:, 1]).sum(axis=0)
    strength = np.asarray(total) / (2 * len(images))
    return Mirrored(len(images), strength, mirror_mismatch(strength, placement), mirror_mismatch(strength))
