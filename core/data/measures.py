"""What an image itself says, in numbers: of the aligned square, and of how its face lay in the source image.

Colours are CIELAB of sRGB under D65 (CIE 15:2004; IEC 61966-2-1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.template import SIDE

#: Patches of skin on the template, (left, top, right, bottom) in whole pixels, the last two left out: forehead above
#: the brows, and each cheek beside the nose.
SKIN_PATCHES = ((44, 24, 69, 35), (32, 66, 43, 79), (69, 66, 80, 79))
#: Mean chroma under which an image is grey: JPEG leaves a grey image next to none, and colour photos have more (of
#: 1,000 images 36 had under 3, and 3 from there to 5).
GREY_UNDER = 3.0
#: The nose's tip lies so many eye distances before the line between the eyes, in the head that is widely used to tell
#: pose with OpenCV (Mallick 2016: eyes 165 units from the middle, 135 behind the tip). It turns an offset into degrees.
NOSE_DEPTH = 135 / 330
#: sRGB's 256 values as linear light.
_LINEAR = np.array([v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255])
#: Linear sRGB to XYZ, each row divided by the white's X, Y or Z, so that white is 1, 1, 1.
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_TO_WHITE = (_TO_XYZ / _TO_XYZ.sum(axis=1, keepdims=True)).astype(np.float32)
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
#: Images measured at a time: 64 are 30 MB of float32.
BLOCK = 64


@dataclass(frozen=True)
class Measure:
    """A number measured from each image.

    `name` is its column's, `words` how a person says it, `unit` the unit, `levels` what its lowest, middle and highest
    third are called, or else what lies between its `edges`; `source` is true where it is measured in the source image
    at alignment, and so not afterwards from the aligned square. `by_face` is false where no single face's value may be
    published.
    """

    name: str
    words: str
    unit: str
    levels: tuple[str, ...]
    edges: tuple[float, ...] = ()
    source: bool = False
    by_face: bool = True


SKIN_TONE, COLOUR = "image_skin_tone", "image_colour"
MEASURES: tuple[Measure, ...] = (
    Measure(SKIN_TONE, "apparent skin tone in the image", "degrees of ITA",
            ("darkest third", "middle third", "lightest third"), by_face=False),
    Measure("image_lightness", "lightness of the image", "L*, 0–100",
            ("darkest third", "middle third", "lightest third")),
    Measure("image_contrast", "contrast of the image", "standard deviation of L*",
            ("flattest third", "middle third", "most contrasted third")),
    Measure("image_sharpness", "sharpness of the image", "variance of the Laplacian, grey levels²",
            ("blurriest third", "middle third", "sharpest third")),
    Measure(COLOUR, "colour of the image", "mean chroma C*ab", ("grey", "colour"), edges=(GREY_UNDER,)),
    Measure("image_eye_distance", "eye distance in the source image", "pixels",
            ("smallest third", "middle third", "largest third"), source=True),
    Measure("image_roll", "tilt of the head", "degrees from upright",
            ("straightest third", "middle third", "most tilted third"), source=True),
    Measure("image_yaw", "turn of the head", "degrees from frontal, roughly",
            ("most frontal third", "middle third", "most turned third")),
    Measure("image_detector_score", "the face detector's score", "0–1",
            ("least sure third", "middle third", "surest third"), source=True),
    Measure("image_filled", "part of the square beyond the source image's edge", "share",
            ("least filled third", "middle third", "most filled third"), source=True),
)  # fmt: skip
BY_NAME = {measure.name: measure for measure in MEASURES}
#: What is measured in the source image, in the order of `of_source`'s columns.
FROM_SOURCE = tuple(measure.name for measure in MEASURES if measure.source)


def lab(images: np.ndarray) -> np.ndarray:
    """sRGB uint8 (…, 3) → CIELAB under D65, float32 (…, 3): L* 0–100, a*, b*."""
    xyz = _LINEAR.astype(np.float32)[images] @ _TO_WHITE.T
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * ((29 / 6) ** 2 / 3) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def of_squares(images: np.ndarray) -> pd.DataFrame:
    """Measures of aligned squares, uint8 (N, 112, 112, 3): a row each, float64; NaN where one cannot be measured.

    Lightness is the mean of L*, contrast its standard deviation over the square (RMS contrast, Peli 1990, J Opt Soc Am
    A 7:2032), sharpness the variance of the four-neighbour Laplacian of luma (Pech-Pacheco et al. 2000, ICPR), colour
    the mean of C*ab. Apparent skin tone is the individual typology angle (`skin_tone`).
    """
    parts = [_block(images[start : start + BLOCK]) for start in range(0, len(images), BLOCK)]
    names = (SKIN_TONE, "image_lightness", "image_contrast", "image_sharpness", COLOUR)
    return pd.DataFrame(np.concatenate(parts) if parts else np.zeros((0, len(names))), columns=list(names))


def _block(images: np.ndarray) -> np.ndarray:
    colours = lab(images)
    light = colours[..., 0]
    chroma = np.hypot(colours[..., 1], colours[..., 2]).mean(axis=(1, 2))
    luma = images.astype(np.float32) @ _LUMA
    inner = luma[:, 1:-1, 1:-1]
    edges = luma[:, :-2, 1:-1] + luma[:, 2:, 1:-1] + luma[:, 1:-1, :-2] + luma[:, 1:-1, 2:] - 4 * inner
    tone = np.where(chroma < GREY_UNDER, np.nan, skin_tone(colours))
    columns = (tone, light.mean(axis=(1, 2)), light.std(axis=(1, 2)), edges.var(axis=(1, 2)), chroma)
    return np.stack(columns, axis=1).astype(np.float64)


def skin_tone(colours: np.ndarray) -> np.ndarray:
    """Individual typology angle of aligned faces in CIELAB (N, 112, 112, 3): degrees, float64 (N,), larger is lighter.

    ITA = arctan((L* − 50) / b*) · 180/π (Chardon, Cretois & Hourseau 1991, Int J Cosmet Sci 13:191), as Merler et al.
    2019 (https://arxiv.org/abs/1901.10436) take it of photos: of the forehead's and each cheek's median L* and b*,
    averaged. It is of the photo: light, camera and make-up are in it. Where b* is not above 0 the angle goes on beyond
    ±90, where the quotient would jump.
    """
    medians = [
        np.median(colours[:, top:bottom, left:right].reshape(len(colours), -1, 3), axis=1)
        for left, top, right, bottom in SKIN_PATCHES
    ]
    mean = np.mean(medians, axis=0, dtype=np.float64)
    return np.degrees(np.arctan2(mean[:, 0] - 50, mean[:, 2]))


def turn(landmarks: np.ndarray) -> np.ndarray:
    """Degrees from frontal, float64 (N,), of five landmarks (N, 5, 2) in any upright or tilted image.

    The nose's offset from the middle of the eyes, along the line between them and in eye distances, is NOSE_DEPTH ·
    tan(yaw) for a head whose nose lies so far before its eyes; noses differ, so it is rough.
    """
    points = landmarks.astype(np.float64)
    between = points[:, 1] - points[:, 0]
    offset = points[:, 2] - (points[:, 0] + points[:, 1]) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (offset * between).sum(axis=1) / (between**2).sum(axis=1)
    return np.degrees(np.arctan(np.abs(share) / NOSE_DEPTH))


def of_source(points: np.ndarray, matrix: np.ndarray, size: tuple[int, int], score: float, scale: float) -> np.ndarray:
    """`FROM_SOURCE` of one face, float64 (4,).

    `points` (5, 2) and `size` (width, height) are of the image that was aligned, `matrix` (2, 3) takes its pixels to
    the square's; `scale` is how many times the source image is larger. Beyond the edge is what no pixel covers.
    """
    between = points[1] - points[0]
    axis = np.arange(SIDE)
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    outside = np.zeros((SIDE, SIDE), dtype=bool)
    for (column, row, shift), length in zip(back, size, strict=True):
        place = axis * column + (axis * row + shift)[:, None]
        outside |= (place < -0.5) | (place > length - 0.5)
    roll = abs(np.degrees(np.arctan2(between[1], between[0])))
    return np.array([np.hypot(*between) * scale, roll, score, outside.mean()])
