"""How large what is shipped is: the audits, the pictures of the documents, and a clone."""

from __future__ import annotations

import subprocess

import pytest

from tests.helpers.shipped import ROOT

#: Bytes: all audits together, a board's audit, a picture of the documents, and what a clone receives.
AUDITS, BOARD_AUDIT, PICTURE, RECEIVED = 12e6, 1e6, 300e3, 120e6
#: What a clone has on disk beside its history; with it more than 120 MB, see docs/decisions.md.
CHECKED_OUT = 72e6


def git(*words: str) -> str:
    found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("not a checkout of git")
    return found.stdout


def tracked() -> dict[str, int]:
    """Files of the project by their path, in bytes."""
    files = [ROOT / name for name in git("ls-files", "-z").split("\0") if name]
    return {str(file.relative_to(ROOT)): file.stat().st_size for file in files if file.is_file()}


def test_audits_and_pictures_are_small() -> None:
    files = tracked()
    audits = {name: size for name, size in files.items() if "/audits/" in name and not name.startswith("tests/")}
    assert len(audits) > 50 and sum(audits.values()) <= AUDITS, f"{sum(audits.values()):,} bytes of audits"
    pictures = {name: size for name, size in files.items() if name.startswith("docs/pictures/")}
    assert pictures and max(pictures.values()) <= PICTURE, pictures
    maps = [size for name, size in files.items() if name.startswith("docs/board/maps/")]
    assert maps and max(maps) <= BOARD_AUDIT


def test_a_clone_receives_less_than_its_limit() -> None:
    """The pack that a clone is sent, as a server makes it: how this checkout's own packs lie says nothing of it."""
    command = ["git", "pack-objects", "--revs", "--stdout", "--quiet"]
    head = git("rev-parse", "HEAD")  # skips where this is no checkout; all else must succeed
    sent = subprocess.run(command, cwd=ROOT, input=head.encode(), capture_output=True, check=True)
    assert len(sent.stdout) <= RECEIVED, f"{len(sent.stdout):,} bytes of history"
    assert sum(tracked().values()) <= CHECKED_OUT, f"{sum(tracked().values()):,} bytes checked out"
