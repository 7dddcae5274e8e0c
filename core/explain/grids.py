"""Grids of cells: areas, overlaps, and a map carried from one grid to another."""

from __future__ import annotations

import numpy as np

from core.explain.placement import Placement, edges_between, placed
from core.privacy import MOST_CELLS
from core.template import SIDE


def regrid(
    evidence: np.ndarray, crop: tuple[float, float, float, float], centres: Placement | None = None
) -> np.ndarray:
    """Maps (…, h, w) over a crop of the template → over all of it, float32, with cells about as large as they were.

    There are at most `MOST_CELLS` rows and columns: finer maps would look like the face. A cell's contribution goes to
    the cells it overlaps in proportion to the area, from beyond the template to the nearest at the border: the mean of
    a map stays what it was. Coarse maps of the whole template are left as they are. `centres` are those of the rows and
    columns in template pixels, by default of tiles; the result's cells are tiles, unless the maps are left as they are.
    """
    left, top, right, bottom = crop
    h, w = evidence.shape[-2:]
    if left_as_it_is((h, w), crop):
        return evidence
    rows, columns = (
        _onto_template(np.linspace(low, high, n + 1) if of is None else edges_between(of, low, high))
        for n, low, high, of in (
            (h, top, bottom, centres and centres.rows),
            (w, left, right, centres and centres.columns),
        )
    )
    cell_means = rows @ evidence.astype(np.float64) @ columns.T
    return np.float32(cell_means * (len(rows) * len(columns) / (h * w)))


def left_as_it_is(grid: tuple[int, int], crop: tuple[float, float, float, float]) -> bool:
    """Whether `regrid` leaves maps of this grid over this crop as they are."""
    return crop == (0, 0, SIDE, SIDE) and max(grid) <= MOST_CELLS


def cells_of(grid: tuple[int, int], crop: tuple[float, float, float, float]) -> tuple[int, int]:
    """The grid over the template that `regrid` gives."""
    left, top, right, bottom = crop
    return _cells(grid[0], bottom - top), _cells(grid[1], right - left)


def _cells(count: int, length: float) -> int:
    return min(MOST_CELLS, max(2, round(count * SIDE / length)))


def _onto_template(edges: np.ndarray) -> np.ndarray:
    """What share of each cell between edges (n + 1,) lies in each of about as large tiles of the template: (m, n)."""
    lines = np.linspace(0, SIDE, _cells(len(edges) - 1, edges[-1] - edges[0]) + 1)
    lines[0], lines[-1] = -np.inf, np.inf
    return shares_of(edges, lines)


def shares_of(edges: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """(m, n): the share of each of n cells between `edges` (n + 1,) that lies in each of m between `lines` (m + 1,)."""
    shared = np.minimum(edges[None, 1:], lines[1:, None]) - np.maximum(edges[None, :-1], lines[:-1, None])
    return np.maximum(shared, 0) / np.diff(edges)


def resample(maps: np.ndarray, onto: Placement, of: Placement | None = None) -> np.ndarray:
    """Maps (N, h, w) whose cells lie as `of` says, on other cells, by area; a map's sum, its part of the logit, stays.

    `of` is by default tiles. Maps that lie there already are left as they are.
    """
    at = placed(maps.shape, of)
    if same_places(at, onto):
        return maps
    rows, columns = (shares_of(edges, lines) for edges, lines in zip(at.edges, onto.edges, strict=True))
    return np.einsum("ij,njk,lk->nil", rows, maps.astype(np.float64), columns, optimize=True)


def same_places(placement: Placement, reference: Placement) -> bool:
    """Whether cells lie at the same places to a tenth of a cell."""
    if placement.shape != reference.shape:
        return False
    return all(
        np.allclose(a, b, rtol=0, atol=SIDE / len(a) / 10)
        for a, b in ((placement.rows, reference.rows), (placement.columns, reference.columns))
    )


def coverage(edges: np.ndarray, samples: int) -> np.ndarray:
    """Which part of each cell between `edges` (n + 1,), from 0 to 112, each of `samples` equal steps is: (n, samples);
    rows sum to 1."""
    low, high = edges[:-1, None] * (samples / SIDE), edges[1:, None] * (samples / SIDE)
    start = np.arange(samples)
    covered = np.clip(np.minimum(high, start + 1) - np.maximum(low, start), 0, None)
    return covered / covered.sum(axis=1, keepdims=True)
