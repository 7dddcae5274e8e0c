"""What the first page needs is imported and opened while a new server waits for its first visitor."""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from streamlit.starlette import App

from core.classifiers.info import list_models
from core.errors import LookwhereError
from ui.shell import heap
from ui.shell.open_audit import MODELS, audit_of, default_audit, default_model

NAME = "warm-up"


def prepare() -> None:
    """Import what the front page draws with, and open the audit that it shows.

    What is wrong with that audit is told to who asks for the page, so nothing of it is told here.
    """
    importlib.import_module("ui.views.overview")  # not before the server answers
    importlib.import_module("streamlit.emojis")  # ten thousand texts, which the first box with an icon asks for
    if names := list_models(MODELS):
        folder = MODELS / default_model(names)
        if (audit := default_audit(folder)) is not None:
            with suppress(LookwhereError, OSError):
                audit_of(folder / "audits" / audit / "audit.json")


@asynccontextmanager
async def warm_up(_app: App) -> AsyncIterator[None]:
    """Prepare beside the server, which answers at once: who comes meanwhile waits for the rest of it alone."""
    heap.share_one()
    # Streamlit warns of every thread that draws for nobody, as a cache's spinner does here.
    logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").addFilter(_by_a_visitor)
    threading.Thread(target=prepare, name=NAME, daemon=True).start()
    yield


def _by_a_visitor(_record: logging.LogRecord) -> bool:
    return threading.current_thread().name != NAME
