"""Which aligned faces of two sets show one photograph: byte-equal images, and near-copies by the aligned face.

A perceptual hash of the whole image misses a photograph that was cropped anew; the aligned face is the same then. It is
also not misled by a studio's backdrop, which many people share. A photograph that was turned into its mirror image is
looked for too.

`python -m benchmarks.shared_photographs` measures what escapes, and how near strangers come. What escapes most is what
moves the landmarks: a face that fills the image, cropped, turned or with another border.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy.ndimage import uniform_filter

from core.data.store import AlignedStore
from core.progress import Progress

#: Correlation of the coarse detail of two aligned faces, from which a pair is looked at closely.
CANDIDATE = 0.65
#: Correlation of the fine detail, at the best shift of up to `SHIFT` cells, from which a pair counts as near-copies.
NEAR = 0.85
#: The same with one of them mirrored: frontal faces of infants are alike so too.
NEAR_MIRRORED = 0.87
SHIFT = 2
#: So many pairs are compared in about a minute on one core.
MANY_PAIRS = 1_000_000_000
#: Rows and columns of the aligned face that show the face itself; beyond them lies hair, or what alignment filled.
_TOP, _BOTTOM, _LEFT, _RIGHT = 18, 102, 14, 98
_BLOCK = 1024


@dataclass(frozen=True)
class SharedImages:
    """Faces of a set that show a photograph of another set.

    `copy` and `near` are bool (N,), a value a face in the set's order: a byte-equal image of the other set, and one as
    alike as near-copies are, which is not byte-equal. `compared` counts the faces of the other set.
    """

    copy: np.ndarray
    near: np.ndarray
    compared: int

    @property
    def any(self) -> np.ndarray:
        """Copies and near-copies together, bool (N,)."""
        return self.copy | self.near

    def __or__(self, other: SharedImages) -> SharedImages:
        """The same of both other sets together."""
        copy = self.copy | other.copy
        return SharedImages(copy, (self.near | other.near) & ~copy, self.compared + other.compared)


def shared_images(
    store: AlignedStore,
    faces: pd.DataFrame,
    second_store: AlignedStore,
    other_faces: pd.DataFrame,
    progress: Progress | None = None,
) -> SharedImages:
    """Which of `faces` of `store` show a photograph of `other_faces` of `second_store`.

    Two aligned faces are near-copies where their grey detail (the image less its local mean) correlates by at least
    `CANDIDATE` in cells of 3 pixels and by at least `NEAR` in cells of 2 pixels at the best of small shifts; with one
    of them mirrored, by at least `NEAR_MIRRORED`. The cost is that of all pairs, two products of matrices of 784
    columns. The column `sha256` tells byte-equal images, where both tables have it. `progress(stage, total)` returns a
    function to call with a count of faces.
    """
    copy = np.zeros(len(faces), dtype=bool)
    if "sha256" in faces and "sha256" in other_faces:
        copy = faces["sha256"].isin(set(other_faces["sha256"].dropna())).to_numpy(dtype=bool)
    near = np.zeros(len(faces), dtype=bool)
    rows, other_rows = faces["row"].to_numpy(), other_faces["row"].to_numpy()
    tick = progress("comparing with training faces", len(rows)) if progress else lambda _: None
    blocks = [other_rows[n : n + _BLOCK] for n in range(0, len(other_rows), _BLOCK)]
    others = [(block, coarse_detail(second_store.images[block])) for block in blocks]
    for start in range(0, len(rows), _BLOCK):
        images = store.images[rows[start : start + _BLOCK]]
        near[start : start + len(images)] = _near_copies(images, second_store, others)
        tick(len(images))
    return SharedImages(copy, near & ~copy, len(other_faces))


def _near_copies(
    images: np.ndarray, second_store: AlignedStore, others: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Boolean (n,): which of the images (n, 112, 112, 3) are near-copies of faces of the second store.

    `others` are these faces in blocks: their rows (m,) and their coarse detail (m, cells).
    """
    near = np.zeros(len(images), dtype=bool)
    mirrored = images[:, :, ::-1]
    ways = [(images, coarse_detail(images), NEAR), (mirrored, coarse_detail(mirrored), NEAR_MIRRORED)]
    for (block, other_detail), (way, detail, bound) in product(others, ways):
        candidates, partners = np.nonzero(detail @ other_detail.T >= CANDIDATE)
        undecided = ~near[candidates]
        candidates, partners = candidates[undecided], block[partners[undecided]]
        for at in range(0, len(candidates), _BLOCK):
            a, b = candidates[at : at + _BLOCK], partners[at : at + _BLOCK]
            near[a[fine_agreement(way[a], second_store.images[b]) >= bound]] = True
    return near


def _detail(images: np.ndarray, cell: int, window: int) -> np.ndarray:
    """Grey images less their local mean, in cells of `cell` pixels: float32 (N, H / cell, W / cell)."""
    grey = images.mean(axis=3, dtype=np.float32)
    n, height, width = grey.shape
    cells = grey.reshape(n, height // cell, cell, width // cell, cell).mean(axis=(2, 4))
    return cells - uniform_filter(cells, size=(0, window, window), mode="reflect")


def _unit(values: np.ndarray) -> np.ndarray:
    """Rows without their mean and of length 1; rows that are constant stay zero."""
    flat = values.reshape(len(values), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.divide(flat, length, out=np.zeros_like(flat), where=length > 1e-3)


def coarse_detail(images: np.ndarray) -> np.ndarray:
    """Coarse detail of the middle of aligned faces, unit rows float32 (N, 784)."""
    return _unit(_detail(images[:, _TOP:_BOTTOM, _LEFT:_RIGHT], cell=3, window=7))


def fine_agreement(faces: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """Correlation of the fine detail of pairs of aligned faces, at the best of small shifts: float (P,), −1 to 1.

    Both are uint8 (P, H, W, 3); `faces` may be a single face, which is then compared with each of `partners`.
    """
    first, second = _detail(faces, cell=2, window=9), _detail(partners, cell=2, window=9)
    top, bottom, left, right = 10, 50, 10, 46
    mine = _unit(first[:, top:bottom, left:right])
    best = np.full(len(partners), -1.0)
    for down in range(-SHIFT, SHIFT + 1):
        for across in range(-SHIFT, SHIFT + 1):
            theirs = _unit(second[:, top + down : bottom + down, left + across : right + across])
            best = np.maximum(best, (mine * theirs).sum(axis=1))
    return best
