"""`kill -9` in the middle of commands, and what the same command makes of what is left.

    python -m benchmarks.faults --times 10
    python -m benchmarks.faults --commands import report --times 20

Each command runs on two dozen made pictures, first undisturbed; then again in a new folder, and is killed before one of
its changes of files, drawn at random, every second time a moment of up to 0.3 s later. The same command then goes on
(`train` with --resume where it says so). Lost: it cannot. Wrong: its result is not that of the undisturbed run, bit for
bit. Unclear: it ends with a traceback. Left behind: files that the undisturbed run has not.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tyro
from PIL import Image, ImageEnhance

#: What makes or changes files, as Python's audit events name it.
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
#: Columns of `metrics.csv` that tell of time.
CLOCK = ("seconds", "images_per_second")


@dataclass(frozen=True)
class Case:
    """A command: what it is called with in a folder, what must be there before, and the files that are its result."""

    words: tuple[str, ...]
    result: tuple[str, ...]
    needs: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()


#: The cheapest of the checks.
FEW = ("--sample", "24", "--parts", "region_occlusion")
CASES = {
    "align": Case(
        ("align", "--data", "pics", "--out", "store"),
        ("store/faces.npy", "store/landmarks.npy", "store/faces.parquet", "store/rejects.parquet"),
    ),
    "train": Case(
        ("train", "--data", "store", "--models", "models", "--name", "m", "--config", "c.yaml"),
        ("models/m/model.safetensors", "models/m/training/metrics.csv"),
        ("align",),
        ("--resume",),
    ),
    "audit": Case(
        ("audit", "--model", "m", "--models", "models", "--data", "store", "--split", "all", "--name", "a"),
        ("models/m/audits/a/faces.parquet", "models/m/audits/a/averages.npz"),
        ("align", "train"),
    ),
    "check": Case(
        ("check", "--model", "m", "--models", "models", "--audit", "a", "--data", "store", *FEW),
        ("models/m/audits/a/checks.npz",),
        ("align", "train", "audit"),
    ),
    "report": Case(
        ("report", "--model", "m", "--models", "models", "--audit", "a", "--out", "r.html"),
        ("r.html",),
        ("align", "train", "audit"),
    ),
    "import": Case(
        ("import", "s.csv", "--name", "theirs", "--score", "probability", "--of", "male", "--models", "models"),
        ("models/theirs/model.json", "models/theirs/CARD.md"),
    ),
}


@dataclass
class Tally:
    """A row of the table."""

    times: int = 0
    lost: int = 0
    wrong: int = 0
    unclear: int = 0
    left: int = 0
    said: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, negative for a signal, and what it printed."""

    code: int
    output: str


#: What a child process is: the hook of `watch`, then the command.
CHILD = """
import sys
from benchmarks.faults import watch
under, at, delay, log, *words = sys.argv[1:]
watch(under, int(at), float(delay), log)
if words[0] == "train":
    from train.__main__ import main
    sys.exit(main(words[1:]))
from core.__main__ import main
sys.exit(main(words))
"""


def run(words: tuple[str, ...], folder: Path, at: int = 0, delay: float = 0.0, log: str = "") -> Ended:
    """A command in a folder, in a process of its own with the hook of `watch`."""
    arguments = [sys.executable, "-c", CHILD, str(folder), str(at), str(delay), log, *words]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return Ended(done.returncode, done.stdout + done.stderr)


def changes(event: str, arguments: tuple, under: str) -> bool:
    """Whether an audit event is a change of a file under a folder."""
    if event == "open":
        path, mode, flags = arguments
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        if not (isinstance(mode, str) and set(mode) & set("wax+")) and not (isinstance(flags, int) and flags & writes):
            return False
    elif event in CHANGES:
        path = arguments[0]
    else:
        return False
    return isinstance(path, (str, bytes, os.PathLike)) and str(Path(os.fsdecode(path)).absolute()).startswith(under)


def watch(under: str, at: int, delay: float, log: str) -> None:
    """Kill this process before its change number `at` under a folder, or `delay` seconds later; 0 is never.

    With `log` each change is a byte in that file.
    """
    seen = [0]
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if log else None

    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple) -> None:
        if changes(event, arguments, under):
            seen[0] += 1
            if descriptor is not None:
                os.write(descriptor, b".")
            if seen[0] == at:
                threading.Timer(delay, kill).start() if delay else kill()

    sys.addaudithook(hook)


def counted(words: tuple[str, ...], folder: Path) -> tuple[Ended, int]:
    """An undisturbed run, and how many changes of files it made."""
    with tempfile.NamedTemporaryFile() as log:
        ended = run(words, folder, log=log.name)
        return ended, Path(log.name).stat().st_size


