"""Progress of long work: what a step reports, the bars that show it, and the file that tells it to others."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from core.errors import LookwhereError
from core.files import write_json
from core.json_record import JsonRecord
from core.ranks import Ranks

#: The environment variable that names the file, where somebody wants to be told.
VARIABLE = "LOOKWHERE_PROGRESS"
#: Seconds from one writing of the file to the next, and between lines of a bar in a log.
EVERY = 1.0
LOGGED_EVERY = 15.0


@dataclass(frozen=True, kw_only=True)
class StageProgress(JsonRecord):
    """How far a stage of the work is: `done` of `total`, as told at `updated` (Unix seconds).

    `left` are the seconds until its end at the present speed, None before that is known.
    """

    stage: str
    done: int
    total: int
    left: float | None
    updated: float


def read_progress(file: Path) -> StageProgress | None:
    """What was last told; None where nothing was, or the file is damaged: it will be written again."""
    try:
        return StageProgress.from_json(file)
    except LookwhereError:
        return None


class ProgressFile:
    """Tells how far the work is where `$LOOKWHERE_PROGRESS` names a file; else does nothing."""

    def __init__(self) -> None:
        name = os.environ.get(VARIABLE)
        self.file = Path(name) if name else None
        self.told = float("-inf")

    def tell(self, stage: str, done: int, total: int, left: float | None) -> None:
        """At most once a second, and at a stage's beginning and end."""
        now = time.monotonic()
        if self.file is None or (now - self.told < EVERY and 0 < done < total):
            return
        self.told = now
        progress = StageProgress(stage=stage, done=done, total=total, left=left, updated=time.time())
        with contextlib.suppress(OSError):  # the work matters more than word of it
            write_json(self.file, progress.to_json())


class ProgressBars:
    """`progress` for core's functions: one tqdm bar a stage, with ETA, told to the progress file too.

    Of several processes the first alone tells of its part.
    """

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.file = ProgressFile()
        self.ranks = Ranks.here()

    def __call__(self, stage: str, total: int) -> Callable[..., object]:
        self.close()
        if not self.ranks.first:
            return lambda *_: None
        if self.file.file is None:
            self.bar = tqdm(total=total, desc=stage, unit="face", mininterval=0.5, dynamic_ncols=True)
            return self.bar.update
        self.bar = tqdm(total=total, desc=stage, unit="face", mininterval=LOGGED_EVERY, ncols=100)
        self._tell(stage)
        return partial(self._update, stage)

    def _update(self, stage: str, count: int = 1) -> None:
        self.bar.update(count)
        self._tell(stage)

    def _tell(self, stage: str) -> None:
        state = self.bar.format_dict
        speed = state["rate"] or (state["n"] / state["elapsed"] if state["elapsed"] else 0)
        left = (state["total"] - state["n"]) / speed if speed else None
        self.file.tell(stage, int(state["n"]), int(state["total"]), left)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


#: `progress(stage, total)` returns a function to call as the work goes on.
Progress = Callable[[str, int], Callable[..., object]]
