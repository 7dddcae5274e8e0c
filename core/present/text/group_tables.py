"""Accuracies of any groups as lines for the terminal, and as a table to take away."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.analysis.accuracy.extremes import extremes
from core.analysis.accuracy.groupings import accuracy_of_groups, grouping_words
from core.data.columns import Column
from core.present.text.columns import short
from core.wording import points, with_interval

#: The widest name of a group in a line; a longer one is cut.
WIDEST = 64


def group_lines(faces: pd.DataFrame, by: list[str], columns: Sequence[Column]) -> list[str]:
    """A line a group of `by` that occurs, with its faces and accuracy; and the gap of the surest two."""
    table = accuracy_of_groups(faces, by, columns)
    names = [short(name, WIDEST) for name in table["group"]]
    width = max(map(len, names), default=0) + 1
    lines = [f"By {grouping_words(by, columns)}"]
    for name, row in zip(names, table.to_dict("records"), strict=True):
        lines.append(f"  {name:{width}}{row['n']:6,}  {with_interval(row['accuracy'], row['low'], row['high'])}")
    if (surest := extremes(faces, by=tuple(by), columns=columns)) is not None:
        pair = f"{short(surest.best['group'], WIDEST)} less {short(surest.worst['group'], WIDEST)}"
        head = "surely best less surely worst" if surest.told_apart else "no two groups are told apart; surest"
        lines.append(f"  {head}: {pair}, {points(surest.difference)}")
    return lines


def group_frame(faces: pd.DataFrame, by: list[str], columns: Sequence[Column]) -> pd.DataFrame:
    """A row a group as a paper has it: a column for each of `by`, faces, incorrect, accuracy and its 95 % interval, in
    percent."""
    table = accuracy_of_groups(faces, by, columns)
    words = {column.name: column.said for column in columns} | {"age band": "age"}
    levels = {words.get(name, name): table[name] for name in by}
    shares = {"accuracy, %": "accuracy", "from, %": "low", "to, %": "high"}
    numbers = {name: (100 * table[column]).round(1) for name, column in shares.items()}
    return pd.DataFrame({**levels, "faces": table["n"], "incorrect": table["errors"], **numbers})
