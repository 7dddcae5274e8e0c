"""Maps of any function of a face, from nothing but its answers: hide a part of the image, see what the margin loses.

Both methods give, for each cell of a grid over the template, how much the margin (logit of female less that of male)
falls when the cell is hidden, in logits. What is hidden becomes a blurred copy of itself: a flat colour would bring
edges that no face has, and with some models they outweigh what they hide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from PIL import Image, ImageFilter

from core.errors import LookwhereError
from core.template import CELL, SIDE

#: uint8 (B, 112, 112, 3) → logits (B, 2) of female and male.
Function = Callable[[np.ndarray], np.ndarray]
#: As many as a ResNet's last stage has: an eye, or the tip of the nose, fills about one.
CELLS = (SIDE // CELL, SIDE // CELL)
FILLS = ("blur", "mean")
#: σ of the blur as a share of the side (8 px of 112), as in the explanation checks: it leaves no feature of the face.
BLUR = 1 / 14
#: Images changed and put through the function at once: 5 MB of them.
BATCH = 128
#: Masks of RISE: what 4,000 faces can afford of a small model on two cores.
MASKS = 192
#: Ridge penalty of RISE, as a share of the masks' mean variance: it steadies what neighbouring cells share.
RIDGE = 0.1
#: A mask's steps between hidden (0) and kept.
KEPT = 256


def as_evidence(drops: np.ndarray) -> np.ndarray:
    """Evidence float32 (B, 2, h, w) of drops (B, h, w): how much margin is lost without each cell, in logits.

    E_female = M·h·w/2 and E_male = −M·h·w/2 of a drop M: the margin map over h·w is M again. They are no
    decomposition: cells need not add up to the margin.
    """
    half = (drops * (drops.shape[1] * drops.shape[2] / 2)).astype(np.float32)
    return np.stack([half, -half], axis=1)


def occlusion(
    function: Function,
    images: np.ndarray,
    margin: np.ndarray,
    *,
    cells: tuple[int, int] = CELLS,
    fill: str = FILLS[0],
    batch: int = BATCH,
) -> np.ndarray:
    """Margin (B,) less that of the face with one cell hidden, float64 (B, h, w); h·w calls a face.

    Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901. A patch is a cell and neighbours do not overlap, so that of a
    linear function the cells add up to what hiding the whole face would take.
    """
    h, w = cells
    places = _cells(images.shape[1], cells)
    drops = np.empty((len(images), h * w))
    step = max(batch // (h * w), 1)
    for low in range(0, len(images), step):
        faces = images[low : low + step]
        hidden = filled(faces, fill)
        changed = np.repeat(faces[:, None], h * w, axis=1)
        for k, (rows, columns) in enumerate(places):
            changed[:, k, rows, columns] = hidden[:, rows, columns]
        hidden_margin = _margin(function(changed.reshape(-1, *faces.shape[1:])))
        drops[low : low + step] = margin[low : low + step, None] - hidden_margin.reshape(len(faces), h * w)
    return drops.reshape(-1, h, w)


@dataclass(frozen=True)
class RandomMasks:
    """How faces are hidden at random: `masks` an image, fixed by the `seed`, of `cells` (h, w), with `fill` where a
    face is hidden; `ridge` is the penalty of the regression on them, as a share of their mean variance."""

    masks: int = MASKS
    seed: int = 0
    cells: tuple[int, int] = CELLS
    fill: str = FILLS[0]
    ridge: float = RIDGE


DEFAULT_MASKS = RandomMasks()


def rise(function: Function, images: np.ndarray, design: RandomMasks = DEFAULT_MASKS, batch: int = BATCH) -> np.ndarray:
    """What each cell adds to the margin where the others are hidden at random, float64 (B, h, w).

    The function is called once a mask and face, for `batch` of them together.

    The masks are those of Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421: random grids, half kept, enlarged
    smoothly and shifted; the same for every face, fixed by the seed. The estimate is not theirs: E[f·mask]/E[mask]
    holds, besides the cell's part, the function's mean, the same everywhere, and what the neighbours do, as smooth
    masks keep them together. Here the margin is regressed on how much of each cell is kept, with a ridge penalty, and
    each mask comes with its complement, which takes the mean and every even effect out. Raises `LookwhereError` where
    `masks` is odd or under 2.
    """
    masks, cells = design.masks, tuple(design.cells)
    if masks < 2 or masks % 2:
        raise LookwhereError(f"RISE takes masks in pairs, an even number of them, not {masks}")
    mask_grid = random_masks(masks, cells, images.shape[1], design.seed)
    weights = _weights(mask_grid[: masks // 2], cells, design.ridge)
    margins = np.empty((len(images), masks))
    mask_grid = np.repeat(mask_grid.reshape(masks, -1), images.shape[3], axis=1)
    for n, face in enumerate(images):
        whole, hidden = (image.reshape(-1).astype(np.uint16) for image in (face, filled(face[None], design.fill)))
        for low in range(0, masks, batch):
            # hidden + kept·(whole − hidden) in 16 bits, where a negative difference wraps and the sum wraps back.
            mixed = (mask_grid[low : low + batch] * (whole - hidden) + (hidden * KEPT + KEPT // 2)) // KEPT
            margins[n, low : low + batch] = _margin(function(mixed.astype(np.uint8).reshape(-1, *face.shape)))
    odd = (margins[:, : masks // 2] - margins[:, masks // 2 :]) / 2
    return (odd @ weights.T).reshape(-1, *cells)


@lru_cache(maxsize=2)
def random_masks(count: int, cells: tuple[int, int] = CELLS, side: int = SIDE, seed: int = 0) -> np.ndarray:
    """Masks uint16 (count, side, side), from 0 (hidden) to 256 (kept); the second half is the first's complement."""
    generator = np.random.default_rng([seed, count])
    h, w = cells
    tall, wide = -(-side // h), -(-side // w)
    # A cell more than the grid has, each way, leaves room for the shift.
    grids = generator.random((count // 2, h + 1, w + 1)) < 0.5
    down, right = generator.integers(0, tall, count // 2), generator.integers(0, wide, count // 2)
    masks = np.empty((count, side, side), dtype=np.uint16)
    for n, (grid, y, x) in enumerate(zip(grids, down, right, strict=True)):
        image = Image.fromarray(grid.astype(np.float32))
        fine = np.asarray(image.resize((wide * (w + 1), tall * (h + 1)), Image.Resampling.BILINEAR))
        masks[n] = np.rint(fine[y : y + side, x : x + side] * KEPT)
    masks[count // 2 :] = KEPT - masks[: count // 2]
    masks.flags.writeable = False
    return masks


def filled(images: np.ndarray, fill: str) -> np.ndarray:
    """What stands where faces are hidden, uint8 (B, H, W, 3): their blurred copy, or their mean colour."""
    if fill not in FILLS:
        raise LookwhereError(f"fill must be one of {', '.join(FILLS)}, not {fill!r}")
    if fill == "mean":
        colour = images.mean(axis=(1, 2), keepdims=True).round().astype(np.uint8)
        return np.broadcast_to(colour, images.shape)
    blur = ImageFilter.GaussianBlur(BLUR * images.shape[1])
    return np.stack([np.asarray(Image.fromarray(image).filter(blur)) for image in images])


def _cells(side: int, cells: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Rows and columns of each cell, row by row."""
    edges = [np.linspace(0, side, count + 1).round().astype(int) for count in cells]
    spans = [[slice(a, b) for a, b in pairwise(edge)] for edge in edges]
    return [(rows, columns) for rows in spans[0] for columns in spans[1]]


def _weights(mask_grid: np.ndarray, cells: tuple[int, int], ridge: float) -> np.ndarray:
    """(h·w, pairs): a cell's regression coefficient from half the difference of each pair's margins."""
    means = [mask_grid[:, rows, columns].mean(axis=(1, 2)) for rows, columns in _cells(mask_grid.shape[1], cells)]
    share = np.stack(means, axis=1) / KEPT - 0.5
    square = share.T @ share
    penalty = ridge * np.trace(square) / len(square) * np.eye(len(square))
    return np.linalg.lstsq(square + penalty, share.T, rcond=None)[0]


def _margin(logits: np.ndarray) -> np.ndarray:
    logits = np.asarray(logits, dtype=np.float64)
    return logits[:, 0] - logits[:, 1]
