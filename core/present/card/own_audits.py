"""Whether a model's audits are somebody's own: then the card that came with the model is not rewritten with them.

git knows which audits came with the project. A copy without git, such as a downloaded ZIP, has `models/shipped.json`:
by each model's folder the names of its audits.
"""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from pathlib import Path

from core.json_record import read_object

CARD, OWN_CARD = "CARD.md", "CARD.own.md"
#: In the folder of models: what came with it.
SHIPPED = "shipped.json"


def any_of_ones_own(model: Path, audits: Collection[str]) -> bool:
    """Whether the model's card came with the project, and some of these audits of it did not."""
    came_with = _tracked(model)
    if came_with is None:
        came_with = _listed(model)
    return came_with is not None and not set(audits) <= came_with


def _tracked(model: Path) -> set[str] | None:
    """The audits that git has; None without git, without a repository, and where git does not have the card."""
    try:
        files = subprocess.run(
            ["git", "-C", str(model), "ls-files", "-z", "--", CARD, "audits/*/audit.json"],
            capture_output=True, text=True, timeout=10, check=True,
        ).stdout.split("\0")  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return {Path(file).parent.name for file in files if file.endswith("audit.json")} if CARD in files else None


def _listed(model: Path) -> set[str] | None:
    """The audits that the nearest `shipped.json` above has of the model; None where none names it."""
    for folder in model.resolve().parents:
        try:
            shipped = read_object(folder / SHIPPED)
        except (OSError, ValueError):
            continue
        audits = shipped.get(model.resolve().relative_to(folder).as_posix())
        return set(map(str, audits)) if isinstance(audits, list) else None
    return None
