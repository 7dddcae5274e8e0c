"""Who looks at a page: one at this machine, or one on the network, who is told of no folder outside the project."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from core.jobs.permission import why_elsewhere

PROJECT = Path(__file__).parent.parent.parent
#: Folders that a user names for models and for aligned stores.
NAMED = ("LOOKWHERE_MODELS", "LOOKWHERE_STORES")


def request_headers() -> Mapping[str, str]:
    """The headers of the visitor's request."""
    return st.context.headers


def at_this_machine() -> bool:
    """Whether the visitor sits at the machine that serves the app."""
    return not why_elsewhere(st.get_option("server.address"), request_headers())


def for_visitor(text: object) -> str:
    """An error's text as this visitor may read it: for one on the network, paths begin at the project.

    Whoever sits at the machine needs the whole path for the mend; to anyone else it tells whose the server is and what
    lies on it.
    """
    words = str(text)
    if at_this_machine():
        return words
    named = [Path(os.environ[name]).absolute().parent for name in NAMED if os.environ.get(name)]
    for folder in sorted({PROJECT, Path.cwd(), Path.home(), *named}, key=lambda path: -len(str(path))):
        if folder != Path(folder.anchor):
            words = words.replace(f"{folder}{os.sep}", "")
    return words
