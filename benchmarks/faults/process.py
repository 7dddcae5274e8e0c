"""Commands as processes of their own, forked from one that has everything imported; a hook counts what they change."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: What makes or changes files, as Python's audit events name it.
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
#: Seconds after which a command is taken to hang.
LONGEST = 300.0


@dataclass(frozen=True)
class Fault:
    """What is done to a process: `at` its change of files number `at`, from 1; at 0 from its beginning.

    `kind` is kill, term, vanish, change, cut, clock, or none; `name` has part of the path of what `at` counts; `target`
    is the file or folder that vanishes or changes; `delay` is when the process is killed from without, in seconds.
    """

    kind: str = "none"
    at: int = 0
    name: str = ""
    target: str = ""
    delay: float | None = None


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, negative for a signal; what it printed, its changes of files, and seconds."""

    code: int
    output: str
    changes: tuple[str, ...]
    seconds: float

    @property
    def last(self) -> str:
        """The last line of what it printed."""
        return (self.output.strip().splitlines() or ["nothing said"])[-1]


class Running:
    """A command that was begun in a folder."""

    def __init__(self, words: tuple[str, ...], folder: Path, fault: Fault = Fault()) -> None:
        self.notes, self.fault, self.began = tempfile.TemporaryDirectory(prefix="faults-"), fault, time.monotonic()
        self.process = _forkserver().Process(target=_child, args=(words, str(folder), fault, self.notes.name))
        self.process.start()

    def end(self) -> Ended:
        """Wait for its end, or bring it about."""
        limit = LONGEST if self.fault.delay is None else self.fault.delay
        self.process.join(limit)
        hangs = self.process.is_alive() and self.fault.delay is None
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        output, log = (Path(self.notes.name, name) for name in ("output", "changes"))
        text = output.read_text(errors="replace") if output.exists() else ""
        changes = tuple(log.read_text().splitlines()) if log.exists() else ()
        self.notes.cleanup()
        seconds = time.monotonic() - self.began
        return Ended(self.process.exitcode or 0, text + "\nTraceback: it hangs" * hangs, changes, seconds)


def run(words: tuple[str, ...], folder: Path, fault: Fault = Fault()) -> Ended:
    """A command in a folder, from beginning to end."""
    return Running(words, folder, fault).end()


def _forkserver() -> multiprocessing.context.ForkServerContext:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.faults.warm"])
    return context


def _child(words: tuple[str, ...], folder: str, fault: Fault, notes: str) -> None:
    """The command, with the hook; its output goes to a file."""
    output = os.open(f"{notes}/output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    import benchmarks.faults.warm  # noqa: F401

    os.chdir(folder)
    watch(folder, fault, f"{notes}/changes")
    if words[0] == "train":
        from train.__main__ import main

        sys.exit(main(list(words[1:])))
    from core.__main__ import main as core_main

    sys.exit(core_main(list(words)))


def changed_path(event: str, arguments: tuple, under: str) -> str | None:
    """The file under a folder that an audit event makes or changes; None for any other event."""
    if event == "open":
        path, mode, flags = arguments
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        if not (isinstance(mode, str) and set(mode) & set("wax+")) and not (isinstance(flags, int) and flags & writes):
            return None
    elif event in CHANGES:
        path = arguments[0]
    else:
        return None
    if not isinstance(path, (str, bytes, os.PathLike)):
        return None
    absolute = str(Path(os.fsdecode(path)).absolute())
    return absolute if absolute.startswith(under) else None


def watch(under: str, fault: Fault, log: str) -> None:
    """Write a line to `log` for each change of a file under a folder, and do what `fault` says before one of them."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    act = _act(fault)
    if fault.kind == "clock":
        act()
    count, busy = 0, False

    def hook(event: str, arguments: tuple) -> None:
        nonlocal count, busy
        if busy or (path := changed_path(event, arguments, under)) is None:
            return
        os.write(descriptor, f"{event} {path.encode(errors='backslashreplace').decode()}\n".encode())
        if fault.name in path:
            count += 1
            if count == fault.at:
                busy = True
                act()
                busy = False

    sys.addaudithook(hook)


def _act(fault: Fault) -> Callable[[], None]:
    return {
        "none": lambda: None,
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "term": lambda: os.kill(os.getpid(), signal.SIGTERM),
        "vanish": lambda: Path(fault.target).rename(f"{fault.target}.gone"),
        "change": lambda: _change(Path(fault.target)),
        "cut": lambda: os.truncate(fault.target, Path(fault.target).stat().st_size // 2),
        "clock": _turn_back,
    }[fault.kind]


def _change(target: Path) -> None:
    """Another content of the same size, in the last file of a folder or in the file itself."""
    file = sorted(target.iterdir())[-1] if target.is_dir() else target
    data = file.read_bytes()
    file.write_bytes(data[:-4] + bytes(255 - byte if file.suffix != ".csv" else byte ^ 1 for byte in data[-4:]))


def _turn_back() -> None:
    """From now on each look at the clock is an hour before the last."""
    real, looks = time.time, iter(range(1, 1 << 40))
    time.time = lambda: real() - 3600 * next(looks)
