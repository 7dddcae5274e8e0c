"""Lookwhere: for whom does this model fail, and where in the face does it look when it does?

streamlit run app.py
"""

import streamlit as st

from ui import takeaway
from ui.boundary import boundary
from ui.navigation import navigation
from ui.opened import sidebar

page = navigation()
with boundary():
    st.session_state.opened = sidebar()
    st.session_state.page_changed = st.session_state.get("page") != page.url_path
    st.session_state.page = page.url_path
    takeaway.begin(page.url_path)
    page.run()
    takeaway.section(st.session_state.opened)
