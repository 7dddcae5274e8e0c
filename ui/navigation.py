"""The pages, and what each of them begins with: the model and audit that are open."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ui.opened import Opened

PAGES = Path(__file__).parent.parent / "pages"
ICON = Path(__file__).parent / "icon.png"


def navigation():
    """Declare the app and its pages; returns the one to run."""
    # A symbol for an icon would be fetched from a host; this one is ours.
    st.set_page_config(page_title="Lookwhere", page_icon=ICON, layout="wide")
    return st.navigation(
        [
            st.Page(PAGES / "overview.py", title="Overview", icon=":material/grid_view:", url_path="overview"),
            st.Page(PAGES / "training.py", title="Training status", icon=":material/monitoring:", url_path="training"),
            st.Page(
                PAGES / "accuracy.py", title="Accuracy breakdown", icon=":material/bar_chart:", url_path="accuracy"
            ),
            st.Page(PAGES / "heatmaps.py", title="Heatmap comparison", icon=":material/compare:", url_path="heatmaps"),
            # The default page answers at / alone; links to /overview need one that is not the default.
            st.Page(PAGES / "overview.py", title="Overview", url_path="home", default=True, visibility="hidden"),
        ]
    )


def opened() -> Opened:
    """The model and audit that `app.py` has open.

    The first request to a new server, if it names a page, makes Streamlit run that file of `pages/` alone, since it has
    not met `st.navigation` yet: declare the pages and start over.
    """
    if "opened" not in st.session_state:
        navigation()
        st.rerun()
    return st.session_state.opened
