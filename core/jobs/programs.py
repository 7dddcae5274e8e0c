"""The commands that a job can be, by name; nothing else is ever run."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import core
from core.progress import VARIABLE

#: The folder in which our packages lie: a job finds them there, wherever it is run.
HOUSE = Path(core.__file__).parent.parent
#: What a job has no need to know.
SECRET = ("LOOKWHERE_PASSWORD_HASH", "LOOKWHERE_ALLOW_JOBS")


@dataclass(frozen=True)
class Program:
    """A command: the words after the interpreter's, and whether it is quick and so waits for no other job.

    `resume` is the flag with which an earlier start goes on; commands without one go on by themselves.
    """

    words: tuple[str, ...]
    quick: bool = False
    resume: str = ""


PROGRAMS: dict[str, Program] = {
    "datasets": Program(("-m", "core", "datasets"), quick=True),
    "align": Program(("-m", "core", "align")),
    "audit": Program(("-m", "core", "audit")),
    "check": Program(("-m", "core", "check")),
    "train": Program(("-m", "train"), resume="--resume"),
    "import": Program(("-m", "core", "import"), quick=True),
    "portraits": Program(("-m", "core", "portraits"), quick=True),
}


def command_line(program: str, arguments: Sequence[str]) -> list[str]:
    """What is run. `-P` keeps the folder it is run in off the import path, where a `core/` of others may be."""
    return [sys.executable, "-P", *PROGRAMS[program].words, *arguments]


def environment(progress: Path) -> dict[str, str]:
    """The environment of a job: ours, with the file its progress goes to and without what it need not know."""
    paths = [str(HOUSE), *filter(None, [os.environ.get("PYTHONPATH")])]
    inherited = {name: value for name, value in os.environ.items() if name not in SECRET}
    return inherited | {VARIABLE: str(progress), "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def resumed(program: str, arguments: Sequence[str], directory: Path) -> tuple[str, ...]:
    """The arguments with which the command goes on where it was.

    A training that was ended before it wrote anything has nothing to resume, and is begun.
    """
    flag, words = PROGRAMS[program].resume, tuple(arguments)
    if not flag or flag in words:
        return words
    values = flag_values(words)
    training = directory / values.get("--models", "models") / values.get("--name", "") / "training"
    begun = any((training / file).exists() for file in ("status.json", "metrics.csv", "checkpoint.safetensors"))
    return (*words, flag) if begun else words


def flag_values(words: Sequence[str]) -> Mapping[str, str]:
    """The word after each flag."""
    return {flag: value for flag, value in itertools.pairwise(words) if flag.startswith("--")}
