"""Faults put into the commands that write, and what the same command makes of what is left.

    python -m benchmarks.faults --times 10
    python -m benchmarks.faults --stage import report --fault kill full --times 20

Each command runs on two dozen made pictures and a small network, first undisturbed; then again in a new folder, with a
fault, and once more without it. Lost: then it ends with an error (`train` with --resume where it says so). Wrong: its
result is not that of the undisturbed run, bit for bit, and it does not say so. Unclear: a traceback, a crash, or an
end without a line. Left: files that the undisturbed run has not. A full disk and a read-only folder need leave to mount
(root); without it their rows have 0 times. `flip` is a byte of a finished folder's file turned over: see `flips.py`.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from pathlib import Path

import tyro

from benchmarks.faults.flips import flipped
from benchmarks.faults.kinds import KINDS, Setting, Tally
from benchmarks.faults.process import Ended, run
from benchmarks.faults.stages import STAGES, make_inputs, names, result

HEAD = "| fault | stage | times | lost | wrong | unclear | left | command |\n|---|---|---|---|---|---|---|---|"


def settings(stages: tuple[str, ...], root: Path) -> dict[str, Setting]:
    """Each stage with a folder in which those before it were run, and its undisturbed result."""
    inputs = root / "inputs"
    make_inputs(inputs)
    folders: dict[tuple[str, ...], Path] = {(): inputs}
    by_stage = {}
    for name in stages:
        stage = STAGES[name]
        for k in range(len(stage.needs)):
            if (key := stage.needs[: k + 1]) not in folders:
                folders[key] = Path(shutil.copytree(folders[key[:-1]], root / "-".join(key)))
                _undisturbed(key[-1], folders[key])
        whole = Path(shutil.copytree(folders[stage.needs], root / f"whole-{name}"))
        ended = _undisturbed(name, whole)
        by_stage[name] = Setting(
            name, folders[stage.needs], result(stage, whole), names(whole), ended.changes, ended.seconds
        )
    return by_stage


def _undisturbed(name: str, folder: Path) -> Ended:
    ended = run(STAGES[name].words, folder)
    if ended.code:
        raise RuntimeError(f"{name} fails undisturbed: {ended.output[-2000:]}")
    return ended


def row(words: str, stage: str, fault: str, times: int, tally: Tally) -> str:
    """A row of the table."""
    of = "" if fault == "flip" else f"--stage {stage} "
    command = f"`python -m benchmarks.faults {of}--fault {fault} --times {times}`"
    return (
        f"| {words} | {stage} | {tally.times} | {tally.lost} | {tally.wrong} | {tally.unclear} | {tally.left} | "
        f"{command} |"
    )


def main(
    stage: tuple[str, ...] = tuple(STAGES), fault: tuple[str, ...] = (*KINDS, "flip"), times: int = 0, seed: int = 0
) -> int:
    """Print a row a fault and stage; exit code 1 where anything was lost, wrong or unclear.

    Args:
        stage: Which commands, by the names in `stages.py`: align, train, audit, check, report, import and others.
        fault: Which of kill, moment, term, full, readonly, vanish, change, cut, over, clock, two, flip.
        times: How often each is put in; 0 is once at every change of files where that is to be had.
        seed: Of what is drawn at random.
    """
    if strange := {*stage} - {*STAGES} | {*fault} - {*KINDS, "flip"}:
        print(f"error: {', '.join(sorted(strange))}: no such stage or fault", file=sys.stderr)
        return 2
    root, bad = Path(tempfile.mkdtemp(prefix="faults-")), 0
    try:
        print(HEAD, flush=True)
        kinds = [kind for kind in fault if kind in KINDS]
        for name, setting in (settings(stage, root) if kinds else {}).items():
            for kind in kinds:
                words, inject = KINDS[kind]
                tally = inject(setting, times, random.Random(f"{seed}{name}{kind}"))
                bad += tally.bad
                print(row(words, name, kind, times, tally), flush=True)
                print(*tally.said, sep="\n", end="\n" * bool(tally.said), file=sys.stderr, flush=True)
        if "flip" in fault:
            for words, tally in flipped(root / "flips", times or 10, random.Random(seed)):
                bad += tally.bad
                print(row(f"one byte of {words} turned over", "all", "flip", times or 10, tally), flush=True)
                print(*tally.said, sep="\n", end="\n" * bool(tally.said), file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main, description=__doc__))
