"""What faces can be grouped by beside gender, ethnicity and age, in words."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.data.columns import Column, Kind
from core.data.faces import UNRECORDED
from core.wording import capital

#: Levels of a column that are named in a line, and the characters of one.
NAMED, LONGEST = 8, 40
#: Characters of a name beside a chart, which are two lines.
WIDEST = 48
#: What the levels of each kind are.
KINDS = {
    Kind.CATEGORY: "categories",
    Kind.YES_NO: "yes or no",
    Kind.ORDERED: "levels in order",
    Kind.NUMBER: "a number in bands",
}


def short(text: str, longest: int = LONGEST) -> str:
    """A name on one line, cut to so many characters with «…»."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def tick_names(table: pd.DataFrame) -> list[str]:
    """What a chart calls the groups of a table by `core.analysis.accuracy.counts.group_counts`, on two lines at most.

    Of one column of the data's own the level as it is written, «iPhone» or «a|b»: its name stands over the chart. Else
    the group in words.
    """
    names = list(table.columns)
    own = names[names.index("ethnicity") + 1 : names.index("n")] if {"gender", "ethnicity"} <= set(names) else []
    alone = len(own) == 1 and not (table["gender"] != "").any() and not (table["ethnicity"] != "").any()
    said = table[own[0]].astype(str) if alone else table["group"].map(capital)
    found: list[str] = []
    for name in said:
        cut, more = short(name, WIDEST), 2
        while cut in found:  # two long names may begin alike
            cut, more = f"{short(name, WIDEST - 4)} ({more})", more + 1
        found.append(cut)
    return found


def column_lines(faces: pd.DataFrame, columns: Sequence[Column]) -> list[str]:
    """A line a column: its kind, and how many faces have each level; one line where there is none."""
    if not columns:
        return ["columns to group by: gender, ethnicity and age alone"]
    lines = [f"columns to group by: {len(columns)}"]
    for column in columns:
        counts = faces[column.name].value_counts()
        shown = [f"{short(level)} {counts.get(level, 0):,}" for level in column.levels[:NAMED]]
        more = len(column.levels) - NAMED
        shown += [f"and {more} more"] if more > 0 else []
        missing = int(faces[column.name].isna().sum())
        shown += [f"{UNRECORDED} {missing:,}"] if missing else []
        lines.append(f"  {short(column.name):20} {KINDS[column.kind]}: {', '.join(shown)}")
    return lines
