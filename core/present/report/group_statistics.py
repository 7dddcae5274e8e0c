"""The report's statistics of groups beside accuracy: a sentence, a chart and a table each."""

from __future__ import annotations

import pandas as pd

from core.analysis.accuracy import group_statistics
from core.analysis.accuracy.group_statistics import statistic_table
from core.data.filters import Filter
from core.present.card import Heading, Table, Text
from core.present.figures.group_statistics import statistic_dots
from core.present.report.blocks import Chart
from core.present.text.group_statistics import statistic_sentence, value_words
from core.task import task_of
from core.wording import capital

#: Rows of a table; a data set may name hundreds of ethnicities.
ROWS = 80


def statistic_blocks(faces: pd.DataFrame, filter: Filter) -> list[Heading | Text | Chart | Table]:
    """What is registered in `GROUP_STATISTICS` and has a value for these faces."""
    blocks: list = []
    for statistic in group_statistics.GROUP_STATISTICS:
        table = statistic_table(statistic, faces)
        sentence = statistic_sentence(statistic, table, filter)
        if not sentence:
            continue
        chart = statistic_dots(statistic, table.head(ROWS))
        rows = tuple(
            (capital(row["group"]), f"{row['n']:,}", value_words(statistic, row["value"], row["low"], row["high"]))
            for row in table.head(ROWS).to_dict("records")
        )
        how = f", {statistic.interval} intervals" if statistic.interval else ""
        more = f"; the first {ROWS} of {len(table)} groups" if len(table) > ROWS else ""
        blocks += [
            Heading(statistic.title),
            Text(sentence),
            *([Chart.from_chart(chart)] if chart.rows else []),
            Table(("group", "faces", statistic.name), rows, "lrr", f"{statistic.title}{how}{more}"),
            Text(statistic.about_of(task_of(faces)), quiet=True),
        ]
    return blocks
