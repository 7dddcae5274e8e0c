"""What an audit is of where that is not gender, and what of its data it leaves out, in words."""

from __future__ import annotations

import shlex

from core.audit.manifest import AuditManifest
from core.task import Task


def target_flag(task: Task) -> str:
    """What a command that trains on this task says of it: « --target glasses», nothing of gender."""
    return "" if task.is_gender else f" --target {shlex.quote(task.attribute)}"


def task_words(manifest: AuditManifest) -> str | None:
    """«Classified is glasses: «no glasses» or «glasses»; 12 faces without that label are left out.» None of gender."""
    task = manifest.task
    if task.is_gender:
        return None
    text = f"Classified is {task.name}: {task.said(task.negative)} or {task.said(task.positive)}"
    if lost := manifest.no_class:
        text += f"; {lost:,} face{'s' if lost > 1 else ''} without that label {'are' if lost > 1 else 'is'} left out"
    return text + "."


def unused_predictions(manifest: AuditManifest) -> str | None:
    """How many of the imported predictions are of no face of the data set; None where all are of one."""
    count = manifest.predictions_unused
    return (
        f"{count:,} of the predictions {'is' if count == 1 else 'are'} of no face of this data set" if count else None
    )
