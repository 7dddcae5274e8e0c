"""`kill -9` in the middle of a command: the short form of `python -m benchmarks.faults`."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.faults import CASES, counted, injected


def test_a_killed_import_goes_on_to_the_same_result(tmp_path: Path) -> None:
    case, before, whole = CASES["import"], tmp_path / "before", tmp_path / "whole"
    for folder in (before, whole):
        folder.mkdir()
        (folder / "s.csv").write_text("file,score\na.jpg,0.2\nb.jpg,0.8\n")
    ended, count = counted(case.words, whole)
    assert ended.code == 0
    assert count > 5, "changes of files are seen"
    tally = injected(case, before, whole, count, 1, random.Random(1))
    assert (tally.times, tally.lost, tally.wrong, tally.unclear) == (1, 0, 0, 0), tally.said
