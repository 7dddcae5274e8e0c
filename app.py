"""Lookwhere: for whom does this model fail, and where in the face does it look when it does?

streamlit run app.py

Streamlit runs this file for each visitor; it is imported once, when the server starts.
"""

from streamlit.starlette import App

from ui.shell.navigation import navigation
from ui.shell.page import run
from ui.shell.warm_up import warm_up

if __name__ == "__main__":
    run(navigation())
else:
    app = App(__file__, lifespan=warm_up)
