"""Faces in images: their boxes, certainties and five points; and which of several faces an image is of.

Detection is MTCNN with the networks of facenet-pytorch (`core.data.cascade`), which OpenVINO can run
(`core.data.openvino_detector`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core.data.frame import Frame
from core.errors import LookwhereError

if TYPE_CHECKING:
    from core.data.cascade import Detector

DETECTOR_NAME = "facenet-pytorch 2.5.3 MTCNN"


class DetectorSpeed(StrEnum):
    """How the detector's networks are computed: `PLAIN` by PyTorch, `OPENVINO` by OpenVINO on the CPU."""

    PLAIN = "plain"
    OPENVINO = "openvino"


def detector_name(speed: DetectorSpeed) -> str:
    """The detector as a store names it, whose images depend on it in the last hundredths of a pixel."""
    return DETECTOR_NAME if speed is DetectorSpeed.PLAIN else f"{DETECTOR_NAME} by OpenVINO"


def speed_of(name: str | None) -> DetectorSpeed:
    """That of a detector by its name in a store."""
    return DetectorSpeed.OPENVINO if name == detector_name(DetectorSpeed.OPENVINO) else DetectorSpeed.PLAIN


#: MTCNN's certainty from which on something is called a face; fainter ones are false alarms more often than not.
SURE = 0.9
#: In halves of the diagonal: a face so far from the centre weighs e^-½ of one in it.
CENTRE_SPREAD = 0.4

#: Borders before detection in shares of an image's shorter side: the second is enough for most tight crops.
BORDERS = (0.0, 0.3, 0.6)
#: A face whose box comes so near the border's outer edge, in shares of its longer side, has misplaced landmarks.
NEAR_EDGE = 0.05
#: Images whose shorter side has fewer pixels are not looked at: enlarged, they are no faces to the detector.
SMALLEST_SIDE = 16
#: A face so many times larger than those that show best at the scales left out has the landmarks that it has with all:
#: of 500 images of UTKFace, FairFace and Kaggle's set, up to four scales left out, the largest that moved was 1.563.
MARGIN = 1.6
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


NOTHING = Detection(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))


def load_detector(device: str = "cpu", minimum_face: int = 40, speed: DetectorSpeed = DetectorSpeed.PLAIN) -> Detector:
    """MTCNN that returns every face of at least `minimum_face` pixels, whatever else is in the batch.

    Raises `LookwhereError` where OpenVINO is asked for another device than the CPU, and `ModuleNotFoundError` without
    the package openvino.
    """
    # Imported here, so that stores are opened and reported without torch.
    from core.data.cascade import Detector
    from core.devices import usable

    place, kind = usable(device), Detector
    if speed is DetectorSpeed.OPENVINO:
        if place.type != "cpu":
            raise LookwhereError(f"--speed openvino computes on the CPU; leave out --device {device} or --speed")
        from core.data.openvino_detector import OpenVinoDetector

        kind = OpenVinoDetector
    return kind(keep_all=True, select_largest=False, min_face_size=minimum_face, device=place).eval()


def detect(detector: Detector, images: np.ndarray, border: int = 0, skip: int = 0) -> list[Detection]:
    """All faces of each of equally large images, uint8 (N, H, W, 3), with `border` pixels of grey around each.

    In pixels of the image with its border; `skip` scales of the smallest faces are left out. Raises what the detector
    raises.
    """
    return [Detection(*faces) for faces in detector.find(images, border, skip)]


def detect_each(detector: Detector, images: np.ndarray, border: int = 0, skip: int = 0) -> list[Detection | Exception]:
    """As `detect`; for an image on which the detector fails, its error.

    Where it fails on a batch, each image is looked at alone, so that one takes no other with it.
    """
    try:
        return list(detect(detector, images, border, skip))
    except Exception as error:
        if len(images) == 1:
            return [error]
        return [faces for n in range(len(images)) for faces in detect_each(detector, images[n : n + 1], border, skip)]


