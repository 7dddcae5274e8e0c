"""What makes an audit doubtful."""

from __future__ import annotations

import pandas as pd

from core.audit.notes import Note, NoteCode
from core.classifiers.imported.outputs import classes_doubt
from core.task import task_of

#: An untrained or wrongly fed network calls nearly every face the same.
ONE_CLASS = 0.98


def doubts(labels: pd.DataFrame, accuracy: float) -> tuple[Note, ...]:
    """What makes an audit doubtful: swapped classes, one class for nearly all, scores that are mere decisions."""
    n, notes = len(labels), []
    if classes_doubt(accuracy, n):
        notes.append(Note(code=NoteCode.CLASSES_SWAPPED, accuracy=round(accuracy, 6), n=n))
    called = labels["predicted"].value_counts(normalize=True)
    task = task_of(labels)
    labelled = pd.Series(task.truth(labels)).value_counts(normalize=True)
    if n >= 50 and called.max() >= ONE_CLASS and len(labelled) > 1 and labelled.min() >= 0.05:
        share, predicted = round(float(called.max()), 6), str(called.idxmax())
        notes.append(Note(code=NoteCode.ONE_CLASS, share=share, predicted=predicted))
    certainty = (labels[task.logits[0]] - labels[task.logits[1]]).abs()
    if n >= 50 and certainty.max() - certainty.min() < 1e-4:
        notes.append(Note(code=NoteCode.EQUAL_CERTAINTY))
    return tuple(notes)
