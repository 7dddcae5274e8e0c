"""Where a map's cells lie on the aligned face: the centres of its rows and columns.

A network's cells need not tile the square: those of strided convolutions begin at its upper left corner and end before
its lower right one. So a map is drawn, and its evidence given to regions, by its cells' true centres. No torch is
needed here; `core.explain.receptive_fields` measures them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.template import SIDE

#: Centres this near to those of tiles, in pixels, are theirs: manifests keep hundredths.
EXACT = 0.01


@dataclass(frozen=True)
class Placement:
    """Centres of a map's rows and columns, ascending, in template pixels from its upper left corner (0 to 112).

    A cell reaches halfway to its neighbours' centres, and at the borders to the border, so that cells partition the
    square whatever their centres.
    """

    rows: tuple[float, ...]
    columns: tuple[float, ...]

    @classmethod
    def tiles(cls, shape: tuple[int, int]) -> Placement:
        """Equal cells (h, w) that tile the square."""
        return cls(*(tuple((n + 0.5) * (SIDE / count) for n in range(count)) for count in shape))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map (h, w)."""
        return len(self.rows), len(self.columns)

    @property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Borders of the rows (h + 1,) and of the columns (w + 1,), float64, from 0 to 112."""
        return edges_between(self.rows), edges_between(self.columns)

    @property
    def as_tiles(self) -> bool:
        """Whether the cells are equal ones that tile the square."""
        return self.farthest() < EXACT

    def farthest(self) -> float:
        """How far the farthest centre lies from where equal tiles have it, in template pixels."""
        tiles = Placement.tiles(self.shape)
        apart = [abs(a - b) for a, b in zip(self.rows + self.columns, tiles.rows + tiles.columns, strict=True)]
        return max(apart)


def edges_between(centres: tuple[float, ...], low: float = 0, high: float = SIDE) -> np.ndarray:
    """Borders (n + 1,) of cells with ascending centres (n,): halfway between two, and `low` and `high` at the ends."""
    between = np.asarray(centres, dtype=np.float64)
    return np.concatenate([[low], (between[1:] + between[:-1]) / 2, [high]])


def placed(shape: tuple[int, ...], placement: Placement | None) -> Placement:
    """The placement of maps (…, h, w): tiles where none was measured, and for a map of another grid."""
    grid = (shape[-2], shape[-1])
    return placement if placement is not None and placement.shape == grid else Placement.tiles(grid)


@lru_cache(maxsize=64)
def interpolation(centres: tuple[float, ...], samples: int) -> np.ndarray:
    """(samples, n): what of each cell's value goes into each of `samples` equal steps of the square, read-only.

    Linear between two centres, and beyond the first and the last what these have.
    """
    steps = (np.arange(samples) + 0.5) * (SIDE / samples)
    weights = np.stack([np.interp(steps, centres, unit) for unit in np.eye(len(centres))], axis=1)
    weights.setflags(write=False)
    return weights


def enlarged(maps: np.ndarray, placement: Placement | None, side: int) -> np.ndarray:
    """Maps (…, h, w) → float32 (…, side, side) over the square, linear between the cells' centres."""
    at = placed(maps.shape, placement)
    down, across = interpolation(at.rows, side), interpolation(at.columns, side)
    return np.float32(down @ maps.astype(np.float64) @ across.T)
