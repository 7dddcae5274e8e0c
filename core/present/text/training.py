"""What a training balanced, watched and kept, in words."""

from __future__ import annotations

import pandas as pd

from core.classifiers.info import ModelInfo, TrainingInfo
from core.data.filters import group_name
from core.task import GENDERS
from core.training.groups import GROUPS, balance_words


def trained_group(key: str) -> str:
    """A group as metrics name it, as a person says it: «female Black» is «Black women», others say it themselves."""
    gender, _, ethnicity = key.partition(" ")
    return group_name(gender, ethnicity) if gender in GENDERS and ethnicity else key


def balanced_words(info: ModelInfo) -> str:
    """Which faces a training drew equally often."""
    training = info.training or TrainingInfo()
    balance = balance_words(training.balance or "none", info.task, training.groups or GROUPS)
    return f"Faces were drawn so that {balance} are equally frequent." if balance else "Faces were not rebalanced."


#: Columns of `metrics.csv` as a reader sees them; a group's are `trained_group` of its name.
EPOCH_HEADS = {
    "size": "image size, px",
    "learning_rate": "learning rate",
    "train_loss": "training loss",
    "train_accuracy": "training accuracy",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
    "worst_group": "worst group",
    "worst_group_accuracy": "worst group's accuracy",
    "images_per_second": "images a second",
}


def metrics_groups(metrics: pd.DataFrame) -> dict[str, str]:
    """The per-group validation columns of `metrics.csv`, each with its group's name."""
    columns = {}
    for column in metrics:
        rest = column.removeprefix("val_")
        if rest == column or rest in ("loss", "accuracy"):
            continue
        gender, _, ethnicity = rest.partition("_")
        columns[column] = trained_group(f"{gender} {ethnicity}" if gender in GENDERS else rest)
    return columns


def epoch_table(metrics: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows of `metrics.csv` with columns in words, and which of these are accuracies, shares of 0–1."""
    groups = metrics_groups(metrics)
    shares = [*(name for name in metrics if name.endswith("_accuracy")), *groups]
    heads = EPOCH_HEADS | groups
    table = metrics.assign(worst_group=[trained_group(str(name)) for name in metrics["worst_group"]])
    return table.rename(columns=heads), [heads[name] for name in shares]
