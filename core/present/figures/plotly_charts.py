"""Charts as Plotly figures, for the pages, one function a kind of chart; `core.present.export.charts` prints them."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.present.figures.chart_data import (
    Axis,
    BarChart,
    Chart,
    Curve,
    CurveChart,
    HistogramChart,
    IntervalChart,
    MatrixChart,
    Row,
    Series,
)
from core.present.text import escape
from core.wording import PER_CENT, bounds, in_unit, percent

#: At the right half of «100 %» has room: where a legend is wide, Plotly would leave that mark out.
_MARGIN = {"l": 8, "r": 20, "t": 40, "b": 8}
_ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
_BELOW = {"orientation": "h", "yanchor": "top", "x": 0}
#: Characters of a name on one line: a longer one would leave no room for the chart.
LONGEST = 40
#: The same of names that have their note below, as on a telephone, and of an axis's title in one line.
NARROW, TITLE = 24, 32
#: Pixels of a line of a row's name, and of what is above and below all rows.
LINE, AROUND_ROWS = 17, 110
#: Names of bands are small, of so many pixels a character, and stand in more lines where they would lie on each other
#: in a chart that is as wide as on a telephone.
BAND_CHARACTER, BAND_LINE, NARROWEST = 5.6, 12, 240
#: How much of a row its bars take.
_WIDE = 0.72
_DOTTED = {"dash": "dot", "width": 1.5, "color": "#888"}
#: Ticks as `core.wording` writes numbers: «92 %», «1,234», never «10k» or «10μ»; Plotly's own minus is one.
_TICKS = {"separatethousands": True, "exponentformat": "power", "minexponent": 5}


def figure_of(chart: Chart) -> go.Figure:
    """The chart drawn, in the theme of the page around it."""
    return _DRAW[type(chart)](chart)


def scaled(axis: Axis, value: float) -> float:
    """A value as its axis counts: shares in per cent, their differences in points, all else as it is."""
    return 100 * value if axis.unit else value


def label(name: str, note: str, below: bool = False) -> str:
    """A name with a quiet note; `below` breaks both, since a telephone has no room for them in one line."""
    text = escape.one_line(name)
    parts, longest = (text.replace(", ", ",\n").split("\n"), NARROW) if below else ([text], LONGEST)
    lines = [line for part in parts for line in textwrap.wrap(part, longest, break_on_hyphens=False)] or [""]
    name, note = "<br>".join(map(escape.plotly, lines)), escape.plotly(note)
    return f"{name}{'<br>' if below else '  '}<span style='opacity:.65'>{note}</span>" if note else name


def _height(chart: IntervalChart | BarChart, labels: Sequence[str]) -> int:
    """The chart's height, and more where the labels of two neighbours would lie on each other."""
    lines = [text.count("<br>") + 1 for text in labels]
    pair = max((a + b for a, b in itertools.pairwise(lines)), default=0)
    return max(chart.height, AROUND_ROWS + round(LINE * pair / 2 * len(lines)))


# Figures are made of dictionaries at once: each call of Plotly's `add_…` and `update_…` costs some milliseconds.
def _interval_figure(chart: IntervalChart) -> go.Figure:
    return _rows([_marks(chart, series) for series in chart.series], chart)


def _bar_figure(chart: BarChart) -> go.Figure:
    traces = [(_bars if series.style.symbol is None else _marks)(chart, series) for series in chart.series]
    if chart.connected:
        ends = [scaled(chart.axis, row.marks[0].base + row.marks[0].value) for row in chart.rows]
        steps = itertools.pairwise(range(len(chart.rows)))
        traces.append(
            {
                "type": "scatter",
                "x": np.repeat(ends[:-1], 3),
                "y": [y for above, below in steps for y in (above, below, None)],
                "mode": "lines",
                "line": {"color": "#888", "width": 1, "dash": "dot"},
                "showlegend": False,
                "hoverinfo": "skip",
            }
        )
    return _rows(traces, chart)


