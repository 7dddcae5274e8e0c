"""What a command prints: text for people or, with `--json`, the same results as one JSON object."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from core.places import MODELS


def printed(command: str, json: bool, text: Callable[[], str], record: Callable[[], dict]) -> str:
    """The text, or with `json` the record as JSON; only the one that is asked for is computed."""
    if not json:
        return text()
    from core.present.records.values import to_json

    return to_json(command, record())


def models_flag(models: Path) -> str:
    """` --models FOLDER`, for a command that is named as the next one; empty where models lie in the default place."""
    return "" if models == MODELS else f" --models {shlex.quote(str(models))}"
