"""MTCNN around facenet-pytorch's three networks and weights: what the library finds, in less of its time.

Zhang et al. 2016, https://arxiv.org/abs/1604.02878: a first network looks at an image at many scales, a second and a
third at what the one before took for a face. The library averages the whole image anew for each scale and each
candidate, one at a time. Here each image's sums over rectangles are taken once (Crow 1984,
https://doi.org/10.1145/800031.808600), from which any average follows by four look-ups, of all candidates of all images
together; and the networks get channels last and no more at once than a cache holds. Steps, thresholds and roundings are
the library's, so faces, certainties and landmarks are its own up to the last bits (`benchmarks.alignment`); and what is
found in an image hardly depends on the images beside it (docs/performance.md has both).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from facenet_pytorch import MTCNN
from torch import Tensor, nn
from torchvision.ops import nms

from core.data.frame import GREY

#: What the library takes from a pixel before it scales it.
MIDDLE, SCALE = 127.5, 0.0078125
#: Sides in pixels of what the three networks look at, and the first's stride.
CELL, STRIDE = 12, 2
REFINED, FINAL = 24, 48
#: Boxes of the first network overlap less than the first share at one scale; boxes of an image less than the second.
AT_ONE_SCALE, IN_ONE_IMAGE = 0.5, 0.7
#: Images whose rows are summed at once, pixels that the first network gets at once, and crops that are cut at once.
SUMMED, PIXELS, CUT = 4, 100_000, 128
#: Crops that the other networks get at once, by side. Always so many: their last bits depend on the number, and then
#: what is found in an image would depend on how many are beside it.
CROPS = {REFINED: 32, FINAL: 8}
#: Boxes at different scales of one image are moved so far apart that they never overlap.
FAR = 1e6


class Faces(NamedTuple):
    """F faces of one image, in pixels, all float64: `boxes` (F, 4) of left, top, right, bottom; `certainty` (F,);
    `points` (F, 5, 2)."""

    boxes: np.ndarray
    certainty: np.ndarray
    points: np.ndarray


class Candidates(NamedTuple):
    """K squares that may be faces: `boxes` float32 (K, 4), and which image each is in, ascending."""

    boxes: np.ndarray
    image: np.ndarray


class Sums:
    """Sums over rectangles of equally large images, uint8 (N, H, W, 3), with `border` pixels of grey around each."""

    def __init__(self, images: np.ndarray, border: int = 0) -> None:
        self.border = border
        self.inside = images.shape[1:3]
        self.height, self.width = (side + 2 * border for side in self.inside)
        count, (height, width) = len(images), self.inside
        # Relative to the border's grey, so that rectangles that reach beyond the image sum what lies inside. Of int32,
        # sums may run over; differences of them are right all the same, up to 8 million pixels a rectangle.
        self.sums = np.zeros((count, height + 1, width + 1, 3), dtype=np.int32)
        for start in range(0, count, SUMMED):
            some = images[start : start + SUMMED]
            relative = some.astype(np.int16).reshape(len(some), height, -1) - GREY[0]
            down = np.zeros((len(some), height + 1, width * 3), dtype=np.int32)
            # Row by row, since NumPy's own sum along this axis goes through columns and takes three times as long.
            for row in range(height):
                np.add(down[:, row], relative[:, row], out=down[:, row + 1])
            across = down.reshape(len(some), height + 1, width, 3)
            np.cumsum(across, axis=2, dtype=np.int32, out=self.sums[start : start + len(some), :, 1:])

    def scaled(self, height: int, width: int) -> np.ndarray:
        """The images at that size, each pixel the mean of those it covers, float32 (N, height, width, 3)."""
        (top,), (bottom,) = windows(np.zeros(1, int), np.array([self.height]), height)
        (left,), (right,) = windows(np.zeros(1, int), np.array([self.width]), width)
        rows = self.sums.take(self._at(bottom, 0), axis=1) - self.sums.take(self._at(top, 0), axis=1)
        cells = rows.take(self._at(right, 1), axis=2) - rows.take(self._at(left, 1), axis=2)
        return network_input(cells, (bottom - top)[:, None] * (right - left))

    def crops(self, image: np.ndarray, squares: np.ndarray, side: int) -> np.ndarray:
        """Rectangles `squares` int (K, 4) of images `image` (K,), float32 (K, side, side, 3)."""
        x, y, far_x, far_y = squares.T
        top, bottom = windows(y, far_y - y, side)
        left, right = windows(x, far_x - x, side)
        wide = self.inside[1] + 1
        first = image[:, None] * ((self.inside[0] + 1) * wide)
        above, below = (first + self._at(row, 0) * wide for row in (top, bottom))
        before, after = self._at(left, 1), self._at(right, 1)
        flat = self.sums.reshape(-1, 3)

        def corner(row: np.ndarray, column: np.ndarray) -> np.ndarray:
            return flat.take((row[:, :, None] + column[:, None, :]).ravel(), axis=0)

        cells = corner(below, after)
        cells -= corner(above, after)
        cells -= corner(below, before)
        cells += corner(above, before)
        area = (bottom - top)[:, :, None] * (right - left)[:, None, :]
        return network_input(cells.reshape(len(image), side, side, 3), area)

    def _at(self, edge: np.ndarray, axis: int) -> np.ndarray:
        """Where the sums have a rectangle's edge; beyond the image they grow no more."""
        return np.clip(edge - self.border, 0, self.inside[axis])


