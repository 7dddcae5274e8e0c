"""The statistics of groups beside accuracy, on the page: a sentence, a chart and a table each."""

from __future__ import annotations

import pandas as pd

from core.analysis.accuracy import group_statistics
from core.analysis.accuracy.group_statistics import statistic_table
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.figures.group_statistics import statistic_dots
from core.present.text import escape
from core.present.text.group_statistics import statistic_sentence, value_words
from core.wording import capital
from ui.shell import downloads
from ui.shell.cache import kept
from ui.widgets import layout, terms


@kept(entries=64)
def _table(name: str, audit: Audit, filter: Filter) -> pd.DataFrame:
    statistic = next(entry for entry in group_statistics.GROUP_STATISTICS if entry.name == name)
    return statistic_table(statistic, audit.passing(filter))


def show_statistics(audit: Audit, filter: Filter) -> None:
    """What is registered in `GROUP_STATISTICS` and has a value for these faces."""
    for statistic in group_statistics.GROUP_STATISTICS:
        table = _table(statistic.name, audit, filter)
        sentence = statistic_sentence(statistic, table, filter)
        if not sentence:
            continue
        terms.subheader(statistic.title)
        layout.sentence(sentence)
        chart = statistic_dots(statistic, table)
        if chart.rows:
            downloads.chart(chart, statistic.name, chart.title, key=statistic.name)
        cells = [value_words(statistic, *row) for row in table[["value", "low", "high"]].to_numpy()]
        rows = pd.DataFrame({"group": map(capital, table["group"]), "faces": table["n"], statistic.name: cells})
        layout.table(rows)
        about = statistic.about_of(audit.task)
        terms.caption(
            escape.markdown(about) + (f" Intervals are {statistic.interval}'s." if statistic.interval else "")
        )
        downloads.table(table, statistic.name, f"{statistic.name} by group")
