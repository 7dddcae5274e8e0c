"""Memory that the server gives back, and the time that looking for it takes.

One heap is for all threads, where the C library has one for each.

Each page is drawn in a thread of its own. glibc gives up to eight heaps a core to threads, and what a page frees in one
stays there for threads of that heap: a server held 31 % more than at its beginning after fifty visitors had left.

Garbage is looked for through every object of the process: modules and what is kept are some 300,000 of them, and took
longer than most pages. They are set aside, so that only what is new is looked through. It is done a moment after a page
is drawn: Streamlit does it before the page's last messages leave (`postScriptGC`, which `.streamlit/config.toml` puts
off), and who waits for them waits for it.
"""

from __future__ import annotations

import ctypes
import gc
import itertools
import threading
from collections.abc import Callable
from functools import cache

import pyarrow as pa

#: Names of glibc's `mallopt` (malloc.h): when the heap's free end is given back, from what size on a block is a mapping
#: of its own, which goes when it is freed, and how many heaps there are. The first two else grow with what is freed.
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
SETTINGS = {TRIM_THRESHOLD: 2**16, MMAP_THRESHOLD: 2**17, ARENA_MAX: 1}

#: After so many runs of pages what is there is looked through and set aside again; before, after the 1st, 2nd, 4th …
EVERY = 32
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
        self._visitors = 0

    def due(self, visitors: int) -> bool:
        """Whether a run of a page, with so many visitors there, is one after which everything is looked through."""
        run = next(self._runs)
        half_left = self._visitors > 0 and 2 * visitors <= self._visitors
        if run % EVERY and run & (run - 1) and not half_left:
            return False
        self._visitors = visitors
        return True


_settling = Settling()


def settle(visitors: int = 0) -> None:
    """After a page's run: set aside what lives on, and give free pages of the heap back to the system.

    What is set aside and becomes garbage in a cycle, such as a session's own, is found when everything is looked
    through again.
    """
    due = _settling.due(visitors)
    if due:
        gc.unfreeze()
    gc.collect()
    if due:
        gc.freeze()
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


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
