"""What groups are made by: gender, ethnicity and age bands, and the columns of an audit; up to three are crossed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.analysis.accuracy.by_group import GROUP_COLUMNS, right_calls
from core.analysis.accuracy.counts import group_rows, group_table
from core.data.columns import MOST_CROSSED, Column, find_column, loose
from core.data.faces import people
from core.errors import LookwhereError

#: What every faces table can be grouped by, as it is asked for.
ALWAYS = tuple(name.replace(" ", "_") for name in GROUP_COLUMNS)


def grouping(names: Sequence[str], columns: Sequence[Column] = ()) -> list[str]:
    """The columns of the faces that are asked for, each once, in the order asked for.

    Raises `LookwhereError` naming what there is where one is not there, and where more than three are to be crossed.
    """
    by = []
    for name in names:
        always = [column for column, word in zip(GROUP_COLUMNS, ALWAYS, strict=True) if loose(word) == loose(name)]
        by += always or [find_column(columns, name, also=ALWAYS).name]
    by = list(dict.fromkeys(by))
    if len(by) > MOST_CROSSED:
        raise LookwhereError(f"groups by {', '.join(by)}: up to {MOST_CROSSED} columns are crossed, not {len(by)}")
    return by


def grouping_words(by: Sequence[str], columns: Sequence[Column] = ()) -> str:
    """«gender × skin tone»; «all faces» for none."""
    column_words = {column.name: column.said for column in columns}
    return " × ".join(column_words.get(name, "age" if name == "age band" else name) for name in by) or "all faces"


def accuracy_of_groups(
    faces: pd.DataFrame, by: list[str], columns: Sequence[Column] = (), threshold: float = 0.5
) -> pd.DataFrame:
    """Every group that occurs: group (its name), a column for each of `by`, n, correct, errors, accuracy, low, high,
    people.

    Intervals are Wilson's, of effective counts where people are known. Levels are in the order of their column.
    """
    member, names = group_rows(faces, by, columns)
    right = right_calls(faces, threshold)
    table = group_table(member, names, right, people(faces))
    table = table.rename(columns={"wilson_low": "low", "wilson_high": "high"})
    return table[["group", *by, "n", "correct", "errors", "accuracy", "low", "high", "people"]]
