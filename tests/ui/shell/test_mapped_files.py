"""A large audit's mapped files that are cut or removed under the open app are made again, and never read on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.audit import mapped
from core.audit.folder import open_audit
from core.data.filters import Filter
from tests.helpers.made_audit import made_audit
from ui.shell.cache import name_of
from ui.shell.open_audit import audit_of


@pytest.mark.parametrize("harm", ["cut", "removed"])
@pytest.mark.parametrize("part", ["logit_male.npy", "correct.npy", "sums.npy", "kind.npy", "evidence.npy"])
def test_a_mapped_file_that_was_cut_or_removed_is_made_again(
    part: str, harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made_audit(300, path=tmp_path / "model" / "audits" / "made")
    monkeypatch.setattr(mapped, "LARGE", 1)
    audit_of(whole.path / "audit.json")
    opened = audit_of(whole.path / "audit.json")
    assert opened.cells is not None, "mapped"
    same = audit_of(whole.path / "audit.json") is opened
    assert same
    name, file = name_of(opened), whole.path / mapped.FOLDER / part
    if harm == "cut":
        with file.open("r+b") as held:
            held.truncate(0)
    else:
        file.unlink()
    assert name_of(opened) != name, "what is kept of the audit is not taken for that of the cut one"
    again = audit_of(whole.path / "audit.json")
    changed = again is not opened  # a failure would print the cut one, which ends the process
    assert changed
    assert list(again.faces["logit_male"]) == list(whole.faces["logit_male"])
    assert len(again.passing(Filter(outcome="incorrect"))) == len(whole.passing(Filter(outcome="incorrect")))
    assert (again.evidence[:] == whole.evidence).all()


READS = """
import os, sys
from pathlib import Path
from core.audit import mapped
from core.audit.folder import open_audit
from core.audit.mapped import FOLDER
from core.data.filters import Filter
from core.errors import LookwhereError
mapped.LARGE = 1
audit = open_audit(Path(sys.argv[1]))
for file in (audit.path / FOLDER).iterdir():
    os.truncate(file, 0)
assert len(audit.faces.astype(str).to_csv()) > 30_000
assert audit.cells.table["n"].sum() == len(audit.faces) == len(audit.kinds.place)
assert audit.cells.sums.any() and len(audit.counted(Filter(outcome="incorrect")))
try:
    audit.evidence[:]
except LookwhereError as error:
    print(error)
"""


def test_files_that_are_all_cut_while_a_page_is_drawn_end_nobody(tmp_path: Path) -> None:
    """By a process of its own, which mapped files would end (SIGBUS)."""
    path = made_audit(300, own=True, path=tmp_path / "model" / "audits" / "made").path
    ended = subprocess.run([sys.executable, "-c", READS, str(path)], capture_output=True, text=True)
    told = f"{path / mapped.FOLDER}/evidence.npy: cut while it was read; delete this folder, it is made again\n"
    assert (ended.returncode, ended.stdout) == (0, told), ended.stderr


@pytest.mark.parametrize("part", ["logit_male.npy", "face_id.arrow", "sums.npy", "gender.levels", "evidence.npy"])
def test_a_file_that_is_cut_while_the_audit_is_opened_is_made_again(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made_audit(300, path=tmp_path / "model" / "audits" / "made")
    monkeypatch.setattr(mapped, "LARGE", 1)
    open_audit(whole.path)
    looked, cut = mapped._fresh, []

    def then_cut(path: Path) -> object:
        info = looked(path)
        if not cut:
            cut.append(part)
            (path / mapped.FOLDER / part).write_bytes(b"")
        return info

    monkeypatch.setattr(mapped, "_fresh", then_cut)
    again = open_audit(whole.path)
    assert cut and again.cells is not None
    assert list(again.faces["face_id"]) == list(whole.faces["face_id"])
    assert (again.evidence[:] == whole.evidence).all()


@pytest.mark.parametrize("part", ["logit_male.npy", "gender.npy", "face_id.arrow", "sums.npy"])
def test_a_byte_that_is_turned_over_is_not_read(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made_audit(300, path=tmp_path / "model" / "audits" / "made")
    monkeypatch.setattr(mapped, "LARGE", 1)
    open_audit(whole.path)
    file = whole.path / mapped.FOLDER / part
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 64
    file.write_bytes(content)
    open_audit(whole.path)
    assert file.read_bytes() != content, "made again"
