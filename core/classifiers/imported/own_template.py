"""The five points to which a model's own pipeline aligns faces, and where its input then lies in our template.

Aligned faces lie on ArcFace's template already, so another template of the same five points is, for the mean face, a
crop of it: shift and scale by least squares. What differs from face to face is lost: the other template may weigh eyes
against mouth otherwise. `core.audit.settings` says how much that moves, by each face's own landmarks.
"""

from __future__ import annotations

import numpy as np

from core.errors import LookwhereError
from core.template import SIDE, TEMPLATE

#: Size (height, width) and points (x, y) of left eye, right eye, nose, left and right mouth corner, as seen in the
#: image, in pixels whose centres are whole numbers. ArcFace: Deng et al. 2019. SphereFace: Liu et al. 2017, whose
#: 112×96 is that of ArcFace without 8 pixels a side. FFHQ: the 512×512 of facexlib's face restoration.
NAMED: dict[str, tuple[tuple[int, int], np.ndarray]] = {
    "arcface": ((SIDE, SIDE), TEMPLATE),
    "sphereface": ((SIDE, 96), TEMPLATE - (8, 0)),
    "ffhq": (
        (512, 512),
        np.array(
            [[192.98138, 239.94708], [318.90277, 240.1936], [256.63416, 314.01935], [201.26117, 371.41043],
             [313.08905, 371.15118]]
        ),
    ),
}  # fmt: skip
#: Points further than this share of the eyes' distance from where the crop puts them are another face's.
FARTHEST = 0.25


def points_of(template: object, size: tuple[int, int] | None) -> tuple[float, ...]:
    """A template as ten numbers, x and y of each point in pixels of the input of `size` (height, width).

    `template` is a name of `NAMED`, which is scaled to the size, five pairs, or ten numbers. Raises `LookwhereError`.
    """
    if size is None:
        raise LookwhereError("template: its points are in pixels of the input; declare size too")
    words = list(template) if isinstance(template, list | tuple) else [template]
    if len(words) == 1 and isinstance(words[0], str):
        name = words[0].lower()
        if name not in NAMED:
            raise LookwhereError(
                f"template: {words[0]} is none of {', '.join(NAMED)}; or give five points, ten numbers"
            )
        (height, width), points = NAMED[name]
        if abs(size[0] * width - size[1] * height) > max(height, width):
            raise LookwhereError(
                f"template {name}: is {width}×{height}, and an input of {size[1]}×{size[0]} is not alike"
            )
        points = (points + 0.5) * (size[1] / width, size[0] / height) - 0.5
    else:
        try:
            points = np.array(words, dtype=np.float64).reshape(-1)
        except (TypeError, ValueError):
            points = np.empty(0)
        if points.size != 10 or not np.isfinite(points).all():
            raise LookwhereError("template: expected a name, or five points: ten numbers, x and y of each")
    return tuple(float(round(value, 4)) for value in np.asarray(points).reshape(-1))


def crop_of(template: tuple[float, ...], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Where the input of `size` lies in our template (left, top, right, bottom), so that its points and the template's
    lie on one another by least squares over shift and one scale.

    Raises `LookwhereError` where they do not: points in another order, or of another face.
    """
    points = np.array(template).reshape(5, 2)
    middle, ours = points.mean(axis=0), TEMPLATE.mean(axis=0)
    scale = float(((points - middle) * (TEMPLATE - ours)).sum() / ((TEMPLATE - ours) ** 2).sum())
    if scale <= 0:
        raise LookwhereError("template: its points are not left eye, right eye, nose, left and right mouth corner")
    shift = middle - scale * ours
    off = np.linalg.norm(scale * TEMPLATE + shift - points, axis=1).max()
    if off > FARTHEST * scale * np.ptp(TEMPLATE[:2, 0]):
        raise LookwhereError(
            f"template: one of its points lies {off:.0f} pixels from where our template has it, scaled alike; are they "
            "left eye, right eye, nose, left and right mouth corner, as seen in the image, x before y?"
        )
    height, width = size
    left, top = (-0.5 - shift) / scale + 0.5
    return tuple(float(round(edge, 3)) for edge in (left, top, left + width / scale, top + height / scale))


def on_our_template(template: tuple[float, ...], crop: tuple[float, ...], size: tuple[int, int]) -> np.ndarray:
    """A model's template in pixels of ours, float64 (5, 2), its input being the crop."""
    left, top, right, bottom = crop
    height, width = size
    scale = np.array([(right - left) / width, (bottom - top) / height])
    return (np.array(template).reshape(5, 2) + 0.5) * scale + (left, top) - 0.5
