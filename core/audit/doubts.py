"""What makes an audit doubtful."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.audit.notes import Note, NoteCode
from core.classifiers.imported.outputs import classes_doubt
from core.task import task_of

#: An untrained or wrongly fed network calls nearly every face the same.
ONE_CLASS = 0.98
#: Of fewer faces a network's own scores could be as few by chance.
FEWEST = 20


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
    if mere_decisions(labels):
        notes.append(Note(code=NoteCode.EQUAL_CERTAINTY))
    return tuple(notes)


def mere_decisions(faces: pd.DataFrame) -> bool:
    """Whether the scores of an audit's faces say no more than which class: one certainty for each, and none between.

    So it is of a table of labels, and of one that gives each class a score of its own. Nothing can then be ranked or
    calibrated, and no error be told as a confident one.
    """
    if len(faces) < FEWEST:
        return False
    # Of very many faces the first tell at once where there is more than one certainty.
    return _one_each(faces[:1000]) and (len(faces) <= 1000 or _one_each(faces))


def _one_each(faces: pd.DataFrame) -> bool:
    """Whether there is one certainty at most of each class."""
    logits = [name for name in faces.columns if name.startswith("logit_")]
    if p := [name for name in faces.columns if name.startswith("p_")]:
        certain = faces[p[0]].to_numpy(dtype=np.float64) - 0.5
    elif len(logits) == 2:
        certain = faces[logits[0]].to_numpy(dtype=np.float64) - faces[logits[1]].to_numpy(dtype=np.float64)
    else:
        return False
    certain = np.round(certain, 6)
    return all(len(np.unique(part)) <= 1 for part in (certain[certain > 0], certain[certain < 0]))
