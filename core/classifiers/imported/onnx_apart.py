"""An ONNX graph in a process of its own, within bounds of time and memory: what asks it and gets its answers.

On systems without fork it runs in this process, unbounded.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.classifiers.imported import onnx_worker
from core.errors import LookwhereError

#: Seconds that opening may take, that one run may take, and what of these each image of it adds.
OPENING, RUNNING, AN_IMAGE = 120.0, 60.0, 10.0
#: Bytes that a graph may have at the least; it has half of the machine's memory where that is more.
LEAST_MEMORY = 4 * 2**30
#: Bytes of what a run gives.
MOST_OUTPUT = 2**31
#: A thread a run: several runs at a time use the cores better, and sums do not depend on their number.
OPTIONS = {"intra_op_num_threads": 1, "inter_op_num_threads": 1, "log_severity_level": 3}


@dataclass(frozen=True)
class Port:
    """An input or output: its name, its type in onnxruntime's words, its axes (a number, a name or None)."""

    name: str
    type: str
    shape: tuple[int | str | None, ...]


class RunError(Exception):
    """What onnxruntime said of a run."""


class Template:
    """The process that others are forked from: begun when it is needed, anew where it has ended or we were forked."""

    def __init__(self) -> None:
        self._lock, self._process, self._orders, self._owner = threading.Lock(), None, None, 0

    def channel(self, memory: int) -> socket.socket:
        """A channel to a new process."""
        with self._lock:
            if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
                self._begin()
            ours, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(self._orders, [struct.pack("<Q", memory)], [theirs.fileno()])
            return ours

    def _begin(self) -> None:
        self._orders, theirs = socket.socketpair()
        self._owner, root = os.getpid(), str(Path(onnx_worker.__file__).parents[3])
        code = f"import sys; sys.path.insert(0, {root!r}); from {onnx_worker.__name__} import template; template({{}})"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code.format(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )


_TEMPLATE = Template()


class Apart:
    """A model opened in a process of its own; `inputs` and `outputs` are its ports. Ends with this object.

    Raises `LookwhereError` naming `path` where onnxruntime cannot open it within the bounds.
    """

    def __init__(self, model: bytes, path: Path, threads: int) -> None:
        self.path, self._threads, self._lock = path, threads, threading.Lock()
        self._memory = max(LEAST_MEMORY, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
        self._channel, self._pid = _TEMPLATE.channel(self._memory), 0
        weakref.finalize(self, _end, self._channel)
        try:
            self._pid = self._receive(OPENING)[0]["pid"]
            self._send({"options": OPTIONS, "threads": threads}, [np.frombuffer(model, np.uint8)])
            opening, _ = self._receive(OPENING)
        except RunError as error:
            raise LookwhereError(f"{path}: onnxruntime cannot open it ({reason(error)})") from error
        self.inputs, self.outputs = (
            tuple(Port(name, kind, tuple(shape)) for name, kind, shape in opening[key]) for key in ("inputs", "outputs")
        )

    def run(self, names: Sequence[str], feeds: Iterable[dict[str, np.ndarray]]) -> Iterator[list[np.ndarray]]:
        """The outputs `names` for each of `feeds`, in order; as many at a time as there are threads.

        Raises `RunError` where onnxruntime fails, `LookwhereError` where it goes beyond the bounds.
        """
        with self._lock:
            waiting: list[float] = []
            try:
                yield from self._answers(names, feeds, waiting)
            finally:
                self._pass_over(waiting)

    def _answers(
        self, names: Sequence[str], feeds: Iterable[dict[str, np.ndarray]], waiting: list[float]
    ) -> Iterator[list[np.ndarray]]:
        """The outputs for each of `feeds`; `waiting` are the seconds allowed for each answer that is still to come."""
        for feed in feeds:
            self._send({"names": list(names), "feeds": list(feed)}, list(feed.values()))
            waiting.append(RUNNING + AN_IMAGE * len(next(iter(feed.values()))))
            if len(waiting) >= self._threads:
                yield self._receive(waiting.pop(0))[1]
        while waiting:
            yield self._receive(waiting.pop(0))[1]

    def _pass_over(self, waiting: list[float]) -> None:
        """Take the answers still to come after an error, or they would be taken for those to the next question."""
        while waiting:
            with contextlib.suppress(RunError, LookwhereError):
                self._receive(waiting.pop(0))

    def _send(self, line: dict[str, Any], arrays: list[np.ndarray]) -> None:
        try:
            self._channel.settimeout(RUNNING)
            onnx_worker.send(self._channel, line, arrays)
        except OSError as error:
            self._gone(error)

    def _receive(self, seconds: float) -> tuple[dict[str, Any], list[np.ndarray]]:
        try:
            self._channel.settimeout(seconds)
            line, arrays = onnx_worker.receive(self._channel, MOST_OUTPUT)
        except TimeoutError as error:
            self._kill()
            raise LookwhereError(
                f"{self.path}: no answer within {seconds:.0f} seconds, and it was ended; it may loop without end, or "
                "be too large for this machine"
            ) from error
        except ValueError as error:
            self._kill()
            raise LookwhereError(
                f"{self.path}: gives outputs of over {MOST_OUTPUT / 1e9:.0f} GB ({error}); is it a classifier?"
            ) from error
        except (OSError, EOFError) as error:
            self._gone(error)
        if "error" in line:
            raise RunError(line["error"])
        return line, arrays

    def _gone(self, error: BaseException) -> None:
        """Raises `LookwhereError`: the process is there no more."""
        raise LookwhereError(
            f"{self.path}: the process that it runs in ended: it crashed, or wanted more than "
            f"{self._memory / 1e9:.0f} GB of memory"
        ) from error

    def _kill(self) -> None:
        """End the process, whatever it is at."""
        self._channel.close()
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)


def _end(channel: socket.socket) -> None:
    """The process ends where its channel does."""
    channel.close()


class Here:
    """The same in this process, without bounds."""

    def __init__(self, model: bytes, path: Path, threads: int) -> None:
        try:
            self._session = onnx_worker.open_here(model, OPTIONS)
        except Exception as error:  # onnxruntime's errors have no class in common but this
            raise LookwhereError(f"{path}: onnxruntime cannot open it ({reason(error)})") from error
        self._workers = ThreadPoolExecutor(threads)
        ports = (self._session.get_inputs(), self._session.get_outputs())
        self.inputs, self.outputs = (
            tuple(Port(port.name, port.type, tuple(port.shape)) for port in each) for each in ports
        )

    def run(self, names: Sequence[str], feeds: Iterable[dict[str, np.ndarray]]) -> Iterator[list[np.ndarray]]:
        """As `Apart.run`."""

        def one(feed: dict[str, np.ndarray]) -> list[np.ndarray]:
            try:
                return [np.asarray(output) for output in self._session.run(list(names), feed)]
            except Exception as error:  # as above
                raise RunError(str(error) or type(error).__name__) from error

        return self._workers.map(one, feeds)


Opened = Apart | Here


def opened(model: bytes, path: Path) -> Opened:
    """A model's session. Raises `LookwhereError` naming `path`."""
    threads = min(os.cpu_count() or 1, 8)
    return Apart(model, path, threads) if hasattr(os, "fork") else Here(model, path, threads)


def reason(error: Exception) -> str:
    """The first line of what onnxruntime said, without its code, the path, and the place in its source."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0].split(" : ", 3)[-1]
    line = re.sub(r"^Load model from .*? failed: ?", "", line)
    return re.sub(r"^/\S+:\d+ [^(]*\([^)]*\) ", "", line)[:300]
