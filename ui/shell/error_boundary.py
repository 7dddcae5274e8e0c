"""The error boundary: what a person can mend is told on the page, the rest is logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import LookwhereError, told
from core.extras import missing_extra
from core.present.text import escape
from core.wording import capital
from ui.shell.visitor import for_visitor


@contextmanager
def error_boundary() -> Iterator[None]:
    """Show in a box what a command would tell in a line: a `LookwhereError`, and what the machine refuses, such as a
    full disk. Log any other exception and say that it was our fault."""
    try:
        yield
    except LookwhereError as error:
        st.error(escape.sentence(for_visitor(error)), icon=":material/error:")
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and (line := missing_extra(error)):
            st.error(escape.markdown(capital(line) + "."), icon=":material/extension:")
            return
        if isinstance(error, OSError) and (line := told(error)):
            logging.getLogger("lookwhere").warning("%s", line)
            st.error(escape.markdown(for_visitor(line)), icon=":material/error:")
            return
        logging.getLogger("lookwhere").exception("a page failed")
        st.error("Something went wrong that is a defect of Lookwhere's; the terminal it runs in has the details.")
