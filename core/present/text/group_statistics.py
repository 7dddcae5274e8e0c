"""Statistics of groups in words: their values, one sentence, and the lines that a command prints."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.accuracy.group_statistics import GroupStatistic, Unit, statistic_table
from core.data.filters import Filter
from core.present.text.sentences import scope
from core.wording import number, percent, with_interval


def decimals(value: float, low: float, high: float, digits: int = 3) -> str:
    """«0.981 [0.970–0.990]»."""
    return f"{value:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"


def value_words(statistic: GroupStatistic, value: float, low: float, high: float) -> str:
    """A value with its interval where it has one; «–» for none."""
    if np.isnan(value):
        return "–"
    share = statistic.unit is Unit.SHARE
    if np.isnan(low):
        return percent(value) if share else number(value, ".3f")
    return with_interval(value, low, high) if share else decimals(value, low, high)


def statistic_sentence(statistic: GroupStatistic, table: pd.DataFrame, within: Filter) -> str:
    """Of all faces, and of the worst and the best group of each grouping; empty where there is no value.

    `table` is that of `statistic_table`.
    """
    whole = table.iloc[0]
    if np.isnan(whole["value"]):
        return ""
    how = f" ({statistic.interval})" if statistic.interval else ""
    text = f"{scope(within)}, the {statistic.name} is {_words(statistic, whole)}{how}"
    for by, rows in table.iloc[1:].dropna(subset="value").groupby("by", sort=False):
        if len(rows) < 2:
            continue
        ranked = rows.sort_values("value", ascending=statistic.higher_is_better, kind="stable")
        worst, best = ranked.iloc[0], ranked.iloc[-1]
        text += (
            f"; by {by} it is worst for {worst['group']}, {_words(statistic, worst)}, and best for {best['group']}, "
            f"{_words(statistic, best)}"
        )
    return f"{text}."


def statistic_lines(statistic: GroupStatistic, faces: pd.DataFrame, within: Filter) -> list[str]:
    """A line a group, then the sentence, as a command prints them; none where there is no value."""
    table = statistic_table(statistic, faces)
    sentence = statistic_sentence(statistic, table, within)
    if not sentence:
        return []
    how = f", {statistic.interval} 95 % intervals" if statistic.interval else ""
    lines = [f"  {statistic.title}{how}"]
    lines += [f"    {row['group']:26}{row['n']:6,}  {_words(statistic, row)}" for row in table.to_dict("records")]
    return [*lines, f"  {sentence}"]


def _words(statistic: GroupStatistic, row: pd.Series | dict) -> str:
    return value_words(statistic, row["value"], row["low"], row["high"])
