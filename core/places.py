"""Where model folders lie: `--models`, else `$LOOKWHERE_MODELS`, else `models/` of the folder one is in."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable
from pathlib import Path

from core.errors import LookwhereError
from core.ranks import Ranks
from core.remote import AUDIT, MODEL, is_remote, push

#: The default of every `--models`.
MODELS = Path(os.environ.get("LOOKWHERE_MODELS", "models"))


def audit_folder(models: Path, model: str, audit: str) -> Path:
    """The folder of a model's audit. Raises `LookwhereError` where there is no folder of models, or no such model.

    What is wrong with the audit itself is for its reader to say.
    """
    if is_remote(models):
        return within(within(models, model, "--model") / "audits", audit, "--audit")
    if not models.is_dir():
        raise LookwhereError(
            f"{models}: no such folder of models; give one with --models, or set LOOKWHERE_MODELS to it"
        )
    if not (within(models, model, "--model")).is_dir():
        names = ", ".join(sorted(p.name for p in models.iterdir() if (p / "audits").is_dir())) or "none"
        raise LookwhereError(f"{models / model}: no such model; audited ones there: {names}")
    return within(models / model / "audits", audit, "--audit")


def within(folder: Path, name: str, what: str) -> Path:
    """`folder/name`. Raises `LookwhereError`, calling the name `what`, where that is not in the folder."""
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts or "\0" in name:
        raise LookwhereError(f"{what} {reprlib.repr(name)}: no name of a folder in {folder}")
    return folder / name


def keep(models: Path, model: str, audit: str, first: Callable[[], object] = lambda: None) -> None:
    """Bring an audit, and its model's folder, to the address where the models lie; nothing for folders of this machine.

    `first` is done before. Of several processes one does this.
    """
    if Ranks.here().first:
        first()
        push(models / model / "audits" / audit, AUDIT)
        push(models / model, MODEL)
