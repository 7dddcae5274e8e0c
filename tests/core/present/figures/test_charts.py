"""Every chart, from a made table to what Plotly and the report's SVG draw: values, bounds, rows, reference lines."""

from __future__ import annotations

import html
import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.errors import LookwhereError
from core.present.card import section
from core.present.figures import charts, photo
from core.present.figures.chart_data import (
    Axis,
    BarChart,
    Chart,
    Curve,
    HistogramChart,
    IntervalChart,
    Mark,
    Row,
    Series,
)
from core.present.figures.plotly_charts import figure_of
from core.present.figures.styles import OWN
from core.present.report import blocks
from core.present.report.build import render
from core.wording import in_unit
from tests.helpers.chart_cases import BAR_CASES, CURVES, INTERVALS, Case, CurveCase
from tests.helpers.chart_tables import ACCURACY, NAN, PAIRED

ROWS = [*INTERVALS, *BAR_CASES]


def wanted(case: Case) -> list[tuple[str, str, float, float, float]]:
    """Row, series, value, low, high of all that must be drawn, from above, in the order of the case."""
    return [
        (name, series, *value)
        for name, _, marks in case.rows
        for series, values in marks.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def same(actual: list, expected: list, scale: float = 1.0, atol: float = 1e-9) -> None:
    """Equal names, and numbers to rounding; NaN equals NaN. Order counts only within a row's series."""
    actual, expected = (sorted(rows, key=lambda row: row[:2]) for rows in (actual, expected))
    assert [row[:2] for row in actual] == [row[:2] for row in expected]
    numbers = [np.array([row[2:] for row in rows], dtype=np.float64) for rows in (actual, expected)]
    np.testing.assert_allclose(numbers[0], numbers[1] * scale, atol=atol)


def scale_of(chart: Chart) -> float:
    """What Plotly multiplies: shares are shown in per cent, their differences in points."""
    return 100.0 if chart.axis.unit else 1.0


@pytest.mark.parametrize("case", ROWS, ids=str)
def test_the_data_hold_what_the_table_does(case: Case) -> None:
    chart = case.chart()
    marks = [(row.name, mark.series, mark.value, mark.low, mark.high) for row in chart.rows for mark in row.marks]
    same([row_of_mark for row_of_mark in marks if not np.isnan(row_of_mark[2:]).all()], wanted(case))
    assert [(row.name, row.note) for row in chart.rows] == [(name, note) for name, note, _ in case.rows]
    assert chart.reference == case.reference


def labels(figure: go.Figure) -> list[tuple[str, str]]:
    """Name and note of each row, from above."""
    rows = []
    for text in figure.layout.yaxis.ticktext:
        name, _, note = re.sub(r"<br>|</span>", " ", text).partition("<span style='opacity:.65'>")
        rows.append((html.unescape(" ".join(name.split())), html.unescape(" ".join(note.split()))))
    return rows


def drawn_by_plotly(figure: go.Figure) -> list[tuple[str, str, float, float, float]]:
    """Row, series, value, low, high of all marks and bars: a value that is no more than an interval's middle too."""
    names, rows = [name for name, _ in labels(figure)], []
    for trace in figure.data:
        if trace.name is None:
            continue  # the steps of a waterfall
        series = html.unescape(trace.name.partition("  <span")[0])
        for n, (x, y) in enumerate(zip(trace.x, trace.y, strict=True)):
            bars = trace.error_x
            low, high = (NAN, NAN) if bars.array is None else (x - bars.arrayminus[n], x + bars.array[n])
            rows.append((names[round(y)], series, float(x), float(low), float(high)))
    return rows


@pytest.mark.parametrize("case", ROWS, ids=str)
def test_plotly_draws_it(case: Case) -> None:
    chart = case.chart()
    figure = figure_of(chart)
    middles = [
        (name, series, (low + high) / 2 if np.isnan(value) else value, low, high)
        for name, series, value, low, high in wanted(case)
    ]
    same(drawn_by_plotly(figure), middles, scale_of(chart))
    assert labels(figure) == [(name, note) for name, note, _ in case.rows]
    first, last = figure.layout.yaxis.range
    assert first > len(case.rows) - 1 > -1 >= last - 0.5, "the first row is the uppermost"
    lines = [shape.x0 for shape in figure.layout.shapes]
    assert lines == ([] if case.reference is None else [case.reference * scale_of(chart)])
    assert figure.layout.height >= chart.height
    assert json.loads(figure.to_json())["data"]


@pytest.mark.parametrize("case", ROWS, ids=str)
def test_everything_drawn_lies_within_the_scale(case: Case) -> None:
    chart = case.chart()
    if chart.axis.low is not None:
        ends = [x for _, _, *numbers in wanted(case) for x in numbers if not np.isnan(x)]
        assert chart.axis.low <= min(ends)
        assert chart.axis.high >= max(ends)


@pytest.mark.parametrize("case", BAR_CASES, ids=str)
def test_bars_start_where_the_one_before_ends_and_none_hides_another(case: Case) -> None:
    chart = case.chart()
    figure = figure_of(chart)
    spans: dict[tuple[str, int], list[tuple[float, float]]] = {}
    names = [name for name, _ in labels(figure)]
    for trace in figure.data:
        if trace.type == "bar":
            for n, y in enumerate(trace.y):
                base = 0.0 if trace.base is None else trace.base[n]
                assert base == pytest.approx(case.bases.get(names[round(y)], 0.0))
                spans.setdefault((names[round(y)], round(y)), []).append(
                    (y + trace.offset, y + trace.offset + trace.width)
                )
    assert set(names) == {name for name, _ in spans} | {row.name for row in chart.rows if not row.marks}
    for (_, place), rows in spans.items():
        assert min(start for start, _ in rows) >= place - 0.5
        assert max(end for _, end in rows) <= place + 0.5
        if chart.grouped:
            rows.sort()
            assert all(a[1] <= b[0] + 1e-9 for a, b in itertools.pairwise(rows))


class Svg(HTMLParser):
    """The rows of a report's chart: name, note, intervals and dots by class, the reference line; places in per cent."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[dict] = []
        self.into: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        kind = (values.get("class") or "").split()
        if kind == ["row"]:
            self.rows.append({"name": "", "note": "", "words": "", "bars": [], "dots": [], "lines": []})
        if not self.rows or kind in (["row", "axis"], ["plot"]):
            return
        row = self.rows[-1]
        if tag == "line" and kind[0] == "bar":
            row["bars"].append((kind[1], *(float(values[key].rstrip("%")) for key in ("x1", "x2"))))
        elif tag == "line" and kind[0] == "reference":
            row["lines"].append(float(values["x1"].rstrip("%")))
        elif tag == "circle":
            row["dots"].append((kind[1], float(values["cx"].rstrip("%"))))
        self.into = {"small": "note"}.get(tag, kind[0] if kind and kind[0] in ("name", "words") else None)

    def handle_data(self, data: str) -> None:
        if self.into and self.rows:
            self.rows[-1][self.into] += data.strip().replace("\u00a0", " ")


def in_report(chart: IntervalChart | BarChart) -> tuple[blocks.Chart, list[dict]]:
    """The report's block of a chart, and its rows as they stand in the page."""
    block = blocks.Chart.from_chart(chart)
    page = render(title="", facts=[], headline=[], warnings=[], sections=[section("x", "X", [block])])
    return block, Svg(page.partition('<div class="rows">')[2].partition('<div class="row axis"')[0]).rows


@pytest.mark.parametrize("case", [case for case in ROWS if case.name != "a photo's regions"], ids=str)
def test_the_report_draws_it(case: Case) -> None:
    chart = case.chart()
    block, rows = in_report(chart)
    totals = {series.name for series in chart.series if series.total}
    case_rows = [(name, note, marks) for name, note, marks in case.rows if not totals & set(marks)]
    low, high = (block.scale.low, block.scale.high)

    def value(place: float) -> float:
        return low + place / 100 * (high - low)

    assert [row["name"] for row in rows] == [name[:1].upper() + name[1:] for name, _, _ in case_rows]
    order, styles = [series.name for series in chart.series], {s.name: s.style.report for s in chart.series}
    reference = 0.0 if isinstance(chart, BarChart) else case.reference
    for row, (_, note, marks) in zip(rows, case_rows, strict=True):
        assert note in row["note"]
        assert [value(line) for line in row["lines"]] == pytest.approx(
            [] if reference is None else [reference], abs=1e-4 * (high - low)
        )
        ordered = [
            (styles[name], ends)
            for name in sorted(marks, key=order.index)
            for ends in (marks[name] if isinstance(marks[name], list) else [marks[name]])
        ]
        bars = [(style, a, b) for style, (_, a, b) in ordered if not np.isnan(a)]
        dots = [(style, x) for style, (x, _, _) in ordered if not np.isnan(x) and style != "thin"]
        for actual, expected in ((row["bars"], bars), (row["dots"], dots)):
            assert [mark[0] for mark in actual] == [mark[0] for mark in expected]
            numbers = [[value(x) for x in mark[1:]] for mark in actual], [list(mark[1:]) for mark in expected]
            np.testing.assert_allclose(*(np.array(x).ravel() for x in numbers), atol=1e-4 * (high - low))


@pytest.mark.parametrize(
    ("case", "swapped"), [(case, pair) for case in [*ROWS, *CURVES] for pair in case.bounds], ids=str
)
def test_swapped_bounds_are_refused(case: Case | CurveCase, swapped: tuple[str, str, str]) -> None:
    name, low, high = swapped
    table = case.tables[name]
    case.build(**case.tables)
    with pytest.raises(LookwhereError, match="cannot be drawn; the table it is from is damaged"):
        case.build(**case.tables | {name: table.rename(columns={low: high, high: low})})


@pytest.mark.parametrize("case", ROWS, ids=str)
def test_words_are_those_of_the_numbers(case: Case) -> None:
    """What is told of a mark names its value as the axis counts it, to the decimals that are told."""
    chart = case.chart()
    scale = 1.0 if chart.axis.unit == "" else 100.0
    for row in chart.rows:
        for mark in row.marks:
            numbers = [
                float(x.replace("−", "-")) for x in re.findall(r"[-−+]?\d+\.\d+", " ".join((mark.words, *mark.details)))
            ]
            if mark.words and mark.drawn:
                for number in (mark.value, mark.low, mark.high):
                    assert np.isnan(number) or any(abs(x - number * scale) <= 0.0501 for x in numbers), (row.name, mark)


def scale_of_axis(axis: Axis) -> float:
    """As `scale_of`, of one axis."""
    return 100.0 if axis.unit else 1.0


def counted(axis: Axis, values: list | None) -> Any:
    """Values as an axis counts them; names of places as they are."""
    if values is None or any(isinstance(value, str) for value in values):
        return values
    return scale_of_axis(axis) * np.array(values, dtype=np.float64)


@pytest.mark.parametrize("case", CURVES, ids=str)
def test_curves_are_drawn_as_they_are_given(case: CurveCase) -> None:
    chart = case.build(**case.tables)
    figure = figure_of(chart)
    traces = {trace.name: trace for trace in figure.data if trace.name}
    assert list(traces) == list(case.curves) == [curve.name for curve in chart.curves]
    shaded = [trace for trace in figure.data if trace.fill == "toself"]
    for curve, (name, (x, y, low, high)) in zip(chart.curves, case.curves.items(), strict=True):
        trace = traces[name]
        assert list(x) == list(curve.x)
        x, y, low, high = counted(chart.x, x), *(counted(chart.y, ends_of_axis) for ends_of_axis in (y, low, high))
        assert list(trace.x) == pytest.approx(x) if isinstance(x, np.ndarray) else list(trace.x) == x
        np.testing.assert_allclose(trace.y, y)
        if low is None:
            assert trace.error_y.array is None
            assert not curve.low
            continue
        for hover, ends in zip(trace.hovertext, zip(low, high, strict=True), strict=True):
            assert f"[{' to '.join(in_unit(end / scale_of_axis(chart.y), chart.y.unit) for end in ends)}]" in hover
        if curve.interval == "bars":
            np.testing.assert_allclose(np.subtract(trace.y, trace.error_y.arrayminus), low)
            np.testing.assert_allclose(np.add(trace.y, trace.error_y.array), high)
        if curve.interval == "band":
            (band,) = shaded
            np.testing.assert_allclose(band.y, [*high, *low[::-1]])
            assert list(band.x) == [*x, *x[::-1]]
    shapes = figure.layout.shapes
    assert [s.x0 for s in shapes if s.x0 == s.x1] == ([] if case.reference is None else [case.reference])
    bands = [("x", s.x0, s.x1) if s.x0 > 0 else ("y", s.y0, s.y1) for s in shapes if s.type == "rect"]
    assert bands == [band[:3] for band in case.bands]
    assert [s.y0 for s in shapes if s.type == "line" and s.y0 == s.y1] == [b[3] for b in case.bands if b[3] is not None]
    ends = [[0, scale_of_axis(axis)] for axis in (chart.x, chart.y)]
    assert any([list(t.x), list(t.y)] == ends and not t.name for t in figure.data) == case.diagonal
    assert figure.layout.height == chart.height


def test_the_confusion_matrix() -> None:
    table = pd.DataFrame([[1474, 82], [0, 0]], index=["female", "male"], columns=["female", "male"])
    chart = charts.confusion_matrix(table)
    assert (chart.rows, chart.columns) == (("labelled women", "labelled men"), ("predicted female", "predicted male"))
    assert chart.counts == ((1474, 82), (0, 0))
    (trace,) = figure_of(chart).data
    np.testing.assert_allclose(trace.z, [[1474 / 1556, 82 / 1556], [0, 0]])
    assert list(trace.text[0]) == ["1,474<br>94.7 %", "82<br>5.3 %"]
    assert (list(trace.x), list(trace.y)) == (list(chart.columns), list(chart.rows))
    assert figure_of(chart).layout.yaxis.autorange == "reversed"


def test_the_certainties() -> None:
    correct, incorrect = np.array([0.1, 2.9, 3.0, 3.0]), np.array([0.1, 0.2])
    chart = photo.certainty(correct, incorrect, -1.5, "male")
    assert (chart.at, chart.at_name) == (1.5, "this face")
    assert [histogram.name for histogram in chart.histograms] == [
        "correctly called male, n = 4",
        "incorrectly called male, n = 2",
    ]
    for histogram, values in zip(chart.histograms, (correct, incorrect), strict=True):
        for low, high, share in zip(chart.edges[:-1], chart.edges[1:], histogram.shares, strict=True):
            assert share == pytest.approx(((values >= low) & (values < high)).mean())
    figure = figure_of(chart)
    assert [trace.name for trace in figure.data] == [histogram.name for histogram in chart.histograms]
    assert figure.layout.shapes[0].x0 == figure.layout.annotations[0].x == 1.5
    for trace in figure.data:
        assert sum(trace.y) == pytest.approx(100)
        assert all(re.fullmatch(r"\d\.\d\d–\d\.\d\d: \d+\.\d %", hover) for hover in trace.hovertext)
    alone = photo.certainty(correct, incorrect[:0], 9.0, "male")
    assert len(alone.histograms) == 1
    assert alone.edges[-1] >= 9
    assert photo.certainty(correct[:0], incorrect[:0], 0.0, "male").histograms == ()


def test_a_ring_is_what_holm_does_not_hold() -> None:
    rows = figure_of(next(case for case in INTERVALS if case.name == "paired differences").chart())
    new, old = rows.data
    assert list(new.marker.symbol) == ["circle", "circle-open"]
    assert list(old.marker.symbol) == ["circle-open", "circle"]
    assert PAIRED["p_holm"].tolist() == [0.002, 0.4]


def test_names_from_data_are_text() -> None:
    hostile = "<b>x</b> & <script>"
    chart = charts.accuracy_dots(ACCURACY.head(1), [hostile], None)
    figure = figure_of(chart)
    assert labels(figure)[0][0] == hostile
    assert "<script>" not in json.dumps(figure.to_plotly_json(), default=str)
    assert in_report(chart)[1][0]["name"] == hostile


@pytest.mark.parametrize(
    "ends",
    [(0.5, 0.6, 0.7), (0.5, 0.1, 0.4), (0.5, 0.6, 0.4), (NAN, 0.6, 0.4), (0.5, NAN, 0.6), (0.5, 0.4, NAN),
     (np.inf, NAN, NAN), (0.5, -np.inf, 0.6)],
)  # fmt: skip
def test_a_mark_outside_its_interval_is_refused(ends: tuple[float, float, float]) -> None:
    with pytest.raises(LookwhereError, match="make the audit, or its checks, again"):
        Mark("women", *ends)
    with pytest.raises(LookwhereError):
        Curve("women", (0,), (ends[0],), OWN, (ends[1],), (ends[2],))


def test_a_mark_without_an_interval_or_without_a_value_is_drawn() -> None:
    assert Mark("a", 0.5).drawn
    assert Mark("a", NAN, 0.1, 0.2).drawn
    assert not Mark("a", NAN).drawn
    assert Mark("a", 0.3, 0.1 + 0.2, 0.4).value == 0.3, "rounding is no damage"


def test_charts_that_do_not_fit_together_are_refused() -> None:
    rows, series = (Row("r", (Mark("a", 0.5),)),), Series("a", OWN)
    with pytest.raises(LookwhereError, match="no series «a» among b"):
        IntervalChart(rows, (replace(series, name="b"),), Axis(), 100)
    with pytest.raises(LookwhereError, match="one name"):
        IntervalChart(rows, (series, series), Axis(), 100)
    with pytest.raises(LookwhereError, match="no unit"):
        Axis(unit="percent")
    with pytest.raises(LookwhereError, match="as many values and bounds"):
        Curve("c", (0, 1), (0.5,), OWN)
    with pytest.raises(LookwhereError, match="as many values and bounds"):
        Curve("c", (0, 1), (0.5, 0.6), OWN, (0.1, 0.2), ())
    with pytest.raises(LookwhereError, match="do not sum to 1"):
        chart = photo.certainty(np.array([1.0]), np.array([]), 1.0, "male")
        HistogramChart(chart.edges, (replace(chart.histograms[0], shares=(0.5,) * 30),), chart.x, chart.y, 1, 1, "a")


def test_charts_of_nothing_are_drawn_too() -> None:
    none = ACCURACY.iloc[:0]
    metrics = pd.DataFrame({"epoch": [], "size": [], "dilated": [], "loss": []})
    bins = pd.DataFrame(columns=["p", "n", "male", "share", "low", "high"])
    for chart in (
        charts.accuracy_dots(none, []),
        charts.roc_curves({}),
        charts.calibration_curves({"nobody": bins}),
        charts.training_curve(metrics, {"loss": "loss"}, False, None, log=True),
    ):
        assert isinstance(figure_of(chart).to_json(), str)
    assert in_report(charts.accuracy_dots(none, []))[1] == []


def test_differences_of_shares_are_shown_in_points_with_their_reference_line() -> None:
    rows = (Row("r", (Mark("a", 0.05, 0.01, 0.07),)),)
    chart = IntervalChart(rows, (Series("a", OWN),), Axis(unit="points", low=-0.02, high=0.1), 100, reference=0.02)
    figure = figure_of(chart)
    same(drawn_by_plotly(figure), [("r", "a", 5.0, 1.0, 7.0)])
    assert figure.layout.shapes[0].x0 == pytest.approx(2)
    assert list(figure.layout.xaxis.range) == pytest.approx([-2, 10])
