"""All faces of an image, each with five points and cut out on the ArcFace template as the audited ones were."""

from __future__ import annotations

import numpy as np
from PIL import Image

from core.data.detection import SURE, Detection, detect, load_detector, main_face
from core.data.frame import GREY
from core.errors import LookwhereError
from core.photo.faces import Face, Found
from core.photo.uploads import shrunk_to

#: Pixels a side of the smallest face that is looked for, in an image shrunk to `SEARCH_SIDE`: 2 % of its longer side.
SMALLEST = 40
SEARCH_SIDE = 2048
#: No more faces of one image are classified, the largest first.
MOST_FACES = 20
#: MTCNN misplaces the points of faces near an image's edge. Measured on 150 UTKFace chips, in shares of the distance
#: of the eyes: 0.23 off without a border, 0.02 with one of three tenths of the chip, all else alike.
NEAR_EDGE = 0.3
#: Pixels a side of the window in which such a face is looked for again, twice as wide as it.
WINDOW = 224


class Finder:
    """MTCNN (see `core.data.detection`), loaded once."""

    def __init__(self, device: str = "cpu") -> None:
        self.detector = load_detector(device, SMALLEST)

    def find(self, picture: Image.Image) -> Found:
        """All faces of an RGB image. Raises `LookwhereError`, without a name, where the detector gives up."""
        search = shrunk_to(picture, SEARCH_SIDE)
        detections = self._detect([search])[0]
        keep = detections.certainty >= SURE
        largest = np.argsort(-np.ptp(detections.boxes[keep, 0::2], axis=1), kind="stable")[:MOST_FACES]
        boxes, probabilities, points = (
            a[keep][largest] for a in (detections.boxes, detections.certainty, detections.points)
        )
        scale = picture.width / search.width
        boxes, points = ((a + 0.5) * scale - 0.5 for a in (boxes, points))
        points = self._again(picture, boxes, points)
        faces = [
            _cut(picture, *detection)
            for detection in zip(boxes, points, probabilities, strict=True)
            if _spread(detection[1])
        ]
        faces.sort(key=lambda face: face.box[0] + face.box[2])
        return Found(faces, int(keep.sum()) - len(largest), int((~keep).sum()))

    def _detect(self, images: list[Image.Image]) -> list[Detection]:
        """The faces of each of equally large images."""
        try:
            return detect(self.detector, np.stack([np.asarray(image) for image in images]))
        except (RuntimeError, IndexError, ValueError) as error:
            raise LookwhereError(
                "the face detector cannot read this image; cut it closer to the face, upright"
            ) from error

    def _again(self, image: Image.Image, boxes: np.ndarray, points: np.ndarray) -> np.ndarray:
        """The points of faces near the image's edge, found anew in windows with mid-grey beyond the edge."""
        size = np.maximum(boxes[:, 2:] - boxes[:, :2], 1).max(axis=1) if len(boxes) else np.zeros(0)
        reach = NEAR_EDGE * size[:, None]
        near = np.flatnonzero(
            (boxes[:, :2] < reach).any(axis=1) | (boxes[:, 2:] > np.array(image.size) - reach).any(axis=1)
        )
        if not len(near):
            return points
        corners = (boxes[near, :2] + boxes[near, 2:]) / 2 - size[near, None]
        windows = [_window(image, corner, 2 * side) for corner, side in zip(corners, size[near], strict=True)]
        points = points.copy()
        for n, corner, detections in zip(near, corners, self._detect(windows), strict=True):
            if detections:
                own = detections.points[main_face(detections, (WINDOW, WINDOW))]
                points[n] = (own + 0.5) * (2 * size[n] / WINDOW) - 0.5 + np.round(corner)
        return points


def _window(image: Image.Image, corner: np.ndarray, side: float) -> Image.Image:
    left, top = np.round(corner).astype(int)
    side = max(round(side), 2)
    inside = (max(left, 0), max(top, 0), min(left + side, image.width), min(top + side, image.height))
    whole = Image.new("RGB", (side, side), GREY)
    whole.paste(image.crop(inside), (inside[0] - left, inside[1] - top))
    return whole.resize((WINDOW, WINDOW), Image.Resampling.BOX if side > WINDOW else Image.Resampling.BICUBIC)


def _spread(points: np.ndarray) -> bool:
    return bool(np.isfinite(points).all() and np.ptp(points, axis=0).max() > 1)


def _cut(image: Image.Image, box: np.ndarray, points: np.ndarray, probability: float) -> Face:
    """Warp one face. A large one is first shrunk by whole pixels, as the warp would else step over some."""
    from core.data.alignment import OVERSAMPLE, similarity, warp
    from core.template import SIDE

    matrix = similarity(points)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    axis = np.arange(SIDE)
    grid = np.stack([*np.meshgrid(axis, axis), np.ones((SIDE, SIDE))], axis=-1) @ back.T
    outside = ((grid < -0.5) | (grid > np.array(image.size) - 0.5)).any(axis=-1).mean()
    step = max(1, int(1 / (scale * OVERSAMPLE)))
    low = np.maximum(np.floor(grid.min(axis=(0, 1))) - 3 * step, 0).astype(int)
    high = np.minimum(np.ceil(grid.max(axis=(0, 1))) + 3 * step, image.size).astype(int)
    part = image.crop((*low, *np.maximum(high, low + 1)))
    if step > 1:
        part = part.reduce(step)
    # A pixel of the part is `step` pixels of the image wide, and its centre lies in their midst.
    shift = low + (step - 1) / 2
    part_matrix = np.column_stack([matrix[:, :2] * step, matrix[:, :2] @ shift + matrix[:, 2]])
    return Face(
        box=box,
        points=points,
        probability=float(probability),
        crop=warp([part], part_matrix[None])[0],
        landmarks=(points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32),
        enlarged=scale,
        outside=float(outside),
    )


def nothing_found(size: tuple[int, int], faint: int) -> str:
    """Why an image (width, height) may show no face that was found, and the mend."""
    least = max(SMALLEST, round(SMALLEST * max(size) / SEARCH_SIDE))
    doubt = f"; {faint} place{'s' if faint > 1 else ''} looked a little like one" if faint else ""
    return (
        f"no face was found{doubt}: it must be upright, seen from the front and at least {least} pixels wide; turn the "
        "image or cut it closer to the face"
    )
