"""What faces can be grouped by beside gender, ethnicity and age, in words."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.data.columns import Column, Kind
from core.data.faces import UNRECORDED

#: Levels of a column that are named in a line, and the characters of one.
NAMED, LONGEST = 8, 40
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
