"""Plotly charts in print: light, sized in millimetres, legible in grey; drawn by the machine's own Chrome, offline."""

from __future__ import annotations

import asyncio
import math
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from core.errors import LookwhereError
from core.present.export.provenance import Size, plain
from core.present.figures.styles import COLOURS

if TYPE_CHECKING:
    from kaleido import Kaleido

NO_BROWSER = (
    "No Chrome or Chromium is installed where Lookwhere runs (or no kaleido, which drives it), and charts are drawn by "
    "it: install one, or take the chart as SVG with the camera above it, which your own browser draws. Images and "
    "tables need none."
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


def _plain(part: object) -> object:
    """A figure's dict with plain texts: Chrome draws no SVG that is not well-formed."""
    if isinstance(part, str):
        return plain(part)
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_plain(value) for value in part]
    if isinstance(part, np.ndarray) and part.dtype.kind in "OUT":
        return _plain(part.tolist())
    return part


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
    """The path of the Chrome or Chromium that would draw, `$BROWSER_PATH` first; None where there is none.

    None too where kaleido, which drives it, is not installed.
    """
    if find_spec("kaleido") is None:
        return None
    if path := os.environ.get("BROWSER_PATH"):
        return path if os.access(path, os.X_OK) else None
    from choreographer.browsers.chromium import Chromium

    return Chromium.find_browser(skip_local=False)


def render(figures: list[go.Figure], size: Size, kinds: list[str], dpi: int) -> dict[str, list[bytes]]:
    """Each chart in each of the `kinds` (png, pdf, svg), all by one browser that is started for them and ended.

    Raises `LookwhereError` where there is no browser, it fails, or it is not done after `SECONDS`; nothing is left of
    the browser then either.
    """
    path = browser()
    if path is None:
        raise LookwhereError(NO_BROWSER)
    # CSS pixels of the layout to print size; the width of an SVG is set afterwards, in mm.
    scales = {"png": size.scale * dpi / 96, "pdf": size.scale, "svg": 1}
    ready = [printable(figure, size) for figure in figures]
    jobs = [
        (
            _plain(figure.to_dict()),
            {"format": kind, "width": figure.layout.width, "height": figure.layout.height, "scale": scales[kind]},
        )
        for kind in kinds
        for figure in ready
    ]
    outcomes: list[list[bytes] | Exception] = []

    def work() -> None:
        try:
            # A snap sees no /tmp.
            home = Path.home() if "snap" in path else None
            with tempfile.TemporaryDirectory(prefix="lookwhere-", dir=home, ignore_cleanup_errors=True) as folder:
                outcomes.append(asyncio.run(_drawn(path, Path(folder), jobs)))
        except Exception as error:
            outcomes.append(error)

    # A thread of its own, since this one may have a running loop; two browsers at once would be too much.
    with _one_at_a_time:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join()
    if isinstance(outcomes[0], Exception):
        why = outcomes[0].args[0] if outcomes[0].args else type(outcomes[0]).__name__
        why = " ".join(str(why[0] if isinstance(why, tuple) else why).split()).rstrip(".")[:200]
        raise LookwhereError(
            f"{path} could not draw the chart ({why}): start it once by hand to see why, or use the chart's camera"
        ) from outcomes[0]
    return {kind: outcomes[0][n * len(ready) : (n + 1) * len(ready)] for n, kind in enumerate(kinds)}


async def _drawn(path: str, folder: Path, jobs: list[tuple[dict, dict]]) -> list[bytes]:
    from choreographer.channels import Pipe
    from choreographer.errors import BrowserFailedError
    from kaleido import Kaleido, PageGenerator

    # MathJax would be fetched from a host; plotly.js is the installed package's.
    page, pipe = folder / "index.html", Pipe()
    page.write_text(PageGenerator(mathjax=False).generate_index(), encoding="utf-8")
    kaleido = Kaleido(
        path=path, page_generator=page, tmp_dir=str(folder), channel_cls=lambda: pipe, enable_extensions=False,
        proxy_server=NOWHERE,
    )  # fmt: skip
    drawing = asyncio.create_task(_draw(kaleido, jobs))
    # Not wait_for: cancelled while it starts the browser, kaleido forgets it and says that it closed by itself.
    await asyncio.wait({drawing}, timeout=SECONDS)
    late = not drawing.done()
    if not late and not drawing.cancelled() and not drawing.exception():
        return drawing.result()
    while not drawing.done() and not hasattr(kaleido, "subprocess"):
        await asyncio.sleep(0.02)
    gone = False
    if hasattr(kaleido, "subprocess"):
        gone = kaleido.subprocess.poll() is not None
        _end(kaleido.subprocess)
    pipe.close()
    drawing.cancel()
    for rest in (drawing, kaleido.close()):
        with suppress(Exception, asyncio.CancelledError):
            await asyncio.wait_for(rest, 5)
    if late:
        raise TimeoutError(f"it was not done after {SECONDS} s")
    # What waits for a browser that has gone is cancelled by kaleido, or told that something of kaleido's is closed.
    if drawing.cancelled() or (gone and not isinstance(drawing.exception(), BrowserFailedError)):
        raise RuntimeError("it ended while it drew")
    return drawing.result()


async def _draw(kaleido: Kaleido, jobs: list[tuple[dict, dict]]) -> list[bytes]:
    await kaleido.open()
    images = [await kaleido.calc_fig(figure, options) for figure, options in jobs]
    await kaleido.close()
    return images


def _end(process: subprocess.Popen) -> None:
    """Kill a browser with all that it started: kaleido starts it as the leader of a process group."""
    if not hasattr(os, "killpg"):
        process.kill()
        return
    for _ in range(25):  # half a second, in which nobody is left who writes into the profile
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
        process.poll()
        time.sleep(0.02)
