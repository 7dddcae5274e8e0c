"""What a training is told besides its settings: the data, the name, how far. A command line and a page ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.places import MODELS


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What to train on, and under which name."""

    name: str
    """The model's name: its folder under models/."""
    data: Path | None = None
    """An aligned store, made by `python -m core align`, whose train and val splits are used; or the data set itself,
    aligned first."""
    train: tuple[Path, ...] = ()
    """Instead of --data: what to train on, a store or a data set, or several of them."""
    val: Path | None = None
    """With --train: what to validate on, another store or data set."""
    all_of_val: bool = False
    """Validate on every face of --val, also where it names a val split of its own."""
    dataset: str | None = None
    """The reader of --data or --train; by default recognised."""
    val_dataset: str | None = None
    """The reader of --val; by default recognised."""
    labels: Path | None = None
    """CSV of identity,gender[,ethnicity] for a --data or --train that names no genders."""
    config: Path | None = None
    """YAML file with settings, or the name of one that ships with Lookwhere (utkface); flags win over it."""
    resume: bool = False
    """Go on from the last checkpoint, exactly."""
    stop_after: int | None = None
    """End after this many epochs in all; --resume goes on."""
    models: Path = MODELS
    """Where model folders lie."""
    devices: int = 1
    """Processes or GPUs, for Lightning Fabric."""
    precision: Literal["auto", "bf16-mixed", "32-true"] = "auto"
    """auto takes bf16 where the CPU or GPU computes in it."""