def look(
    detector: Detector, images: list[Image.Image], border: float = 0.0, padding: int = 0, smallest: float = 0.0
) -> list[Detection | Exception]:
    """All faces of each of images of any sizes, in its pixels; for one on which the detector fails, its error.

    Around each, a border of mid-grey is put, as wide as `border` of the image's shorter side and `padding` pixels more.
    Faces smaller than `smallest` of it are looked for only in images in which one of them could be the main face.
    """
    detections: list[Detection | Exception] = [NOTHING] * len(images)
    by_size: dict[tuple[int, int], list[int]] = {}
    for n, image in enumerate(images):
        by_size.setdefault(image.size, []).append(n)
    for size, members in by_size.items():
        frame = Frame.of(size, border, padding)
        width, height = frame.full_size
        if min(size) < SMALLEST_SIDE or min(width, height) < detector.min_face_size:
            continue  # MTCNN fails on an image without room for the smallest face
        for piece in _pieces(members, max(1, PIXELS_AT_ONCE // (width * height))):
            faces_of_piece = _look_framed(detector, frame, [images[n] for n in piece], smallest)
            for n, faces in zip(piece, faces_of_piece, strict=True):
                detections[n] = faces
    return detections


def _inside(frame: Frame, faces: Detection | Exception) -> Detection | Exception:
    """Faces in the frame's pixels as they lie in the image; an error as it is."""
    return faces.inside(frame.border, frame.scale) if isinstance(faces, Detection) else faces


def _look_framed(
    detector: Detector, frame: Frame, images: list[Image.Image], smallest: float
) -> list[Detection | Exception]:
    """As `look`, of images of the frame's size."""
    pixels = frame.pixels(images)
    skip, skipped_side = detector.skipped(smallest * min(frame.scaled_size))
    detections = [_inside(frame, faces) for faces in detect_each(detector, pixels, frame.border, skip)]
    again = [
        n for n, faces in enumerate(detections) if skip and not decided(faces, frame.size, skipped_side / frame.scale)
    ]
    if again:
        for n, faces in zip(again, detect_each(detector, pixels[again], frame.border), strict=True):
            detections[n] = _inside(frame, faces)
    return detections


def decided(faces: Detection | Exception, size: tuple[int, int], side: float) -> bool:
    """Whether faces of that side and smaller can be left out beside those found in an image of `size`.

    So it is where the main face is sure, where none that is left out could weigh more, and where it is so much larger
    that its landmarks do not depend on the scales left out.
    """
    if isinstance(faces, Exception) or not faces:
        return False
    main = main_face(faces, size)
    sure, heavy = faces.certainty[main] >= SURE, weights(faces, size)[main] >= side**2
    return bool(sure and heavy and sides(faces)[main] >= MARGIN * side)


def look_wider(
    detector: Detector, images: list[Image.Image], border: float = 0.0, smallest: float = 0.0
) -> list[Detection | Exception]:
    """As `look`; but where no face is found, the detector fails, or the face reaches the border's outer edge, the image
    is looked at again with the next of `BORDERS`, and what is found then counts."""
    detections = look(detector, images, border, smallest=smallest)
    for wider in BORDERS:
        if wider <= border:
            continue
        again = [n for n, image in enumerate(images) if reaches_edge(detections[n], image.size, border)]
        for n, faces in zip(again, look(detector, [images[n] for n in again], wider, smallest=smallest), strict=True):
            if not isinstance(faces, Exception) and faces:
                detections[n] = faces
        border = wider
    return detections


def reaches_edge(faces: Detection | Exception, size: tuple[int, int], border: float) -> bool:
    """Whether the main face of an image of `size` (width, height) reaches its border's outer edge; or there is none."""
    if isinstance(faces, Exception) or not faces:
        return True
    box = faces.boxes[main_face(faces, size)]
    inside = NEAR_EDGE * (box[2:] - box[:2]).max() - border * min(size)
    return bool((box[:2] < inside).any() or (box[2:] > np.array(size) - inside).any())


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
    return int(weights(faces, size).argmax())


def weights(faces: Detection, size: tuple[int, int]) -> np.ndarray:
    """What `main_face` compares, float64 (F,): square pixels. A face's area is the most that it can weigh."""
    offset = (faces.boxes[:, :2] + faces.boxes[:, 2:] - np.array(size)) / np.hypot(*size)
    centred = np.exp(-(offset**2).sum(axis=1) / (2 * CENTRE_SPREAD**2))
    return sides(faces) ** 2 * faces.certainty * centred


def sides(faces: Detection) -> np.ndarray:
    """Sides of the squares as large as the faces' boxes, float64 (F,), in pixels."""
    width, height = np.maximum(faces.boxes[:, 2:] - faces.boxes[:, :2], 0).T
    return np.sqrt(width * height)
