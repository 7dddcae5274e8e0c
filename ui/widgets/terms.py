"""Sentences of a page, each term of the glossary with its one line of help where the page uses it first.

Pages put their words through `caption`, `markdown`, `subheader` and `headline`, never through Streamlit's own. Titles,
boxes, labels of controls and tables are no first use.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.present.text import escape
from core.present.text.glossary import glossary, terms_in
from core.task import GENDER, Task

Kind = Literal["caption", "markdown", "subheader"]
STYLE = """
<style>
.lw-help {position: relative; display: inline-block; width: 1.15em; height: 1.15em; line-height: 1.1em; opacity: .6;
 font-size: .8rem; text-align: center; border: 1px solid currentColor; border-radius: 50%; cursor: help;
 vertical-align: middle}
.lw-help:hover, .lw-help:focus {opacity: 1; outline: none}
.lw-help > span {display: none}
.lw-help:hover > span, .lw-help:focus > span {display: block; position: absolute; z-index: 999; top: 1.6em;
 right: -1rem; width: min(22rem, 80vw); padding: .6rem .8rem; border-radius: .5rem; background: Canvas;
 color: CanvasText; border: 1px solid rgba(128,140,140,.5); text-align: left; font-size: .85rem; line-height: 1.4;
 font-weight: 400}
@media (max-width: 640px) {.lw-help:hover > span, .lw-help:focus > span {position: fixed; inset: auto 1rem 1rem 1rem;
 width: auto}}
@media print {.lw-help {display: none}}
</style>
"""


@dataclass
class _Said:
    """What stands on the page: where, as what, with which help of its own, and the terms that it explains."""

    kind: Kind
    text: str
    own: str
    place: Any
    first: bool = False
    terms: list[str] = field(default_factory=list)

    def draw(self, task: Task) -> None:
        """Put it in its place, or what is there anew."""
        lines = [self.own, *(f"**{term}**: {escape.markdown(glossary(task)[term])}" for term in self.terms)]
        self.place = getattr(self.place, self.kind)(self.text, help="\n\n".join(filter(None, lines)) or None)


@dataclass
class _Page:
    """A page that is being drawn; `explains` is False where it has the whole glossary anyway."""

    task: Task
    explains: bool
    said: list[_Said] = field(default_factory=list)
    explained: set[str] = field(default_factory=set)
    at_head: list[str] = field(default_factory=list)


def start(task: Task = GENDER, explains: bool = True) -> None:
    """Begin a page: no term is explained yet."""
    st.session_state.words_said = _Page(task, explains)


def caption(text: str, *, place: Any = None, help: str = "") -> None:
    """A quiet line, in Markdown."""
    _say("caption", text, place, help)


def markdown(text: str, *, place: Any = None, help: str = "") -> None:
    """A paragraph, in Markdown."""
    _say("markdown", text, place, help)


def subheader(text: str, *, place: Any = None, help: str = "") -> None:
    """A heading within the page, in Markdown."""
    _say("subheader", text, place, help)


def above(text: str, place: Any) -> None:
    """A quiet line over all that was drawn so far: the terms in it are explained there, and no longer below."""
    _say("caption", text, place, "", first=True)


def headline_help(sentence: str) -> str:
    """HTML of the help of the page's first sentence, which is drawn over all else; empty where it uses no term."""
    page = _page()
    if _within_fragment():
        terms = [term for term in terms_in(sentence) if term in page.at_head]
    else:
        terms = page.at_head = _take(page, sentence, first=True)
    if not terms:
        return ""
    lines = (f"<b>{escape.in_html(term)}</b>: {escape.in_html(glossary(page.task)[term])}" for term in terms)
    mark = "<span class='lw-help' tabindex='0' aria-label='What the words mean'>?"
    return f"{STYLE} {mark}<span>{'<br>'.join(lines)}</span></span>"


def _say(kind: Kind, text: str, place: Any, own: str, first: bool = False) -> None:
    page = _page()
    text_part = _Said(kind, text, own, place or st, first)
    same = (part for part in page.said if (part.kind, part.text) == (kind, text))
    again = next(same, None) if _within_fragment() else None
    text_part.terms = again.terms if again is not None else _take(page, text, first)
    text_part.draw(page.task)
    page.said.append(text_part)


def _take(page: _Page, text: str, first: bool) -> list[str]:
    """The terms that a text is to explain. What stands `first` takes them from where they were explained below."""
    if not page.explains:
        return []
    used = terms_in(text)
    for part in page.said if first else ():
        lost = [term for term in part.terms if term in used]
        if lost and not part.first:
            part.terms = [term for term in part.terms if term not in used]
            page.explained -= set(lost)
            part.draw(page.task)
    fresh = [term for term in used if term not in page.explained]
    page.explained |= set(fresh)
    return fresh


def _page() -> _Page:
    if "words_said" not in st.session_state:
        start()
    return st.session_state.words_said


def _within_fragment() -> bool:
    """Whether a part of the page is drawn again by itself: what it says has its help already."""
    context = get_script_run_ctx()
    return bool(context and context.fragment_ids_this_run)
