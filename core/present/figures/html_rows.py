"""Interval charts as HTML for a page: a row a group, a line for each series, its value in words beside it.

A browser draws them at once, in the theme of the page around them, where Plotly's library alone takes it a second.
Lines and dots are borders of boxes: a page's HTML may hold no SVG (Streamlit takes it out), and borders are printed.
"""

from __future__ import annotations

from core.present.figures.chart_data import IntervalChart, Mark, Row, Series
from core.present.figures.row_scale import RowScale
from core.present.text import escape

#: Height of a series' line in a row, CSS pixels.
LINE = 20
STYLE = f"""
<style>
.lw-rows {{margin: .2rem 0 .6rem 0; max-width: 62rem}}
.lw-rows .legend {{display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .85rem; margin: 0 0 .4rem 0}}
.lw-rows .legend i {{display: inline-block; margin-right: .35rem}}
.lw-rows .row {{display: grid; grid-template-columns: minmax(8rem, 15rem) minmax(0, 1fr) 9.5rem; gap: 0 1.1rem;
 align-items: center; break-inside: avoid}}
.lw-rows .name {{font-size: .9rem; line-height: 1.25; overflow-wrap: anywhere}}
.lw-rows .name small {{opacity: .7}}
.lw-rows .words {{font-size: .82rem; line-height: {LINE}px; font-variant-numeric: tabular-nums; white-space: nowrap}}
.lw-rows .words span {{display: block}}
.lw-rows .plot {{position: relative; padding: .2rem 0}}
.lw-rows .line {{position: relative; height: {LINE}px}}
.lw-rows .line i {{position: absolute; top: 50%; transform: translate(-50%, -50%)}}
.lw-rows .line b {{position: absolute; top: 50%; transform: translateY(-50%)}}
.lw-rows i {{border-radius: 50%}}
.lw-rows .tick {{position: absolute; top: 0; bottom: 0; border-left: 1px solid rgba(128,140,140,.3)}}
.lw-rows .tick.reference {{border-left: 1px dashed #888}}
.lw-rows .axis {{position: relative; height: 1.3rem; font-size: .75rem; opacity: .75}}
.lw-rows .axis span {{position: absolute; transform: translateX(-50%); white-space: nowrap}}
@media (max-width: 640px) {{
 .lw-rows .row {{grid-template-columns: minmax(0, 1fr) auto; padding: .15rem 0}}
 .lw-rows .name {{grid-column: 1}}
 .lw-rows .words {{grid-column: 2; grid-row: 1}}
 .lw-rows .plot, .lw-rows .axis {{grid-column: 1 / -1}}
}}
</style>
"""


def html_rows(chart: IntervalChart) -> str:
    """The chart, with its style sheet. Every text is escaped; each mark tells its words where it is pointed at."""
    scale = RowScale.of_axis(chart)
    drawn = {mark.series for row in chart.rows for mark in row.marks if mark.drawn}
    legend = "".join(
        f"<span>{_dot(series)}{escape.in_html(series.name)}</span>"
        for series in chart.series
        if series.legend and series.name in drawn
    )
    ticks = "".join(f"<div class='tick' style='left:{place}%'></div>" for place, _ in scale.ticks())
    if chart.reference is not None:
        ticks += f"<div class='tick reference' style='left:{scale.place(chart.reference)}%'></div>"
    rows = "".join(_row(row, chart.series, scale, ticks) for row in chart.rows)
    words = "".join(f"<span style='left:{place}%'>{escape.in_html(text)}</span>" for place, text in scale.ticks())
    axis = f"<div class='row' aria-hidden='true'><span></span><div class='axis'>{words}</div></div>"
    return f"{STYLE}<div class='lw-rows'><div class='legend'>{legend}</div>{rows}{axis}</div>"


def _row(row: Row, series: tuple[Series, ...], scale: RowScale, ticks: str) -> str:
    """A group: its name and note, a line for each series that has a mark, the marks' words in the same order."""
    places = {member.name: place for place, member in enumerate(series)}
    marks = sorted((mark for mark in row.marks if mark.drawn), key=lambda mark: places[mark.series])
    lines = "".join(_line(mark, series[places[mark.series]], scale) for mark in marks)
    words = "".join(f"<span title='{_told(mark)}'>{escape.in_html(mark.words)}</span>" for mark in marks)
    return (
        f"<div class='row'><span class='name'>{escape.in_html(row.name)} "
        f"<small>{escape.in_html(row.note)}</small></span>"
        f"<div class='plot' aria-hidden='true'>{ticks}{lines}</div><span class='words'>{words}</span></div>"
    )


def _line(mark: Mark, series: Series, scale: RowScale) -> str:
    """A mark on its line: the interval, and the value upon it; each only where it is known."""
    interval = value = ""
    if mark.low == mark.low:
        low, high = scale.place(mark.low), scale.place(mark.high)
        border = f"{series.style.thickness:g}px solid {escape.in_html(series.style.colour)}"
        interval = f"<b style='left:{low}%;width:{round(high - low, 2)}%;border-top:{border}'></b>"
    if mark.value == mark.value:
        value = _dot(series, f"left:{scale.place(mark.value)}%;")
    return f"<div class='line' title='{_told(mark)}'>{interval}{value}</div>"


def _told(mark: Mark) -> str:
    """What a mark tells where it is pointed at."""
    return escape.in_html("\n".join(text for text in (mark.series, mark.words, *mark.details) if text))


def _dot(series: Series, place: str = "") -> str:
    return f"<i style='{place}border:{series.style.size / 2:g}px solid {escape.in_html(series.style.colour)}'></i>"
