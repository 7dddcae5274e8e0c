"""Charts as rows of a page's HTML: every interval where it belongs, every word, and no markup of a data set's own."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import numpy as np
import pytest

from core.present.figures.chart_data import Axis, IntervalChart, Mark, Row, Series
from core.present.figures.html_rows import html_rows
from core.present.figures.row_scale import RowScale
from core.present.figures.styles import OWN
from tests.helpers.chart_cases import INTERVALS, Case

LINE = re.compile(
    r"<div class='line' title='([^']*)'>(?:<b style='left:([-.\d]+)%;width:([.\d]+)%;[^>]*></b>)?(.*?)</div>"
)
DOT = re.compile(r"<i style='left:([-.\d]+)%")


@pytest.mark.parametrize("case", INTERVALS, ids=lambda case: case.name)
def test_rows_of_html_have_the_chart_s_numbers(case: Case) -> None:
    chart = case.build(**case.tables)
    scale, page = RowScale.of_axis(chart), html_rows(chart)
    rows = page.split("<div class='row'>")[1:]
    assert len(rows) == len(chart.rows)
    for row, text in zip(chart.rows, rows, strict=True):
        assert f"{html.escape(row.name)} <small>{html.escape(row.note)}</small>" in text
        series = [entry.name for entry in chart.series]
        marks = sorted((mark for mark in row.marks if mark.drawn), key=lambda mark: series.index(mark.series))
        lines = LINE.findall(text)
        assert len(lines) == len(marks)
        for mark, (title, left, width, rest) in zip(marks, lines, strict=True):
            assert html.unescape(title).split("\n") == [t for t in (mark.series, mark.words, *mark.details) if t]
            places = [float(left), float(left) + float(width)] if left else [np.nan, np.nan]
            places += [float(DOT.search(rest)[1])] if DOT.search(rest) else [np.nan]
            values = np.array(places) / 100 * (scale.high - scale.low) + scale.low
            step = (scale.high - scale.low) / 5000  # places are of a hundredth of a per cent
            np.testing.assert_allclose(values, [mark.low, mark.high, mark.value], atol=step)


def test_a_scale_keeps_the_axis_s_own_ends_and_steps() -> None:
    row = Row("a", (Mark("s", 0.9, 0.8, 0.95),))
    chart = IntervalChart((row,), (Series("s", OWN),), Axis(unit="%", low=0.7, high=1.0, step=0.1), 100)
    assert RowScale.of_axis(chart).ticks() == [(0.0, "70 %"), (33.33, "80 %"), (66.67, "90 %"), (100.0, "100 %")]
    free = RowScale.of_axis(replace(chart, axis=Axis(unit="%")))
    assert (free.low, free.high) == pytest.approx((0.7955, 0.9545)) and free == RowScale.of_marks(chart)
    assert [words for _, words in free.ticks()] == ["80 %", "85 %", "90 %", "95 %"]


def test_names_of_a_data_set_are_text() -> None:
    name = "<img src=x onerror='alert(1)'> & \"more\""
    chart = IntervalChart(
        (Row(name, (Mark(name, 0.5, 0.4, 0.6, name, (name,)),), name),), (Series(name, OWN),), Axis(), 100
    )
    page = html_rows(chart)
    assert "<img" not in page and "alert(1)'" not in page
    assert page.count(html.escape(name)) == 10  # legend, name, note, words, and three lines in two places


def test_a_reference_is_drawn_in_every_row() -> None:
    rows = tuple(Row(name, (Mark("s", 0.5),)) for name in "ab")
    chart = IntervalChart(rows, (Series("s", OWN),), Axis(low=0.0, high=1.0, step=0.5), 100, reference=0.25)
    assert html_rows(chart).count("<div class='tick reference' style='left:25.0%'>") == 2
