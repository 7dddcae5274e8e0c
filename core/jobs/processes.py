"""A process that is told again later: by its number and when it began, since numbers are given out anew."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from core.json_record import JsonRecord

PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Process(JsonRecord):
    """A process of this machine. `mark` says when it began, exactly enough that no other process has both."""

    pid: int
    mark: str

    @classmethod
    def from_pid(cls, pid: int) -> Self | None:
        """The process that has this number now; None where none runs."""
        mark = _mark(pid)
        return None if mark is None else cls(pid=pid, mark=mark)

    @property
    def alive(self) -> bool:
        """Whether it still runs. One that has ended and is not waited for has ended."""
        return self.mark == _mark(self.pid)

    def signal_group(self, kind: signal.Signals) -> None:
        """Signal the process and all that it started, where it leads a group and still runs."""
        if self.alive:
            try:
                os.killpg(self.pid, kind)
            except (ProcessLookupError, PermissionError):
                return


def here() -> Process:
    """This process."""
    process = Process.from_pid(os.getpid())
    assert process is not None, "this process runs"
    return process


def _mark(pid: int) -> str | None:
    """When the process began: the machine's start and the clock ticks since; None where no such process runs."""
    if not (PROC / "self/stat").exists():
        return _mark_by_ps(pid)
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return None if fields[0] in "ZX" else f"{_boot()} {fields[19]}"


@cache
def _boot() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _mark_by_ps(pid: int) -> str | None:
    """Of systems without /proc, as macOS."""
    command = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    status = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    state, _, began = status.stdout.strip().partition(" ")
    return began.strip() if began and not state.startswith("Z") else None
