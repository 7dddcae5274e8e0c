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
        {
            "": [
                _page("overview", "Overview", "grid_view"),
                _page("findings", "Findings", "fact_check"),
                # The default page answers at / alone; links to /overview need one that is not the default.
                st.Page(PAGES / "overview.py", title="Overview", url_path="home", default=True, visibility="hidden"),
            ],
            "For whom": [
                _page("accuracy", "Accuracy breakdown", "bar_chart"),
                _page("gaps", "Gaps and tests", "balance"),
            ],
            "Where it looks": [
                _page("heatmaps", "Heatmap comparison", "compare"),
                _page("evidence", "Evidence by region", "face"),
                _page("trust", "Can it be trusted?", "verified"),
            ],
            "Face by face": [
                _page("photo", "Try a photo", "add_a_photo"),
                _page("faces", "Faces", "groups"),
            ],
            "Models": [
                _page("training", "Training status", "monitoring"),
                _page("compare", "Compare models", "difference"),
            ],
        }
    )


def _page(name: str, title: str, icon: str):
    return st.Page(PAGES / f"{name}.py", title=title, icon=f":material/{icon}:", url_path=name)


def opened() -> Opened:
    """The model and audit that `app.py` has open.

    The first request to a new server, if it names a page, makes Streamlit run that file of `pages/` alone, since it has
    not met `st.navigation` yet: declare the pages and start over.
    """
    if "opened" not in st.session_state:
        navigation()
        st.rerun()
    return st.session_state.opened
