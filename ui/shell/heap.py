"""Memory that the server gives back, and the time that looking for it takes.

One heap is for all threads, where the C library has one for each.

Each page is drawn in a thread of its own. glibc gives up to eight heaps a core to threads, and what a page frees in one
stays there for threads of that heap: a server held 31 % more than at its beginning after fifty visitors had left.

Garbage is looked for through every object of the process: modules and what is kept are some 300,000 of them, and took
longer than most pages. They are set aside, so that only what is new is looked through. It is done a moment after a page
is drawn: Streamlit does it before the page's last messages leave (`postScriptGC`, which `.streamlit/config.toml` puts
off), and who waits for them waits for it.

pandas notes each view of a table's column in a list of the column, some hundred before it looks which are gone. Those
of tables that are kept lie between all that pages make and free, and hold whole mebibytes of it. They are let go of
after each page.

What is kept of pages' results was asked for by those who were there. Where a crowd has left, it is given up.
"""

from __future__ import annotations

import ctypes
import gc
import itertools
import threading
from collections.abc import Callable
from functools import cache

import pyarrow as pa

from ui.shell.cache import give_up_all, kept_tables

#: Names of glibc's `mallopt` (malloc.h): when the heap's free end is given back, from what size on a block is a mapping
#: of its own, which goes when it is freed, and how many heaps there are. The first two else grow with what is freed.
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
SETTINGS = {TRIM_THRESHOLD: 2**16, MMAP_THRESHOLD: 2**17, ARENA_MAX: 1}

#: After so many runs of pages what is there is looked through and set aside again; before, after the 1st, 2nd, 4th …
EVERY = 32
#: So many visitors are a crowd, which has left where of so many one is there.
CROWD = 8
#: Seconds after a run of a page until its garbage is looked for; runs in between have theirs looked for with it.
LATER = 0.3


@cache
def _glibc() -> ctypes.CDLL | None:
    """The C library where it is glibc."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version()
    except (OSError, AttributeError, TypeError):
        return None
    return library


@cache
def share_one() -> None:
    """Set it for this process, once; nothing where the C library is another one."""
    pa.set_memory_pool(pa.system_memory_pool())
    if (library := _glibc()) is not None:
        for name, value in SETTINGS.items():
            library.mallopt(name, value)


class Settling:
    """What lives on is set aside after some runs of pages, and again where half of the visitors of then have left."""

    def __init__(self) -> None:
        self._runs = itertools.count(1)
        self._visitors = self._most = 0

    def due(self, visitors: int) -> bool:
        """Whether a run of a page, with so many visitors there, is one after which everything is looked through."""
        run = next(self._runs)
        half_left = self._visitors > 0 and 2 * visitors <= self._visitors
        if run % EVERY and run & (run - 1) and not half_left:
            return False
        self._visitors = visitors
        return True

    def crowd_left(self, visitors: int) -> bool:
        """Whether at most an eighth is there of a crowd that was there since this was last so."""
        self._most = max(self._most, visitors)
        if self._most < CROWD or CROWD * visitors > self._most:
            return False
        self._most = visitors
        return True


_settling = Settling()


def settle(visitors: int = 0) -> None:
    """After a page's run: set aside what lives on, and give free pages of the heap back to the system.

    What is set aside and becomes garbage in a cycle, such as a session's own, is found when everything is looked
    through again.
    """
    due = _settling.due(visitors)
    if _settling.crowd_left(visitors):
        give_up_all()
        due = True
    if due:
        gc.unfreeze()
    gc.collect()
    forget_views()
    if due:
        gc.freeze()
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


def forget_views() -> None:
    """Let every column of a kept table forget its views that are gone.

    They are looked for in what is kept, and not among all objects (`gc.get_objects`): a tuple that another thread is
    making may not be seen there before it is whole.
    """
    for table in kept_tables():
        manager = table._mgr
        for references in (*(block.refs for block in manager.blocks), *(axis._references for axis in manager.axes)):
            if references is not None:
                references.has_reference()  # before it answers, it looks which of them are left


_later: list[threading.Timer] = []
_lock = threading.Lock()


def settle_soon(visitors: Callable[[], int]) -> None:
    """`settle` in `LATER` seconds, unless that is to happen already; `visitors` says then how many there are."""
    with _lock:
        if _later:
            return
        timer = threading.Timer(LATER, _settle_now, [visitors])
        timer.daemon = True
        _later.append(timer)
    timer.start()


def _settle_now(visitors: Callable[[], int]) -> None:
    with _lock:
        _later.clear()
    settle(visitors())
