"""What a job tells: its progress in a file, its log within bounds and without what could turn a page around."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from core.jobs import logs
from core.present.text.jobs import progress_words
from core.progress import VARIABLE, ProgressBars, ProgressFile, StageProgress, read_progress


def test_bars_tell_a_file_where_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "progress.json"
    bars = ProgressBars()
    bars("aligning", 4)(1)
    bars.close()
    assert not file.exists(), "nobody asked"
    monkeypatch.setenv(VARIABLE, str(file))
    bars = ProgressBars()
    tick = bars("aligning", 4)
    assert read_progress(file).done == 0
    tick()
    tick(3)
    progress = read_progress(file)
    assert (progress.stage, progress.done, progress.total, progress.left) == ("aligning", 4, 4, 0)
    bars.close()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none/progress.json"))
    ProgressBars()("aligning", 4)(4)  # the work goes on where it cannot be told


def test_the_file_is_written_at_most_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "p.json"))
    progress_file = ProgressFile()
    for n in range(1, 1000):
        progress_file.tell("x", n, 1000, None)
    assert json.loads((tmp_path / "p.json").read_text())["done"] == 1


def test_progress_in_words() -> None:
    at = StageProgress(stage="aligning", done=120, total=4000, left=190.0, updated=time.time())
    assert progress_words(at) == "aligning: 120 of 4,000, 3 min left"
    assert progress_words(None) == ""


def test_a_damaged_progress_file_is_none(tmp_path: Path) -> None:
    for content in ("", "{", "[]", '{"stage": 3}'):
        (tmp_path / "p.json").write_text(content)
        assert read_progress(tmp_path / "p.json") is None
    assert read_progress(tmp_path / "none") is None


def test_a_log_is_cut_to_its_end_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LONGEST", 100)
    monkeypatch.setattr(logs, "KEPT", 40)
    file = tmp_path / "log.txt"
    with file.open("ab", buffering=0) as out:
        for n in range(30):
            out.write(f"line {n}\n".encode())
        logs.trim(file)
        assert file.stat().st_size <= 40 + len(logs.CUT.encode())
        out.write(b"line 30\n")
    lines = logs.tail(file).split("\n")
    assert lines[0] == logs.CUT.strip()
    assert lines[-2:] == ["line 29", "line 30"]
    before = file.read_bytes()
    logs.trim(file)
    assert file.read_bytes() == before


def test_a_log_is_shown_as_a_terminal_left_it(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(b"aligning: 1%\raligning: 3%\n\x1b[31mred\x1b[0m \xff \xe2\x80\xae evil\x07\nend\r\n")
    assert logs.tail(file) == "aligning: 3%\nred � � evil�\nend"
    assert logs.tail(file, 8) == "end"
    assert logs.tail(tmp_path / "none") == ""
