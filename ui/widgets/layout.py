"""What pages draw alike: the headline, figures in a row, colour scales, tables, download buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from core.present.export.tables import holds_p
from core.present.figures import raster
from core.present.text import escape
from core.task import GENDER, Task
from core.verdicts import Tone
from core.wording import NONE, in_points, number, p_words, percent, trimmed
from ui.widgets import paper, terms

#: A verdict's colour, as Streamlit names it.
COLOURS = {Tone.GOOD: "green", Tone.MIXED: "orange", Tone.BAD: "red", Tone.OPEN: "gray"}
STYLE = """
<style>
.lw-headline {font-size: 1.3rem; line-height: 1.45; margin: 0 0 .4rem 0; font-weight: 500; max-width: 62rem}
.lw-grid {display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: .9rem}
.lw-card {border: 1px solid rgba(128,140,140,.3); border-radius: .6rem; padding: .7rem .8rem .8rem}
.lw-card h4 {margin: 0; padding: 0; font-size: 1.02rem; font-weight: 600}
.lw-card p {margin: 0 0 .45rem 0; font-size: .85rem; opacity: .75}
.lw-pairs {display: grid; grid-template-columns: 1fr 1fr; gap: .7rem}
.lw-pair {display: grid; grid-template-columns: 1fr 1fr; gap: .2rem}
.lw-pair img, .lw-few {width: 100%; aspect-ratio: 1; border-radius: .3rem; display: block}
.lw-few {display: flex; align-items: center; justify-content: center; text-align: center; font-size: .72rem;
 line-height: 1.2; background: rgba(128,140,140,.14); padding: .3rem; box-sizing: border-box; grid-column: span 2;
 aspect-ratio: 2.05}
