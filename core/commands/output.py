"""What a command prints: text for people or, with `--json`, the same results as one JSON object."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.places import MODELS

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


def opened_store(path: str | Path) -> AlignedStore:
    """The store in a folder or at an address; where a change of its files would not be told, that is said on stderr."""
    from core.data.store import AlignedStore

    return noted(AlignedStore.open(path))


def noted(store: AlignedStore) -> AlignedStore:
    """The same store, once it is said on stderr where a change of its files would not be told."""
    if (words := store.unrecorded) is not None:
        print(f"note: {words}", file=sys.stderr)
    return store
