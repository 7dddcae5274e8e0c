"""How many wrong labels each gap would need, in words."""

from __future__ import annotations

import pandas as pd

from core.present.text.columns import in_sentence
from core.task import GENDER, Task
from core.wording import points_words

#: What the count leaves out.
ASSUMES = (
    "Counted are wrong labels among the worse group's errors: each is then a right prediction of a face of the other "
    "{kind}. Wrong labels elsewhere could move the gap either way. Suspected are those that the model's own confidence "
    "doubts, which is circular. Each interval is of its pair alone."
)


def tipping_sentence(row: pd.Series) -> str:
    """One pair of `core.analysis.accuracy.tipping.tipping_points` in a sentence."""
    pair = f"{in_sentence(row['worse'])} less {in_sentence(row['better'])}"
    gap = f"{pair}, {points_words(row['difference'], row['low'], row['high'])}"
    errors, suspected = int(row["errors"]), int(row["suspected"])
    doubt = f"{suspected:,} {'is' if suspected == 1 else 'are'} suspected"
    if pd.isna(row["wrong_labels"]):
        return f"{gap}: stays below zero even if all {errors:,} errors were wrong labels; {doubt}."
    needed = int(row["wrong_labels"])
    wrong = "is a wrong label" if needed == 1 else "are wrong labels"
    return f"{gap}: reaches zero if {needed:,} of {errors:,} errors {wrong}; {doubt}."


def assumes(task: Task) -> str:
    """What the count leaves out, of an audit of this task."""
    return ASSUMES.replace("{kind}", task.kind)


def tipping_report(table: pd.DataFrame, task: Task = GENDER) -> list[str]:
    """All pairs as lines of text, the gap that needs fewest wrong labels first."""
    if table.empty:
        return ["Wrong labels that a gap would need: no two groups differ beyond their interval."]
    lines = ["Wrong labels that each gap beyond its interval would need to reach zero"]
    return [*lines, *(f"  {tipping_sentence(row)}" for _, row in table.iterrows()), f"  {assumes(task)}"]
