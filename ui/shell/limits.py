"""What visitors may ask of a server: sessions and pages at once, and bytes of uploads of one and of all."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from core.errors import LookwhereError
from ui.shell import heap

#: Sessions that are served at once, by default; each has at most one script running.
MOST_SESSIONS = 100
#: Environment variable that asks for another number.
SESSIONS_VARIABLE = "LOOKWHERE_MOST_SESSIONS"
#: Pages that are drawn at once; the others wait for their turn. Were all drawn at once, none would be done before all
#: are, and the server would answer nobody meanwhile.
PAGES_AT_ONCE = 4
_turns = threading.BoundedSemaphore(PAGES_AT_ONCE)
#: Bytes of uploads that are held of one session, and of all.
SESSION_UPLOADS, ALL_UPLOADS = 200 * 2**20, 2**30
BUSY = (
    "**Too many people are here at once**: this server shows its pages to {most} at a time. Come back in a minute, or "
    f"let it serve more with the environment variable {SESSIONS_VARIABLE}."
)
#: The sessions that are served, in the order in which they came.
_served: list[str] = []


def apply() -> None:
    """Bound this server's uploads, and stop the page where as many sessions as are served are open before this one."""
    context = get_script_run_ctx()
    if context is None or not exists():
        return
    heap.share_one()
    if isinstance(manager := get_instance().uploaded_file_mgr, MemoryUploadedFileManager):
        bound_uploads(manager)
    most = most_sessions()
    if not admit(_served, context.session_id, active_sessions(), most):
        st.title("Lookwhere")
        st.warning(BUSY.format(most=most))
        st.stop()


def active_sessions() -> list[str]:
    """Identifiers of the server's sessions that have a browser; none outside a server, as in a test."""
    if not exists():
        return []
    sessions: Iterable[Any] = getattr(getattr(get_instance(), "_session_mgr", None), "list_active_sessions", tuple)()
    return [active.session.id for active in sessions]


@contextmanager
def turn() -> Iterator[None]:
    """Wait until fewer than `PAGES_AT_ONCE` pages are drawn, and draw one."""
    with _turns:
        yield


def most_sessions() -> int:
    """`$LOOKWHERE_MOST_SESSIONS`, else 100. Raises `LookwhereError` for what is no whole number of 1 and more."""
    number = os.environ.get(SESSIONS_VARIABLE, "").strip() or str(MOST_SESSIONS)
    if not number.isdecimal() or len(number) > 9 or int(number) < 1:
        raise LookwhereError(f"{SESSIONS_VARIABLE} {number!r}: not a whole number of 1 and more")
    return int(number)


def admit(served: list[str], session: str, active: Iterable[str], most: int) -> bool:
    """Whether a session is served: it was before, or fewer than `most` of those served are still active.

    `served` is brought up to date. A session that is not known to be active, as in a test, is served.
    """
    active = set(active)
    if session not in active:
        return True
    served[:] = [served_session for served_session in served if served_session in active]
    if session not in served and len(served) < most:
        served.append(session)
    return session in served


def bound_uploads(manager: MemoryUploadedFileManager) -> None:
    """From now on the server refuses a file, with HTTP status 413, that goes beyond what is held of a session or of
    all."""
    add = manager.add_file
    if getattr(add, "bounded", False):
        return

    def add_within_bounds(session_id: str, file: UploadedFileRec) -> None:
        from starlette.exceptions import HTTPException

        sizes = {
            session: sum(len(upload.data) for upload in list(files.values())) for session, files in stored(manager)
        }
        if sizes.get(session_id, 0) + len(file.data) > SESSION_UPLOADS:
            raise HTTPException(413, f"over {SESSION_UPLOADS // 2**20} MB of files in this session: remove some")
        if sum(sizes.values()) + len(file.data) > ALL_UPLOADS:
            raise HTTPException(413, "this server holds as many files as it may: try again in a few minutes")
        add(session_id, file)

    add_within_bounds.bounded = True
    manager.add_file = add_within_bounds


def stored(manager: MemoryUploadedFileManager) -> list[tuple[str, dict[str, UploadedFileRec]]]:
    """The files held, session by session, as they are now."""
    return list(manager.file_storage.items())
