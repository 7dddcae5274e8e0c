"""The type checker finds nothing, and does find what it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.helpers.shipped import ROOT


def mypy(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_an_untyped_function_and_a_wrong_call_would_be_found(tmp_path: Path) -> None:
    """`make lint` runs it over everything; here, on a file of a user's, that types reach those who import Lookwhere."""
    file = tmp_path / "mine.py"
    file.write_text(
        "import lookwhere\n"
        "def untyped(x):\n"
        "    return x\n"
        "lookwhere.open_audit(3)\n"
        "lookwhere.accuracy_by_group([1], [0])\n"
    )
    done = mypy(str(file))
    found = [line.rpartition("[")[2].rstrip("]") for line in done.stdout.splitlines() if "error:" in line]
    assert done.returncode == 1, done.stderr
    assert found == ["no-untyped-def", "arg-type", "call-overload"]
