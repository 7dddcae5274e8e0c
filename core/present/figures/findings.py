"""Charts that only the claims have: density by region, mean shapes, an experiment's effects."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from core.analysis.maps.own_pattern import OwnPattern
from core.present.figures.chart_data import NAN, Axis, IntervalChart, MapChart, MapPanel, Mark, Row, Scale, Series
from core.present.figures.raster import shared_limit
from core.present.figures.styles import COLOURS, OWN, Style
from core.wording import bounds, number, percent, signed_bounds, signed_points

IN_CLAIM, NOT_IN_CLAIM = "in the claim", "not in it"
SEED, MEAN, BOTH = "each seed", "mean, over seeds", "over seeds and faces"
#: Thin and of the mean's colour: the wider of two intervals about one value.
_BOTH = OWN.but(symbol="line-ew-open", size=8, edge=1.5, thickness=1.5, report="thin")


def points_interval(value: float, low: float, high: float) -> str:
    """«+0.7 [−0.9 to +2.3]»: shares in points; «+0.7 [no interval]» of one value."""
    return "not known" if np.isnan(value) else f"{signed_points(value)} {_bounds(low, high)}"


def _bounds(low: float, high: float) -> str:
    return "[no interval]" if np.isnan(low) else signed_bounds(low, high)


def density_dots(table: pd.DataFrame, marked: Collection[str], caption: str = "") -> IntervalChart:
    """Density of positive evidence by region with intervals, densest first; 1 is what a uniform map has.

    The regions of the claim, `marked`, have another colour.
    """
    table = table.sort_values("density", ascending=False, kind="stable")
    rows = []
    for row in table.to_dict("records"):
        words = f"{number(row['density'])} [{bounds(row['low'], row['high'], '.2f')}]"
        place = f"{percent(row['share'])} of the evidence on {percent(row['area'])} of the image"
        name = IN_CLAIM if row["region"] in marked else NOT_IN_CLAIM
        mark = Mark(name, row["density"], row["low"], row["high"], words, (place,))
        rows.append(Row(row["region"], (mark,), words=words))
    return IntervalChart(
        tuple(rows),
        (Series(IN_CLAIM, Style(COLOURS[1], report="marked")), Series(NOT_IN_CLAIM, OWN)),
        Axis("density of positive evidence (1 is uniform)", from_zero=True),
        90 + 32 * len(table),
        reference=1.0,
        title="Density of positive evidence by region",
        caption=caption,
    )


def effect_dots(table: pd.DataFrame, title: str = "") -> IntervalChart:
    """An experiment's effects on accuracy: a row a measure, from a finding's `numbers` of one contrast.

    Each seed is a small dot; the mean has its interval over seeds (thick) and over seeds and faces (thin).
    """
    seeds = [name for name in table if name.startswith("seed ")]
    rows = []
    for row in table.to_dict("records"):
        over, both = ([row[key] for key in keys] for keys in (("low", "high"), ("both_low", "both_high")))
        words = points_interval(row["mean"], *over)
        wide = f"over seeds and faces {_bounds(*both)}"
        marks = (
            # A resampled interval need not hold the mean, so it is drawn by itself.
            Mark(BOTH, NAN, *both),
            *(Mark(SEED, row[seed], words=f"{signed_points(row[seed])} points", details=(seed,))
              for seed in seeds),
            Mark(MEAN, row["mean"], *over, f"{words} points", (wide,)),
        )  # fmt: skip
        rows.append(Row(row["measure"], marks, f"{row['pairs']} {'pair' if row['pairs'] == 1 else 'pairs'}", words))
    return IntervalChart(
        tuple(rows),
        (
            Series(BOTH, _BOTH),
            Series(SEED, Style(COLOURS[7], "circle-open", size=7, report="seed")),
            Series(MEAN, OWN.but(thickness=4)),
        ),
        Axis("change of accuracy, points", "points"),
        120 + 34 * len(rows),
        reference=0.0,
        title=title,
        caption="Change of accuracy in points. Thick: over seeds (Student's t); thin: over seeds and faces "
        "(bootstrap).",
    )


def mean_shapes(pattern: OwnPattern) -> MapChart:
    """Mean shapes of correct predictions, of incorrect ones like them, and what those have of their own, on one scale.

    In the last, the cells that show it beyond chance are outlined.
    """
    own, lie = pattern.own, pattern.own.placement
    limit = shared_limit([pattern.common, pattern.wrong])
    panels = (
        MapPanel(pattern.common, f"correct, mean of {own.n_b:,}", "Mean shape of correct predictions", placement=lie),
        MapPanel(
            pattern.wrong, f"incorrect, mean of {own.n_a:,}", "Mean shape of incorrect predictions", placement=lie
        ),
        MapPanel(
            own.difference, "the incorrect ones' own; outlined: beyond chance",
            "What the mean shape of incorrect predictions has beyond that of correct ones", own.significant,
            placement=lie,
        ),
    )  # fmt: skip
    return MapChart(
        panels,
        (Scale(limit, True, f"−{limit:.3g} against the choice", f"{limit:.3g} for it", "without strength"),),
        "Evidence for the chosen gender (red) or against it (blue), each map without level and strength; one scale.",
    )
