"""Memory that the server gives back: one heap for all threads, where the C library has one for each.

Each page is drawn in a thread of its own. glibc gives up to eight heaps a core to threads, and what a page frees in one
stays there for threads of that heap: a server held 31 % more than at its beginning after fifty visitors had left.
"""

from __future__ import annotations

import contextlib
import ctypes
from functools import cache

import pyarrow as pa

#: Names of glibc's `mallopt` (malloc.h): when the heap's free end is given back, from what size on a block is a mapping
#: of its own, which goes when it is freed, and how many heaps there are. The first two else grow with what is freed.
TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
SETTINGS = {TRIM_THRESHOLD: 2**16, MMAP_THRESHOLD: 2**17, ARENA_MAX: 1}


@cache
def share_one() -> None:
    """Set it for this process, once; nothing where the C library is another one."""
    pa.set_memory_pool(pa.system_memory_pool())
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version()
        for name, value in SETTINGS.items():
            library.mallopt(name, value)
