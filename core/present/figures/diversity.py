"""Mean maps of an experiment's arms beside each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.present.figures.chart_data import MapChart, MapPanel, Scale
from core.present.figures.raster import shared_limit
from core.task import GENDERS


def arm_maps(maps: Mapping[str, np.ndarray | None], faces: str) -> MapChart:
    """The mean map (h, w) of each arm, male less female evidence, each divided by its own strength, on one scale.

    None of an arm without maps, or of too few `faces` (their name) for an average.
    """
    shapes = {name: None if mean is None else _shape(mean) for name, mean in maps.items()}
    present = [shape for shape in shapes.values() if shape is not None]
    limit = shared_limit(present) if present else 1.0
    panels = tuple(
        MapPanel(
            shape, name, f"Mean map of {faces}: {name}", why="" if shape is not None else "too few faces, or no maps"
        )
        for name, shape in shapes.items()
    )
    less, more = GENDERS
    note = f"Evidence for «{more}» (red) less that for «{less}» (blue), each map by its own strength. {faces}."
    return MapChart(panels, (Scale(limit, True, f"−{limit:.3g}", f"{limit:.3g}"),), note)


def _shape(values: np.ndarray) -> np.ndarray:
    """A map divided by its root mean square over cells; as it is where that is 0."""
    strength = float(np.sqrt((values**2).mean()))
    return values / strength if strength else values
