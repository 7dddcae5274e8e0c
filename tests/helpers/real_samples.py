"""Where real samples of data sets lie that are no part of the project, and what becomes of a test that needs one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers.shipped import ROOT

SAMPLES = Path(os.environ.get("LOOKWHERE_SAMPLES", ROOT.parent / "shared/data"))


def at_hand(name: str) -> Path:
    """The sample's path. Where it is not there the test is skipped with the reason, and fails in CI."""
    path = SAMPLES / name
    if path.exists():
        return path
    if os.environ.get("CI"):
        pytest.fail(f"{path} is missing, and CI must not skip the tests that need it")
    pytest.skip(f"{path} is not there: real samples are not part of the project")
