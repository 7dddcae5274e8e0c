"""How images come before the detector of faces: small ones enlarged, with a border of mid-grey around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

#: Mid-grey, so that the border is no edge to the detector (it subtracts 127.5).
GREY = (127, 127, 127)
#: Images whose shorter side has fewer pixels are enlarged to so many before they are looked at.
ENLARGED_TO = 100


def enlargement(size: tuple[int, int]) -> float:
    """How many times an image of `size` is enlarged before it is looked at; 1 for all but small ones."""
    return max(1.0, ENLARGED_TO / min(size)) if max(size) < 4 * ENLARGED_TO else 1.0


@dataclass(frozen=True)
class Frame:
    """Of images of one size (width, height): enlarged to `scaled_size`, with `border` pixels
    of grey around."""

    size: tuple[int, int]
    scale: float
    scaled_size: tuple[int, int]
    border: int

    @classmethod
    def of(cls, size: tuple[int, int], border: float, padding: int) -> Frame:
        """`border` is a share of the image's shorter side; `padding` is in its pixels."""
        scale = enlargement(size)
        scaled_size = (round(size[0] * scale), round(size[1] * scale))
        return cls(size, scale, scaled_size, round(border * min(scaled_size) + padding * scale))

    @property
    def full_size(self) -> tuple[int, int]:
        """Width and height with the border."""
        return self.scaled_size[0] + 2 * self.border, self.scaled_size[1] + 2 * self.border

    def pixels(self, images: list[Image.Image]) -> np.ndarray:
        """Images as the detector takes them, uint8 (N, H, W, 3), without the border."""
        if self.scale != 1:
            images = [image.resize(self.scaled_size, Image.Resampling.BICUBIC) for image in images]
        return np.stack([np.asarray(image) for image in images])
