"""Faces in images: their boxes, certainties and five points; and which of several faces an image is of.

Detection is facenet-pytorch's MTCNN (Zhang et al. 2016, https://arxiv.org/abs/1604.02878).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from facenet_pytorch import MTCNN
    from torch import Tensor

DETECTOR_NAME = "facenet-pytorch 2.5.3 MTCNN"
#: MTCNN's certainty from which on something is called a face; fainter ones are false alarms more often than not.
SURE = 0.9
#: In halves of the diagonal: a face so far from the centre weighs e^-½ of one in it.
CENTRE_SPREAD = 0.4


@dataclass(frozen=True)
class Detection:
    """The F faces of one image, in its pixels: `boxes` float64 (F, 4) of left, top, right, bottom, `certainty` float64
    (F,) between 0 and 1, and `points` float64 (F, 5, 2) of eyes, nose and mouth's corners."""

    boxes: np.ndarray
    certainty: np.ndarray
    points: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)

    def shifted(self, by: float) -> Detection:
        """The same faces, `by` pixels to the right and down."""
        return Detection(self.boxes + by, self.certainty, self.points + by)


NOTHING = Detection(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))


def load_detector(device: str = "cpu", minimum_face: int = 40) -> MTCNN:
    """MTCNN that returns every face of at least `minimum_face` pixels, whatever else is in the batch."""
    import facenet_pytorch.models.utils.detect_face as library
    import torch
    from facenet_pytorch import MTCNN

    for name in ("batched_nms", "batched_nms_numpy"):
        setattr(library, name, _apart(getattr(library, name)))
    return MTCNN(keep_all=True, select_largest=False, min_face_size=minimum_face, device=torch.device(device)).eval()


def _apart(suppress: Callable) -> Callable:
    """Non-maximum suppression in a batch, mended so that a box never suppresses one of another image.

    The library lays images side by side, the largest coordinate apart. A box of a tight crop reaches beyond the left
    or top edge, hence into the image before it: a quarter of such crops had other landmarks in a batch than alone.
    """
    if hasattr(suppress, "__wrapped__"):
        return suppress

    @functools.wraps(suppress)
    def mended(boxes: Tensor, scores: Tensor, images: Tensor, *rest: object) -> Tensor:
        apart = boxes.double() - boxes.min() if len(boxes) else boxes
        # In float64, since 64 images side by side leave float32 a hundredth of a pixel.
        return suppress(apart, scores.to(apart.dtype), images, *rest)

    return mended


def detect(detector: MTCNN, images: list[Image.Image] | Tensor) -> list[Detection]:
    """All faces of each of equally large images, (N, H, W, 3) as a tensor. Raises what the detector raises."""
    found = zip(*detector.detect(images, landmarks=True), strict=True)
    return [
        NOTHING if boxes is None else Detection(*(np.asarray(part, np.float64) for part in (boxes, certainty, points)))
        for boxes, certainty, points in found
    ]


def detect_each(detector: MTCNN, images: list[Image.Image]) -> list[Detection | Exception]:
    """All faces of each of equally large images; for an image on which the detector fails, its error.

    MTCNN fails on some images with IndexError, RuntimeError, ValueError and more, and then on the batch they are in.
    """
    try:
        return list(detect(detector, images))
    except Exception as error:
        if len(images) == 1:
            return [error]
        return [faces for image in images for faces in detect_each(detector, [image])]


def main_face(faces: Detection, size: tuple[int, int]) -> int:
    """Which of the faces of an image of `size` (width, height) the image is of.

    The largest a · c · exp(−d² / 2s²): its area a, its certainty c, its centre's distance d from the image's in halves
    of the diagonal, s = `CENTRE_SPREAD`. Nearest the centre alone would take a print on the shirt, the largest alone a
    bystander in front, either a faint false alarm; and facenet's a − 2d² (`center_weighted_size`) in a portrait, whose
    head is far above the centre, the print again.
    """
    width, height = (faces.boxes[:, 2:] - faces.boxes[:, :2]).T
    offset = (faces.boxes[:, :2] + faces.boxes[:, 2:] - np.array(size)) / np.hypot(*size)
    centred = np.exp(-(offset**2).sum(axis=1) / (2 * CENTRE_SPREAD**2))
    return int((width * height * faces.certainty * centred).argmax())
