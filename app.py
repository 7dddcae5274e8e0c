"""Lookwhere: for whom does this model fail, and where in the face does it look when it does?

streamlit run app.py
"""

from ui.shell.navigation import navigation
from ui.shell.page import run

run(navigation())
