"""What a run writes for others to read: `metrics.csv`, `status.json`, and the full checkpoint for an exact resume."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.errors import LookwhereError
from core.store import write_json

#: A run whose heartbeat is older than this has died without a word.
STALE_SECONDS = 120


@dataclass(frozen=True)
class Status:
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

    @property
    def alive(self) -> bool:
        """True while the run says it is running and has said so lately."""
        return self.state == "running" and time.time() - self.updated < STALE_SECONDS


def read_status(folder: Path) -> Status | None:
    """The heartbeat in a model's `training/`, or None where no run was. Raises `LookwhereError` on a broken file."""
    file = folder / "status.json"
    if not file.is_file():
        return None
    try:
        return Status(**json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        raise LookwhereError(f"{file}: not a training status ({error}); delete it") from error


def write_status(folder: Path, status: Status) -> None:
    """Replace the heartbeat."""
    write_json(folder / "status.json", asdict(status))


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


def plain(content: dict) -> dict:
    """The content as JSON would give it back (tuples as lists)."""
    return json.loads(json.dumps(content))


def save_checkpoint(file: Path, tensors: dict[str, Tensor], meta: dict) -> None:
    """All of a run's tensors and its counters in one safetensors file, whole or not at all."""
    partial = file.with_name(file.name + ".partial")
    save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, partial, {"meta": json.dumps(meta)})
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(file)


def load_checkpoint(file: Path) -> tuple[dict[str, Tensor], dict]:
    """Raises `LookwhereError` where there is none, or it is damaged."""
    if not file.is_file():
        raise LookwhereError(f"{file}: nothing to resume; leave out --resume to start anew")
    try:
        with safe_open(file, framework="pt") as opened:
            return {key: opened.get_tensor(key) for key in opened.keys()}, json.loads(opened.metadata()["meta"])  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise LookwhereError(f"{file}: the checkpoint is damaged ({error}); start anew without --resume") from error


def pack_optimiser(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimiser's state as flat, named tensors."""
    state = optimiser.state_dict()["state"]
    return {
        f"optimiser.{n}.{key}": torch.as_tensor(value) for n, entry in state.items() for key, value in entry.items()
    }


def unpack_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what `pack_optimiser` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
