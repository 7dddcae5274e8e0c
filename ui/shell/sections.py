"""Sections of a page that are drawn when they are opened: one that nobody opens costs neither server nor browser."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.shell.error_boundary import error_boundary


@st.fragment
def closed_section(label: str, draw: Callable[[], None], key: str) -> None:
    """A section that is closed at first; `draw` draws what is in it, alone when it is opened, and with the page as long
    as it is open."""
    box = st.expander(label, key=key, on_change="rerun")
    if box.open:
        with box, error_boundary():  # the page's own does not hold when the section alone is drawn again
            draw()


def within_fragment() -> bool:
    """Whether a part of the page is drawn again by itself."""
    context = get_script_run_ctx()
    return bool(context and context.fragment_ids_this_run)
