"""Faults put into commands, once each: the short form of `python -m benchmarks.faults`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.faults.__main__ import settings
from benchmarks.faults.flips import flip_files
from benchmarks.faults.kinds import KINDS, Setting, may_mount
from benchmarks.faults.process import Ended, Fault, run


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Setting]:
    """The stages that faults are put into here, run undisturbed."""
    return settings(("align", "train", "audit", "check", "report", "import"), tmp_path_factory.mktemp("faults"))


# Files are cut and written over under stages that go on reading them; an import reads its file at once.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("cut", "over")])
def test_a_fault_in_an_import_loses_nothing(kind: str, stages: dict[str, Setting]) -> None:
    if kind in ("full", "readonly") and not may_mount():
        pytest.skip("needs leave to mount")
    tally = KINDS[kind][1](stages["import"], 1, random.Random(1))
    assert tally.times == 1
    assert tally.bad == 0, tally.said


@pytest.mark.parametrize(
    ("stage", "kind"),
    [("align", "kill"), ("align", "change"), ("train", "kill"), ("train", "term"), ("audit", "kill"),
     ("audit", "two"), ("check", "kill"), ("report", "kill"), ("train", "cut"),
     ("audit", "over"), ("check", "cut")],
)  # fmt: skip
def test_a_fault_in_a_stage_loses_nothing(stage: str, kind: str, stages: dict[str, Setting]) -> None:
    tally = KINDS[kind][1](stages[stage], 1, random.Random(4))
    assert tally.times == 1
    assert tally.bad == 0, tally.said


def test_what_goes_wrong_is_counted(stages: dict[str, Setting], tmp_path: Path, monkeypatch) -> None:
    """A tally that could find nothing would be worth nothing."""
    setting = stages["import"]
    assert len(setting.changes) > 5, "changes of files are seen"
    killed = run(setting.stage.words, tmp_path, Fault("kill", 1))
    assert killed.code in (-9, 2), "it is killed at its first change, or finds no table"
    from benchmarks.faults import kinds

    traceback_end = Ended(0, "Traceback", (), 0.0)
    for ended, bad in (
        (traceback_end, "unclear"),
        (Ended(0, "", (), 0.0), "wrong"),
        (Ended(2, "error: no", (), 0.0), "lost"),
    ):
        monkeypatch.setattr(kinds, "run", lambda *_, ended=ended: ended)
        tally = kinds.Tally()
        tally.judge(setting, tmp_path, Ended(-9, "", (), 0.0), False, "nothing was made")
        assert (tally.lost, tally.wrong, tally.unclear) == tuple(
            int(bad == count_name) for count_name in ("lost", "wrong", "unclear")
        )


def test_flips_that_nobody_tells_are_counted(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    tally = flip_files(tmp_path, ("file", "none"), lambda root: (root / "file").read_bytes(), 3, random.Random(0))
    assert (tally.times, tally.wrong, tally.unclear) == (3, 3, 0)
    tally = flip_files(
        tmp_path, ("file",), lambda root: (root / "file").read_bytes().decode("ascii")[0:0], 9, random.Random(0)
    )
    assert tally.unclear > 0
    assert (tmp_path / "file").read_bytes() == b"abc"
