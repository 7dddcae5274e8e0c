"""What a command prints: text for people or, with `--json`, the same results as one JSON object."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.places import MODELS
from core.ranks import Ranks

if TYPE_CHECKING:
    from core.data.store import AlignedStore


def printed(command: str, json: bool, text: Callable[[], str], record: Callable[[], dict]) -> str:
    """The text, or with `json` the record as JSON; only the one that is asked for is computed."""
    if not json:
        return text()
    from core.present.records.values import to_json

    return to_json(command, record())


def models_flag(models: Path) -> str:
    """` --models FOLDER`, for a command that is named as the next one; empty where models lie in the default place."""
    return "" if models == MODELS else f" --models {shlex.quote(str(models))}"


#: What is to be said once the command has done what it was asked for.
_NOTES: list[str] = []


@contextlib.contextmanager
def notes_at_the_end() -> Iterator[None]:
    """What was noted meanwhile stands on stderr at the end, a line each; nothing after an error, which is one line."""
    _NOTES.clear()
    yield
    for words in dict.fromkeys(_NOTES if Ranks.here().first else ()):
        print(f"note: {words}", file=sys.stderr)


def opened_store(path: str | Path) -> AlignedStore:
    """The store in a folder or at an address; that a change of its files would not be told is noted."""
    from core.data.store import AlignedStore

    return noted(AlignedStore.open(path))


def noted(store: AlignedStore) -> AlignedStore:
    """The same store; that a change of its files would not be told is noted."""
    if (words := store.unrecorded) is not None:
        _NOTES.append(words)
    return store
