"""The aligned square: its side, and where the five landmarks lie on it."""

from __future__ import annotations

import numpy as np

#: Pixels of the template a side. Pixel centres are whole numbers, so the square reaches from −0.5 to 111.5.
SIDE = 112
#: Pixels a side of a cell of a ResNet's last stage, dilated.
CELL = 16


#: (x, y) of left eye, right eye, nose, left and right mouth corner, as seen in the image, in pixels of 112.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float64,
)


TEMPLATE_NAME = "arcface-112"
