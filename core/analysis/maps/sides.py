"""What a test of two sides' maps is told: which faces stand on either side, and how chance is sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import LookwhereError

PERMUTATIONS = 2000
LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class Sides:
    """The faces of A and those of B, bool (N,) each; raises `LookwhereError` where a face is in both.

    `people` (N,) is missing where unknown; None where nobody is. `strata` is int (N,), negative for unknown: faces are
    compared within a stratum; None compares all of them. `names` are the sides' in sentences; `adjusted_for` names
    what the strata are of.
    """

    a: np.ndarray
    b: np.ndarray
    people: np.ndarray | None = None
    strata: np.ndarray | None = None
    names: tuple[str, str] = ("A", "B")
    adjusted_for: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for side in ("a", "b"):
            object.__setattr__(self, side, np.asarray(getattr(self, side), dtype=bool))
        if shared := int((self.a & self.b).sum()):
            raise LookwhereError(
                f"{self.names[0]} and {self.names[1]}: {shared} faces are in both; narrow one so that none is"
            )


@dataclass(frozen=True)
class Resampling:
    """How chance is sampled: `permutations` bootstrap samples from `seed`; p ≤ `level` counts as beyond chance."""

    permutations: int = PERMUTATIONS
    level: float = LEVEL
    seed: int = 0


#: The resampling that pages and report use.
USUAL = Resampling()
