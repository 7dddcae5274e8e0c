"""The page «Suspected labels»: how many there are, what they would change, and the faces for a person to decide on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from core.analysis import single_faces
from core.analysis.accuracy.label_noise import Consensus, consensus
from core.analysis.accuracy.suspects import Listing, review_list, rows_to_review, suspected_by_group
from core.analysis.comparison.catalogue import same_face_audits
from core.audit.doubts import mere_decisions
from core.audit.folder import Audit, open_audit
from core.audit.reviewed import FLIP, KEEP, LEAVE_OUT
from core.present.export.tables import csv
from core.present.text import escape
from core.present.text.label_noise import CIRCULAR, DECISIONS
from core.present.text.suspects import agreed_words, reviewed_so_far, suspects_sentence
from core.wording import capital
from ui.shell import downloads
from ui.shell import open_audit as open_audit_shell
from ui.shell.cache import kept
from ui.shell.page import Page
from ui.views.faces import ALONE, MapChoice, audit_images_of, cards, how_to_attach
from ui.views.wrong_labels import show_tipping_points
from ui.widgets import controls, layout, terms
from ui.widgets.group_columns import choose_columns

CHOICES = (KEEP, FLIP, LEAVE_OUT)


@kept(entries=8, spinner="Reading the other models' audits …")
def _consensus(audit: Audit, manifests: tuple[Path, ...]) -> Consensus | None:
    return consensus([audit, *(open_audit(manifest.parent) for manifest in manifests)])


def show_suspects(p: Page) -> None:
    """All of the page. Where scores are mere decisions no label is suspected, and it says so."""
    audit = p.audit
    if mere_decisions(audit.faces):
        p.headline(DECISIONS)
        return
    paths = same_face_audits(open_audit_shell.MODELS, audit)
    shared = _consensus(audit, tuple(path / "audit.json" for path in paths))
    by = choose_columns(audit, p.filter)
    table = suspected_by_group(audit, p.filter, shared and shared.face_ids, by)
    p.headline(suspects_sentence(table, p.filter))
    layout.sentence(agreed_words(table, [path.parent.parent.name for path in paths]))
    terms.caption(escape.markdown(CIRCULAR))
    rows = table.assign(group=[capital(name) for name in table["group"]])
    names = {"n": "faces", "share": "suspected of errors", "agreed": "also by all other models"}
    layout.share_table(rows.rename(columns=names), ["suspected of errors"])
    downloads.table(table, "suspected", "suspected labels by group")
    show_tipping_points(audit, p.filter, by=by)
    _review(p)


def _review(p: Page) -> None:
    """The faces with a decision each, and the list to take away."""
    audit = p.audit
    terms.subheader("A person looks")
    listing = Listing(
        controls.segments(
            "Faces to look at", [order.value for order in Listing], default=Listing.SUSPECTED.value, key="listed",
            help="A review of errors alone can only raise the accuracy: look as closely at correct predictions.",
        )
    )  # fmt: skip
    rows = rows_to_review(audit, p.filter, listing)
    decisions = _decisions(audit)
    images, looked = audit_images_of(audit)
    if images is None:
        how_to_attach(audit, p.opened.info(), looked)
    elif len(rows):
        sheets = -(-len(rows) // single_faces.PAGE)
        if st.session_state.get("leaf", 1) > sheets:
            st.session_state.leaf = 1
        sheet = st.pagination(sheets, key="leaf", bind="query-params") if sheets > 1 else 1
        part = rows[(sheet - 1) * single_faces.PAGE : sheet * single_faces.PAGE]
        cards(audit, images, part, MapChoice(ALONE, "margin"), None, "review", lambda face: _decide(decisions, face))
    terms.caption(reviewed_so_far(decisions))
    _take_away(audit, rows, decisions)


def _decisions(audit: Audit) -> dict[str, str]:
    """What this visitor has decided of an audit's faces, by face id: kept by the session alone."""
    return st.session_state.setdefault("decisions", {}).setdefault(str(audit.path), {})


def _decide(decisions: dict[str, str], face_id: str) -> None:
    """Draw the choice of one face."""
    key = f"decision-{face_id}"

    def note() -> None:
        if choice := st.session_state.get(key):
            decisions[face_id] = choice
        else:
            decisions.pop(face_id, None)

    st.pills("Decision", CHOICES, default=decisions.get(face_id), key=key, on_change=note, label_visibility="collapsed")


def _take_away(audit: Audit, rows: np.ndarray, decisions: dict[str, str]) -> None:
    """The list as a CSV, and the commands that count by it."""
    faces = audit.faces["face_id"].astype(str).isin(decisions).to_numpy()
    every = np.concatenate([rows, np.setdiff1d(np.flatnonzero(faces), rows)])
    layout.download_button(
        "Download the list (CSV)",
        lambda: csv(review_list(audit, every, decisions)),
        f"{audit.path.name}-labels.csv",
        "text/csv",
        help="Ids, labels, predictions and decisions; no image. An empty decision counts as keep.",
    )
    model = audit.path.parent.parent.name
    options = f"--model {model} --audit {audit.path.name} --reviewed {audit.path.name}-labels.csv"
    terms.markdown(
        "These commands count by the list: the first prints the gaps, the second makes an audit for all pages."
    )
    st.code(f"python -m core gaps {options}\npython -m core review {options}", language="bash", wrap_lines=True)
