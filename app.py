"""Lookwhere: for whom does this model fail, and where in the face does it look when it does?

streamlit run app.py
"""

from pathlib import Path

import streamlit as st

from ui.boundary import boundary
from ui.opened import sidebar

st.set_page_config(page_title="Lookwhere", page_icon=Path(__file__).parent / "ui/icon.png", layout="wide")
page = st.navigation(
    [
        st.Page("pages/overview.py", title="Overview", icon=":material/grid_view:", url_path="overview"),
        st.Page("pages/training.py", title="Training status", icon=":material/monitoring:", url_path="training"),
        st.Page("pages/accuracy.py", title="Accuracy breakdown", icon=":material/bar_chart:", url_path="accuracy"),
        st.Page("pages/heatmaps.py", title="Heatmap comparison", icon=":material/compare:", url_path="heatmaps"),
        # The default page answers at / alone; links to /overview need one that is not the default.
        st.Page("pages/overview.py", title="Overview", url_path="home", default=True, visibility="hidden"),
    ]
)
with boundary():
    st.session_state.opened = sidebar()
    st.session_state.page_changed = st.session_state.get("page") != page.url_path
    st.session_state.page = page.url_path
    page.run()
