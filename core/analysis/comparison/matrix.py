"""Several models on several audits, a row each: how often right, for whom least often, and how far apart the groups."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.simultaneous import largest_gap
from core.audit.folder import Audit, list_audits
from core.classifiers.info import list_models
from core.data.filters import Filter

COLUMNS = (
    "model", "audit", "dataset", "task", "faces", "accuracy", "low", "high", "worst", "worst_accuracy", "best", "gap",
    "gap_low", "gap_high",
)  # fmt: skip


def audit_places(models: Path) -> list[Path]:
    """The folders of all audits of the models under `models`, by model and name; those of experiments are left out."""
    return [models / model / "audits" / name for model in list_models(models) for name in list_audits(models / model)]


def audits_table(audits: Iterable[Audit], ages: str = "adults") -> pd.DataFrame:
    """A row an audit: `COLUMNS`, of adults where ages are known unless `ages` is «all».

    `task` is what is classified. `accuracy` with Wilson's `low` and `high`; `worst` and `best` are the surely worst and
    best groups of gender × ethnicity in words, `gap` what lies between them, for all pairs at once. Empty words and NaN
    where there are no two groups, and where no face passes.
    """
    return pd.DataFrame([_row(audit, ages) for audit in audits], columns=list(COLUMNS))


def _row(audit: Audit, ages: str) -> dict:
    faces = audit.passing(Filter.of_ages(audit.faces, ages))
    row = dict.fromkeys(COLUMNS, np.nan) | {"worst": "", "best": ""}
    row |= {"model": audit.manifest.model, "audit": audit.name, "dataset": audit.manifest.dataset}
    row |= {"task": audit.task.name, "faces": len(faces)}
    if not len(faces):
        return row
    row |= accuracy_by(faces, []).iloc[0][["accuracy", "low", "high"]].to_dict()
    gap = largest_gap(faces, ["gender", "ethnicity"])
    if gap is not None:
        row |= {"worst": gap.worst["group"], "worst_accuracy": gap.worst["accuracy"], "best": gap.best["group"]}
        row |= {"gap": gap.difference.value, "gap_low": gap.difference.low, "gap_high": gap.difference.high}
    return row
