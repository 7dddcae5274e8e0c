"""What an imported graph is tried on: noise, and eight people's faces that may be shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from core.template import SIDE

#: Eight portraits of the Face Research Lab London Set, aligned, beside each other (core/photo/london/ATTRIBUTION.md).
PORTRAITS = Path(__file__).with_name("portraits.jpg")


def noise(count: int) -> np.ndarray:
    """Seeded noise for faces, uint8 (count, 112, 112, 3)."""
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def portraits() -> np.ndarray:
    """Aligned faces of eight people, uint8 (8, 112, 112, 3)."""
    with Image.open(PORTRAITS) as strip:
        pixels = np.asarray(strip.convert("RGB"))
    return np.ascontiguousarray(pixels.reshape(SIDE, -1, SIDE, 3).swapaxes(0, 1))