def content(file: Path) -> object:
    """What a file of a result says, without what tells of time."""
    if not file.is_file():
        return None
    if file.suffix == ".npz":
        with np.load(file) as arrays:
            return {name: (arrays[name].dtype.str, arrays[name].tobytes()) for name in sorted(arrays.files)}
    if file.name == "metrics.csv":
        rows = csv.DictReader(file.read_text().splitlines())
        return [{key: value for key, value in row.items() if key not in CLOCK} for row in rows]
    return file.read_bytes()


def result(case: Case, folder: Path) -> list[object]:
    """The result of a command in its folder."""
    return [content(folder / name) for name in case.result]


def names(folder: Path) -> set[str]:
    """All files under a folder."""
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def make_inputs(folder: Path) -> None:
    """Two dozen pictures of one portrait, a training config, and a table of predictions."""
    import matplotlib as mpl

    portrait = Image.open(Path(mpl.get_data_path()) / "sample_data/grace_hopper.jpg").convert("RGB").resize((256, 300))
    draw = random.Random(1)
    (folder / "pics").mkdir()
    for n in range(24):
        picture = portrait.rotate(draw.uniform(-20, 20), Image.Resampling.BICUBIC, fillcolor=(90, 90, 90))
        picture = ImageEnhance.Brightness(picture).enhance(draw.uniform(0.6, 1.4))
        picture.crop((draw.randrange(40), draw.randrange(40), 256, 300)).save(
            folder / "pics" / f"{30 + n}_{n % 2}_{n % 3}_20170101000000{n:03}.png"
        )
    (folder / "c.yaml").write_text("stages:\n  - {size: 32, epochs: 2}\nbatch: 4\nnorm_batches: 1\nchoose: overall\n")
    (folder / "s.csv").write_text("file,score\na.jpg,0.2\nb.jpg,0.8\n")


def injected(case: Case, before: Path, whole: Path, count: int, times: int, draw: random.Random) -> Tally:
    """Kill a command `times` times, each in a copy of the folder `before`; `whole` is where it ran undisturbed."""
    tally, wanted = Tally(), result(case, whole)
    for n in range(3 * times):
        if tally.times == times:
            break
        folder = Path(tempfile.mkdtemp(prefix="faults-"))
        try:
            shutil.copytree(before, folder, dirs_exist_ok=True)
            at, delay = draw.randint(1, count), (0.0, draw.uniform(0, 0.3))[n % 2]
            if run(case.words, folder, at, delay).code != -signal.SIGKILL:
                continue  # it had ended by then
            tally.times += 1
            again = run(case.words, folder)
            if again.code == 2 and case.resume:
                again = run(case.words + case.resume, folder)
            if "Traceback" in again.output:
                tally.unclear += 1
            if result(case, folder) != wanted:  # a command killed at its very end may say that all is there
                tally.lost, tally.wrong = tally.lost + bool(again.code), tally.wrong + (not again.code)
                tally.said.append(f"change {at}: {(again.output.strip().splitlines() or ['nothing said'])[-1]}")
            tally.left += bool(names(folder) - names(whole))
        finally:
            shutil.rmtree(folder)
    return tally


def main(commands: tuple[str, ...] = tuple(CASES), times: int = 10, seed: int = 0) -> int:
    """Print a row a command; exit code 1 where anything was lost, wrong or unclear.

    Args:
        commands: Which of align, train, audit, check, report, import.
        times: How often each is killed.
        seed: Of the moments.
    """
    draw, bad = random.Random(seed), 0
    root = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        made: dict[tuple[str, ...], Path] = {}
        print("| command | changes of files | killed | lost | wrong | unclear | left files behind |", flush=True)
        print("|---|---|---|---|---|---|---|")
        for name in commands:
            case, before = CASES[name], root / "inputs"
            if not before.exists():
                before.mkdir()
                make_inputs(before)
            for k in range(len(case.needs)):
                place = root / "-".join(case.needs[: k + 1])
                if case.needs[: k + 1] not in made:
                    made[case.needs[: k + 1]] = Path(shutil.copytree(before, place))
                    if (ended := run(CASES[case.needs[k]].words, place)).code:
                        raise RuntimeError(f"{case.needs[k]} fails undisturbed: {ended.output[-2000:]}")
                before = place
            whole = Path(shutil.copytree(before, root / f"whole-{name}"))
            ended, count = counted(case.words, whole)
            if ended.code:
                raise RuntimeError(f"{name} fails undisturbed: {ended.output[-2000:]}")
            began = time.perf_counter()
            t = injected(case, before, whole, count, times, draw)
            bad += t.lost + t.wrong + t.unclear
            print(f"| `{name}` | {count} | {t.times} | {t.lost} | {t.wrong} | {t.unclear} | {t.left} |", flush=True)
            print(f"{name}: {time.perf_counter() - began:.0f} s", *t.said, sep="\n  ", file=sys.stderr)
    finally:
        shutil.rmtree(root)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(tyro.cli(main, description=__doc__))