.lw-few.one {grid-column: span 1; aspect-ratio: 1}
.lw-tag {grid-column: span 2; font-size: .78rem; opacity: .85; white-space: nowrap}
.lw-figures {display: flex; gap: .4rem}
.lw-figures figure {flex: 1 1 0; min-width: 0; margin: 0}
.lw-figures img {width: 100%; aspect-ratio: 1; border-radius: .3rem; display: block}
.lw-figures figcaption {font-size: .78rem; opacity: .8; margin-top: .2rem; line-height: 1.3}
.lw-scale {display: flex; align-items: center; gap: .5rem; font-size: .8rem; margin: .6rem 0 0 0; flex-wrap: wrap}
.lw-scale img {height: .7rem; width: 11rem; border-radius: .2rem}
</style>
"""


def headline(sentence: str) -> None:
    """The sentence that opens a page."""
    text = escape.in_html(sentence).replace(" %", "&nbsp;%").replace(" ×", "&nbsp;×")
    st.html(f"{STYLE}<p class='lw-headline'>{text}{terms.headline_help(sentence)}</p>")


def colour_scale(signed: bool, limit: float, note: str, task: Task = GENDER) -> str:
    """HTML of the colour scale with its ends."""
    first, second = map(escape.in_html, task.labels)
    ends = (f"speaks for {second}", f"speaks for {first}") if signed else ("none", "strongest")
    bar = raster.data_uri(raster.colour_bar(signed), quality=95)
    left, right = (f"−{limit:.3g}", f"{limit:.3g}") if signed else ("0", f"{limit:.3g}")
    return (
        f"<div class='lw-scale'><span>{ends[0]} {left}</span><img src='{bar}' alt='colour scale'>"
        f"<span>{right} {ends[1]}</span><span style='opacity:.7'>{escape.in_html(note)}</span></div>"
    )


def image_row(panels: list[tuple[Image.Image, str, str]], widest: str = "none") -> str:
    """HTML of images in one row that shrinks with the page: (image, caption, alternative text) each."""
    items = "".join(
        f"<figure style='max-width: {widest}'><img src='{raster.data_uri(image)}' alt='{escape.in_html(alt)}'>"
        f"<figcaption>{escape.in_html(caption)}</figcaption></figure>"
        for image, caption, alt in panels
    )
    return f"<div class='lw-figures'>{items}</div>"


def scale_ends(signed: bool, limit: float, task: Task = GENDER) -> tuple[bool, str, str]:
    """A colour scale of a `raster.Sheet`, with its ends in words."""
    first, second = task.labels
    return (True, f"−{limit:.3g} {second}", f"{limit:.3g} {first}") if signed else (False, "0", f"{limit:.3g}")


def download_button(label: str, data: bytes | Callable[[], bytes], file: str, kind: str, **more: Any) -> None:
    """A download that does not run the page again; what is costly is given as a function, made only when asked for."""
    st.download_button(label, data, file, kind, icon=":material/download:", on_click="ignore", **more)


def metric_row() -> list:
    """Four places in one row, two by two on a telephone."""
    return [place for half in st.columns(2) for place in half.columns(2, wrap=False)]


def metric(place: Any, label: str, value: str, note: str, **more: Any) -> None:
    """One figure with a quiet line under it, all plain text."""
    texts = [escape.markdown(text) for text in (label, value, note)]
    place.metric(*texts, delta_color="off", delta_arrow="off", **more)


def sentence(text: str) -> None:
    """A paragraph of plain text, commands of ours as code; `st.markdown` is for our own words with marks in them."""
    terms.markdown(escape.sentence(text))


def table(frame: pd.DataFrame, formats: Mapping[str, str] | None = None, **more: Any) -> None:
    """A sortable table without its index; «–» where there is no value, and a line below it where it goes on.

    In print, where nothing scrolls, such a one stands with all its rows and columns (`ui.widgets.paper`).

    `formats` of numbers by column: `percent` of a share, `points` of a difference of two, else Python's, as «.1f»; by
    default «1,234», p-values as in sentences, and at most four decimals. Cells are written as sentences write
    numbers, and sorted by what they are. What cannot be counted (NaN, infinite) has no place on a page.
    """
    endless = {name: _finite(column) for name, column in frame.items() if _endless(column)}
    cells = (frame.assign(**endless) if endless else frame).reset_index(drop=True)
    given_formats = dict(formats or {})
    forms = {
        name: form for name in cells if name not in given_formats and (form := _form(str(name), cells[name]))
    } | given_formats
    writers = {name: partial(_written, form=form) for name, form in forms.items() if name in cells}
    content = cells.style.format(writers) if writers else cells
    st.dataframe(content, hide_index=True, placeholder=NONE, **more)
    if line := goes_on(cells, more.get("height")):
        st.html(paper.on_paper(cells, writers) + line)


def _written(value: object, form: str) -> str:
    if not isinstance(value, int | float | np.number) or not np.isfinite(value):
        return NONE
    if form in _WRITERS:
        return _WRITERS[form](float(value))
    return number(float(value), form)


def _form(name: str, column: pd.Series) -> str:
    """How a column of numbers is written where nothing else is said; empty where it holds other things."""
    if column.dtype.kind in "iu":
        return ",.0f"
    if column.dtype.kind != "f":
        return ""
    values = column.dropna().abs()
    if holds_p(name) and (values <= 1).all():
        return "p"
    if (values == values.round()).all():
        return ",.0f"
    return "trimmed" if values.max() >= 0.01 else ".2g"


_WRITERS: dict[str, Callable[[float], str]] = {
    "percent": percent, "trimmed": trimmed, "p": partial(p_words, with_name=False),
    "points": lambda share: f"{in_points(share)} points",
}  # fmt: skip
#: Streamlit's tables show ten rows under a head of this many pixels, a row of these.
ROWS, HEAD, ROW = 10, 38, 35
#: What a letter takes in a cell, and what stands round it, in pixels.
_LETTER, _ROUND = 7, 18


def goes_on(frame: pd.DataFrame, height: int | None = None) -> str:
    """HTML of a line on what of a table lies beyond its edge: rows, and in a place too narrow for it columns.

    Empty where all rows and, in a place of 300 pixels, all columns can be seen.
    """
    rows = ROWS if height is None else max(1, (height - HEAD + ROW - 1) // ROW)
    lines = []
    if len(frame) > rows:
        lines.append(f"<span>{rows} of {len(frame):,} rows are in sight: scroll in the table for the others.</span>")
    style, wide = "", _width(frame)
    if len(frame.columns) > 2 and wide > 300:
        name = f"lw-wide-{wide}"
        style = f"<style>@container (min-width: {wide}px) {{.{name} {{display: none}}}}</style>"
        words = f"{len(frame.columns)} columns: where not all are in sight, scroll to the right."
        lines.append(f"<span class='{name}'>{words}</span>")
    if not lines:
        return ""
    look = "font-size: .8rem; opacity: .75; margin: -.6rem 0 0 0"
    place = "<div class='lw-on-screen' style='container-type: inline-size'>"
    return f"{style}{place}<p style='{look}'>{' '.join(lines)}</p></div>"


def _width(frame: pd.DataFrame) -> int:
    """About how many pixels a table takes, by the longest text of each column, to fifty."""
    total = 0
    for name in frame.columns:
        texts = [NONE * 6] if frame[name].dtype.kind == "f" else [str(value) for value in frame[name].head(200)]
        total += _LETTER * min(max(map(len, [str(name), *texts])), 60) + _ROUND
    return -(-total // 50) * 50


def _endless(column: pd.Series) -> bool:
    return column.dtype.kind == "f" and bool(np.isinf(column).any())


def _finite(column: pd.Series) -> pd.Series:
    return column.mask(np.isinf(column))


def share_table(frame: pd.DataFrame, shares: list[str], formats: Mapping[str, str] | None = None, **more: Any) -> None:
    """A sortable table, its shares as percentages to a tenth of a point; downloads keep them whole.

    `formats` are of its other columns, as in `table`.
    """
    rounded = frame.assign(**{name: np.round(frame[name].astype(float), 3) for name in shares})
    table(rounded, dict.fromkeys(shares, "percent") | dict(formats or {}), **more)
