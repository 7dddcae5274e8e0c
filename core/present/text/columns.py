"""What faces can be grouped by beside gender, ethnicity and age, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from core.analysis.accuracy.by_group import GROUP_COLUMNS
from core.analysis.accuracy.counts import group_words
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
    the group in words; where one of them has no room, all by their levels (`brief_names`).
    """
    own = _own_columns(table)
    alone = len(own) == 1 and not (table["gender"] != "").any() and not (table["ethnicity"] != "").any()
    names = table[own[0]].astype(str) if alone else table["group"].map(brief_names(table).get).map(capital)
    ticks: list[str] = []
    ends = Counter(short(name, WIDEST) for name in names)
    for name in names:
        # Of long names that begin alike the end tells which is which.
        cut, more = short(name, WIDEST) if ends[short(name, WIDEST)] == 1 else _both_ends(name), 2
        while cut in ticks:
            cut, more = f"{short(name, WIDEST - 4)} ({more})", more + 1
        ticks.append(cut)
    return ticks


def _both_ends(text: str) -> str:
    """A name on one line of at most `WIDEST` characters, with its beginning and its end."""
    line = " ".join(text.split())
    tail = WIDEST // 3
    return line if len(line) <= WIDEST else f"{line[: WIDEST - tail - 1].rstrip()}…{line[-tail:].lstrip()}"


def brief_names(table: pd.DataFrame) -> dict[str, str]:
    """Each group of such a table and what it is called where room is short: its words, or where one of all has more
    than `WIDEST` characters, without the names of the data's own columns: «Black women, no, under 28».

    The columns then have to be told beside, in their order.
    """
    own, groups = _own_columns(table), [str(group) for group in table["group"]]
    if not own or max(map(len, groups), default=0) <= WIDEST:
        return dict(zip(groups, groups, strict=True))
    years = table["age band"] if "age band" in table else [""] * len(table)
    parts = zip(table["gender"], table["ethnicity"], years, table[own].astype(str).to_numpy(), strict=True)
    return {group: group_words(*said) for group, said in zip(groups, parts, strict=True)}


def order_words(table: pd.DataFrame) -> str | None:
    """Which columns `brief_names` leaves out, in the order of their levels; None where it leaves out none."""
    names = brief_names(table)
    if all(group == name for group, name in names.items()):
        return None
    own = _own_columns(table)
    if len(own) == 1:
        return f"Groups are named by their levels of {own[0]} alone."
    return f"Groups are named by their levels alone, in the order of {', '.join(own)}."


def in_sentence(group: str) -> str:
    """A group within a sentence: in quotation marks where its name is no noun, «glasses: yes»."""
    return f"«{group}»" if ": " in group else group


def _own_columns(table: pd.DataFrame) -> list[str]:
    """The data's own columns by which the groups of such a table are made."""
    names = list(table.columns)
    if not {"gender", "ethnicity"} <= set(names):
        return []
    return [name for name in names[names.index("ethnicity") + 1 : names.index("n")] if name not in GROUP_COLUMNS]


def column_lines(faces: pd.DataFrame, columns: Sequence[Column]) -> list[str]:
    """A line a column: its kind, and how many faces have each level; one line where there is none."""
    if not columns:
        return ["columns to group by: none beside gender, ethnicity and age"]
    lines = [f"columns to group by: {len(columns)}"]
    for column in columns:
        counts = faces[column.name].value_counts()
        parts = [f"{short(level)} {counts.get(level, 0):,}" for level in column.levels[:NAMED]]
        more = len(column.levels) - NAMED
        parts += [f"and {more} more"] if more > 0 else []
        missing = int(faces[column.name].isna().sum())
        parts += [f"{UNRECORDED} {missing:,}"] if missing else []
        lines.append(f"  {short(column.name):20} {KINDS[column.kind]}: {', '.join(parts)}")
    return lines
