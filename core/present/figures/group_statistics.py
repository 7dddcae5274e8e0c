"""A chart of any statistic of groups."""

from __future__ import annotations

import pandas as pd

from core.analysis.accuracy.group_statistics import GroupStatistic, Unit
from core.present.figures.chart_data import Axis, IntervalChart, Mark, Row, Series
from core.present.figures.styles import OWN
from core.present.text.group_statistics import value_words
from core.wording import capital


def statistic_dots(statistic: GroupStatistic, table: pd.DataFrame) -> IntervalChart:
    """The groups of a `statistic_table` that have a value, with their intervals; the value of all faces as a line."""
    groups = table.iloc[1:].dropna(subset="value")
    rows = []
    for row in groups.to_dict("records"):
        words = value_words(statistic, row["value"], row["low"], row["high"])
        mark = Mark(statistic.name, row["value"], row["low"], row["high"], words)
        rows.append(Row(capital(row["group"]), (mark,), f"n = {row['n']:,}", words))
    whole = float(table["value"].iloc[0])
    return IntervalChart(
        tuple(rows),
        (Series(statistic.name, OWN, legend=False),),
        Axis(unit="%" if statistic.unit is Unit.SHARE else ""),
        90 + 30 * len(rows),
        reference=None if pd.isna(whole) else whole,
        title=f"{statistic.title} by group",
        caption="The dotted line is the value of all faces shown.",
    )
