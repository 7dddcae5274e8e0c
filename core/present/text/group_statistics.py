"""Statistics of groups in words: their values, one sentence, and the lines that a command prints."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from core.analysis.accuracy.curves import LARGE, Roc
from core.analysis.accuracy.group_statistics import GroupStatistic, Unit, statistic_table, surest_groups
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


def statistic_sentence(statistic: GroupStatistic, table: pd.DataFrame, filter: Filter) -> str:
    """Of all faces, and of the surely worst and best group of each grouping; empty where there is no value.

    `table` is that of `statistic_table`.
    """
    whole = table.iloc[0]
    if np.isnan(whole["value"]):
        return ""
    how = f" ({statistic.interval})" if statistic.interval else ""
    text = f"{scope(filter)}, the {statistic.name} is {_words(statistic, whole)}{how}"
    for by, rows in table.iloc[1:].dropna(subset="value").groupby("by", sort=False):
        if len(rows) < 2:
            continue
        pair = surest_groups(statistic, rows)
        if pair is None:
            ranked = rows.sort_values("value", kind="stable")
            ends = " to ".join(
                f"{_words(statistic, row)} ({row['group']})" for _, row in ranked.iloc[[0, -1]].iterrows()
            )
            text += f"; by {by} it is from {ends}, without intervals, so that no group is sure to be worst"
            continue
        worst, best = rows.iloc[pair.worst], rows.iloc[pair.best]
        if pair.told_apart:
            text += (
                f"; by {by} it is surely worst for {worst['group']}, {_words(statistic, worst)}, and surely best for "
                f"{best['group']}, {_words(statistic, best)}"
            )
        else:
            text += f"; by {by} no two of {len(rows)} groups are told apart"
    return f"{text}."


def statistic_lines(statistic: GroupStatistic, faces: pd.DataFrame, filter: Filter) -> list[str]:
    """A line a group, then the sentence, as a command prints them; none where there is no value."""
    table = statistic_table(statistic, faces)
    sentence = statistic_sentence(statistic, table, filter)
    if not sentence:
        return []
    how = f", {statistic.interval} 95 % intervals" if statistic.interval else ""
    lines = [f"  {statistic.title}{how}"]
    lines += [f"    {row['group']:26}{row['n']:6,}  {_words(statistic, row)}" for row in table.to_dict("records")]
    return [*lines, f"  {sentence}"]


def roc_note(curves: Iterable[Roc]) -> str:
    """What is said below ROC curves: what a curve is, and by how much areas may be off where scores count in steps."""
    off = max((curve.off for curve in curves), default=0.0)
    text = "The threshold moves along a curve; the curve itself does not depend on it."
    if off > 0:
        small = np.format_float_positional(off, precision=1, fractional=False)
        text += f" Scores of {LARGE:,} faces and more are counted in steps: an area is off by at most {small}."
    return text


def _words(statistic: GroupStatistic, row: pd.Series | dict) -> str:
    return value_words(statistic, row["value"], row["low"], row["high"])