def windows(start: np.ndarray, length: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last edges (K, count) of `count` windows over each stretch: those of adaptive average pooling."""
    step = np.arange(count)
    first = start[:, None] + step * length[:, None] // count
    last = start[:, None] - (-(step + 1) * length[:, None] // count)
    return first, last


def network_input(sums: np.ndarray, area: np.ndarray) -> np.ndarray:
    """What the networks get of windows with these sums of pixels, which are relative to `GREY`."""
    mean = sums.astype(np.float32)
    mean /= area[..., None].astype(np.float32)
    mean += np.float32(GREY[0] - MIDDLE)
    mean *= np.float32(SCALE)
    return mean


class Detector(MTCNN):
    """The library's detector; `find` gives what its `detect` gives, faster and for images with a border."""

    def find(self, images: np.ndarray, border: int = 0, skip: int = 0) -> list[Faces]:
        """All faces of each of equally large images, uint8 (N, H, W, 3), with `border` pixels of grey around each.

        In pixels of the image with its border. The first `skip` scales, at which the smallest faces show, are left out.
        """
        with torch.inference_mode():
            sums = Sums(images, border)
            candidates = self._first(sums, skip)
            candidates = self._second(sums, candidates)
            return self._third(sums, candidates, len(images))

    def scales(self, shorter: int) -> list[float]:
        """How large an image of that shorter side is looked at, from the largest on."""
        scale, scales = CELL / self.min_face_size, []
        side = shorter * scale
        while side >= CELL:
            scales.append(scale)
            scale, side = scale * self.factor, side * self.factor
        return scales

    def skipped(self, face: float) -> tuple[int, float]:
        """How many scales can be left out where faces of that side are to be found; the side of the largest left out.

        A face shows best at the scale at which it is as large as the first network's cell.
        """
        skip, side = 0, float(self.min_face_size)
        while side / self.factor <= face:
            skip, side = skip + 1, side / self.factor
        return skip, side if skip else 0.0

    def _first(self, sums: Sums, skip: int) -> Candidates:
        """What the first network takes for a face at any scale but the first `skip`."""
        boxes, image, level = [np.zeros((0, 9), np.float32)], [np.zeros(0, int)], [np.zeros(0)]
        for n, scale in enumerate(self.scales(min(sums.height, sums.width))[skip:]):
            pixels = sums.scaled(int(sums.height * scale + 1), int(sums.width * scale + 1))
            shifts, certainty = self._run(self.pnet, pixels, max(1, PIXELS // pixels[0, :, :, 0].size))
            certainty = certainty[:, 1]
            sure = certainty >= self.thresholds[0]
            which, row, column = np.nonzero(sure)
            cell = np.stack([column, row], axis=1).astype(np.float32) * STRIDE
            corners = [np.floor((cell + reach) / np.float32(scale)) for reach in (1, CELL)]
            rest = certainty[sure][:, None], shifts.transpose(0, 2, 3, 1)[sure]
            boxes.append(np.concatenate([*corners, *rest], axis=1))
            image.append(which)
            level.append(np.full(len(which), n * FAR))
        box, where, apart = np.concatenate(boxes), np.concatenate(image), np.concatenate(level)
        order = np.argsort(where, kind="stable")
        box, where, apart = box[order], where[order], apart[order]
        keep = suppressed(box[:, :4] + apart[:, None], box[:, 4], where, AT_ONE_SCALE)
        box, where = box[keep], where[keep]
        keep = suppressed(box[:, :4], box[:, 4], where, IN_ONE_IMAGE)
        box, where = box[keep], where[keep]
        size = np.tile(box[:, 2:4] - box[:, :2], 2)
        return Candidates(square(box[:, :4] + box[:, 5:] * size), where)

    def _second(self, sums: Sums, candidates: Candidates) -> Candidates:
        """Those that the second network takes for a face too, moved as it says."""
        candidates, shifts, certainty = self._look(self.rnet, sums, candidates, REFINED)
        sure = certainty > self.thresholds[1]
        boxes, image, certainty, shifts = candidates.boxes[sure], candidates.image[sure], certainty[sure], shifts[sure]
        keep = suppressed(boxes, certainty, image, IN_ONE_IMAGE)
        return Candidates(square(moved(boxes[keep], shifts[keep])), image[keep])

    def _third(self, sums: Sums, candidates: Candidates, count: int) -> list[Faces]:
        """Those that the third network takes for a face too, with landmarks, by image."""
        candidates, shifts, places, certainty = self._look(self.onet, sums, candidates, FINAL)
        sure = certainty > self.thresholds[2]
        boxes, image, certainty = candidates.boxes[sure], candidates.image[sure], certainty[sure]
        size = boxes[:, 2:] - boxes[:, :2] + 1
        points = places[sure].reshape(-1, 2, 5).transpose(0, 2, 1) * size[:, None] + boxes[:, None, :2] - 1
        boxes = moved(boxes, shifts[sure])
        faces = []
        for some in of_each(image, count):
            keep = some.start + of_nested(boxes[some], certainty[some], IN_ONE_IMAGE)
            faces.append(Faces(*(part[keep].astype(np.float64) for part in (boxes, certainty, points))))
        return faces

    def _look(self, network: nn.Module, sums: Sums, candidates: Candidates, side: int) -> tuple:
        """Candidates that reach into their image, and what a network says of each: its answers, and how sure it is."""
        squares = np.trunc(candidates.boxes).astype(int)
        squares[:, :2] = np.maximum(squares[:, :2], 1) - 1
        squares[:, 2:] = np.minimum(squares[:, 2:], [sums.width, sums.height])
        inside = (squares[:, 2:] > squares[:, :2]).all(axis=1)
        candidates, squares = Candidates(candidates.boxes[inside], candidates.image[inside]), squares[inside]
        parts = []
        for some in pieces(max(len(squares), 1), CUT):
            crops = sums.crops(candidates.image[some], squares[some], side)
            missing = -len(crops) % CROPS[side] or (0 if len(crops) else CROPS[side])
            filled = np.concatenate([crops, np.zeros((missing, side, side, 3), np.float32)])
            parts.append([answer[: len(crops)] for answer in self._run(network, filled, CROPS[side])])
        *answers, certainty = (np.concatenate(part) for part in zip(*parts, strict=True))
        return candidates, *answers, certainty[:, 1]

    def _run(self, network: nn.Module, pixels: np.ndarray, at_once: int) -> list[np.ndarray]:
        """A network's answers for images, float32 (N, H, W, 3)."""
        # The view has its channels last in memory, which these networks go through three times as fast.
        batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(self.device)
        answers: list[tuple[Tensor, ...]] = [network(batch[some]) for some in pieces(len(batch), at_once)]
        return [torch.cat(part).cpu().numpy() for part in zip(*answers, strict=True)]


def pieces(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, start + size)


def of_each(image: np.ndarray, count: int) -> list[slice]:
    """Which rows are of each image, where `image` ascends."""
    edges = np.searchsorted(image, np.arange(count + 1))
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]


def suppressed(boxes: np.ndarray, certainty: np.ndarray, image: np.ndarray, overlap: float) -> np.ndarray:
    """The rows left where of boxes of one image that overlap by more than that share of both the surest is kept.

    Each image for itself: the library lays images side by side, the largest coordinate apart, and a box that reaches
    beyond the left or top edge reaches into the image before it.
    """
    place, sure = torch.from_numpy(boxes.astype(np.float64)), torch.from_numpy(certainty.astype(np.float64))
    keep = [np.zeros(0, dtype=int)]
    for some in of_each(image, int(image[-1]) + 1 if len(image) else 0):
        if some.stop > some.start:
            keep.append(nms(place[some], sure[some], overlap).numpy() + some.start)
    return np.concatenate(keep)


def of_nested(boxes: np.ndarray, certainty: np.ndarray, overlap: float) -> np.ndarray:
    """The rows left where of boxes of one image of which more than that share of the smaller lies in the other the
    surest is kept. Of equally sure ones, as those of tight crops often are, that is the last."""
    left, top, right, bottom = boxes.T
    area = (right - left + 1) * (bottom - top + 1)
    rest, keep = np.argsort(certainty, kind="stable"), []
    while len(rest):
        best, rest = rest[-1], rest[:-1]
        keep.append(best)
        width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest]) + 1
        height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest]) + 1
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        rest = rest[shared / np.minimum(area[best], area[rest]) <= overlap]
    return np.array(keep, dtype=int)


def moved(boxes: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Boxes with each edge moved by that share of their size."""
    size = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + shifts * np.tile(size, 2)


def square(boxes: np.ndarray) -> np.ndarray:
    """The squares around boxes, as wide as the longer side."""
    size = boxes[:, 2:] - boxes[:, :2]
    side = size.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + size * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate([corner, corner + side], axis=1)
