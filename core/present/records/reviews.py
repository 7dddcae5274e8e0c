"""Reviewed labels as plain values."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.audit.folder import Audit

#: Keys of either record; what is not of a case is null in it.
KEYS = (
    "file", "suspected", "face_ids", "model", "audit", "path", "of", "listed", "flipped", "left_out", "faces",
    "accuracy_before", "accuracy",
)  # fmt: skip


def suspects_record(suspects: pd.DataFrame, out: Path) -> dict:
    """The list's file, and the faces in it."""
    return dict.fromkeys(KEYS) | {"file": out, "suspected": len(suspects), "face_ids": suspects["face_id"].tolist()}


def review_record(before: Audit, after: Audit) -> dict:
    """The new audit, what was changed, and the accuracy before and after."""
    review = after.manifest.review
    return dict.fromkeys(KEYS) | {
        "model": after.manifest.model,
        "audit": after.path.name,
        "path": after.path,
        "of": review.of if review else None,
        "listed": review.listed if review else 0,
        "flipped": review.flipped if review else 0,
        "left_out": review.left_out if review else 0,
        "faces": len(after.faces),
        "accuracy_before": float(before.faces["correct"].mean()),
        "accuracy": float(after.faces["correct"].mean()),
    }
