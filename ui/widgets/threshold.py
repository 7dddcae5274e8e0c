"""The one decision threshold of all pages: chosen on one, in the address of each that it moves, said on all others."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from core.audit.doubts import mere_decisions
from core.audit.folder import Audit
from core.task import Task
from ui.widgets import controls, terms

LOW, HIGH, OWN, STEP = 0.05, 0.95, 0.5, 0.01
KEY = "threshold"
#: Files of the pages whose numbers it moves.
MOVED = ("overview", "accuracy", "gaps")


def current() -> float:
    """The threshold in force: what the address says anew, else what was chosen on any page, else the model's own."""
    state, values = st.session_state, controls.asked(KEY)
    if values != state.get("threshold_address", []):
        for value in reversed(values):
            try:
                threshold = float(value)
            except ValueError:
                continue
            if LOW <= threshold <= HIGH:
                return round(threshold, 2)
    return float(state.get("kept_threshold", OWN))


def _keep(value: float) -> None:
    """Keep the threshold for the next page, and what the address said of it."""
    st.session_state.kept_threshold = value
    st.session_state.threshold_address = controls.asked(KEY)


def choose(task: Task) -> float:
    """Draw the slider of the decision threshold, on the one page that has it."""
    st.session_state.setdefault(KEY, current())
    value = controls.slider(
        f"Decision threshold: «{task.label(task.positive)}» is said from this probability on. It moves Overview, "
        "Accuracy breakdown and Gaps.",
        LOW, HIGH, step=STEP, key=KEY,
    )  # fmt: skip
    _keep(value)
    return value


def threshold_for(audit: Audit) -> float:
    """What `choose` says; the model's own, without a slider, where the audit has mere decisions."""
    return OWN if mere_decisions(audit.faces) else choose(audit.task)


def follow(page: str) -> float:
    """The threshold that a page's numbers are made with, told where it is not the model's own.

    `page` is the page's file. One that the threshold does not move says so.
    """
    value = current()
    moved = page in MOVED and value != OWN
    if controls.asked(KEY) not in ([], [f"{value:g}"]) or not moved:
        with suppress(KeyError, StreamlitAPIException):
            del st.query_params[KEY]
    if moved:
        controls.publish({KEY: f"{value:g}"})
    _keep(value)
    if value == OWN:
        return OWN
    if moved:
        terms.caption(
            f":material/tune: Decisions are made at p = {value:.2f}, as chosen on *Accuracy breakdown*; the model's "
            f"own threshold is {OWN:.2f}."
        )
        return value
    terms.caption(not_moved(value, "This page shows"))
    return OWN


def not_moved(value: float, what: str) -> str:
    """That something, «This page shows», is of the model's own decisions although another threshold is chosen."""
    return (
        f":material/tune: {what} the model's own decisions, from p = {OWN:.2f} on. The threshold {value:.2f} chosen on "
        "*Accuracy breakdown* moves numbers of accuracy on Overview, Accuracy breakdown and Gaps only."
    )
