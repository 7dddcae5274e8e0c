"""What the tables of `checks.json` must be like: a page reads them by group, and by what was compared with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.checks.stored_words import ANOTHER_FACE, MEASURES, STAGES, Agreement, Fill, RemovalOrder

#: The words of a table's rows by table; whatever else it has are numbers. Each group has a row for each of the others'.
WORDS = {
    "similarity": ("stage", "measure"),
    "areas": ("score", "kind", "order"),
    "regions": ("fill", "region"),
    "agreement": ("fill", "kind"),
    "methods": ("method",),
    "costs": ("way", "fill", "hidden"),
    "less": ("way", "fill", "rival"),
}
#: The numbers that a table must have.
NUMBERS = {
    "similarity": ("mean", "low", "high", "draw_low", "draw_high"),
    "areas": ("area", "low", "high", "less", "less_low", "less_high"),
    "regions": ("area", *(f"{name}{end}" for name in ("drop", "control", "evidence") for end in ("", "_low", "_high"))),
    "agreement": tuple(f"{name}{end}" for name in ("agreement", "control") for end in ("", "_low", "_high")),
    "methods": ("n", "defined", "mean", "low", "high"),
    "costs": ("cost", "low", "high"),
    "less": ("less", "low", "high"),
}
#: Tables of correlations, and of other likenesses of −1 to 1.
ALIKE = ("similarity", "agreement", "methods")
#: Signs of a name at the most.
LONGEST = 500


def check_groups(part: str, groups: Sequence[tuple[str, int]], sample: int) -> None:
    """Raises `ValueError` unless groups have names of their own and no more faces than were sampled."""
    names = [name for name, _ in groups]
    if len(set(names)) < len(names) or not all(isinstance(name, str) and 0 < len(name) <= LONGEST for name in names):
        raise ValueError(f"{part}: groups without names of their own")
    if not all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= sample for _, n in groups):
        raise ValueError(f"{part}: groups of other than 0 to {sample:,} faces, which were sampled")


def check_table(part: str, name: str, table: pd.DataFrame, groups: Sequence[tuple[str, int]]) -> None:
    """Raises `ValueError` naming what the table of a part lacks, or has beyond what can be.

    Of a table that is not known here, as a further check's, the kinds of values alone are looked at.
    """
    where, words = f"{part}, table {name}", WORDS.get(name)
    if not table.columns.is_unique:
        raise ValueError(f"{where}: two columns of one name")
    needed = () if words is None else ("group", *words, *NUMBERS[name])
    if missing := [column for column in needed if column not in table]:
        raise ValueError(f"{where}: no column {', '.join(missing)}")
    for column in table:
        _check_values(f"{where}, {column}", table[column], words is not None and column in ("group", *words))
    if words is None:
        return
    if not table["group"].isin([group for group, _ in groups]).all():
        raise ValueError(f"{where}: rows of a group that it does not name")
    _check_intervals(where, table, name in ALIKE)
    if name == "methods":
        sizes = table["group"].map(dict(groups))
        if not (table["n"] == sizes).all() or not table["defined"].between(0, sizes).all():
            raise ValueError(f"{where}: faces that are not those of the groups")
    rows = table.groupby("group", sort=False)[list(words)].apply(
        lambda part_rows: tuple(sorted(map(tuple, part_rows.to_numpy())))
    )
    if len(set(rows)) > 1 or any(len(set(keys)) < len(keys) for keys in rows):
        raise ValueError(f"{where}: a group has other rows than another, or one twice")
    if name == "areas" and (strange := set(table["order"]) - set(map(str, RemovalOrder))):
        raise ValueError(f"{where}: the order {min(strange)[:LONGEST]!r}, not known")
    if lacking := sorted(_required(name) - {word for word_column in words for word in table[word_column]}):
        raise ValueError(f"{where}: no rows of {', '.join(lacking[:3])}")


def _required(name: str) -> set[str]:
    """The words that the verdicts of a table's check are read from."""
    required: Mapping[str, set[str]] = {
        "similarity": {STAGES[-1], ANOTHER_FACE, *MEASURES},
        "agreement": {*map(str, Agreement), str(Fill.BLUR)},
        "regions": {str(Fill.BLUR)},
    }
    return required.get(name, set())


def _check_values(where: str, values: pd.Series, words: bool) -> None:
    kinds = {type(value) for value in values}
    if words:
        if kinds - {str} or values.map(len).max() > LONGEST:
            raise ValueError(f"{where}: no names")
    elif str in kinds and kinds == {str}:
        return
    elif kinds - {int, float, bool, type(None), np.float64, np.int64, np.bool_}:
        raise ValueError(f"{where}: no numbers")


def _check_intervals(where: str, table: pd.DataFrame, alike: bool) -> None:
    """Raises `ValueError` where a low end lies above its high one, or a correlation beyond −1 to 1."""
    numbers = table.select_dtypes("number")
    for low in [column for column in numbers if column.endswith("low")]:
        high = low.removesuffix("low") + "high"
        if high in numbers and (table[low] > table[high]).any():
            raise ValueError(f"{where}: {low} above {high}")
    bounded = numbers.drop(columns=["n", "defined"], errors="ignore") if alike else numbers[:0]
    if (bounded.abs() > 1 + 1e-6).any(axis=None):
        raise ValueError(f"{where}: a correlation beyond −1 to 1")
