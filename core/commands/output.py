"""What a command prints: text for people or, with `--json`, the same results as one JSON object."""

from __future__ import annotations

from collections.abc import Callable


def printed(command: str, json: bool, text: Callable[[], str], record: Callable[[], dict]) -> str:
    """The text, or with `json` the record as JSON; only the one that is asked for is computed."""
    if not json:
        return text()
    from core.present.records.values import to_json

    return to_json(command, record())
