"""Every page opens where only `pip install .` was run: none imports torch or another package of the extras."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.audit.folder import Audit
from tests.helpers.shipped import ROOT
from ui.shell.navigation import PAGES


def test_every_page_opens_without_the_packages_of_the_extras(study: tuple[Path, Audit]) -> None:
    models = study[1].path.parents[2]
    command = [sys.executable, "-m", "tests.helpers.pages_without_torch", str(models)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [*(entry.file for entry in PAGES), "loaded"]
