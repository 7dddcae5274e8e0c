"""Lookwhere: for whom does this model fail, and where in the face does it look when it does?

streamlit run app.py
"""

import streamlit as st

from ui.boundary import boundary
from ui.opened import sidebar

st.set_page_config(page_title="Lookwhere", page_icon=":material/frame_person:", layout="wide")
page = st.navigation(
    [
        st.Page("pages/overview.py", title="Overview", icon=":material/grid_view:", default=True),
        st.Page("pages/training.py", title="Training status", icon=":material/monitoring:", url_path="training"),
        st.Page("pages/accuracy.py", title="Accuracy breakdown", icon=":material/bar_chart:", url_path="accuracy"),
        st.Page("pages/heatmaps.py", title="Heatmap comparison", icon=":material/compare:", url_path="heatmaps"),
    ]
)
with boundary():
    st.session_state.opened = sidebar()
    page.run()
