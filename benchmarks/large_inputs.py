"""Processor seconds and memory that archives of a million entries and tables of a million rows take, and what is said.

    python -m benchmarks.large_inputs
    python -m benchmarks.large_inputs --entries 20000 --inputs tar table

Each input is made in a temporary folder, and read in a process of its own as `datasets --check`, `import` and `table`
read it. Hostile ones are among them: entries that all have one name once it is written plainly, tables without end, and
links that lead to nothing in ever more ways.
"""

from __future__ import annotations

import contextlib
import csv
import io
import multiprocessing
import resource
import struct
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import tyro

HEAD = (
    "| input | entries | file | processor | memory over an idle process | what is said |\n|---|---:|---:|---:|---:|---|"
)
JPEG = b"\xff\xd8\xff\xe0"
#: What a line of the table has room for.
ROOM = 160
#: Folders of links, each to all of the next; the last leads to nothing.
DEEP, WIDE = 9, 10
#: What cells of a column of numbers hold where people have written them.
MIXED = (
    "34",
    "",
    "unknown",
    "3O",
    "2.5e1",
    "1990-01-02",
    "NaN",
    "–",
    "'41",
    "1,5",
    "TRUE",
    "=1+1",
    "\u200f29",
    "1e999",
)


def write_tar(path: Path, names: Iterable[str], data: bytes) -> None:
    """A tar of files that all hold the same few bytes; names of letters and digits, up to 99 long."""
    member = tarfile.TarInfo("")
    member.size = len(data)
    blank = bytearray(member.tobuf(tarfile.USTAR_FORMAT))
    blank[148:156] = b" " * 8
    body, rest = data.ljust(512, b"\0"), sum(blank)
    with path.open("wb") as file:
        for name in names:
            letters = name.encode("ascii")
            head = bytearray(blank)
            head[: len(letters)] = letters
            head[148:156] = b"%06o\0 " % (rest + sum(letters))
            file.write(head + body)
        file.write(bytes(10240))


