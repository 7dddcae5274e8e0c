"""What a run writes for others to read: `metrics.csv`, a row an epoch, and `status.json`, its heartbeat."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd

from core.errors import LookwhereError
from core.files import write_json
from core.json_record import JsonRecord

#: A run whose heartbeat is older than this has died without a word.
STALE_SECONDS = 120


@dataclass(frozen=True)
class Status(JsonRecord):
    """A run's heartbeat. `updated` is in Unix seconds; `eta` in seconds, or None before it is known."""

    state: str
    epoch: int
    epochs: int
    step: int
    steps: int
    images_per_second: float
    eta: float | None
    loss: float | None
    updated: float
    message: str = ""

    MEND: ClassVar = "delete it"
    ALWAYS: ClassVar = ("message",)

    @property
    def alive(self) -> bool:
        """True while the run says it is running and has said so lately."""
        return self.state == "running" and time.time() - self.updated < STALE_SECONDS


def read_status(folder: Path) -> Status | None:
    """The heartbeat in a model's `training/`, or None where no run was. Raises `LookwhereError` on a broken file."""
    file = folder / "status.json"
    if not file.is_file():
        return None
    return Status.from_json(file)


def write_status(folder: Path, status: Status) -> None:
    """Replace the heartbeat."""
    write_json(folder / "status.json", status.to_json())


def read_metrics(folder: Path) -> pd.DataFrame:
    """`metrics.csv`, a row an epoch; empty where no epoch has ended. Raises `LookwhereError` on a broken file."""
    file = folder / "metrics.csv"
    if not file.is_file():
        return pd.DataFrame()
    try:
        return pd.read_csv(file)
    except (ValueError, pd.errors.ParserError) as error:
        raise LookwhereError(f"{file}: not a table of epochs ({error})") from error


def append_metrics(folder: Path, row: dict) -> None:
    """Add an epoch's row; an epoch run again (after a resume) replaces its row and all after it."""
    table = read_metrics(folder)
    if len(table):
        table = table[table["epoch"] < row["epoch"]]
    table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
    partial = folder / "metrics.csv.partial"
    table.to_csv(partial, index=False, float_format="%.6g")
    partial.replace(folder / "metrics.csv")
