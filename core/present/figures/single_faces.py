"""One face's evidence by region, drawn; and an error cluster beside all incorrect predictions."""

from __future__ import annotations

import numpy as np

from core.analysis.maps.error_clusters import ErrorCluster
from core.explain.regions import REGIONS
from core.present.figures import raster
from core.present.figures.chart_data import Axis, Bar, BarChart, Row, Series
from core.present.figures.styles import BY_CLASS
from core.task import GENDER, Task
from core.wording import signed


def region_bars(regions: np.ndarray, additive: bool, task: Task = GENDER) -> BarChart:
    """Signed contributions (R,) of the regions to one face's margin, from the top of the face down."""
    rows = []
    for name, value in zip(REGIONS, regions, strict=True):
        kind = f"speaks for {task.labels[0 if value >= 0 else 1]}"
        rows.append(Row(name, (Bar(kind, value, words=signed(value, 3), text=signed(value)),)))
    reach = max(float(np.abs(regions).max()), 1e-9)
    low = -1.25 * reach if (regions < 0).any() else -0.02 * reach
    high = 1.25 * reach if (regions > 0).any() else 0.02 * reach
    title = "contribution to the margin" if additive else "evidence, in the map's own units"
    series = tuple(Series(f"speaks for {label}", style) for label, style in zip(task.labels, BY_CLASS, strict=True))
    return BarChart(tuple(rows), series, Axis(title, low=low, high=high), 330)


def error_cluster_sheet(clusters: list[tuple[str, ErrorCluster]], limit: float) -> raster.Sheet:
    """The mean maps of kinds that are shown, by name, to take away."""
    rows = [
        (name, [(raster.paint(k.map, limit, True, placement=k.placement), f"mean shape, n = {k.n:,}")])
        for name, k in clusters
    ]
    return raster.Sheet(rows, [(True, f"−{limit:.3g} against", f"{limit:.3g} for the choice")])
