"""Accuracy by group with its interval, and the confusion of the two classes. Rates are shares of 0–1."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from core.analysis.intervals import wilson
from core.data.faces import AGE_BANDS, UNRECORDED, age_band, counts_of
from core.errors import LookwhereError
from core.task import task_of

#: What every faces table can be grouped by.
GROUP_COLUMNS = ("gender", "ethnicity", "age band")
#: Groups with fewer faces take no part in tests of pairs and terms, and have exact intervals.
LARGE_GROUP = 50


def predict(faces: pd.DataFrame, threshold: float = 0.5) -> np.ndarray:
    """The class that each face is given, names (N,), when the positive one is said from this probability on."""
    task = task_of(faces)
    return np.where(task.called(faces, threshold), task.positive, task.negative)


def right_calls(faces: pd.DataFrame, threshold: float = 0.5) -> np.ndarray:
    """Boolean (N,): the faces that are given their true class, by `predict`."""
    task = task_of(faces)
    return task.called(faces, threshold) == task.is_positive(faces)


def check_columns(by: Sequence[str], columns: Collection[str] = GROUP_COLUMNS) -> None:
    """Raise `LookwhereError` where groups are asked for by a column that is not among the known ones, naming these."""
    if unknown := [column for column in by if column not in columns]:
        raise LookwhereError(
            f"groups by {', '.join(map(repr, unknown))}: no such column; there are {', '.join(columns)}"
        )


def accuracy_by(faces: pd.DataFrame, by: list[str], threshold: float = 0.5) -> pd.DataFrame:
    """Accuracy by the columns `by` (`age band` too; none for all): n, correct, errors, accuracy, low, high.

    Groups that never occur are absent, those with no face after filtering cannot occur; order is by name or age.
    Raises `LookwhereError` for an unknown column.
    """
    if not {*by} <= {*GROUP_COLUMNS, *faces.columns}:
        check_columns(by, (*GROUP_COLUMNS, *faces.columns.difference(GROUP_COLUMNS)))
    each = counts_of(faces)
    right = right_calls(faces, threshold) * each
    if not by:
        result = pd.DataFrame({"n": [int(each.sum())], "correct": [int(right.sum())]})
    else:
        result = _summed({column: _levels(faces, column) for column in by}, {"n": each, "correct": right})
    result["errors"] = result["n"] - result["correct"]
    result["accuracy"] = result["correct"] / result["n"].where(result["n"] > 0)
    result["low"], result["high"] = wilson(result["correct"], result["n"])
    return result


def _levels(faces: pd.DataFrame, column: str) -> tuple[np.ndarray, pd.Index | pd.Categorical]:
    """Each face's place (N,) among a column's levels, and these in order; −1 where a grouping column has no value."""
    if column == "age band":
        band = age_band(faces["age"]).astype(np.int64)
        names = [*AGE_BANDS, "unknown"]
        return np.where(band < 0, len(AGE_BANDS), band), pd.Categorical(names, names, ordered=True)
    values = faces[column]
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return pd.factorize(values, sort=True)
    code, levels = values.cat.codes.to_numpy(dtype=np.int64), values.cat.categories
    if column not in GROUP_COLUMNS and (code < 0).any():
        # Faces whose level is not known are a group too: nothing vanishes.
        code, levels = np.where(code < 0, len(levels), code), values.cat.add_categories(UNRECORDED).cat.categories
    return code, pd.Categorical(levels, levels, ordered=values.cat.ordered)


def _summed(
    by: dict[str, tuple[np.ndarray, pd.Index | pd.Categorical]], summands: dict[str, np.ndarray]
) -> pd.DataFrame:
    """Whole numbers (N,) added up by groups that occur, a row each: `by` has each column's codes (N,) and levels.

    Much faster than `DataFrame.groupby` with few groups of few faces, which a page asks for many times.
    """
    code, known = np.zeros(1, dtype=np.int64), np.ones(1, dtype=bool)
    for part, levels in by.values():
        code, known = code * len(levels) + part, known & (part >= 0)
    present, member = np.unique(code[known], return_inverse=True)
    places = (
        np.unravel_index(present, [len(levels) for _, levels in by.values()]) if len(present) else [present] * len(by)
    )
    groups = {name: levels.take(place) for (name, (_, levels)), place in zip(by.items(), places, strict=True)}
    sums = {}
    for name, values in summands.items():
        # Floats would round sums beyond 2**53, which no number of faces is.
        sums[name] = np.bincount(member, weights=values[known], minlength=len(present)).astype(np.int64)
    return pd.DataFrame(groups | sums)


def confusion(faces: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """Counts, rows the labelled class, columns the predicted one, in the task's order."""
    task = task_of(faces)
    code = 2 * task.is_positive(faces) + task.called(faces, threshold)
    table = np.bincount(code, weights=counts_of(faces), minlength=4).astype(np.int64).reshape(2, 2)
    rows, columns = pd.Index(task.classes, name="row_0"), pd.Index(task.classes, name="col_0")
    return pd.DataFrame(table, index=rows, columns=columns)
