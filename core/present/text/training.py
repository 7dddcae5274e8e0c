"""What a training balanced, watched and kept, in words."""

from __future__ import annotations

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
