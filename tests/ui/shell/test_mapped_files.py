"""A large audit's mapped files that are cut or removed under the open app are made again, and never read on."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.audit import mapped
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
