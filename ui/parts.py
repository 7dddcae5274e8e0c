"""What pages draw alike: the computed sentence, the cards of the study's grid, downloads."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from core.faces import MINIMUM_FACES
from core.figures import pictures
from core.groups import Group
from core.sentences import capital
from core.verdicts import Tone

#: A verdict's colour, as Streamlit names it.
COLOURS = {Tone.GOOD: "green", Tone.MIXED: "orange", Tone.BAD: "red", Tone.OPEN: "gray"}
STYLE = """
<style>
.lw-lede {font-size: 1.3rem; line-height: 1.45; margin: 0 0 .4rem 0; font-weight: 500; max-width: 62rem}
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


def lede(sentence: str) -> None:
    """The sentence that opens a page."""
    text = html.escape(sentence).replace(" %", "&nbsp;%").replace(" ×", "&nbsp;×")
    st.html(f"{STYLE}<p class='lw-lede'>{text}</p>")


def plain(text: str) -> str:
    """Text for `st.error` and its like with all Markdown taken out of force: a name or an address may hold any."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def empty(n: int) -> None:
    """Stop the page where a filter leaves no face, and say what to do."""
    if n == 0:
        st.info("No face passes this filter. Widen it above: clear an ethnicity, or open the age range.")
        st.stop()


def scale(signed: bool, limit: float, note: str) -> str:
    """HTML of the colour scale with its ends."""
    ends = ("speaks for male", "speaks for female") if signed else ("none", "strongest")
    bar = pictures.data_uri(pictures.colour_bar(signed), quality=95)
    left, right = (f"−{limit:.3g}", f"{limit:.3g}") if signed else ("0", f"{limit:.3g}")
    return (
        f"<div class='lw-scale'><span>{ends[0]} {left}</span><img src='{bar}' alt='colour scale'>"
        f"<span>{right} {ends[1]}</span><span style='opacity:.7'>{html.escape(note)}</span></div>"
    )


def figures(panels: list[tuple[Image.Image, str, str]], widest: str = "none") -> str:
    """HTML of pictures in one row that shrinks with the page: (picture, caption, alternative text) each."""
    items = "".join(
        f"<figure style='max-width: {widest}'><img src='{pictures.data_uri(picture)}' alt='{html.escape(alt)}'>"
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for picture, caption, alt in panels
    )
    return f"<div class='lw-figures'>{items}</div>"


def pair_html(group: Group, tag: str, limit: float, signed: bool, faces: bool = True) -> str:
    """Average face beside average map, or why there is none; no word of faces where an audit keeps none at all."""
    head = f"<div class='lw-tag'>{tag} · n = {group.n:,}</div>"
    if group.too_small:
        why = "none" if group.n == 0 else f"{group.n} too few: averages need {MINIMUM_FACES}"
        return f"<div class='lw-pair'>{head}<div class='lw-few'>{why}</div></div>"
    name = html.escape(capital(group.name))
    cam = ""  # predictions alone give no map
    if group.map is not None:
        source = pictures.data_uri(pictures.paint(group.map, limit, signed, side=112))
        cam = f"<img src='{source}' alt='Average map: {name}'>"
    face = "<div class='lw-few one'>no average face for these ages</div>" if faces else ""
    if group.face is not None:
        source = pictures.data_uri(Image.fromarray(group.face))
        face = f"<img src='{source}' alt='Average face: {name}' title='average of {group.face_n:,} faces'>"
    return f"<div class='lw-pair'>{head}{face}{cam}</div>"


def study_cards(grid: pd.DataFrame, names: list[str], facts: list[str], limit: float, signed: bool, note: str) -> None:
    """The original study's grid: a card a group, correct and incorrect side by side; one scale for all.

    Without maps there is no `note` on them, and no scale.
    """
    faces = any(g.face is not None for column in ("correct", "incorrect") for g in grid[column])
    cards = [
        f"<div class='lw-card'><h4>{html.escape(name)}</h4><p>{html.escape(fact)}</p><div class='lw-pairs'>"
        + pair_html(row.correct, "right", limit, signed, faces)
        + pair_html(row.incorrect, "wrong", limit, signed, faces)
        + "</div></div>"
        for name, fact, row in zip(names, facts, grid.itertuples(), strict=True)
    ]
    st.html(f"{STYLE}<div class='lw-grid'>{''.join(cards)}</div>{scale(signed, limit, note) if note else ''}")


def ends(signed: bool, limit: float) -> tuple[bool, str, str]:
    """A colour scale of a `pictures.Sheet`, with its ends in words."""
    return (True, f"−{limit:.3g} male", f"{limit:.3g} female") if signed else (False, "0", f"{limit:.3g}")


def study_sheet(grid: pd.DataFrame, names: list[str], limit: float, signed: bool, note: str) -> pictures.Sheet:
    """The same grid to take away, for a paper or a slide; without maps where there is no `note` on them."""
    rows = []
    for name, row in zip(names, grid.itertuples(), strict=True):
        panels = []
        for group, tag in ((row.correct, "right"), (row.incorrect, "wrong")):
            none = f"under {MINIMUM_FACES} faces" if group.too_small else "none for these ages"
            face = none if group.face is None else pictures.show_face(group.face)
            cam = none if group.map is None else pictures.paint(group.map, limit, signed)
            panels += [(face, f"{tag}, n = {group.n:,}"), *([(cam, "average map")] if note else [])]
        rows.append((name, panels))
    return pictures.Sheet(rows, [ends(signed, limit)] if note else [], note)


def download(label: str, data: bytes | Callable[[], bytes], file: str, kind: str, **more) -> None:
    """A download that does not run the page again; what is costly is given as a function, made only when asked for."""
    st.download_button(label, data, file, kind, icon=":material/download:", on_click="ignore", **more)


def four() -> list:
    """Four places in one row, two by two on a telephone."""
    return [place for half in st.columns(2) for place in half.columns(2, wrap=False)]


def number(place, label: str, value: str, note: str, **more) -> None:
    """One figure with a quiet line under it."""
    place.metric(label, value, note, delta_color="off", delta_arrow="off", **more)


def share_table(table: pd.DataFrame, shares: list[str], **more) -> None:
    """A sortable table, its shares as percentages to a tenth of a point; downloads keep them whole."""
    settings = {name: st.column_config.NumberColumn(format="percent") for name in shares}
    rounded = table.assign(**{name: np.round(table[name].astype(float), 3) for name in shares})
    st.dataframe(rounded, hide_index=True, column_config=settings, **more)
