"""Manifests as versions wrote them that kept neither digests nor records of files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

#: The last format without them.
FORMATS = {"audit.json": 1, "model.json": 1, "store.json": 2}


def write_former(file: Path, content: Mapping[str, object]) -> None:
    """The content without digest and records; its format is the former one, unless it is none that was ever written."""
    rest = {key: value for key, value in content.items() if key not in ("digest", "files")}
    if rest.get("format") == FORMATS[file.name] + 1:
        rest["format"] = FORMATS[file.name]
    file.write_text(json.dumps(rest))
