"""`lookwhere app`: the Streamlit app of this installation, on a folder of models."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from core.errors import LookwhereError
from core.places import MODELS
from core.remote import fetched_models
from lookwhere.house import HOUSE


def app_command(port: int = 8501, address: str = "127.0.0.1") -> list[str]:
    """The command that runs the app. `-P` keeps the folder one is in off the import path, where a `core/` may be."""
    script = str(HOUSE / "app.py")
    options = ["--server.port", str(port), "--server.address", address]
    return [sys.executable, "-P", "-m", "streamlit", "run", script, *options]


def app(models: Path = MODELS, port: int = 8501, address: str = "127.0.0.1") -> None:
    """Open the app on a folder of models; Ctrl-C ends it.

    Models at an address (`s3://…`) and their audits are fetched first, and again at the next start where they differ.

    Examples: lookwhere app --models path/to/models
              lookwhere app --models s3://bucket/models

    Args:
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        port: The port it answers at.
        address: The address it answers at; by default this machine alone can open it.
    """
    models = fetched_models(models)
    if not models.is_dir():
        raise LookwhereError(
            f"{models}: no such folder of models; give one with --models, or set LOOKWHERE_MODELS to it (the shipped "
            "study is the folder models/ of the project's repository)"
        )
    environment = os.environ | {"LOOKWHERE_MODELS": str(models.resolve())}
    code = subprocess.call(app_command(port, address), env=environment)
    if code not in (0, 130, -2, -15):
        raise LookwhereError(f"the app ended with code {code}; what it said is above")
