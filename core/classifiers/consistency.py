"""What `model.json` says, held against itself: whoever changes it can make its digest anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.errors import LONGEST_NAME, LookwhereError

if TYPE_CHECKING:
    from core.classifiers.info import ModelInfo


def check_info(info: ModelInfo, origin: str, mend: str) -> None:
    """Raises `LookwhereError`, calling the file `origin`, for the first thing in it that cannot be."""
    for what in _contradictions(info):
        raise LookwhereError(f"{origin}: {what}; {mend}")


def _contradictions(info: ModelInfo) -> Iterator[str]:
    validation, data, training = info.validation, info.data, info.training
    for key, value in (validation.unknown_keys if validation else {}).items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not value >= 0 or (key != "val_loss" and value > 1):
            yield f"validation.{key[:LONGEST_NAME]} must be a share of 0 to 1"
    epochs = sum(stage.epochs or 0 for stage in training.stages) if training else 0
    if epochs and (info.epoch or 0) > epochs:
        yield f"epoch {info.epoch} of {epochs}"
    if data is not None:
        counted = sum(group.faces for group in data.train_groups)
        if "train" in data.faces and counted > data.faces["train"]:
            yield f"{counted:,} training faces by group, and {data.faces['train']:,} in all"
        names = [data.dataset, data.validation_dataset, *(part.dataset for part in data.parts)]
        names += [word for group in data.train_groups for word in (group.gender, group.ethnicity, group.group)]
        if any(
            name is not None and (len(name) > LONGEST_NAME or not (name.isprintable() or not name)) for name in names
        ):
            yield "data: a name that is none"
    if info.weights is not None and (not info.weights or "/" in info.weights or "\\" in info.weights):
        yield "weights must be the name of a file beside it"
    for name in ("mean", "std"):
        if len(getattr(info, name)) not in (0, 1, 3):
            yield f"{name} must be of 3 channels"
