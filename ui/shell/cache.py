"""What pages compute is kept here, by the names of what it was computed from: the one use of Streamlit's caches."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Hashable
from dataclasses import is_dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

import streamlit as st

from core.analysis.comparison import Experiment
from core.analysis.findings.repeated import Repeated
from core.audit.folder import Audit
from core.checks.results import Checks

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
#: What is read from a folder has the names of these files, since it changes only with them.
FILES: dict[type, tuple[str, ...]] = {
    Audit: ("audit.json", "measured.parquet", "skin_tone.json"),
    Checks: ("checks.json",),
    Experiment: ("experiment.json", "*/audits/*/audit.json"),
    Repeated: ("experiment.json", "*/audits/*/audit.json"),
}


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
        return tuple(name_of(file) for pattern in FILES[type(value)] for file in sorted(value.path.glob(pattern)))
    if isinstance(value, (list, tuple)):
        return tuple(name_of(member) for member in value)
    if is_dataclass(value) and not isinstance(value, type) and type(value).__dataclass_params__.frozen:
        return value
    raise TypeError(f"a {type(value).__name__} has no name to be kept by: give the function what it is made from")


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
            return compute(*_arguments.args, **_arguments.kwargs)

        # Streamlit tells functions apart by module, name and source, and finds these through `__wrapped__`; the
        # parameters are our own, of which the one with an underscore is not hashed.
        signature = inspect.signature(by_names)
        functools.update_wrapper(by_names, compute)
        by_names.__signature__ = signature
        cached = store(max_entries=entries, show_spinner=spinner)(by_names)
        parameters = inspect.signature(compute)

        @functools.wraps(compute)
        def call(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
            bound = parameters.bind(*arguments, **named)
            bound.apply_defaults()
            return cached((name_of(bound.args), name_of(sorted(bound.kwargs.items()))), bound)

        return call

    return decorate
