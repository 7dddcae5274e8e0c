"""The faults, one function each: it puts one into a command and tells what came of it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.process import Ended, Fault, Running, run
from benchmarks.faults.stages import STAGES, Stage, names, result

#: Bytes left on the disk that a mended command goes on with.
ENOUGH = 2**30


@dataclass(frozen=True)
class Setting:
    """A stage, the folder that it is called in, its result where nothing disturbs it, its changes and seconds."""

    name: str
    before: Path
    wanted: list[object]
    names: set[str]
    changes: tuple[str, ...]
    seconds: float

    @property
    def stage(self) -> Stage:
        return STAGES[self.name]


@dataclass
class Tally:
    """A row: how often a fault was put in, and how often what came of it was not as it should be.

    `lost`: the command, run again, ends with an error. `wrong`: it, or the disturbed one, says that it has finished,
    and its result is not that of an undisturbed run, bit for bit. `unclear`: either ends with a traceback, a signal of
    its own, or more than a line. `left`: files are there that an undisturbed run has not.
    """

    times: int = 0
    lost: int = 0
    wrong: int = 0
    unclear: int = 0
    left: int = 0
    said: list[str] = field(default_factory=list)

    @property
    def bad(self) -> int:
        return self.lost + self.wrong + self.unclear

    def judge(self, setting: Setting, folder: Path, hit: Ended, may_say: bool, what: str) -> None:
        """Run the command again in `folder`, where nothing disturbs it any more, and count what came of it.

        `may_say`: whether the disturbed run could say something of its end.
        """
        self.times += 1
        stage, bad = setting.stage, self.bad
        ended = hit
        if may_say and (not clear(hit) or (hit.code == 0 and result(stage, folder) != setting.wanted)):
            self.unclear += not clear(hit)
            self.wrong += clear(hit)
        else:
            ended = again = run(stage.words, folder)
            if again.code == 2 and stage.resume:
                ended = again = run(stage.words + stage.resume, folder)
            if "Traceback" in again.output:
                self.unclear += 1
            elif result(stage, folder) != setting.wanted:  # one killed at its very end may say that all is there
                self.lost, self.wrong = self.lost + bool(again.code), self.wrong + (not again.code)
        if self.bad > bad:
            self.said.append(f"{setting.name}, {what}: exit {ended.code}: {ended.last[:300]}")
        if extra := names(folder) - setting.names:
            self.left += 1
            self.said.append(f"{setting.name}, {what}: left {', '.join(sorted(extra)[:3])}")


def clear(ended: Ended) -> bool:
    """Whether a run that nobody killed ended as finished, as stopped, or with one line on what is wrong."""
    if "Traceback" in ended.output or ended.code not in (0, 2, 130):
        return False
    return ended.code != 2 or ended.last.startswith("error: ")


@contextlib.contextmanager
def copied(setting: Setting, at: Path | None = None) -> Iterator[Path]:
    """A copy of a setting's folder, `at` a place or anywhere; it goes with the block."""
    folder = at or Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        shutil.copytree(setting.before, folder, dirs_exist_ok=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kill_at_operations(setting: Setting, times: int, draw: random.Random) -> Tally:
    """`kill -9` before a change of files: each one where `times` is 0, else so many drawn at random."""
    tally, count = Tally(), len(setting.changes)
    for at in range(1, count + 1) if times == 0 else (draw.randint(1, count) for _ in range(times)):
        with copied(setting) as folder:
            hit = run(setting.stage.words, folder, Fault("kill", at))
            if hit.code == -signal.SIGKILL:
                tally.judge(setting, folder, hit, False, f"killed before change {at} ({hit.changes[-1]})")
    return tally


def kill_at_moments(setting: Setting, times: int, draw: random.Random) -> Tally:
    """`kill -9` at moments drawn at random."""
    tally, longest, kills = Tally(), setting.seconds, times or len(setting.changes)
    for _ in range(6 * kills):
        if tally.times == kills:
            break
        with copied(setting) as folder:
            delay = draw.uniform(0, longest)
            hit = run(setting.stage.words, folder, Fault(delay=delay))
            if hit.code == -signal.SIGKILL:
                tally.judge(setting, folder, hit, False, f"killed after {delay:.2f} s")
            else:
                longest = min(longest, hit.seconds)  # it had ended by then
    return tally


def terminated(setting: Setting, times: int, draw: random.Random) -> Tally:
    """SIGTERM at a change of files; in training, at those of the checkpoint."""
    tally, name = Tally(), "checkpoint" if setting.name == "train" else ""
    count = sum(name in change for change in setting.changes)
    for _ in range(times or count):
        with copied(setting) as folder:
            fault = Fault("term", draw.randint(1, count), name)
            hit = run(setting.stage.words, folder, fault)
            tally.judge(setting, folder, hit, hit.code != -signal.SIGTERM, f"SIGTERM at change {fault.at} {name}")
    return tally


def clock_turned_back(setting: Setting, times: int, draw: random.Random) -> Tally:
    """The clock goes back an hour at each look."""
    tally = Tally()
    for _ in range(times or 1):
        with copied(setting) as folder:
            hit = run(setting.stage.words, folder, Fault("clock"))
            tally.judge(setting, folder, hit, True, "clock going backwards")
    return tally


def source_vanishes(setting: Setting, times: int, draw: random.Random) -> Tally:
    """What is read is moved away at a change of files, and back again before the second try."""
    tally, count = Tally(), len(setting.changes)
    for _ in range(times or count):
        with copied(setting) as folder:
            target = folder / setting.stage.source
            fault = Fault("vanish", draw.randint(1, count), target=str(target))
            hit = run(setting.stage.words, folder, fault)
            gone = target.with_name(f"{target.name}.gone")
            if gone.exists():
                # What the command wrote meanwhile into a folder of that name stays beside it.
                shutil.copytree(target, gone, dirs_exist_ok=True) if target.is_dir() else None
                shutil.rmtree(target, ignore_errors=True)
                gone.rename(target)
            tally.judge(setting, folder, hit, True, f"source gone at change {fault.at}")
    return tally


def source_changes(setting: Setting, times: int, draw: random.Random) -> Tally:
    """A file of what is read gets another content of the same size at a change of files, and its own again.

    Of data sets and imported tables: stores and audits are told by their hashes (`flipped`).
    """
    tally, count = Tally(), len(setting.changes)
    for _ in range(times or count) if setting.name in ("align", "import") else ():
        with copied(setting) as folder:
            fault = Fault("change", draw.randint(1, count), target=str(folder / setting.stage.source))
            hit = run(setting.stage.words, folder, fault)
            is_noticed = hit.code == 2 or result(setting.stage, folder) == setting.wanted
            if (
                hit.code == 0 and not is_noticed and clear(hit)
            ):  # finished with the other content: its fingerprint says so
                out = folder / ("store" if setting.name == "align" else "models/theirs")
                shutil.rmtree(out)
                hit = Ended(2, "error: its fingerprint is another", hit.changes, hit.seconds)
            put_back(setting, folder)
            tally.judge(setting, folder, hit, True, f"source changed at change {fault.at}")
    return tally


def input_cut(setting: Setting, times: int, draw: random.Random) -> Tally:
    """A file of what is read is cut in half where it lies, at a change of files, and is whole before the second try."""
    return _input_harmed(setting, times, draw, "cut")


def input_overwritten(setting: Setting, times: int, draw: random.Random) -> Tally:
    """A file of what is read is written over where it lies, with other bytes at its end, and is mended as above."""
    return _input_harmed(setting, times, draw, "change")


def _input_harmed(setting: Setting, times: int, draw: random.Random, kind: str) -> Tally:
    tally, count = Tally(), len(setting.changes)
    files = [file for place in READ.get(setting.name, ()) for file in sorted((setting.before / place).glob("*.*"))]
    files = [file.relative_to(setting.before) for file in files if file.suffix != ".md" and file.is_file()]
    for n in range(times or count) if files else ():
        with copied(setting) as folder:
            target = folder / (files[n % len(files)] if times == 0 else draw.choice(files))
            fault = Fault(kind, draw.randint(1, count), target=str(target))
            hit = run(setting.stage.words, folder, fault)
            shutil.copy2(setting.before / target.relative_to(folder), target)
            if hit.code == 2 and str(target.name) not in hit.output:
                tally.unclear += 1
                tally.said.append(f"{setting.name}, {kind} {target.name}: names another file: {hit.last[:300]}")
            tally.judge(setting, folder, hit, True, f"{kind} {target.name} at change {fault.at}")
    return tally


#: Folders of stores, models and audits that a command reads.
READ = {
    "train": ("store",),
    "audit": ("store", "models/m"),
    "check": ("store", "models/m", "models/m/audits/a"),
    "report": ("models/m", "models/m/audits/a"),
}


def put_back(setting: Setting, folder: Path) -> None:
    """The source as it was."""
    source = setting.before / setting.stage.source
    if source.is_dir():
        shutil.copytree(source, folder / setting.stage.source, dirs_exist_ok=True)
    else:
        shutil.copy2(source, folder / setting.stage.source)


def two_at_once(setting: Setting, times: int, draw: random.Random) -> Tally:
    """The same command twice at once."""
    tally = Tally()
    for _ in range(times or 4):
        with copied(setting) as folder:
            pair = [Running(setting.stage.words, folder) for _ in range(2)]
            first, second = (running.end() for running in pair)
            hit = second if clear(first) else first
            what = f"two at once, exits {first.code} and {second.code}"
            if first.code and second.code:
                tally.lost, hit = tally.lost + 1, first
                tally.said.append(f"{setting.name}, {what}: {first.last}; {second.last}")
            tally.judge(setting, folder, Ended(2 if hit.code else 0, hit.output, (), 0), True, what)
    return tally


def may_mount() -> bool:
    """Whether this process may mount, in a namespace of its own."""
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


@contextlib.contextmanager
def disk(size: int) -> Iterator[Path]:
    """A disk of so many bytes, in memory. Seen by others only until the block ends."""
    place = tempfile.mkdtemp(prefix="faults-disk-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], check=True)
    try:
        yield Path(place)
    finally:
        subprocess.run(["umount", "-l", place], check=True)
        Path(place).rmdir()


def remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def used(folder: Path) -> int:
    """Bytes of a folder in whole pages, as a disk in memory counts them, and of its places."""
    files = list(folder.rglob("*"))
    return sum(-(-file.stat().st_size // 4096) * 4096 for file in files if file.is_file()) + 4096 * len(files)


def disk_full(setting: Setting, times: int, draw: random.Random) -> Tally:
    """The disk is full from some byte on, and has room again before the second try."""
    tally, start = Tally(), used(setting.before)
    for _ in range(times or len(setting.changes)) if may_mount() else ():
        with disk(ENOUGH) as place:
            shutil.copytree(setting.before, place, dirs_exist_ok=True)
            room = int(draw.uniform(0, 1.2) ** 2 * setting_bytes(setting))
            remount(place, f"size={start + room + 65536}")
            hit = run(setting.stage.words, place)
            remount(place, f"size={ENOUGH}")
            tally.judge(setting, place, hit, True, f"disk full after {room:,} bytes")
    return tally


def setting_bytes(setting: Setting) -> int:
    """Bytes that an undisturbed run adds, about."""
    return max(sum(len(content) for content in setting.wanted if isinstance(content, bytes)), 20_000)


def read_only(setting: Setting, times: int, draw: random.Random) -> Tally:
    """The folder may not be written, and may before the second try."""
    tally = Tally()
    for _ in range(times or 1) if may_mount() else ():
        with disk(ENOUGH) as place:
            shutil.copytree(setting.before, place, dirs_exist_ok=True)
            remount(place, "ro")
            hit = run(setting.stage.words, place)
            remount(place, "rw")
            tally.judge(setting, place, hit, True, "read-only folder")
    return tally


KINDS: dict[str, tuple[str, Callable[[Setting, int, random.Random], Tally]]] = {
    "kill": ("`kill -9` before a change of files", kill_at_operations),
    "moment": ("`kill -9` at a random moment", kill_at_moments),
    "term": ("SIGTERM at a change of files (train: of its checkpoint)", terminated),
    "full": ("disk full at a random byte", disk_full),
    "readonly": ("read-only folder", read_only),
    "vanish": ("what is read vanishes half-way", source_vanishes),
    "change": ("what is read changes half-way", source_changes),
    "cut": ("a file that is read is cut short half-way", input_cut),
    "over": ("a file that is read is written over half-way", input_overwritten),
    "clock": ("clock going backwards", clock_turned_back),
    "two": ("the same command twice at once", two_at_once),
}
