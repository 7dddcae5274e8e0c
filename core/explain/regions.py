"""Named regions of a face on the alignment template, and their share of each cell of a map.

The regions partition the 112×112 square (ArcFace's template, `core.template`). The chin's tip lies below the crop and
long hair outside it, so neither is in any region; what hair, ears and neck the crop holds are `surround`. A cell sees
more of the face than its own square, so evidence in a region is centred on it, not confined to it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import LookwhereError
from core.explain.grids import coverage
from core.explain.placement import Placement, placed
from core.template import SIDE

FILE = Path(__file__).with_name("regions.json")
#: Samples a pixel and axis when areas are measured.
SUPERSAMPLE = 4
#: A border this near to the middle line, in pixels, lies on it.
ROUNDING = 1e-6
#: The five landmarks of the template in order, as seen in the image, and the region each belongs in.
LANDMARKS = {
    "left eye": "eyes",
    "right eye": "eyes",
    "nose tip": "nose",
    "left mouth corner": "mouth",
    "right mouth corner": "mouth",
}


def load_regions(file: Path = FILE) -> dict[str, list[np.ndarray]]:
    """Each region's polygons, float64 (V, 2), (x, y) in template pixels; the last region is the rest and has none.

    Raises `LookwhereError` where the file is damaged.
    """
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))["regions"]
        regions = {e["name"]: [np.array(p, dtype=np.float64) for p in e["polygons"]] for e in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LookwhereError(f"{file}: damaged or missing ({error}); restore it from the repository") from error
    if any(p.ndim != 2 or p.shape[1] != 2 or len(p) < 3 for polygons in regions.values() for p in polygons):
        raise LookwhereError(f"{file}: a polygon needs three points [x, y] or more; mend it there")
    if len(regions) != len(entries) or not all(list(regions.values())[:-1]) or list(regions.values())[-1]:
        raise LookwhereError(f"{file}: regions need names and polygons of their own, and the last one none; mend it")
    return regions


#: The names, from top to bottom; the order of every array and table by region.
REGIONS = tuple(load_regions())


def region_at(points: np.ndarray) -> np.ndarray:
    """Index in `REGIONS` of the region that each point (…, 2), (x, y) in template pixels, lies in; int8 (…)."""
    x, y = points[..., 0].ravel(), points[..., 1].ravel()
    region_index = np.full(x.shape, len(REGIONS) - 1, dtype=np.int8)
    for index, polygons in reversed(list(enumerate(_polygons()))):
        for polygon in polygons:
            (left, top), (right, bottom) = polygon.min(axis=0), polygon.max(axis=0)
            near = np.flatnonzero((x >= left) & (x <= right) & (y >= top) & (y <= bottom))
            region_index[near[inside(x[near], y[near], polygon)]] = index
    return region_index.reshape(points.shape[:-1])


def inside(x: np.ndarray, y: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Which points (…) lie in a polygon (V, 2), by the even-odd rule; polygons that share an edge share no point."""
    odd = np.zeros(x.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            # From the lower end always: a shared edge then gives the same number in both polygons.
            (xa, ya), (xb, yb) = ((x0, y0), (x1, y1)) if y0 < y1 else ((x1, y1), (x0, y0))
            odd ^= (y >= ya) & (y < yb) & (x < xa + (y - ya) * ((xb - xa) / (yb - ya)))
    return odd


@lru_cache(maxsize=1)
def _polygons() -> tuple[list[np.ndarray], ...]:
    return tuple(load_regions().values())


@lru_cache(maxsize=8)
def label_image(side: int = SIDE, supersample: int = 1) -> np.ndarray:
    """Region index at the centre of each of (side·supersample)² equal squares, int8, read-only."""
    count = side * supersample
    axis = (np.arange(count) + 0.5) * (SIDE / count) - 0.5
    labels = region_at(np.stack(np.meshgrid(axis, axis), axis=-1))
    labels.setflags(write=False)
    return labels


@lru_cache(maxsize=16)
def moved(down: int, across: int, side: int = SIDE, supersample: int = 1) -> np.ndarray:
    """`label_image` with all regions moved by so many of its `side`; what comes in at the edge is the last region."""
    labels = np.full_like(label_image(side, supersample), len(REGIONS) - 1)
    y, x = down * supersample, across * supersample
    count = len(labels)
    labels[max(y, 0) : count + min(y, 0), max(x, 0) : count + min(x, 0)] = label_image(side, supersample)[
        max(-y, 0) : count + min(-y, 0), max(-x, 0) : count + min(-x, 0)
    ]
    labels.setflags(write=False)
    return labels


def weights(
    map_shape: tuple[int, int], placement: Placement | None = None, move: tuple[int, int] = (0, 0)
) -> np.ndarray:
    """The share of each map cell's area that lies in each region, float64 (R, h, w), read-only.

    Over the regions it sums to 1 in every cell, so Σ_cells weights[r]·map / (h·w), summed over r, is the map's mean.
    Cells lie where `placement` says, by default they are tiles. `move`: regions moved by so many template pixels, down
    and across.
    """
    return _weights(placed(map_shape, placement), move)


@lru_cache(maxsize=32)
def _weights(at: Placement, move: tuple[int, int]) -> np.ndarray:
    labels = moved(*move, SIDE, SUPERSAMPLE)
    rows, columns = (coverage(edges, len(labels)) for edges in at.edges)
    shares = np.stack([rows @ (labels == index) @ columns.T for index in range(len(REGIONS))])
    shares.setflags(write=False)
    return shares


def area_shares() -> np.ndarray:
    """Each region's share of the square, float64 (R,)."""
    return weights((1, 1))[:, 0, 0]


def even_shares(map_shape: tuple[int, int], placement: Placement | None = None) -> np.ndarray:
    """What share an even map, alike in every cell, has in each region, float64 (R,).

    With tiles these are the regions' shares of the square. Where cells lie closer in the middle than at the border, the
    middle has more of an even map than of the square.
    """
    return weights(map_shape, placement).mean(axis=(1, 2))


def by_region(maps: np.ndarray, placement: Placement | None = None) -> np.ndarray:
    """Maps (…, h, w) → float64 (…, R): Σ_cells weights[r]·map / (h·w); the sum over regions is the map's mean."""
    height, width = maps.shape[-2:]
    shares = weights((height, width), placement).reshape(len(REGIONS), -1) / (height * width)
    return maps.reshape(*maps.shape[:-2], height * width).astype(np.float64) @ shares.T


@lru_cache(maxsize=1)
def _single_names() -> dict[str, str]:
    """What one part of a paired region is called: `{"eyes": "eye", …}`."""
    entries = json.loads(FILE.read_text(encoding="utf-8"))["regions"]
    return {entry["name"]: entry["one"] for entry in entries if "one" in entry}


def cell_words(
    map_shape: tuple[int, int], row: int, column: int, placement: Placement | None = None, sides: bool = True
) -> str:
    """Where a cell of a map (h, w) lies, in words: «nose», «left eye», «right side of the mouth», «surround left of the
    cheeks».

    The region is the one that holds most of the cell's area; the upper one where two hold the same. Left and right are
    those of the image. A cell across the square's middle line has no side. A cell of `surround` is placed beside the
    region that holds most of the cell's row. Without `sides` left and right are not told apart: «eyes», «surround
    beside the cheeks».
    """
    shares = weights(map_shape, placement)
    name = REGIONS[int(shares[:, row, column].argmax())]
    low, high = placed(map_shape, placement).edges[1][column : column + 2]
    if low < SIDE / 2 - ROUNDING and high > SIDE / 2 + ROUNDING:
        return name
    beside = f"the {REGIONS[int(shares[:-1, row].sum(axis=1).argmax())]}"
    if not sides:
        return f"{name} beside {beside}" if name == REGIONS[-1] else name
    side = "left" if low + high < SIDE else "right"
    if name in _single_names():
        return f"{side} {_single_names()[name]}"
    if name == REGIONS[-1]:
        return f"{name} {side} of {beside}"
    return f"{side} side of the {name}"


def check_positions(landmarks: np.ndarray) -> pd.DataFrame:
    """Do the regions lie where a store's landmarks (N, 5, 2) are? A row a landmark.

    Columns `landmark`, mean `x` and `y`, the `region` the mean lies in, the `expected` one, the `share` of faces whose
    landmark lies in it, and `n`; rows of NaN (no face found) are left out. Raises `LookwhereError` where none is left.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    points = points[np.isfinite(points).all(axis=(1, 2))]
    if not len(points):
        raise LookwhereError("no landmarks to check the regions by; make the store again with `python -m core align`")
    mean, landmark_regions = points.mean(axis=0), region_at(points)
    expected = np.array([REGIONS.index(region) for region in LANDMARKS.values()])
    return pd.DataFrame(
        {
            "landmark": list(LANDMARKS),
            "x": mean[:, 0],
            "y": mean[:, 1],
            "region": [REGIONS[index] for index in region_at(mean)],
            "expected": list(LANDMARKS.values()),
            "share": (landmark_regions == expected).mean(axis=0),
            "n": len(points),
        }
    )
