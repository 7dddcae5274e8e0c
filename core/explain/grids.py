"""Grids of cells: areas, overlaps, and a map carried from one grid to another."""

from __future__ import annotations

import numpy as np

from core.privacy import MOST_CELLS
from core.template import SIDE


def regrid(evidence: np.ndarray, crop: tuple[float, float, float, float]) -> np.ndarray:
    """Maps (…, h, w) over a crop of the template → over all of it, float32, with cells about as large as they were.

    There are at most `MOST_CELLS` rows and columns: finer maps would look like the face. A cell's contribution goes to
    the cells it overlaps in proportion to the area, from beyond the template to the nearest at the border: the mean of
    a map stays what it was. Coarse maps of the whole template are left as they are.
    """
    left, top, right, bottom = crop
    h, w = evidence.shape[-2:]
    if crop == (0, 0, SIDE, SIDE) and max(h, w) <= MOST_CELLS:
        return evidence
    rows, columns = _shared(h, top, bottom), _shared(w, left, right)
    found = rows @ evidence.astype(np.float64) @ columns.T
    return np.float32(found * (len(rows) * len(columns) / (h * w)))


def cells_of(grid: tuple[int, int], crop: tuple[float, float, float, float]) -> tuple[int, int]:
    """The grid over the template that `regrid` gives."""
    left, top, right, bottom = crop
    return _cells(grid[0], bottom - top), _cells(grid[1], right - left)


def _cells(count: int, length: float) -> int:
    return min(MOST_CELLS, max(2, round(count * SIDE / length)))


def _shared(count: int, low: float, high: float) -> np.ndarray:
    """What share of each of `count` cells between two edges lies in each cell of the template: (cells, count)."""
    cells = _cells(count, high - low)
    edges = np.linspace(low, high, count + 1)
    lines = np.linspace(0, SIDE, cells + 1)
    lines[0], lines[-1] = -np.inf, np.inf
    shared = np.minimum(edges[None, 1:], lines[1:, None]) - np.maximum(edges[None, :-1], lines[:-1, None])
    return np.maximum(shared, 0) / np.diff(edges)


def area_weights(fine: int, coarse: int) -> np.ndarray:
    """(coarse, fine): the share of each fine cell that lies in each coarse one; columns sum to 1."""
    edges = np.linspace(0, fine, coarse + 1)
    low, high = edges[:-1, None], edges[1:, None]
    cell = np.arange(fine)[None]
    return np.clip(np.minimum(high, cell + 1) - np.maximum(low, cell), 0, None)


def resample(maps: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Maps (N, h, w) on a coarser grid by area; a map's sum, its part of the logit, stays as it is."""
    if maps.shape[1:] == tuple(shape):
        return maps
    rows, columns = (area_weights(fine, coarse) for fine, coarse in zip(maps.shape[1:], shape, strict=True))
    return np.einsum("ij,njk,lk->nil", rows, maps.astype(np.float64), columns, optimize=True)


def coverage(cells: int, samples: int) -> np.ndarray:
    """Which part of each of `cells` equal intervals each of `samples` equal ones is (cells, samples); rows sum to 1."""
    edges = np.arange(cells + 1) * (samples / cells)
    low, high = edges[:-1, None], edges[1:, None]
    start = np.arange(samples)
    covered = np.clip(np.minimum(high, start + 1) - np.maximum(low, start), 0, None)
    return covered / covered.sum(axis=1, keepdims=True)
