"""The whole way on real faces, tiny: align → train two steps → audit → a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import core.__main__
import train.__main__
import ui.shell.open_audit
from core.audit.folder import FILES, open_audit
from tests.helpers.shipped import ROOT


def test_align_train_audit_show(
    real_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "tiny.yaml"
    config.write_text("stages: [{size: 32, epochs: 1, dilated: true}]\nbatch: 40\nnorm_batches: 2\nage_weight: 0.2\n")

    assert core.__main__.main(["align", "--data", str(real_folder)]) == 0
    printed = capsys.readouterr().out
    assert "Faces by split" in printed
    assert "share not found" in printed

    data = ["--data", "data/aligned/utkface"]
    assert train.__main__.main([*data, "--name", "tiny", "--config", str(config)]) == 0
    assert "finished" in capsys.readouterr().out
    assert (tmp_path / "models/tiny/training/metrics.csv").read_text().count("\n") == 2

    assert core.__main__.main(["audit", "--model", "tiny", *data, "--split", "train", "val", "test"]) == 0
    printed = capsys.readouterr().out
    audit = open_audit(tmp_path / "models/tiny/audits/utkface-train-val-test")
    assert sorted(p.name for p in audit.path.iterdir()) == sorted([*FILES, "measured.parquet"])
    assert f"{len(audit.faces):,} faces of utkface" in printed
    assert f"accuracy {100 * audit.faces['correct'].mean():.1f} %" in printed
    card = (tmp_path / "models/tiny/CARD.md").read_text()
    assert "Age bands were an auxiliary target" in card
    assert "## Accuracy: utkface-train-val-test" in card

    assert core.__main__.main(["show", "--model", "tiny", "--audit", audit.name]) == 0
    assert capsys.readouterr().out == printed

    monkeypatch.setattr(ui.shell.open_audit, "MODELS", tmp_path / "models")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert not app.error
    adults = (audit.faces["age"] >= 18).sum()
    assert [m.value for m in app.metric if m.label == "Faces"] == [f"{adults:,}"], "pages open on adults"
