"""The type checker finds nothing, and does find what it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.helpers.shipped import ROOT

#: What tells the types of `lookwhere`'s names. What these import counts as `Any`: all of it takes half a minute.
TYPED = (*sorted((ROOT / "lookwhere").glob("*.py")), ROOT / "core/audit/folder.py")


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
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", "--follow-imports=skip"]
    command += ["--cache-dir", tmp_path / "cache", file, *TYPED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    errors = [line for line in done.stdout.splitlines() if line.startswith(f"{file}:") and "error:" in line]
    assert done.returncode == 1, done.stderr
    codes = [line.rpartition("[")[2].rstrip("]") for line in errors]
    assert codes == ["no-untyped-def", "arg-type", "call-overload"], done.stdout
