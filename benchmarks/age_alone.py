"""Audits whose maps depend on age alone: how often the heatmap test finds another group's maps different."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from core.analysis.maps.differences import difference
from core.analysis.maps.sides import Resampling, Sides
from core.analysis.strata import strata_of
from core.audit.folder import open_audit
from core.data.filters import Filter

#: Bootstrap samples in a simulated test.
SAMPLES = 199
#: Standard deviation, in years, of the window that tells the mean map of an age.
WINDOW = 4.0


@cache
def parts(folder: Path) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """An audit's faces of known age, the mean map of each one's age, and what is left of its own, float64 (N, h, w)."""
    audit = open_audit(folder)
    has_age = audit.faces["age"].notna().to_numpy()
    faces, maps = audit.faces[has_age].reset_index(drop=True), audit.maps("true", "raw")[has_age].astype(np.float64)
    age = faces["age"].to_numpy(dtype=np.float64)
    years, place = np.unique(age, return_inverse=True)
    weight = np.exp(-((years[:, None] - age) ** 2) / (2 * WINDOW**2))
    flat = maps.reshape(len(maps), -1)
    by_age = ((weight @ flat) / weight.sum(axis=1, keepdims=True))[place].reshape(maps.shape)
    return faces, by_age, maps - by_age


def age_alone(folder: Path, a: str, b: str, adjust: str | None) -> Callable[[np.random.Generator], bool]:
    """Whether two ethnicities' maps differ where a map is that of its age and what is left of any other face."""

    def once(draw: np.random.Generator) -> bool:
        faces, by_age, rest = parts(folder)
        sides = (Filter(ethnicity=(name,)).mask(faces) for name in (a, b))
        strata = None if adjust is None else strata_of(faces, adjust)
        maps = by_age + rest[draw.permutation(len(rest))]
        return difference(
            maps,
            Sides(*sides, strata=strata),
            Resampling(SAMPLES, seed=int(draw.integers(1 << 31))),
        ).differs

    return once
