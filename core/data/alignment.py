"""Five landmarks → similarity transform → an upright 112×112 face; or the reason why not.

The template is ArcFace's (Deng et al. 2019, https://arxiv.org/abs/1801.07698); the detector is in
`core.data.detection`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from core.data.detection import SURE, Detection, DetectorSpeed, load_detector, look, look_wider, main_face
from core.data.measures import FROM_SOURCE, of_source
from core.errors import LookwhereError
from core.template import SIDE, TEMPLATE

#: Larger images are scaled down first: the template has 112 pixels a side.
MAXIMUM_SIDE = 1024
#: The warp samples this many times finer than the template and averages, against aliasing.
OVERSAMPLE = 2
#: In a shrunk image's `info`: how many times the source is larger.
SHRUNK = "shrunk"
#: So many images, and more, on all of which the detector fails are no chance: then the work stops.
ALL_FAILED = 8


@dataclass(frozen=True)
class Alignment:
    """`faces` uint8 (N, 112, 112, 3); `landmarks` float32 (N, 5, 2), pixels (x, y) of the aligned face;
    `found` bool (N,). Where nothing was found, faces are 0 and landmarks NaN.

    `several` bool (N,): images with more than one sure face; `failed` bool (N,): the detector gave up on them. `source`
    float64 (N, 4): what `core.data.measures.FROM_SOURCE` names, NaN where no face was looked for or found.
    """

    faces: np.ndarray
    landmarks: np.ndarray
    found: np.ndarray
    several: np.ndarray
    failed: np.ndarray
    source: np.ndarray


def similarity(points: np.ndarray, template: np.ndarray = TEMPLATE) -> np.ndarray:
    """The 2×3 matrix of scale, rotation and shift that takes `points` (K, 2) to `template` with least squared error.

    Umeyama 1991, without reflection. Raises `ValueError` where the points coincide.
    """
    p, q = points.astype(np.float64), template.astype(np.float64)
    p_mean, q_mean = p.mean(axis=0), q.mean(axis=0)
    p0, q0 = p - p_mean, q - q_mean
    spread = (p0**2).sum()
    if spread < 1e-9:
        raise ValueError("landmarks coincide")
    # In the plane, the best rotation × scale is [[a, −b], [b, a]] with closed-form a and b.
    a = (p0 * q0).sum() / spread
    b = (p0[:, 0] * q0[:, 1] - p0[:, 1] * q0[:, 0]).sum() / spread
    turn = np.array([[a, -b], [b, a]])
    return np.hstack([turn, (q_mean - turn @ p_mean)[:, None]])


def warp(images: list[Image.Image], matrices: np.ndarray) -> np.ndarray:
    """Images → aligned faces, uint8 (N, 112, 112, 3); `matrices` (N, 2, 3) take image to face coordinates.

    Beyond the image's edge its reflection is taken, since the template reaches a little beyond a tight crop.
    """
    # Imported here, so that stores are opened and reported without torch.
    import torch
    import torch.nn.functional as F

    # The samples of a pixel lie in planes of their own, so that averaging them is adding planes.
    axis = np.arange(SIDE) + ((np.arange(OVERSAMPLE) + 0.5) / OVERSAMPLE - 0.5)[:, None]
    place = torch.empty(OVERSAMPLE, OVERSAMPLE, SIDE, SIDE, 2)
    faces = np.empty((len(images), SIDE, SIDE, 3), dtype=np.uint8)
    for n, (image, matrix) in enumerate(zip(images, matrices, strict=True)):
        back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
        for part, size in enumerate(image.size):
            # From −1 to 1, as the sampler counts; row and column are added only then, in float32, since each is exact.
            column, row, shift = 2 * back[part] / size
            across = torch.from_numpy((axis * column + (shift + 1 / size - 1)).astype(np.float32))
            down = torch.from_numpy((axis * row).astype(np.float32))
            torch.add(across[None, :, None], down[:, None, :, None], out=place[..., part])
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float()[None]
        at = place.view(1, -1, SIDE, 2)
        sampled = F.grid_sample(pixels, at, mode="bilinear", padding_mode="reflection", align_corners=False)
        mean = sampled.view(3, OVERSAMPLE**2, SIDE, SIDE).sum(dim=1).div_(OVERSAMPLE**2)
        faces[n] = mean.round_().clamp_(0, 255).byte().permute(1, 2, 0).numpy()
    return faces


class FaceAligner:
    """MTCNN and the warp.

    Around each image a border of mid-grey is put before detection, since the detector misplaces the landmarks of faces
    that reach the edge: `border` is its width in shares of the image's shorter side, `padding` in pixels. `wider`:
    images that need it are looked at again with a wider one (`core.data.detection.look_wider`). Faces smaller than
    `smallest`, in shares of that side, are looked for only where one of them could be the main face. `speed` says what
    computes the detector's networks.
    """

    def __init__(
        self,
        padding: int = 0,
        device: str = "cpu",
        minimum_face: int = 40,
        *,
        border: float = 0.0,
        wider: bool = False,
        smallest: float = 0.0,
        speed: DetectorSpeed = DetectorSpeed.PLAIN,
    ) -> None:
        self.padding, self.border, self.wider, self.smallest = padding, border, wider, smallest
        self.detector = load_detector(device, minimum_face, speed)

    def detect(self, images: list[Image.Image]) -> list[np.ndarray | None]:
        """Five points (5, 2) in pixels of each image, of its main face; None where there is none or the detector fails.

        Which face that is, `core.data.detection.main_face` says.
        """
        return [
            faces.points[main_face(faces, image.size)] if faces else None
            for image, faces in zip(images, self.all_faces(images), strict=True)
        ]

    def all_faces(self, images: list[Image.Image]) -> list[Detection | None]:
        """All faces of each image, in its pixels; None where the detector fails on it.

        Raises `LookwhereError` where it fails on all of `ALL_FAILED` images and more.
        """
        if self.wider:
            detections = look_wider(self.detector, images, self.border, self.smallest)
        else:
            detections = look(self.detector, images, self.border, self.padding, self.smallest)
        errors = [detection for detection in detections if isinstance(detection, Exception)]
        if errors and len(errors) == len(images) >= ALL_FAILED:
            raise LookwhereError(
                f"the face detector fails on all of {len(images)} images ({type(errors[0]).__name__}: {errors[0]}); "
                "look whether the device is free and well, then run again"
            ) from errors[0]
        return [detection if isinstance(detection, Detection) else None for detection in detections]

    def align(self, images: list[Image.Image]) -> Alignment:
        """Detect and warp a batch of RGB images of any sizes."""
        images = [shrunk(image) for image in images]
        count = len(images)
        faces = np.zeros((count, SIDE, SIDE, 3), dtype=np.uint8)
        landmarks = np.full((count, 5, 2), np.nan, dtype=np.float32)
        source = np.full((count, len(FROM_SOURCE)), np.nan)
        matrices: dict[int, np.ndarray] = {}
        detections = self.all_faces(images)
        for n, detection in enumerate(detections):
            if not detection:
                continue
            face = main_face(detection, images[n].size)
            points = detection.points[face]
            if np.isfinite(points).all() and np.ptp(points, axis=0).max() > 0:
                matrices[n] = similarity(points)
                landmarks[n] = points @ matrices[n][:, :2].T + matrices[n][:, 2]
                scale = images[n].info.get(SHRUNK, 1.0)
                source[n] = of_source(points, matrices[n], images[n].size, detection.certainty[face], scale)
        if matrices:
            members = list(matrices)
            faces[members] = warp([images[n] for n in members], np.stack(list(matrices.values())))
        aligned = np.zeros(count, dtype=bool)
        aligned[list(matrices)] = True
        several = np.array(
            [detection is not None and (detection.certainty >= SURE).sum() > 1 for detection in detections], dtype=bool
        )
        failed = np.array([detection is None for detection in detections], bool)
        return Alignment(faces, landmarks, aligned, several & aligned, failed, source)


class Resizer:
    """For images that lie on the template already: brought to 112×112, the template's points taken as landmarks."""

    def align(self, images: list[Image.Image]) -> Alignment:
        """Resize a batch of RGB images of any sizes."""
        faces = np.stack([np.asarray(p.resize((SIDE, SIDE), Image.Resampling.BOX)) for p in images])
        landmarks = np.tile(TEMPLATE.astype(np.float32), (len(images), 1, 1))
        no = np.zeros(len(images), dtype=bool)
        return Alignment(faces, landmarks, ~no, no, no, np.full((len(images), len(FROM_SOURCE)), np.nan))


def shrunk(image: Image.Image) -> Image.Image:
    """The image, at most 1,024 pixels a side: 64 of 8,000 pixels a side would fill the memory."""
    largest = max(image.size)
    if largest <= MAXIMUM_SIDE:
        return image
    smaller = ImageOps.contain(image, (MAXIMUM_SIDE, MAXIMUM_SIDE), Image.Resampling.BOX)
    smaller.info[SHRUNK] = image.info.get(SHRUNK, 1.0) * largest / max(smaller.size)
    return smaller
