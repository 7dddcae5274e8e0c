"""Reviewed labels in words."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.audit.folder import Audit
from core.audit.manifest import AuditManifest
from core.wording import percent


def review_words(manifest: AuditManifest) -> str | None:
    """That labels were reviewed, and how many were changed, as a sentence; None where none were."""
    if (review := manifest.review) is None:
        return None
    flipped, left_out = (f"{n:,} {'was' if n == 1 else 'were'}" for n in (review.flipped, review.left_out))
    return (
        f"Labels were reviewed: of {review.listed:,} listed in {review.file}, {flipped} given the other class and "
        f"{left_out} left out; the audit with the data set's labels is {review.of}."
    )


def review_report(before: Audit, after: Audit) -> str:
    """What an audit says before and after its labels were reviewed, as plain text."""
    lines = [
        str(review_words(after.manifest)),
        f"accuracy {percent(before.faces['correct'].mean())} of {len(before.faces):,} faces before, "
        f"{percent(after.faces['correct'].mean())} of {len(after.faces):,} after",
        f"{after.path}: finished; open it as any other audit. A review of the model's errors alone can only raise its "
        "accuracy: look as closely at labels that the model agrees with.",
    ]
    return "\n".join(lines)


def suspects_report(audit: Audit, suspects: pd.DataFrame, out: Path) -> str:
    """How many labels are listed, and what to do with the list."""
    errors = int((~audit.faces["correct"].astype(bool)).sum())
    return (
        f"{out}: {len(suspects):,} of the {errors:,} incorrect predictions of {audit.path.name}, those whose "
        "labels the model's own confidence doubts, surest first\n"
        "Look at each image, write keep, flip or leave out in the column decision, and give the file to --reviewed."
    )
