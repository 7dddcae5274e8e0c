"""Plotly charts in print: light, sized in millimetres, legible in grey; drawn by the machine's own Chrome, offline."""

from __future__ import annotations

import asyncio
import math
import os
import re
import threading

import plotly.graph_objects as go

from core.errors import LookwhereError
from core.export.trace import Size
from core.figures.charts import COLOURS

NO_BROWSER = (
    "No Chrome or Chromium is installed where Lookwhere runs, and charts are drawn by it: install one, or take the "
    "chart as SVG with the camera above it, which your own browser draws. Pictures and tables need none."
)
FONTS = "Arial, Helvetica, Liberation Sans, DejaVu Sans, sans-serif"
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "x", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
HATCHES = ("", "\\", "x", ".")
SECONDS = 120
#: A port on which nobody listens: whatever a browser might ask of the network, for itself or a chart, ends here.
NOWHERE = "http://127.0.0.1:9"
_AXIS = {
    "gridcolor": "#E2E6E6",
    "linecolor": "#8A9494",
    "zerolinecolor": "#B4BABA",
    "automargin": True,
    "ticks": "",
    "title": {"font": {"size": 12}, "standoff": 8},
}
PRINT = go.layout.Template(
    layout={
        "font": {"family": FONTS, "size": 12, "color": "#16191A"},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "colorway": COLOURS,
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    }
)
_one_at_a_time = threading.Lock()


def printable(figure: go.Figure, size: Size) -> go.Figure:
    """A copy for print: light whatever the page's theme, of the width's layout, told apart without colour."""
    copy = go.Figure(figure)
    copy.update_layout(template=PRINT, width=size.pixels, height=_height(copy, size))
    for kind, apply in ((_has_markers, _symbol), (_has_line, _dash), (_is_bar, _hatch)):
        traces = [t for t in copy.data if kind(t) and t.name and t.showlegend is not False]
        places = {name: n for n, name in enumerate(dict.fromkeys(t.legendgroup or t.name for t in traces))}
        for trace in (t for t in copy.data if kind(t) and (t.legendgroup or t.name) in places):
            apply(trace, places[trace.legendgroup or trace.name])
    return copy


def _height(figure: go.Figure, size: Size) -> float:
    """The chart's own, and what titles and a legend of several lines take of it."""
    names = {t.name for t in figure.data if t.name and t.showlegend is not False}
    entry = 44 + 6.2 * max((len(re.sub("<.*?>", "", name)) for name in names), default=0)
    lines = math.ceil(len(names) * entry / size.pixels)
    return (figure.layout.height or 450) + 24 + 19 * max(0, lines - 1)


def _has_markers(trace: object) -> bool:
    return trace.type == "scatter" and "markers" in (trace.mode or "") and trace.marker.symbol is None


def _has_line(trace: object) -> bool:
    return trace.type == "scatter" and "lines" in (trace.mode or "") and trace.line.dash is None


def _is_bar(trace: object) -> bool:
    return trace.type == "bar" and not trace.marker.pattern.shape


def _symbol(trace: object, place: int) -> None:
    trace.marker.symbol = SYMBOLS[place % len(SYMBOLS)]


def _dash(trace: object, place: int) -> None:
    trace.line.dash = DASHES[place % len(DASHES)]


def _hatch(trace: object, place: int) -> None:
    shape = HATCHES[place % len(HATCHES)]
    trace.marker.pattern = {"shape": shape, "fgcolor": "white", "fillmode": "overlay", "size": 5, "solidity": 0.25}


def browser() -> str | None:
    """The path of the Chrome or Chromium that would draw, `$BROWSER_PATH` first; None where there is none."""
    if path := os.environ.get("BROWSER_PATH"):
        return path if os.access(path, os.X_OK) else None
    from choreographer.browsers.chromium import Chromium

    return Chromium.find_browser(skip_local=False)


def render(figures: list[go.Figure], size: Size, kind: str, dpi: int) -> list[bytes]:
    """Each chart as png, pdf or svg, all by one browser that is started for them and ended.

    Raises `LookwhereError` where there is no browser or it fails.
    """
    path = browser()
    if path is None:
        raise LookwhereError(NO_BROWSER)
    # CSS pixels of the layout to print size; the width of an SVG is set afterwards, in mm.
    scale = {"png": size.scale * dpi / 96, "pdf": size.scale, "svg": 1}[kind]
    ready = [printable(figure, size) for figure in figures]
    found: list[list[bytes] | Exception] = []

    def work() -> None:
        try:
            found.append(asyncio.run(asyncio.wait_for(_drawn(path, ready, kind, scale), SECONDS)))
        except Exception as error:
            found.append(error)

    # A thread of its own, since this one may have a running loop; two browsers at once would be too much.
    with _one_at_a_time:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join()
    if isinstance(found[0], Exception):
        why = found[0].args[0] if found[0].args else type(found[0]).__name__
        why = " ".join(str(why[0] if isinstance(why, tuple) else why).split()).rstrip(".")[:200]
        raise LookwhereError(
            f"{path} could not draw the chart ({why}): start it once by hand to see why, or use the chart's camera"
        ) from found[0]
    return found[0]


async def _drawn(path: str, figures: list[go.Figure], kind: str, scale: float) -> list[bytes]:
    from kaleido import Kaleido

    # MathJax would be fetched from a host; plotly.js is the installed package's.
    async with Kaleido(path=path, mathjax=False, enable_extensions=False, proxy_server=NOWHERE) as kaleido:
        return [
            await kaleido.calc_fig(
                figure, {"format": kind, "width": figure.layout.width, "height": figure.layout.height, "scale": scale}
            )
            for figure in figures
        ]
