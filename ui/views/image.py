"""The parts of the page «The person or the image?»: parts of gaps, thirds of groups, slices that hold."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.analysis.accuracy.person_or_image import PersonOrImage, main_part, person_or_image
from core.analysis.accuracy.slices import Slices, find_slices
from core.audit.folder import Audit
from core.audit.measures import with_all_measures
from core.data.filters import Filter
from core.data.measured import FILE
from core.data.measures import BY_NAME
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.present.figures.image import gap_parts
from core.present.text import escape
from core.present.text.image import (
    CAUTION,
    HOW,
    OVERLAP,
    TOLD,
    image_sentence,
    measure_command,
    parts_table,
    skin_tone_words,
    slices_sentence,
    slices_table,
    thirds_table,
    together_words,
    untold_words,
)
from core.wording import capital
from ui.shell import downloads
from ui.shell.cache import kept
from ui.shell.page import Page
from ui.views.faces import audit_images_of
from ui.widgets import controls, layout, terms

PARTS = "what goes with each group's gap"


def _measured(audit: Audit) -> Path | None:
    """The measures of the audit's aligned store, where that lies here and was measured: skin tone by face is there."""
    images, _ = audit_images_of(audit)
    file = None if images is None else images.path / FILE
    return file if file is not None and file.is_file() else None


@kept(entries=4, shared=True)
def _with_store(audit: Audit, store: Path) -> Audit:
    """The audit with apparent skin tone, in memory. As it is where the store does not fit."""
    try:
        return with_all_measures(audit, AlignedStore.open(store.parent))
    except LookwhereError:
        return audit


@kept(entries=64)
def _explained(audit: Audit, store: Path | None, filter: Filter) -> PersonOrImage | str:
    """What goes with each gap, or why that cannot be told."""
    try:
        return person_or_image(_with_store(audit, store) if store else audit, filter)
    except LookwhereError as error:
        return capital(str(error)) + "."


@kept(entries=64, spinner="Searching slices …")
def _slices(audit: Audit, store: Path | None, filter: Filter) -> Slices:
    whole = _with_store(audit, store) if store else audit
    return find_slices(whole.passing(filter).reset_index(drop=True), whole.columns)


def explained_or_say(p: Page) -> PersonOrImage | None:
    """What goes with each gap; where it cannot be told, why, and None."""
    explanation = _explained(p.audit, _measured(p.audit), p.filter)
    if isinstance(explanation, str):
        p.headline(explanation)
        if not p.audit.measured:
            p.info(
                "Nothing was measured from this audit's images yet. New audits of newly aligned stores have it; for an "
                f"audit of before: `{escape.markdown(measure_command(p.audit))}`"
            )
        return None
    p.headline(image_sentence(explanation, p.filter))
    p.caption(CAUTION)
    p.add_data_notes()
    return explanation


def show_parts(p: Page, explanation: PersonOrImage | None) -> None:
    """One group's gap, the part that goes with each measure and what is left; the table of all groups."""
    if explanation is None:
        return
    terms.subheader("What goes with a group's gap")
    groups, row = list(explanation.explained.groups), main_part(explanation)
    first = groups.index(row["group"]) if row is not None else 0
    group = controls.selectbox("Group", groups, index=first, key="group", format_func=capital)
    downloads.chart(gap_parts(explanation.of(group)), "gap-parts", f"{PARTS}: {group}")
    together = together_words(explanation, group)
    layout.sentence(f"{together} {HOW}".strip())
    table = parts_table(explanation)
    layout.table(table, height=38 + 35 * len(table))
    terms.caption(
        f"Points of accuracy. * surely other than none: over all {len(explanation.explained.table)} parts at once. "
        "Under a positive number a group fares better than it would with everyone's values. «p within groups»: that "
        "the measure makes no difference among faces of one group, after Holm's correction."
        + escape.markdown(f"x{untold_words(explanation)}")[1:]
    )
    terms.caption(escape.markdown(skin_tone_words(explanation)))
    if explanation.skin_tone not in TOLD:
        st.code(measure_command(p.audit), language=None)
    if explanation.explained.left_out:
        terms.caption(escape.markdown(f"Left out, under 50 faces: {', '.join(explanation.explained.left_out)}."))
    downloads.table(explanation.explained.table, "gap-parts", PARTS)


def show_thirds(explanation: PersonOrImage | None) -> None:
    """How many of each third of a group were misclassified, by one measure."""
    if explanation is None or explanation.thirds.empty:
        return
    terms.subheader("Thirds within each group")
    factors = list(explanation.thirds["factor"].drop_duplicates())
    factor = controls.selectbox(
        "Measure", factors, key="measure", format_func=lambda name: capital(BY_NAME[name].words)
    )
    layout.table(thirds_table(explanation, factor))
    terms.caption(
        f"Misclassified of all, by the group's own thirds of {BY_NAME[factor].words} ({BY_NAME[factor].unit}). Thirds "
        "are cut within each group of the faces shown; those told beside an audit, of apparent skin tone, among "
        f"{'adults' if explanation.has_ages else 'all faces, as no ages are recorded'}."
    )
    downloads.table(explanation.thirds, "thirds", "misclassified by thirds within each group")


def show_slices(p: Page) -> None:
    """Slices that were searched on one half of the faces and hold on the other."""
    terms.subheader("Slices that hold")
    slices = _slices(p.audit, _measured(p.audit), p.filter)
    layout.sentence(slices_sentence(slices, p.filter))
    table = slices_table(slices)
    if len(table):
        layout.share_table(table, ["accuracy", "others"])
    tested = slices_table(slices, holds=False)
    if len(tested):
        with st.expander(f"Tested, and {'the others do' if len(table) else 'do'} not hold: {len(tested)}"):
            layout.share_table(tested, ["accuracy", "others"])
    crossed = ", ".join(slices.columns)
    terms.caption(
        escape.markdown(
            f"Crossed, up to three at a time: {crossed}. {slices.first:,} faces were searched, {slices.second:,} "
            f"tested. «At least» holds for all {slices.searched:,} slices searched. {OVERLAP}"
        )
    )
    downloads.table(
        slices.taken.drop(columns="columns"), "slices", "slices searched on one half and tested on the other"
    )
