"""Where the study lies that we ship; in CI it must be there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = Path(os.environ.get("LOOKWHERE_MODELS", ROOT / "models")) / "resnet50-utkface"
AUDIT = MODEL / "audits/utkface-test"


def shipped_or_skip() -> None:
    """Skip without the shipped study on a user's machine; fail in CI."""
    if (AUDIT / "audit.json").is_file():
        return
    if os.environ.get("CI"):
        pytest.fail(f"{AUDIT} is missing, and CI must not skip the tests of the shipped study")
    pytest.skip(f"the shipped study is not at {AUDIT}")
