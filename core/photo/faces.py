"""What is found in an upload: its faces, each cut out on the template. Needs no torch, as what draws them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Face:
    """A face found: `box` (left, top, right, bottom) and `points` (5, 2) in pixels of the upload's image.

    `crop` uint8 (112, 112, 3) and its `landmarks` (5, 2); `enlarged`: crop pixels for one of the image's;
    `outside`: the share of the crop that lies beyond the image's edge and holds its reflection.
    """

    box: np.ndarray
    points: np.ndarray
    probability: float
    crop: np.ndarray
    landmarks: np.ndarray
    enlarged: float
    outside: float


@dataclass(frozen=True)
class Found:
    """The `faces` from left to right; how many more there were (`left_out`), and `faint` ones that are likely none."""

    faces: list[Face]
    left_out: int
    faint: int
