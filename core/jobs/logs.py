"""What a job says: kept within bounds, and shown as a terminal would have left it."""

from __future__ import annotations

import re
from pathlib import Path

#: A log of more bytes is cut to its last ones.
LONGEST, KEPT = 4 * 2**20, 2**20
#: What is shown of it.
SHOWN = 40_000
CUT = "… what was said before is not kept\n"
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]")


def trim(file: Path) -> None:
    """Cut a log that has become too long to its end. Its process writes at the end, so it goes on behind that."""
    try:
        if file.stat().st_size <= LONGEST:
            return
        content = file.read_bytes()[-KEPT:]
        with file.open("r+b") as out:
            out.truncate(0)
            out.write(CUT.encode() + content.partition(b"\n")[2])
    except OSError:  # a disk without room is told by the job itself
        return


def tail(file: Path, longest: int = SHOWN) -> str:
    """The end of a log, at most so many bytes, empty where there is none; of a line drawn anew its last state."""
    try:
        with file.open("rb") as content:
            size = content.seek(0, 2)
            content.seek(max(0, size - longest))
            text = content.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    if size > longest:
        text = text.partition("\n")[2] or text
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in ESCAPES.sub("", text).split("\n"))
    return "\n".join(_plain(line) for line in lines).strip("\n")


def _plain(line: str) -> str:
    """Without what is not shown and could turn the text around."""
    return "".join(sign if sign.isprintable() or sign == "\t" else "�" for sign in line)
