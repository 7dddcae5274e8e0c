"""What of ours is how fast against what, each row measured side by side in one run.

    python -m benchmarks
    python -m benchmarks --only gradcam folded-32 --seconds 10

A ratio above 1 says that ours is faster. Both sides have the same number of threads and flush denormal numbers, are
warmed up, and take turns; the ratio is the median of the rounds', with the least and the largest behind it. Rates are
by processor seconds of all threads, so that other work on the machine does not count; those of pages are by the wall.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
import tyro

from benchmarks.rows import ROWS, Bench, Row
from benchmarks.side_by_side import pinned
from core.devices import precision
from core.errors import LookwhereError

HEAD = ("row", "ours", "against", "ours is", "theirs is", "ratio", "from – to")
PACKAGES = ("torch", "grad-cam", "torchcam", "captum", "openvino", "facenet-pytorch", "pandas", "streamlit")


def chosen(only: tuple[str, ...]) -> list[Row]:
    """The rows of these names, all without any. Raises `LookwhereError` for a name that no row has."""
    unknown = sorted(set(only) - {row.name for row in ROWS})
    if unknown:
        raise LookwhereError(f"--only {' '.join(unknown)}: unknown; there are {', '.join(row.name for row in ROWS)}")
    return [row for row in ROWS if not only or row.name in only]


def cells(row: Row, bench: Bench) -> tuple[str, ...]:
    """What the table says of a row; «not installed» of a peer that is missing."""
    ours = row.ours + (" (wall)" if row.clock == "wall" else "")
    try:
        measurement = row.measure(bench)
    except ModuleNotFoundError as error:
        return row.name, ours, row.against, "", f"{(error.name or '').partition('.')[0]} not installed", "", ""
    low, high = measurement.spread
    return (
        row.name,
        ours,
        row.against,
        measurement.side(0),
        measurement.side(1),
        f"{measurement.ratio:.2f}",
        f"{low:.2f} – {high:.2f}",
    )


def machine(threads: int) -> str:
    """What was measured on, in a line."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    fast = str(precision("cpu")).removeprefix("torch.")
    return f"{model or platform.processor()}, {threads} thread{'s' if threads > 1 else ''}, {fast}"


def _lines(file: str) -> Iterator[str]:
    if Path(file).is_file():
        yield from Path(file).read_text().splitlines()


def versions() -> str:
    """Python's version and those of the packages that are measured."""
    lines = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} not installed")
    return ", ".join(lines)


def main(
    only: tuple[str, ...] = (),
    seconds: float = 5.0,
    threads: int = 1,
    model: Path = Path("models/resnet50-utkface"),
) -> None:
    """Print a table in Markdown, a row at a time.

    Args:
        only: Rows by name; by default all.
        seconds: How long the two sides of a row are measured, together.
        threads: Threads of both sides.
        model: A folder of a model that was trained here.
    """
    rows = chosen(only)
    print(f"{machine(threads)}\n{versions()}\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    bench = Bench(model, seconds)
    with pinned(threads), bench.stack:
        for row in rows:
            print(f"| {' | '.join(cells(row, bench))} |", flush=True)


if __name__ == "__main__":
    torch.set_num_interop_threads(1)
    try:
        tyro.cli(main, description=__doc__)
    except LookwhereError as error:
        raise SystemExit(f"error: {error}") from error
