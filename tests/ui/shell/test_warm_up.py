"""A new server opens the front page's audit while it waits for its first visitor."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.files import write_json
from tests.helpers.made_audit import made_audit
from tests.helpers.made_experiment import INFO
from ui.shell import open_audit, warm_up


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one model, audited once."""
    made_audit(60, errors=0.2, shape=None, path=tmp_path / "made/audits/one")
    write_json(tmp_path / "made/model.json", INFO)
    for module in (open_audit, warm_up):
        monkeypatch.setattr(module, "MODELS", tmp_path)
    return tmp_path


def test_the_first_visitor_finds_the_audit_open(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, read = [], open_audit.open_audit
    monkeypatch.setattr(open_audit, "open_audit", lambda path: opened.append(path) or read(path))
    warm_up.prepare()
    assert opened == [models / "made/audits/one"]
    open_audit.audit_of(models / "made/audits/one/audit.json")
    assert len(opened) == 1


def test_what_is_wrong_with_it_is_left_to_the_page(models: Path) -> None:
    (models / "made/audits/one/faces.parquet").write_bytes(b"nonsense")
    warm_up.prepare()


def test_an_empty_folder_is_nothing_to_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (open_audit, warm_up):
        monkeypatch.setattr(module, "MODELS", tmp_path / "none")
    warm_up.prepare()
