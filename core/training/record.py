"""What a run writes for others to read: `metrics.csv`, a row an epoch, and `status.json`, its heartbeat."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd

from core.errors import LookwhereError
from core.files import write_json, write_text
from core.json_record import DIGEST, JsonRecord, intact, read_object, sealed

#: A run whose heartbeat is older than this has died without a word.
STALE_SECONDS = 120
#: A time in Unix seconds that no heartbeat has, in the year 5138: later ones no calendar can tell.
LATEST = 1e11
#: The last column of a run's `metrics.csv` before its digests, of which so many hex digits are kept.
LAST, DIGITS = "seconds", 16
#: Columns of `metrics.csv` that are no numbers.
WORDS = ("dilated", "worst_group", DIGEST)
MEND = "restore it, or train again"


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
    status = Status.from_json(file)
    if not 0 <= status.updated < LATEST or (status.eta is not None and not 0 <= status.eta < LATEST):
        raise LookwhereError(f"{file}: updated and eta must be seconds of 0 to 100,000,000,000; {Status.MEND}")
    if status.unknown_keys and not intact(read_object(file)):
        raise LookwhereError(f"{file}: changed since it was written; {Status.MEND}")
    return dataclasses.replace(status, unknown_keys={}, key_order=())


def write_status(folder: Path, status: Status) -> None:
    """Replace the heartbeat."""
    write_json(folder / "status.json", sealed(status.to_json()))


def read_metrics(folder: Path, needed: Collection[str] = ()) -> pd.DataFrame:
    """`metrics.csv`, a row an epoch; empty where no epoch has ended.

    Raises `LookwhereError` on a broken file, and where a column that is `needed` is not there.
    """
    file = folder / "metrics.csv"
    if not file.is_file():
        return pd.DataFrame()
    try:
        table = pd.read_csv(file)
        columns = [str(column) for column in table.columns]
        if columns[0] != "epoch" or (LAST in columns and columns[-1] not in (LAST, DIGEST)):
            raise ValueError(f"its columns are {columns[0]} to {columns[-1]}")
        head = pd.read_csv(file, header=None, nrows=1, dtype=str).iloc[0]
        if head.duplicated().any():  # pandas gives the second another name
            raise ValueError(f"the column {head[head.duplicated()].iloc[0]} is there twice")
        if missing := [name for name in needed if name not in columns]:
            raise ValueError(f"no {', '.join(missing)}")
        _check_numbers(table)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise LookwhereError(f"{file}: not a table of epochs ({why}); {MEND}") from error
    if columns[-1] != DIGEST:  # of before rows had digests
        return table
    lines = file.read_text(encoding="utf-8").splitlines()
    if lines != _with_digests([line.rpartition(",")[0] for line in lines]):
        raise LookwhereError(f"{file}: changed since it was written; {MEND}")
    return table.drop(columns=DIGEST)


def _check_numbers(table: pd.DataFrame) -> None:
    """Raises `ValueError` naming the first column whose values no training writes. A loss may be NaN or infinite, as
    where a training went wrong."""
    for name in (str(column) for column in table.columns if column not in WORDS):
        values = table[name]
        if len(table) and (not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
            raise ValueError(f"{name} has values that are no numbers")
        share = name.endswith("_accuracy") or (name.startswith("val_") and name != "val_loss")
        if share and not values.dropna().between(0, 1).all():
            raise ValueError(f"{name} has shares that are not of 0 to 1")
    epochs = table["epoch"]
    if len(table) and not (pd.api.types.is_integer_dtype(epochs) and epochs.min() >= 0 and epochs.is_unique):
        raise ValueError("its epochs are not counted")


def metrics_are_sealed(folder: Path) -> bool:
    """Whether the rows of `metrics.csv` have digests."""
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        return file.readline().rstrip().endswith(f",{DIGEST}")


def seal_metrics(folder: Path) -> None:
    """Give the rows of a `metrics.csv` of before their digests, and change nothing else. Raises `LookwhereError`."""
    read_metrics(folder)
    if not metrics_are_sealed(folder):
        lines = _with_digests((folder / "metrics.csv").read_text(encoding="utf-8").splitlines())
        write_text(folder / "metrics.csv", "\n".join(lines) + "\n")


def _with_digests(lines: list[str]) -> list[str]:
    """Lines of a table, its head first, each with the digest of all up to it as a last column."""
    digest, result = hashlib.sha256(f"{lines[0]}\n".encode()), [f"{lines[0]},{DIGEST}"]
    for line in lines[1:]:
        digest.update(f"{line}\n".encode())
        result.append(f"{line},{digest.hexdigest()[:DIGITS]}")
    return result


def append_metrics(folder: Path, row: dict) -> None:
    """Add an epoch's row; an epoch run again (after a resume) replaces its row and all after it."""
    table = read_metrics(folder)
    if len(table):
        table = table[table["epoch"] < row["epoch"]]
    table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
    lines = table.to_csv(index=False, float_format="%.6g", lineterminator="\n").splitlines()
    write_text(folder / "metrics.csv", "\n".join(_with_digests(lines)) + "\n")
