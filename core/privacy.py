"""What may be shown: the smallest group, and the finest map."""

from __future__ import annotations

import numpy as np

from core.errors import LookwhereError


def showable(sizes: np.ndarray) -> np.ndarray:
    """Which clusters of a partition are shown, bool (K,): the faces of the others are none or 11 and more."""
    sizes = np.asarray(sizes)
    shown = sizes >= MINIMUM_FACES
    while 0 < sizes[~shown].sum() < MINIMUM_FACES and shown.any():
        shown[np.flatnonzero(shown)[sizes[shown].argmin()]] = False
    return shown


#: No average of fewer faces is stored or shown: a single face could be seen through it.
MINIMUM_FACES = 11


#: Rows and columns that a map may have at most: cells of 8 pixels and more show no face.
MOST_CELLS = 14


def coarse(evidence: np.ndarray) -> np.ndarray:
    """The same maps (…, h, w). Raises `LookwhereError` where they are finer than `MOST_CELLS`: they show faces."""
    if max(evidence.shape[-2:]) > MOST_CELLS:
        height, width = evidence.shape[-2:]
        raise LookwhereError(
            f"maps of {height}×{width} cells show the face itself, {MOST_CELLS}×{MOST_CELLS} are the most; bring the "
            "model again"
        )
    return evidence
