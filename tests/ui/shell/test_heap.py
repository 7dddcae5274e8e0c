"""Threads share one heap where the C library has one for each: what one frees is there for the next."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

THREADS = """
import ctypes, sys, threading
from ui.shell.heap import share_one
if sys.argv[1] == "one":
    share_one()
meet = threading.Barrier(6)
def work():
    held = [bytearray(30_000) for _ in range(50)]
    meet.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
library = ctypes.CDLL(None)
library.fopen.restype = ctypes.c_void_p
file = library.fopen(sys.argv[2].encode(), b"w")
library.malloc_info(0, ctypes.c_void_p(file))
library.fclose(ctypes.c_void_p(file))
"""


def heaps(which: str, file: Path) -> int:
    """How many heaps a process has after six threads at once."""
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", THREADS, which, str(file)], check=True, cwd=root, timeout=120)
    return len(re.findall(r"<heap nr=", file.read_text()))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have one heap")
def test_threads_share_a_heap(tmp_path: Path) -> None:
    own, shared = heaps("each", tmp_path / "each.xml"), heaps("one", tmp_path / "one.xml")
    # Threads that were begun before, by what is imported, may have theirs already.
    assert shared <= own - 3, f"{shared} heaps, where each thread's own are {own}"
