"""What every page begins and ends with, written once: a page's own file is controls, one call, drawing.

with page() as p:
    ...controls...
    p.headline(...)
    ...drawing...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.audit.folder import Audit
from core.audit.notes import note_sentence
from core.data.faces import counts_of, gender_known, genders_in
from core.data.filters import Filter
from core.present.text import escape
from core.present.text.sentences import EXPLORATORY_WHY
from core.task import GENDER
from ui.shell import downloads, heap, limits, screen
from ui.shell.error_boundary import error_boundary
from ui.shell.navigation import Needs, PageEntry, entry_of, navigation
from ui.shell.open_audit import OpenAudit, need_maps, sidebar
from ui.shell.sections import within_fragment
from ui.widgets import controls, help_texts, layout, terms
from ui.widgets.filter_bar import filter_bar, leave_page
from ui.widgets.threshold import OWN, follow

NO_FACE = "No face passes this filter."


@dataclass
class Page:
    """What a page's body works with.

    `entry` is the page's line in the navigation's list, `opened` the model and audit of the sidebar, `above` the place
    under the title and over the controls, `filter` what the filter bar says, `threshold` the decision threshold
    in force.
    """

    entry: PageEntry
    opened: OpenAudit
    above: DeltaGenerator
    filter: Filter = field(default_factory=Filter)
    threshold: float = OWN
    loaded: Audit | None = field(default=None, repr=False)

    @property
    def audit(self) -> Audit:
        """The open audit. Stops the page with the command to run where there is none.

        Its files are looked at once in a run of the page, and again where a part of it is drawn by itself.
        """
        if self.loaded is None or within_fragment():
            self.loaded = self.opened.load()
        return self.loaded

    @property
    def faces(self) -> pd.DataFrame:
        """The open audit's faces that pass the filter."""
        return self.audit.passing(self.filter)

    @property
    def number(self) -> int:
        """How many faces pass the filter."""
        return int(counts_of(self.counted()).sum())

    def counted(self, threshold: float | None = None) -> pd.DataFrame:
        """`Audit.counted` of the faces that pass the filter, at the threshold in force if no other is given."""
        return self.audit.counted(self.filter, self.threshold if threshold is None else threshold)

    def headline(self, sentence: str) -> None:
        """The page's computed sentence, in its place over the controls."""
        with self.above:
            layout.headline(sentence)

    def caption(self, text: str) -> None:
        """A quiet line under the headline, in Markdown."""
        terms.above(text, self.above)

    def info(self, text: str, **more: object) -> None:
        """A box under the headline, in Markdown."""
        self.above.info(text, **more)

    def warning(self, text: str) -> None:
        """A box of warning under the headline, in Markdown."""
        self.above.warning(text)

    def set_scope(self, faces: str, audits: Sequence[str | Path] = ()) -> None:
        """Say for the downloads' metadata which faces the page is of, and which audits where not the open one."""
        downloads.set_scope(faces, audits)

    def add_data_notes(self) -> None:
        """Under the headline, what the faces' labels do not allow: ages mixed up with ethnicity, one gender only."""
        if not self.filter.primary:
            self.caption(EXPLORATORY_WHY)
        if not self.filter.age_from and (note := help_texts.age_note(self.faces)):
            self.caption(note)
        if not gender_known(self.audit.faces):
            self.info(help_texts.NO_GENDER)
        elif len(genders_in(self.audit.faces)) < 2:
            self.info(help_texts.ONE_GENDER)

    def draw_filter_bar(self, audit: Audit, outcome: bool = True) -> Filter:
        """Draw the filter bar by an audit's groups, and keep what it says. Stops the page where no face passes.

        `outcome` is False where a page shows correct and incorrect predictions side by side.
        """
        self.filter = filter_bar(audit, outcome)
        self.set_scope(self.filter.describe())
        if not self.filter.mask(audit.faces).any():
            self.headline(NO_FACE)
            self.info("Widen the filter: clear an ethnicity, or open the age range.")
            st.stop()
        return self.filter


@contextmanager
def page(filter_bar: bool = True, outcome: bool = True) -> Iterator[Page]:
    """The frame of the page that runs: title, what it needs, filter bar, and the downloads at its foot.

    The page's title and needs are those of its line in `ui.shell.navigation.PAGES`. A page whose need is not met stops
    with the command that meets it. `filter_bar` is False where the page has none or draws it later; `outcome` is that
    of `Page.draw_filter_bar`. The downloads are drawn when the body has ended, so a page that stops offers none.
    """
    opened = _opened()
    entry = entry_of(st.session_state.page)
    downloads.start(entry.file)
    info = opened.info() if entry.needs >= Needs.MODEL and opened.model else None
    terms.start(info.task if info else GENDER, explains=not entry.glossary)
    st.title(entry.heading or entry.title)
    if entry.needs >= Needs.MODEL:
        opened.need_model()
    if entry.needs >= Needs.AUDIT:
        opened.load()
    if entry.needs >= Needs.MAPS:
        need_maps(opened.load())
    threshold = OWN if entry.file == "accuracy" else follow(entry.file)
    frame = Page(entry, opened, st.container(), threshold=threshold)
    if entry.needs >= Needs.AUDIT:
        for note in opened.load().manifest.notes:
            frame.warning(escape.sentence(note_sentence(note)))
    if filter_bar:
        frame.draw_filter_bar(frame.audit, outcome)
    yield frame
    downloads.section(opened)


def run(script: st.Page) -> None:
    """Draw the sidebar and the page that the address names; `app.py` is this."""
    with error_boundary():
        state = st.session_state
        screen.apply()
        limits.apply()
        controls.place_notes()
        if state.get("page") != script.url_path:
            leave_page()
            controls.forget_notes()
        state.opened = sidebar()
        state.page = script.url_path
        state.framed = True
        try:
            with limits.turn():
                script.run()
        finally:
            state.framed = False
            heap.settle_soon(lambda: len(limits.active_sessions()))


def start_over() -> None:
    """Declare the pages and run the app again: a file of `pages/` was run without it.

    The first request to a new server, if it names a page, makes Streamlit run that file of `pages/` alone, since it has
    not met `st.navigation` yet. A page's former address has a file there for this.
    """
    navigation()
    st.rerun()


def _opened() -> OpenAudit:
    """The model and audit that the sidebar has open."""
    if not st.session_state.get("framed"):
        start_over()
    return st.session_state.opened
