"""Charts of the person or the image: a group's gap, the part that goes with each measure, and what is left."""

from __future__ import annotations

import pandas as pd

from core.present.figures.chart_data import Axis, IntervalChart, Mark, Row, Series
from core.present.figures.styles import DARK_GREY, GREY, OWN, Style
from core.wording import capital, points_words

PART, LEFT, GAP = "goes with it", "left without it", "the gap as it is"


def gap_parts(table: pd.DataFrame) -> IntervalChart:
    """Of one group's rows of `Explained.table`: the gap, then each factor's part with what is left; points."""
    last = table.iloc[-1]
    whole = Mark(GAP, last["gap"], last["gap_low"], last["gap_high"], _words(last, "gap", "gap_low", "gap_high"))
    rows = [Row("Gap to all others", (whole,), f"n = {last['n']:,}")]
    for row in table.to_dict("records"):
        if pd.isna(row["explained"]):
            continue
        part = _words(row, "explained", "low", "high")
        remainder = _words(row, "left", "left_low", "left_high")
        marks = (
            Mark(LEFT, row["left"], row["left_low"], row["left_high"], f"left {remainder}"),
            Mark(PART, row["explained"], row["low"], row["high"], f"goes with {part}"),
        )
        rows.append(Row(capital(row["words"]), marks))
    series = (
        Series(GAP, Style(DARK_GREY, "diamond", size=11)),
        Series(PART, OWN.but(symbol="circle", size=10), -0.16),
        Series(LEFT, Style(GREY, "circle-open", size=9, edge=2, interval_colour=GREY), 0.16),
    )
    return IntervalChart(
        tuple(rows), series, Axis("points", "points"), 110 + 38 * len(rows), reference=0.0, note_below=True,
        legend_below=True,
    )  # fmt: skip


def _words(row: pd.Series | dict, value: str, low: str, high: str) -> str:
    return points_words(row[value], row[low], row[high])
