"""`import --try-portraits` asks a model about the portraits and imports nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.__main__ import main
from core.photo import portraits
from tests.helpers.onnx_made import small_onnx

FLAGS = ["--score", "logits", "--female", "0", "--male", "1", "--size", "32", "32", "--mean", "0", "0", "0",
         "--std", "1", "1", "1", "--maps", "none"]  # fmt: skip


def test_a_model_is_tried_and_nothing_is_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    two = portraits.portraits()[:2]
    monkeypatch.setattr(portraits, "portraits", lambda: two)
    words = [str(small_onnx(tmp_path / "small.onnx")), "--name", "x", *FLAGS, "--models", str(tmp_path / "models")]
    assert main(["import", *words, "--try-portraits"]) == 0
    report = capsys.readouterr().out
    assert report.startswith("nothing is imported; small.onnx, declared so, says of 2 portraits:\n")
    assert all(portrait.words in report for portrait in two)
    assert "taken by default: channels rgb" in report
    assert not (tmp_path / "models").exists()
    right = sum(f"{portrait.words}: {portrait.gender} at" in report for portrait in two)
    assert f"as those pictured report: {right} of 2" in report


def test_the_portraits_say_nothing_of_another_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = [*FLAGS[:2], "--target", "glasses", "--classes", "no", "yes", "--indices", "0", "1", *FLAGS[6:]]
    words = [str(small_onnx(tmp_path / "small.onnx")), "--name", "x", *flags, "--try-portraits"]
    assert main(["import", *words, "--models", str(tmp_path / "m")]) == 2
    assert "labelled by gender alone" in capsys.readouterr().err


def test_a_table_cannot_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.csv").write_text("file,score\na.jpg,0.2\n")
    words = [str(tmp_path / "s.csv"), "--name", "x", "--score", "probability", "--of", "male", "--try-portraits"]
    assert main(["import", *words, "--models", str(tmp_path / "m")]) == 2
    assert "a table of predictions cannot look at a portrait" in capsys.readouterr().err
