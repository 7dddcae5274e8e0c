"""Charts of the checks: similarity by randomised stage, curves with their controls, regions, methods."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.checks.definitions.words import interval_words
from core.checks.stored_words import ANOTHER_FACE, RANK, RANK_OF_MAGNITUDES, RemovalOrder
from core.present.figures.chart_data import (
    Axis,
    Band,
    Bar,
    BarChart,
    Curve,
    CurveChart,
    IntervalChart,
    Mark,
    Row,
    Series,
)
from core.present.figures.styles import COLOURS, OWN, Style
from core.wording import number, percent

#: The face's own map is drawn strong, the controls in colours of their own, dashed.
STYLES = {
    RemovalOrder.OWN: OWN.but(size=5, dash="solid", width=3, interval_colour="rgba(0,114,178,.15)"),
    RemovalOrder.RANDOM: Style(COLOURS[7], size=5, dash="dot"),
    RemovalOrder.GAUSSIAN: Style(COLOURS[1], size=5, dash="dash"),
    RemovalOrder.AVERAGE_FACE: Style(COLOURS[2], size=5, dash="dashdot"),
}
STAGES = {
    "fc": "last layer",
    "layer4": "+ stage 4",
    "layer3": "+ stage 3",
    "layer2": "+ stage 2",
    "layer1": "+ stage 1",
    "conv1": "+ stem (all)",
}


def similarity_dots(rows: pd.DataFrame) -> CurveChart:
    """Rank correlation with the real map after each randomised stage, signed and of magnitudes, from the rows of one
    group; the shaded band is what two faces' real maps have."""
    curves, bands = [], []
    for n, (measure, name) in enumerate(((RANK, "signed map"), (RANK_OF_MAGNITUDES, "magnitudes alone"))):
        part = rows[rows["measure"] == measure]
        steps, two_faces = part[part["stage"] != ANOTHER_FACE], part[part["stage"] == ANOTHER_FACE].iloc[0]
        bands.append(Band("y", two_faces["low"], two_faces["high"], COLOURS[n], 0.18, line=two_faces["mean"]))
        draws = [f"single draws {number(a)} to {number(b)}" for a, b in steps[["draw_low", "draw_high"]].to_numpy()]
        curves.append(
            Curve(
                name,
                ("nothing", *(STAGES[stage] for stage in steps["stage"])),
                (1.0, *steps["mean"]),
                Style(COLOURS[n], size=9),
                (1.0, *steps["low"]),
                (1.0, *steps["high"]),
                notes=("the map itself", *draws),
            )
        )
    x, y = Axis("weights made random"), Axis("rank correlation")
    return CurveChart(tuple(curves), x, y, 360, tuple(bands), legend_below=False)


def order_curves(curves: np.ndarray, x: np.ndarray, orders: list[str], axis: str, score: str) -> CurveChart:
    """Curves (3, orders, X) of mean, low and high over the share of pixels; the own map's interval is shaded."""
    lines = tuple(
        Curve(name, x, curves[0, n], STYLES[name], curves[1, n], curves[2, n], interval="told" if n else "band")
        for n, name in enumerate(orders)
    )
    return CurveChart(lines, Axis(axis, "%", -0.02, 1.02), Axis(score), 380)


def difference_dots(rows: pd.DataFrame, better: dict[str, bool], labels: dict[str, str]) -> IntervalChart:
    """Area under the own curve less each control's, with its paired interval; turned so that right is better for the
    map: `better` says for each kind whether a smaller area is. `labels` names the kinds."""
    chart_rows = []
    rows = rows[rows["less"].notna()]
    for kind in labels:
        for row in rows[rows["kind"] == kind].to_dict("records"):
            value, *ends = (row[key] for key in ("less", "less_low", "less_high"))
            if better[kind]:
                value, ends = -value, [-end for end in ends[::-1]]
            mark = Mark(row["order"], value, *ends, interval_words(value, *ends, digits=3))
            chart_rows.append(Row(labels[kind], (mark,), f"against {row['order']}"))
    series = tuple(
        Series(str(order), Style(style.colour, interval_colour="#888"), legend=False) for order, style in STYLES.items()
    )
    axis = Axis("← control better · map better →")
    return IntervalChart(tuple(chart_rows), series, axis, 90 + 40 * len(rows), reference=0.0, note_below=True)


def region_bars(rows: pd.DataFrame, by_area: bool) -> BarChart:
    """Evidence of each region beside what hiding it costs, and what the same hole costs elsewhere, in logits; divided
    by the region's share of the image where `by_area`."""
    kinds = (
        ("evidence", "evidence of the map", COLOURS[0], ""),
        ("drop", "lost by hiding it", COLOURS[1], ""),
        ("control", "lost by the same hole elsewhere", COLOURS[7], "/"),
    )
    chart_rows = []
    for row in rows.to_dict("records"):
        bars = []
        for column, name, _, _ in kinds:
            ends = [row[column + end] / (row["area"] if by_area else 1.0) for end in ("", "_low", "_high")]
            bars.append(Bar(name, *ends, interval_words(*ends)))
        chart_rows.append(Row(row["region"], tuple(bars), percent(row["area"], 0)))
    series = tuple(
        Series(name, Style(colour, pattern=pattern, thickness=1, interval_colour="#888"))
        for _, name, colour, pattern in kinds
    )
    title = "logits for the prediction" + (", per unit of area (the whole image is 1)" if by_area else "")
    return BarChart(tuple(chart_rows), series, Axis(title), 120 + 56 * len(rows), legend_below=True, grouped=True)


def method_dots(rows: pd.DataFrame) -> IntervalChart:
    """Mean rank correlation with the closed form, a row a method, from the rows of one group; best first."""
    rows = rows.sort_values("mean", ascending=False, kind="stable", na_position="last")
    chart_rows = tuple(
        Row(
            row["method"],
            (Mark("", row["mean"], row["low"], row["high"], interval_words(row["mean"], row["low"], row["high"], 3)),),
            f"n = {row['defined']}",
        )
        for row in rows.to_dict("records")
    )
    least = min(0.0, float(np.nan_to_num(rows["low"].astype(float)).min(initial=0.0)))
    axis = Axis("rank correlation", low=least - 0.06, high=1.06)
    return IntervalChart(chart_rows, (Series("", OWN.but(size=10), legend=False),), axis, 100 + 26 * len(rows), 0.0)