def write_zip(path: Path, names: Iterable[str], data: bytes) -> None:
    """A ZIP of files that all hold the same few bytes, packed by nothing."""
    check, central, count = zipfile.crc32(data), io.BytesIO(), 0
    with path.open("wb") as file:
        for name in names:
            letters, at = name.encode(), file.tell()
            common = struct.pack("<HHHHHIIIHH", 45, 0x800, 0, 0, 33, check, len(data), len(data), len(letters), 0)
            file.write(b"PK\3\4" + common + letters + data)
            central.write(b"PK\1\2" + struct.pack("<H", 45) + common + struct.pack("<HHHII", 0, 0, 0, 0, at) + letters)
            count += 1
        start, size = file.tell(), central.tell()
        file.write(central.getvalue())
        file.write(b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, start))
        file.write(b"PK\6\7" + struct.pack("<IQI", 0, start + size, 1))
        file.write(b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


def one_plain_name(count: int) -> Iterable[str]:
    """Names that differ by which of their strokes are backslashes, and are one name once those are made alike."""
    digits = max(1, (count - 1).bit_length())
    for n in range(count):
        yield "".join("a\\" if n >> bit & 1 else "a/" for bit in range(digits)) + "x.jpg"


def tar_of_links(path: Path) -> None:
    """Links by the folder, each to the next folder, the last to nothing: `WIDE` to the power of `DEEP` ways."""
    with tarfile.open(path, "w") as archive:
        for depth in range(DEEP):
            for n in range(WIDE):
                link = tarfile.TarInfo(f"{depth}/{n}")
                link.type, link.linkname = tarfile.SYMTYPE, f"../{depth + 1}" if depth + 1 < DEEP else "nothing"
                archive.addfile(link)


def table_of(path: Path, rows: int, labels: bool) -> None:
    """Predictions, with labels and columns of mixed kinds where asked for."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "score"] + ["gender", "age", "camera"] * labels)
        for n in range(rows):
            more = [("female", "male")[n % 2], MIXED[n % len(MIXED)], MIXED[n * 7 % 13]]
            table.writerow([f"images/{n:07}.jpg", n % 997 / 1000] + more * labels)


def checked(path: Path) -> str:
    """What `datasets --check` says, its first line."""
    from core.__main__ import main

    return _said(lambda: main(["datasets", "--check", str(path)]))


def imported(path: Path) -> str:
    from core.__main__ import main

    words = ["--name", "theirs", "--score", "probability", "--of", "male", "--models", str(path.parent / "models")]
    return _said(lambda: main(["import", str(path), *words]))


def tabled(path: Path) -> str:
    from core.__main__ import main

    words = ["--name", "labelled", "--score", "probability", "--of", "male", "--models", str(path.parent / "models")]
    return _said(lambda: main(["table", str(path), *words]))


def _said(command: Callable[[], int]) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = command()
    lines = [line for line in output.getvalue().replace("\r", "\n").splitlines() if line.strip()]
    line = next((line for line in lines if line.startswith("error: ")), lines[0] if lines else "nothing")
    return f"exit {code}: {line}"


#: Each input: how it is made with so many entries, and how it is read.
INPUTS: dict[str, tuple[str, str, Callable[[Path, int], None], Callable[[Path], str]]] = {
    "tar": ("images in a tar", ".tar", lambda p, n: write_tar(p, (f"{k:07}.jpg" for k in range(n)), JPEG), checked),
    "zip": ("images in a ZIP", ".zip", lambda p, n: write_zip(p, (f"{k:07}.jpg" for k in range(n)), JPEG), checked),
    "one-name": ("a ZIP of names that are one", ".zip", lambda p, n: write_zip(p, one_plain_name(n), JPEG), checked),
    "tables": (
        "tables in a tar", ".tar",
        lambda p, n: write_tar(p, ("a.jpg", *(f"{k:07}.csv" for k in range(n))), b"path,gender\na.jpg,female\n"),
        checked,
    ),
    "links": ("links to nothing in a tar", ".tar", lambda p, n: tar_of_links(p), checked),
    "import": ("predictions in a CSV", ".csv", lambda p, n: table_of(p, n, False), imported),
    "table": ("predictions and labels in a CSV", ".csv", lambda p, n: table_of(p, n, True), tabled),
}  # fmt: skip


def _child(name: str, path: str, sent: multiprocessing.connection.Connection) -> None:
    """Read one input; send processor seconds, bytes over those before, and what was said."""
    import core.__main__  # noqa: F401

    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        sentence = INPUTS[name][3](Path(path))
    except Exception as error:
        sentence = f"Traceback: {type(error).__name__}: {error}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent.send((time.process_time() - began, (peak - before) * 1024, sentence))


def measured(name: str, entries: int, folder: Path) -> tuple[str, bool]:
    """A row of the table, and whether it ended with a line of its own."""
    words, suffix, make, _ = INPUTS[name]
    path = folder / f"{name}{suffix}"
    make(path, entries)
    size = path.stat().st_size
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(name, str(path), there))
    process.start()
    there.close()
    try:
        seconds, memory, sentence = here.recv()
    except EOFError:
        seconds, memory, sentence = float("nan"), float("nan"), "Traceback: the process died"
    process.join()
    path.unlink()
    short = sentence.replace(str(folder), "…").replace("|", "\\|")[:ROOM]
    count = DEEP * WIDE if name == "links" else entries
    row = f"| {words} | {count:,} | {size / 1e6:,.0f} MB | {seconds:.1f} s | {memory / 1e6:,.0f} MB | {short} |"
    return row, "Traceback" not in sentence


def main(entries: int = 1_000_000, inputs: tuple[str, ...] = tuple(INPUTS)) -> int:
    """Print a row an input; exit code 1 where one ended with a traceback or killed the process.

    Args:
        entries: Of each archive, and rows of each table.
        inputs: Which of tar, zip, one-name, tables, links, import, table.
    """
    if strange := {*inputs} - {*INPUTS}:
        print(f"error: {', '.join(sorted(strange))}: no such input", file=sys.stderr)
        return 2
    print(HEAD, flush=True)
    good = True
    with tempfile.TemporaryDirectory(prefix="large-") as folder:
        for name in inputs:
            row, right = measured(name, entries, Path(folder))
            good &= right
            print(row, flush=True)
    return int(not good)


if __name__ == "__main__":
    sys.exit(tyro.cli(main, description=__doc__))
