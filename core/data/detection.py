"""Faces in images: their boxes, certainties and five points; and which of several faces an image is of.

Detection is facenet-pytorch's MTCNN (Zhang et al. 2016, https://arxiv.org/abs/1604.02878).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from facenet_pytorch import MTCNN
    from torch import Tensor

DETECTOR_NAME = "facenet-pytorch 2.5.3 MTCNN"
#: MTCNN's certainty from which on something is called a face; fainter ones are false alarms more often than not.
SURE = 0.9
#: In halves of the diagonal: a face so far from the centre weighs e^-½ of one in it.
CENTRE_SPREAD = 0.4

#: Mid-grey, so that the border is no edge to the detector (it subtracts 127.5).
GREY = (127, 127, 127)
#: Borders before detection in shares of an image's shorter side: the second is enough for most tight crops.
BORDERS = (0.0, 0.3, 0.6)
#: A face whose box comes so near the border's outer edge, in shares of its longer side, has misplaced landmarks.
NEAR_EDGE = 0.05
#: Images whose shorter side has fewer pixels are enlarged to so many before they are looked at.
ENLARGED_TO = 100
#: Images whose shorter side has fewer pixels are not looked at: enlarged, they are no faces to the detector.
SMALLEST_SIDE = 16
#: Pixels, border included, that the detector gets at once: fewer than a batch is faster, and fits any memory.
PIXELS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Detection:
    """The F faces of one image, in its pixels: `boxes` float64 (F, 4) of left, top, right, bottom, `certainty` float64
    (F,) between 0 and 1, and `points` float64 (F, 5, 2) of eyes, nose and mouth's corners."""

    boxes: np.ndarray
    certainty: np.ndarray
    points: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)

    def inside(self, border: int, scale: float) -> Detection:
        """The same faces in pixels of the image that was enlarged `scale` times and got a border of `border` pixels.

        Places are those of pixel centres, which lie half a pixel from the edge at any scale.
        """
        boxes, points = ((part - border + 0.5) / scale - 0.5 for part in (self.boxes, self.points))
        return Detection(boxes, self.certainty, points)


#: The library's suppression that sorts by NumPy's unstable sort; the other sorts stably.
UNSTABLE = "batched_nms_numpy"
NOTHING = Detection(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))


def load_detector(device: str = "cpu", minimum_face: int = 40) -> MTCNN:
    """MTCNN that returns every face of at least `minimum_face` pixels, whatever else is in the batch."""
    import facenet_pytorch.models.utils.detect_face as library
    from facenet_pytorch import MTCNN

    from core.devices import usable

    for name in ("batched_nms", UNSTABLE):
        setattr(library, name, _apart(getattr(library, name)))
    return MTCNN(keep_all=True, select_largest=False, min_face_size=minimum_face, device=usable(device)).eval()


def _apart(suppress: Callable) -> Callable:
    """Non-maximum suppression in a batch, mended so that what is kept of an image is what would be kept of it alone.

    The library lays images side by side, the largest coordinate apart: a box of a tight crop reaches beyond the left or
    top edge, hence into the image before it. And it sorts by certainty alone, unstably, where that of several boxes of
    a tight crop is exactly 1: a fifth of UTKFace's chips without a border had other landmarks in a batch than alone.
    """
    if hasattr(suppress, "__wrapped__"):
        return suppress

    @functools.wraps(suppress)
    def mended(boxes: Tensor, scores: Tensor, images: Tensor, *rest: object) -> Tensor:
        if not len(boxes):
            return suppress(boxes, scores, images, *rest)
        # In float64, since 64 images side by side leave float32 a hundredth of a pixel. Only the order of scores
        # counts; of equal ones the last is the first, as it is to the library where an image is alone.
        apart, rank = boxes.double() - boxes.min(), scores.double()
        if suppress.__name__ == UNSTABLE:
            rank = rank.new_empty(len(rank)).scatter_(0, rank.argsort(stable=True), rank.new_tensor(range(len(rank))))
        return suppress(apart, rank, images, *rest)

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


def look(
    detector: MTCNN, images: list[Image.Image], border: float = 0.0, padding: int = 0
) -> list[Detection | Exception]:
    """All faces of each of images of any sizes, in its pixels; for one on which the detector fails, its error.

    Around each, a border of mid-grey is put, as wide as `border` of the image's shorter side and `padding` pixels more.
    """
    found: list[Detection | Exception] = [NOTHING] * len(images)
    by_size: dict[tuple[int, int], list[int]] = {}
    for n, image in enumerate(images):
        by_size.setdefault(image.size, []).append(n)
    for size, members in by_size.items():
        scale = enlargement(size)
        seen = (round(size[0] * scale), round(size[1] * scale))
        width = round(border * min(seen) + padding * scale)
        if min(size) < SMALLEST_SIDE or min(seen) + 2 * width < detector.min_face_size:
            continue  # MTCNN fails on an image without room for the smallest face
        for some in _pieces(members, max(1, PIXELS_AT_ONCE // ((seen[0] + 2 * width) * (seen[1] + 2 * width)))):
            shown = (images[n] if scale == 1 else images[n].resize(seen, Image.Resampling.BICUBIC) for n in some)
            bordered = [ImageOps.expand(image, border=width, fill=GREY) for image in shown]
            for n, faces in zip(some, detect_each(detector, bordered), strict=True):
                found[n] = faces.inside(width, scale) if isinstance(faces, Detection) else faces
    return found


def look_wider(detector: MTCNN, images: list[Image.Image], border: float = 0.0) -> list[Detection | Exception]:
    """As `look`; but where no face is found, the detector fails, or the face reaches the border's outer edge, the image
    is looked at again with the next of `BORDERS`, and what is found then counts."""
    found = look(detector, images, border)
    for wider in BORDERS:
        if wider <= border:
            continue
        again = [n for n, image in enumerate(images) if reaches_edge(found[n], image.size, border)]
        for n, faces in zip(again, look(detector, [images[n] for n in again], wider), strict=True):
            if not isinstance(faces, Exception) and faces:
                found[n] = faces
        border = wider
    return found


def reaches_edge(faces: Detection | Exception, size: tuple[int, int], border: float) -> bool:
    """Whether the main face of an image of `size` (width, height) reaches its border's outer edge; or there is none."""
    if isinstance(faces, Exception) or not faces:
        return True
    box = faces.boxes[main_face(faces, size)]
    inside = NEAR_EDGE * (box[2:] - box[:2]).max() - border * min(size)
    return bool((box[:2] < inside).any() or (box[2:] > np.array(size) - inside).any())


def enlargement(size: tuple[int, int]) -> float:
    """How many times an image of `size` is enlarged before it is looked at; 1 for all but small ones."""
    return max(1.0, ENLARGED_TO / min(size)) if max(size) < 4 * ENLARGED_TO else 1.0


def _pieces(members: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(members), size):
        yield members[start : start + size]


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
