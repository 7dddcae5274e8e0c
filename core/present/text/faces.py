"""Single faces in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.intervals import wilson
from core.analysis.single_faces import FaceRecord
from core.audit.doubts import mere_decisions
from core.audit.folder import Audit
from core.data.faces import AGE_BANDS, UNRECORDED, age_band
from core.data.filters import Filter
from core.task import GENDER, Task
from core.wording import capital, number, signed

#: A prediction of the other class from this probability on is called confident.
CONFIDENT = 0.9


def facts(record: FaceRecord, task: Task = GENDER) -> dict[str, str]:
    """A face's labels, prediction and whereabouts in words, by name."""
    face = record.face
    band = int(age_band(pd.Series([face["age"]]))[0])
    outcome = "correct" if face["correct"] else "incorrect"
    surer = "" if np.isnan(record.surer) else f", surer than {100 * record.surer:.0f} % of the {outcome} ones"
    renamed = ", ".join(f"{a} → {b}" for a, b in record.renamed.items())
    people = ", ".join(face[label] for label in ("gender", "ethnicity") if face[label] != UNRECORDED)
    classified = task.label(face[task.attribute])
    labelled = people if task.is_gender else "; ".join(filter(None, (classified, people)))
    return {
        "Labelled": labelled + (f" (this audit renames {renamed})" if renamed else ""),
        "Age": "not recorded" if band < 0 else f"{int(face['age'])} years, band {AGE_BANDS[band]}",
        "Predicted": f"{task.label(face['predicted'])} ({outcome}{surer})",
        task.p_words: number(face[task.probability], ".4f"),
        "Logits": ", ".join(
            f"{label} {signed(face[column], 3)}" for label, column in zip(task.labels, task.logits, strict=True)
        ),
        "Margin": f"{signed(record.margin, 3)} ({' less '.join(task.labels)})",
        "Identity": "not recorded" if pd.isna(face["identity"]) else str(face["identity"]),
        "Near-copies": f"cluster {face['cluster']}; others of it in this audit: {len(record.copies)}",
        "Split": str(face["split"]),
        "File": str(face["path"]),
        "Face id": str(face["face_id"]),
    }


def faces_sentence(audit: Audit, filter: Filter, kinds: str = "") -> str:
    """How many inside a filter are wrong, how many of them confidently, and `kinds` of wrong; any outcome."""
    filter = filter.narrowed(outcome="all")
    faces = audit.passing(filter)
    if faces.empty:
        return "No face passes this filter."
    wrong = faces[~faces["correct"].to_numpy(dtype=bool)]
    low, high = wilson(len(wrong), len(faces))
    who = filter.describe()
    text = (
        f"{capital(who)}: {len(wrong):,} of {len(faces):,} are predicted incorrectly, "
        f"{100 * len(wrong) / len(faces):.1f} % [{100 * low:.1f}–{100 * high:.1f}]"
    )
    if wrong.empty:
        return text + "."
    if mere_decisions(audit.faces):
        return text + (f"; {kinds}." if kinds else ".")
    task = audit.task
    p = task.p(wrong).astype(np.float64)
    sure = int((np.where(wrong["predicted"] == task.positive, p, 1 - p) >= CONFIDENT).sum())
    return f"{text}, {sure:,} of them with {100 * CONFIDENT:.0f} % certainty or more" + (
        f"; {kinds}." if kinds else "."
    )
