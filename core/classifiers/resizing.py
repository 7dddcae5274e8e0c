"""Resizing as the libraries do it that models are trained with: the choice moves accuracy, most where faces shrink."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

#: Pillow's own filters, which round to whole grey levels.
PILLOW = {
    "pillow-bilinear": Image.Resampling.BILINEAR,
    "pillow-bicubic": Image.Resampling.BICUBIC,
    "pillow-lanczos": Image.Resampling.LANCZOS,
}


def resize(
    images: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float], how: str = "pillow-bilinear"
) -> np.ndarray:
    """uint8 (B, H, W, C) → the box (left, top, right, bottom) at `size` (height, width), float32 (B, h, w, C), 0–255.

    `how` is a `core.classifiers.imported.spec.Resize`. `pillow-…`: Pillow's filters, all of them antialiased.
    `bilinear`: between the two nearest pixels, as OpenCV's INTER_LINEAR and torch without antialiasing. `corners`: that
    with the corner pixels' centres on one another, as dlib's `resize_image` and torch's `align_corners`. `area`: the
    mean over each pixel's area, as OpenCV's INTER_AREA, for shrinking alone. `antialias`: torch's, which is Pillow's
    bilinear unrounded.
    """
    height, width = size
    if how in PILLOW:
        resized = [
            np.asarray(Image.fromarray(image).resize((width, height), PILLOW[how], box=box), dtype=np.float32)
            for image in images
        ]
        return np.stack(resized) if resized else np.empty((0, height, width, images.shape[3]), dtype=np.float32)
    left, top, right, bottom = box
    count, high, wide, depth = images.shape
    rows = _weights(top, bottom, height, high, how) @ images.reshape(count, high, wide * depth).astype(np.float32)
    return np.matmul(_weights(left, right, width, wide, how), rows.reshape(count, height, wide, depth))


@lru_cache(maxsize=32)
def _weights(low: float, high: float, size: int, pixels: int, how: str) -> np.ndarray:
    """What each of `pixels` pixels adds to each of `size` over low…high, float32 (size, pixels); rows add up to 1."""
    scale = (high - low) / size
    place = np.arange(pixels)
    if how == "area":
        start = low + scale * np.arange(size)[:, None]
        weights = np.clip(np.minimum(start + scale, place + 1) - np.maximum(start, place), 0, None)
    elif how == "antialias":
        away = place + 0.5 - (low + scale * (np.arange(size)[:, None] + 0.5))
        weights = np.clip(1 - np.abs(away) / max(scale, 1.0), 0, None)
        weights[:, (place + 1 <= low) | (place >= high)] = 0
    else:
        at = low + scale * (np.arange(size) + 0.5) - 0.5
        if how == "corners":
            at = low + np.arange(size) * ((high - low - 1) / max(size - 1, 1))
        # What lies beyond the box is its edge, as for an image that was cut out.
        at = np.clip(at, np.floor(low), np.ceil(high) - 1)
        weights = np.clip(1 - np.abs(place - at[:, None]), 0, None)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
