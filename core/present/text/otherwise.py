"""Faces labelled otherwise than with one of two classes, in words."""

from __future__ import annotations

from collections.abc import Mapping

from core.analysis.accuracy.otherwise import labelled_otherwise, usual_sureness
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.text.columns import short
from core.task import GENDERS
from core.wording import percent, with_interval

APART = "in no accuracy, gap or average"


def counts_words(counts: Mapping[str, int]) -> str:
    """«12 nonbinary, 3 other»."""
    return ", ".join(f"{n:,} {short(label)}" for label, n in counts.items())


def otherwise_sentence(audit: Audit, filter: Filter | None = None) -> str | None:
    """What the model calls them, and how surely; None where the filter leaves none."""
    table = labelled_otherwise(audit, filter)
    if table.empty:
        return None
    task, n = audit.task, int(table["n"].sum())
    called, rest = int(table["called"].sum()), task.label(task.negative)
    noun = "face is" if n == 1 else "faces are"
    labels = counts_words(dict(zip(table["label"], table["n"], strict=True)))
    calls = f"calls {called:,} {task.label(task.positive)} and {n - called:,} {rest}"
    if task.is_gender:
        return f"{n:,} {noun} labelled otherwise ({labels}) and {APART}: the model has no answer for them and {calls}."
    return (
        f"The gender of {n:,} {'face is' if n == 1 else 'faces is'} labelled otherwise than {' or '.join(GENDERS)} "
        f"({labels}); they are {APART}. The model {calls}, and is correct for {int(table['correct'].sum()):,} of {n:,}."
    )


def otherwise_lines(audit: Audit, filter: Filter | None = None) -> list[str]:
    """The sentence, and a line a label; nothing where the filter leaves no such face."""
    sentence = otherwise_sentence(audit, filter)
    if sentence is None:
        return []
    usual, positive = usual_sureness(audit, filter), audit.task.label(audit.task.positive)
    lines = [sentence]
    for row in labelled_otherwise(audit, filter).to_dict("records"):
        rate = with_interval(row["share"], row["low"], row["high"])
        sure = f"{percent(row['sureness'])}, of the other faces {percent(usual)}"
        right = (
            f"correct {with_interval(row['accuracy'], row['accuracy_low'], row['accuracy_high'])}; "
            if "accuracy" in row
            else ""
        )
        answer = f"{right}called {positive} {rate}; median probability {sure}"
        lines.append(f"  {short(row['label']):16}{row['n']:6,}  {answer}")
    return lines
