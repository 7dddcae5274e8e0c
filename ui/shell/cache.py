"""What pages compute is kept here, by the names of what it was computed from: the one use of Streamlit's caches.

It is bounded in bytes, for all visitors together: what the function that holds most has kept is given up beyond that.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from core.analysis.comparison import Experiment
from core.analysis.findings.diversity import Diversity
from core.analysis.findings.repeated import Repeated
from core.audit.folder import Audit
from core.checks.results import Checks

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
#: What is read from a folder has the names of these files, since it changes only with them.
FILES: dict[type, tuple[str, ...]] = {
    # A large audit's maps stay in their file: where it was cut since, what was kept of it is computed anew.
    Audit: ("audit.json", "measured.parquet", "skin_tone.json", ".mapped/*"),
    Checks: ("checks.json",),
    Diversity: ("experiment.json", "*/audits/*/audit.json"),
    Experiment: ("experiment.json", "*/audits/*/audit.json"),
    Repeated: ("experiment.json", "*/audits/*/audit.json"),
}

#: Bytes that are kept of all results together; and of those that would take most of them alone, as an open audit of
#: millions of faces does.
MOST_BYTES, MOST_OF_LARGE = 2**28, 2**31
#: Tables of so few cells are taken to have so many bytes a cell: to count them takes longer than to make some.
SMALL, CELL = 2000, 64


def kept_tables() -> Iterator[pd.DataFrame]:
    """The tables of all results that are kept and shared by those who ask for them, as an open audit's faces."""
    for reference in list(_shared):
        if (result := reference()) is None:
            with contextlib.suppress(ValueError):
                _shared.remove(reference)
        else:
            yield from _tables(result)


def _tables(value: object) -> Iterator[pd.DataFrame]:
    if isinstance(value, pd.DataFrame):
        yield value
    elif isinstance(value, dict):
        for member in list(value.values()):
            yield from _tables(member)
    elif isinstance(value, (list, tuple)):
        for member in list(value):
            yield from _tables(member)
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            yield from _tables(getattr(value, part.name, None))


def give_up_all() -> None:
    """Give up all results that are kept: whoever asks next waits as a new server's first visitor does."""
    for held in (ledger, ledger_of_large):
        held.give_up()


def weight(value: object) -> int:
    """About how many bytes a result takes: arrays, images, tables, text, what holds such; nothing that is in files."""
    if isinstance(value, np.ndarray):
        return 0 if isinstance(value, np.memmap) or isinstance(value.base, np.memmap) else value.nbytes
    if isinstance(value, Image.Image):
        return value.width * value.height * len(value.getbands())
    if isinstance(value, (pd.DataFrame, pd.Series)) and value.size <= SMALL:
        return CELL * value.size
    if isinstance(value, (pd.DataFrame, pd.Series)):
        used = value.memory_usage(deep=True)
        return int(used.sum() if isinstance(used, pd.Series) else used)
    if isinstance(value, Mapping):
        return sum(weight(key) + weight(member) for key, member in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return sum(map(weight, value))
    if is_dataclass(value) and not isinstance(value, type):
        return sum(weight(getattr(value, part.name)) for part in fields(value))
    return sys.getsizeof(value, 0)


class Ledger:
    """How many bytes the results of each function take; what the function that holds most has kept is given up where
    all together take more than `most`. What alone takes more is kept until something else comes."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._held: dict[str, deque[int]] = {}
        self._forget: dict[str, Callable[[], None]] = {}
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """Bytes of all results that are kept."""
        return sum(map(sum, self._held.values()))

    def add(self, name: str, result: object, entries: int, forget: Callable[[], None]) -> None:
        """A function that keeps `entries` results has a further one; `forget` gives up all that are kept of it."""
        with self._lock:
            self._held.setdefault(name, deque(maxlen=entries)).append(weight(result))
            self._forget[name] = forget
            while self.total > self.most and sum(map(len, self._held.values())) > 1:
                largest = max(self._held, key=lambda name: sum(self._held[name]))
                self._forget[largest]()
                del self._held[largest]

    def give_up(self) -> None:
        """Give up every result that is kept."""
        with self._lock:
            for forget in self._forget.values():
                forget()
            self._held.clear()
            self._forget.clear()


#: Results that are shared by those who ask for them, as long as anyone holds them.
_shared: list[weakref.ref] = []
ledger, ledger_of_large = Ledger(), Ledger(MOST_OF_LARGE)


def name_of(value: object) -> Hashable:
    """What stands for an argument in a cache's key.

    A file is its path, size and times of change, of which copying can set but one back; another path is itself. An
    audit, its checks and an experiment are the files they were read from. Values of a frozen dataclass, text, numbers
    and None are themselves; of a list or tuple each member is named. Raises `TypeError` for anything else: it would
    have to be hashed byte by byte, or not at all.
    """
    if isinstance(value, (str, int, float, type(None))):
        return value
    if isinstance(value, Path):
        if not value.is_file():
            return str(value)
        state = value.stat()
        return str(value), state.st_mtime_ns, state.st_ctime_ns, state.st_size
    if type(value) in FILES:
        return tuple(name_of(file) for pattern in FILES[type(value)] for file in _files(value.path, pattern))
    if isinstance(value, (list, tuple)):
        return tuple(name_of(member) for member in value)
    if is_dataclass(value) and not isinstance(value, type) and type(value).__dataclass_params__.frozen:
        return value
    raise TypeError(f"a {type(value).__name__} has no name to be kept by: give the function what it is made from")


def _files(folder: Path, pattern: str) -> list[Path]:
    """The files of a pattern in order. One without an asterisk is looked at and not looked for: this is asked often."""
    if "*" not in pattern:
        return [file] if (file := folder / pattern).exists() else []
    top = pattern.split("/", 1)[0]
    return sorted(folder.glob(pattern)) if "*" in top or (folder / top).exists() else []


def kept(
    entries: int, spinner: str | bool = False, shared: bool = False
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Keep the last `entries` results of a function by its arguments' names (`name_of`).

    Each caller gets a copy of a result of its own; with `shared`, the very object: for what is large and never changed,
    such as an open audit. `spinner` is the text shown while it is computed. A result stays for all visitors of the
    server until it is pushed out, so nothing of a visitor's own is kept here.
    """
    store = st.cache_resource if shared else st.cache_data

    def decorate(compute: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        def by_names(names: tuple, _arguments: inspect.BoundArguments) -> Result:
            result = compute(*_arguments.args, **_arguments.kwargs)
            if shared and is_dataclass(result):
                _shared.append(weakref.ref(result))
            # Among all others, what is large by itself would push them out at each turn, and be pushed out by them.
            held = ledger_of_large if weight(result) > ledger.most // 2 else ledger
            held.add(f"{compute.__module__}.{compute.__qualname__}", result, entries, cached.clear)
            return result

        # Streamlit tells functions apart by module, name and source, and finds these through `__wrapped__`; the
        # parameters are our own, of which the one with an underscore is not hashed.
        signature = inspect.signature(by_names)
        functools.update_wrapper(by_names, compute)
        by_names.__signature__ = signature
        cached = store(max_entries=entries, show_spinner=spinner)(by_names)
        parameters = inspect.signature(compute)

        @functools.wraps(compute)
        def call(*arguments: Arguments.args, **keywords: Arguments.kwargs) -> Result:
            bound = parameters.bind(*arguments, **keywords)
            bound.apply_defaults()
            return cached((name_of(bound.args), name_of(sorted(bound.kwargs.items()))), bound)

        return call

    return decorate