def _rows(traces: list[dict], chart: IntervalChart | BarChart) -> go.Figure:
    """Rows from above with their names; scale, legend and the value to compare with."""
    names = [label(row.name, row.note, chart.note_below) for row in chart.rows]
    layout = _layout(_height(chart, names), chart.legend_below, -0.13)
    layout["yaxis"] = {
        "tickvals": list(range(len(names))),
        "ticktext": [name + " " for name in names],
        "range": [len(names) - 0.45, -0.55],
        "automargin": True,
        "zeroline": False,
    }
    if isinstance(chart, IntervalChart):
        zero: dict = {"zeroline": False}
    else:
        zero = {"zeroline": True, "zerolinewidth": 1.5, "zerolinecolor": "rgba(128,128,140,.6)"}
        layout["barmode"] = "overlay"
    layout["xaxis"] = zero | _axis(chart.axis)
    if chart.reference is not None:
        layout["shapes"] = [_upright(scaled(chart.axis, chart.reference), _DOTTED)]
    return go.Figure(traces, layout)


def _upright(at: float, line: dict) -> dict:
    """A line over the chart's whole height."""
    return {"type": "line", "x0": at, "x1": at, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain", "line": line}


def _hover(row: Row, words: str, details: Sequence[str]) -> str:
    text = [escape.plotly(line) for line in (row.name, words, *details)]
    return "<br>".join([text[0], f"<b>{text[1]}</b>", *text[2:]])


def _trace(chart: IntervalChart | BarChart, series: Series) -> dict:
    """What traces of marks and bars share: the values, the intervals, the name and what is told of each."""
    marks = chart.marks_of(series.name)
    ends = np.array([(m.low, m.value, m.high) for _, _, m in marks], dtype=np.float64).reshape(-1, 3)
    # An interval alone is drawn about its middle.
    middle = np.where(np.isnan(ends[:, 1]), (ends[:, 0] + ends[:, 2]) / 2, ends[:, 1])
    style, has_words = series.style, any(mark.words for _, _, mark in marks)
    settings = {
        "x": scaled(chart.axis, middle),
        "y": np.array([place for place, _, _ in marks], dtype=np.float64) + series.shift,
        "name": label(series.name, series.note),
        "showlegend": series.legend,
    }
    if not np.isnan(ends[:, [0, 2]]).all():
        settings["error_x"] = {
            "type": "data",
            "symmetric": False,
            "array": scaled(chart.axis, ends[:, 2] - middle),
            "arrayminus": scaled(chart.axis, middle - ends[:, 0]),
            "thickness": style.thickness,
            "width": style.cap,
            "color": style.interval_colour,
        }
    if not has_words:
        return settings | {"hoverinfo": "skip"}
    extra = label(series.name, "") if sum(each.legend for each in chart.series) > 1 else ""
    return settings | {
        "hovertext": [_hover(row, mark.words, mark.details) for _, row, mark in marks],
        "hovertemplate": "%{hovertext}<extra>" + extra + "</extra>",
    }


def _marks(chart: IntervalChart | BarChart, series: Series) -> dict:
    style, symbol = series.style, series.style.symbol
    rings = [mark.hollow for _, _, mark in chart.marks_of(series.name)]
    if any(rings):
        symbol = [f"{symbol or 'circle'}{'-open' if ring else ''}" for ring in rings]
    marker = {"size": style.size, "color": style.colour, "symbol": symbol, "opacity": style.opacity}
    if style.edge:
        marker["line"] = {"width": style.edge, "color": style.colour}
    # A mark at the end of the scale is drawn whole.
    return {"type": "scatter", "mode": "markers", "marker": marker, "cliponaxis": False, **_trace(chart, series)}


def _bars(chart: BarChart, series: Series) -> dict:
    bars = [bar for _, _, bar in chart.marks_of(series.name)]
    settings = _trace(chart, series)
    if any(bar.base for bar in bars):
        settings["base"] = [scaled(chart.axis, bar.base) for bar in bars]
    if any(bar.text for bar in bars):
        settings |= {"text": [escape.plotly(bar.text) for bar in bars], "textposition": "outside", "cliponaxis": False}
    # Said outright: Plotly would take the width from how far apart this series' own bars are.
    names = [each.name for each in chart.series if each.style.symbol is None]
    settings["width"] = width = _WIDE / len(names) if chart.grouped else _WIDE
    settings["offset"] = names.index(series.name) * width - _WIDE / 2 if chart.grouped else -_WIDE / 2
    pattern = {"shape": series.style.pattern}
    marker = {"color": series.style.colour, "pattern": pattern}
    return {"type": "bar", "orientation": "h", "marker": marker, **settings}


def _curve_figure(chart: CurveChart) -> go.Figure:
    traces: list[dict] = []
    if chart.diagonal:
        line = {"dash": "dot", "color": "#999"}
        x, y = ([scaled(axis, end) for end in (0, 1)] for axis in (chart.x, chart.y))
        traces.append(
            {"type": "scatter", "x": x, "y": y, "mode": "lines", "line": line, "showlegend": False, "hoverinfo": "skip"}
        )
    for curve in chart.curves:
        traces += _curve(chart, curve)
    x_axis = _axis(chart.x)
    second_lines = x_axis.get("title", "").count("<br>")  # the legend is below them too
    layout = _layout(chart.height, chart.legend_below, -0.24 - 0.1 * second_lines)
    layout["xaxis"], layout["yaxis"] = x_axis, _axis(chart.y)
    if not chart.y.unit:
        layout["yaxis"] |= {"zeroline": True, "zerolinecolor": "#888"}
    if any(isinstance(x, str) for curve in chart.curves for x in curve.x):
        layout["xaxis"] |= {"tickangle": -35, "tickfont": {"size": 11}}
    if chart.reference is not None and not chart.bands:
        at, line = scaled(chart.x, chart.reference), _DOTTED | {"color": chart.reference_colour}
        layout["shapes"] = [_upright(at, line)]
    figure = go.Figure(traces, layout)
    places = _places_of_names(chart)
    for band, (line, from_right) in zip(chart.bands, places, strict=True):
        across = band.axis == "y"
        low, high, at = (scaled(chart.y if across else chart.x, at) for at in (band.low, band.high, band.line))
        name = {"text": escape.plotly(band.name), "font": {"size": 10}, "textangle": 0}
        # An upright band's name stands over the chart, where no curve is, unless the legend is there.
        above = not across and chart.legend_below
        name |= {"yshift": BAND_LINE * line}
        name |= {"yanchor": "bottom"} if above else {}
        position = f"{'top' if above else 'bottom'} {'right' if from_right else 'left'}"
        annotation_options = {"annotation": name, "annotation_position": position} if band.name else {}
        shade = figure.add_hrect if across else figure.add_vrect
        shade(low, high, fillcolor=band.colour, opacity=band.opacity, line_width=0, **annotation_options)
        if not np.isnan(at):
            middle = figure.add_hline if across else figure.add_vline
            middle(at, line={"color": band.colour, "width": 1, "dash": "dot"})
    if chart.reference is not None and chart.bands:
        figure.add_vline(x=scaled(chart.x, chart.reference), line=_DOTTED | {"color": chart.reference_colour})
    return figure


def _places_of_names(chart: CurveChart) -> list[tuple[int, bool]]:
    """For each band the line of its name, 0 the lowest, and whether it ends at the band's right end, as one does that
    would else leave the chart: so that no two names lie on each other on a telephone."""
    upright = [band for band in chart.bands if band.axis == "x"]
    numbers = [x for curve in chart.curves for x in curve.x if not isinstance(x, str)]
    ends = [*numbers, *(end for band in upright for end in (band.low, band.high))]
    if not upright or max(ends) <= min(ends):
        return [(0, False)] * len(chart.bands)
    scale = NARROWEST / (max(ends) - min(ends))
    taken: list[float] = []
    places = []
    for band in chart.bands:
        width, start = BAND_CHARACTER * len(band.name), (band.low - min(ends)) * scale
        from_right = start + width > NARROWEST
        start = (band.high - min(ends)) * scale - width if from_right else start
        line = next((n for n, end in enumerate(taken) if end <= start), len(taken))
        if band.axis == "x" and band.name:
            taken[line : line + 1] = [start + width]
            places.append((line, from_right))
        else:
            places.append((0, False))
    return places


def _curve(chart: CurveChart, curve: Curve) -> list[dict]:
    """The curve's traces: its band, where it has one, and itself."""
    style, name = curve.style, label(curve.name, "")
    across = [escape.plotly(x) if isinstance(x, str) else scaled(chart.x, x) for x in curve.x]
    y, low, high = (scaled(chart.y, np.array(part, dtype=np.float64)) for part in (curve.y, curve.low, curve.high))
    traces: list[dict] = []
    more: dict = {}
    if curve.interval == "band":
        traces.append(
            {
                "type": "scatter",
                "x": [*across, *across[::-1]],
                "y": np.concatenate([high, low[::-1]]),
                "mode": "lines",
                "fill": "toself",
                "fillcolor": style.interval_colour,
                "line": {"width": 0},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    elif len(low) and curve.interval == "bars":
        more["error_y"] = {
            "type": "data", "symmetric": False, "array": high - y, "arrayminus": y - low,
            "thickness": style.thickness, "width": style.cap,
        }  # fmt: skip
    if curve.markers:
        more["marker"] = {"size": style.size, "symbol": style.symbol}
    itself = {
        "type": "scatter",
        "x": across,
        "y": y,
        "mode": "lines+markers" if curve.markers else "lines",
        "line": {"color": style.colour, "width": style.width, "dash": style.dash},
        "name": name,
        "showlegend": curve.legend,
        "hovertext": [_told(chart, curve, place) for place in range(len(curve.x))],
        "hovertemplate": f"%{{hovertext}}<extra>{name}</extra>",
    }
    return [*traces, itself | more]


def _told(chart: CurveChart, curve: Curve, place: int) -> str:
    """What is told of a point of a curve, a fact a line, as HTML of Plotly's."""
    x, y = curve.x[place], in_unit(curve.y[place], chart.y.unit)
    across = x if isinstance(x, str) else f"{chart.x.title} {in_unit(x, chart.x.unit)}"
    up = f"{escape.plotly(chart.y.title)} <b>{y}</b>"
    if curve.low:
        up += f" [{' to '.join(in_unit(end[place], chart.y.unit) for end in (curve.low, curve.high))}]"
    notes = [escape.plotly(curve.notes[place])] if curve.notes else []
    return "<br>".join(line.strip() for line in (escape.plotly(across), up, *notes))


def _histogram_figure(chart: HistogramChart) -> go.Figure:
    edges = np.array(chart.edges)
    figure = go.Figure()
    for histogram in chart.histograms:
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=scaled(chart.y, np.array(histogram.shares)),
            width=np.diff(edges) * 0.98,
            opacity=histogram.style.opacity,
            marker={"color": histogram.style.colour},
            name=label(histogram.name, ""),
            showlegend=True,
            hovertext=[
                f"{bounds(low, high, '.2f')}: {in_unit(share, chart.y.unit)}"
                for low, high, share in zip(edges[:-1], edges[1:], histogram.shares, strict=True)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    left = chart.at < edges[-1] / 2
    figure.add_vline(x=chart.at, line={"width": 3, "color": "#E69F00"})
    figure.add_annotation(
        x=chart.at,
        y=1,
        yref="paper",
        text=f"<b>{label(chart.at_name, '')}</b>",
        showarrow=False,
        xanchor="left" if left else "right",
        yanchor="top",
        xshift=6 if left else -6,
    )
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(**_axis(chart.x))
    figure.update_yaxes(**_axis(chart.y))
    return figure.update_layout(_layout(chart.height, False, 0))


def _matrix_figure(chart: MatrixChart) -> go.Figure:
    cells = zip(chart.counts, chart.shares, strict=True)
    figure = go.Figure(
        go.Heatmap(
            z=np.array(chart.shares),
            x=[escape.plotly(name) for name in chart.columns],
            y=[escape.plotly(name) for name in chart.rows],
            text=[[f"{n:,}<br>{percent(share)}" for n, share in zip(*row, strict=True)] for row in cells],
            texttemplate="%{text}",
            colorscale="Blues",
            zmin=0,
            zmax=1,
            showscale=False,
            hoverinfo="skip",
            xgap=4,
            ygap=4,
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(side="top")
    return figure.update_layout(_layout(chart.height, False, 0))


def _axis(axis: Axis) -> dict:
    settings: dict = _TICKS | {"automargin": True}
    if axis.step is not None:
        settings["dtick"] = scaled(axis, axis.step)
    if axis.unit == "%":
        settings["ticksuffix"] = PER_CENT
    if axis.title:
        title = escape.plotly(axis.title)
        settings["title"] = title.replace(", ", ",<br>") if len(axis.title) > TITLE else title
    if axis.low is not None and axis.high is not None:
        settings["range"] = [scaled(axis, axis.low), scaled(axis, axis.high)]
    elif axis.from_zero:
        settings["rangemode"] = "tozero"
    if axis.log:
        settings |= {"type": "log", "dtick": 1}
    return settings


def _layout(height: int, below: bool, lowered: float) -> dict:
    legend = _BELOW | {"y": lowered} if below else _ABOVE
    return {"height": height, "margin": _MARGIN, "legend": legend, "hoverlabel": {"namelength": -1}}


_DRAW = {
    IntervalChart: _interval_figure,
    BarChart: _bar_figure,
    CurveChart: _curve_figure,
    HistogramChart: _histogram_figure,
    MatrixChart: _matrix_figure,
}
