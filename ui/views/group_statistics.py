"""The statistics of groups beside accuracy, on the page: a sentence, a chart and a table each."""

from __future__ import annotations

import pandas as pd

from core.analysis.accuracy import group_statistics
from core.analysis.accuracy.group_statistics import statistic_table
from core.data.filters import Filter
from core.present.figures.group_statistics import statistic_dots
from core.present.text import escape
from core.present.text.group_statistics import statistic_sentence, value_words
from core.task import task_of
from core.wording import capital
from ui.shell import downloads
from ui.widgets import layout, terms


def show_statistics(faces: pd.DataFrame, filter: Filter) -> None:
    """What is registered in `GROUP_STATISTICS` and has a value for these faces."""
    for statistic in group_statistics.GROUP_STATISTICS:
        table = statistic_table(statistic, faces)
        sentence = statistic_sentence(statistic, table, filter)
        if not sentence:
            continue
        terms.subheader(statistic.title)
        layout.sentence(sentence)
        chart = statistic_dots(statistic, table)
        if chart.rows:
            downloads.chart(chart, statistic.name, chart.title, key=statistic.name)
        cells = [value_words(statistic, *row) for row in table[["value", "low", "high"]].to_numpy()]
        shown = pd.DataFrame({"group": map(capital, table["group"]), "faces": table["n"], statistic.name: cells})
        layout.table(shown)
        about = statistic.about_of(task_of(faces))
        terms.caption(
            escape.markdown(about) + (f" Intervals are {statistic.interval}'s." if statistic.interval else "")
        )
        downloads.table(table, statistic.name, f"{statistic.name} by group")
