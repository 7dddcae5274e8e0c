"""Shapes of maps: their strength taken away, their sign turned to the chosen class."""

from __future__ import annotations

import numpy as np

from core.audit.folder import Audit
from core.explain.maps import target_maps


def oriented_shapes(audit: Audit) -> np.ndarray:
    """Each face's evidence for the chosen class over the other, float32 (N, h, w), root mean square 1 (or all 0).

    This is the margin map times the sign of the prediction, without its strength. The raw margin maps of right and
    incorrect predictions of a group differ trivially: their mean is the logit difference, whose sign is what makes one
    right and the other wrong.
    """
    audit.need_maps()
    margin = target_maps(audit.evidence.astype(np.float32), "margin", np.empty(0), np.empty(0))
    sign = np.where(audit.called == 0, 1.0, -1.0).astype(np.float32)
    strength = np.sqrt((margin**2).mean(axis=(1, 2)))
    return margin * (sign / np.where(strength > 0, strength, 1.0))[:, None, None]


def by_rms(maps: np.ndarray) -> np.ndarray:
    """Each map (N, h, w) divided by its root mean square, so that only its shape is left; an empty one stays 0."""
    strength = np.sqrt((maps.astype(np.float64) ** 2).mean(axis=(1, 2), keepdims=True))
    return np.divide(maps, strength, out=np.zeros(maps.shape), where=strength > 0)
