"""Aligned faces laid on another template by each face's own landmarks, from the aligned face and not from its source.

What that loses: one more interpolation between pixels, and beyond the aligned face's edge its mirror image.
"""

from __future__ import annotations

import numpy as np

from core.data.alignment import similarity
from core.template import SIDE


def realigned(faces: np.ndarray, landmarks: np.ndarray, template: np.ndarray) -> np.ndarray:
    """uint8 (B, 112, 112, 3) with `landmarks` (B, 5, 2) → the same, each turned, scaled and shifted so that its
    landmarks come to `template` by least squares: five points, or the two of the eyes alone.

    Where landmarks and template are the same points already nothing changes; bilinear, from pixel to pixel. Faces whose
    landmarks are not known stay as they are.
    """
    import torch
    import torch.nn.functional as F

    y, x = np.mgrid[:SIDE, :SIDE]
    grid = np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float64)
    unit = np.empty((len(faces), SIDE, SIDE, 2), dtype=np.float32)
    for n, points in enumerate(landmarks):
        complete = np.isfinite(points).all()
        matrix = similarity(points[: len(template)], template) if complete else np.eye(3)[:2]
        back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
        unit[n] = (2 * (grid @ back.T) + 1) / SIDE - 1
    pixels = torch.from_numpy(np.ascontiguousarray(faces)).permute(0, 3, 1, 2).float()
    warped = F.grid_sample(
        pixels, torch.from_numpy(unit), mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return warped.permute(0, 2, 3, 1).round().clamp(0, 255).numpy().astype(np.uint8)
