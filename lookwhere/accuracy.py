"""Accuracy by group with intervals: of an audit, or of labels, predictions and groups as arrays."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.analysis.accuracy.by_group import GROUP_COLUMNS, check_columns, predict
from core.analysis.accuracy.counts import Groups, group_rows, group_table, outside_of_groups, tally
from core.analysis.accuracy.group_rule import GroupRule
from core.analysis.accuracy.simultaneous import LargestGap, gap_of, simultaneous_intervals
from core.analysis.intervals import wilson
from core.audit.folder import Audit
from core.data.faces import people
from core.data.filters import Filter
from core.errors import LookwhereError
from core.estimate import Estimate
from core.present.figures.gaps import simultaneous_dots
from core.present.figures.plotly_charts import figure_of
from core.present.text.gaps import gap_sentence
from core.task import task_of
from core.wording import with_interval
from lookwhere.results import Result

#: Anything with a value a face: a list, an array, a column.
Values: TypeAlias = Sequence[Any] | np.ndarray | pd.Series
#: One grouping, or several that are crossed.
GroupValues: TypeAlias = Values | Mapping[str, Values] | pd.DataFrame
NOT_KNOWN = "not known"


@dataclass(frozen=True, repr=False, eq=False)
class GroupAccuracies(Result):
    """Accuracy of every group.

    `table`: group, the columns it was made by, n, correct, errors, accuracy, `low` and `high` (Wilson 95 %, of the
    group by itself), `all_low` and `all_high` (95 % for all compared groups at once), `left_out` (why a group is not
    compared, else empty). `overall`: accuracy of everything, Wilson. `largest_gap`: best less worst compared group,
    corrected for having been chosen; None unless two are compared. `n`: how many faces.
    """

    n: int
    overall: Estimate
    table: pd.DataFrame
    largest_gap: LargestGap | None
    compared: pd.DataFrame

    @property
    def sentence(self) -> str:
        rate = with_interval(self.overall.value, self.overall.low, self.overall.high)
        if self.largest_gap is None:
            return f"{rate} of {self.n:,} are correct; there are no two groups to compare."
        return f"{rate} of {self.n:,} are correct. {gap_sentence(self.largest_gap, 'Over all groups', self.n)}"

    def to_frame(self) -> pd.DataFrame:
        return self.table.copy()

    def plot(self) -> go.Figure:
        """Each compared group: thick its own interval, thin the one that holds for all at once.

        Raises `LookwhereError` where no group is large enough; `smallest=` lowers the bar.
        """
        if self.compared.empty:
            raise LookwhereError("no group is large enough to compare; give a smaller `smallest`")
        return figure_of(simultaneous_dots(self.compared))


@overload
def accuracy_by_group(
    audit: Audit,
    /,
    *,
    by: Sequence[str] = ...,
    within: Filter | None = ...,
    threshold: float = ...,
    positive: Hashable = ...,
    smallest: int = ...,
    draws: int = ...,
    seed: int = ...,
) -> GroupAccuracies: ...


@overload
def accuracy_by_group(
    y_true: Values,
    y_pred: Values,
    /,
    *,
    groups: GroupValues,
    persons: Values | None = ...,
    positive: Hashable = ...,
    smallest: int = ...,
    draws: int = ...,
    seed: int = ...,
) -> GroupAccuracies: ...


def accuracy_by_group(
    audit_or_labels: Audit | Values,
    y_pred: Values | None = None,
    /,
    *,
    groups: GroupValues | None = None,
    persons: Values | None = None,
    by: Sequence[str] = ("gender", "ethnicity"),
    within: Filter | None = None,
    threshold: float = 0.5,
    positive: Hashable = None,
    smallest: int = 1,
    draws: int = 2000,
    seed: int = 0,
) -> GroupAccuracies:
    """Accuracy by group, `accuracy_by_group(audit)` or `accuracy_by_group(y_true, y_pred, groups=…)`.

    Of an audit, `by` names columns (gender, ethnicity, age band, and the audit's own) and `within` filters faces. Of
    arrays, `groups` is one grouping, or a dict or DataFrame of several, which are crossed; rows go together by
    position. Labels may be anything that can be equal. `persons` says which rows are of one person: they are resampled
    whole. `positive`, one of two labels, adds `selection_rate`, `true_positive_rate` and `false_positive_rate`
    (fairlearn's definitions). Groups under `smallest` faces are in the table but not compared; by default all are,
    small ones by exact intervals. Intervals: Wilson 1927, and those that hold for all groups at once, of the page «Gaps
    and tests».

    Raises `LookwhereError` for an unknown column, for arrays of unequal length, for missing or unlike labels.
    """
    if isinstance(audit_or_labels, Audit):
        if y_pred is not None or groups is not None or persons is not None:
            raise LookwhereError("an audit has its own labels, predictions and persons; give `by` instead of `groups`")
        columns = audit_or_labels.columns
        check_columns(by, (*GROUP_COLUMNS, *(column.name for column in columns)))
        faces = audit_or_labels.faces
        if within is not None:
            faces = faces[within.mask(faces)]
        own = [name for name in by if name not in GROUP_COLUMNS]
        member, names = group_rows(faces, list(by), columns)
        names = names.drop(columns=[c for c in ("gender", "ethnicity") if c not in by])
        aside = outside_of_groups(names.assign(gender=names.get("gender", "")), own)
        names = names if "age band" in by else names.drop(columns="age band")
        truth, said, unit = task_of(faces).truth(faces), predict(faces, threshold), people(faces)
    else:
        if y_pred is None or groups is None:
            raise LookwhereError("give y_true, y_pred and groups=, or an audit")
        if within is not None or tuple(by) != ("gender", "ethnicity"):
            raise LookwhereError("`by` and `within` are for an audit; narrow the arrays, and give `groups`")
        truth, said = _labels(audit_or_labels, y_pred)
        member, names, unknown = _crossed(groups, len(truth))
        aside = {NOT_KNOWN: unknown}
        unit = None
        if persons is not None:
            unit = people(pd.DataFrame({"identity": _column(persons, "persons", len(truth))}))
    right = np.asarray(truth == said, dtype=bool)
    every = group_table(member, names, right, unit)
    counted = tally(member, names, right, unit, GroupRule(smallest, outside=aside))
    bands = simultaneous_intervals(counted, draws, seed).table
    table = _finished(every, counted, bands, member)
    if positive is not None:
        table = table.assign(**_rates(truth, said, member, positive, len(names)))
    overall = right.mean() if len(right) else np.nan
    low, high = wilson(int(right.sum()), len(right))
    return GroupAccuracies(
        len(right),
        Estimate(float(overall), float(low), float(high)),
        table,
        gap_of(counted, draws, seed),
        bands if "gender" in bands else bands.assign(gender=""),
    )


def _finished(every: pd.DataFrame, groups: Groups, bands: pd.DataFrame, member: np.ndarray) -> pd.DataFrame:
    """The whole table, with simultaneous bounds where a group is compared and the reason where it is not."""
    table = every.rename(columns={"wilson_low": "low", "wilson_high": "high"})
    # Each group's row among the compared ones, −1 where it is left out; left-out groups keep their order.
    place = groups.member[np.unique(member, return_index=True)[1]]
    inside = place >= 0
    for name in ("low", "high"):
        bound = np.full(len(table), np.nan)
        bound[inside] = bands[name].to_numpy()[place[inside]]
        table[f"all_{name}"] = bound
    why = np.full(len(table), "", dtype=object)
    why[~inside] = groups.left_out["why"].to_numpy()
    table["left_out"] = why
    return table.drop(columns=["effect", *(["people"] if groups.unit is None else [])])


def _column(values: Values, name: str, n: int | None = None) -> pd.Series:
    """One value a row, object or as given. Raises `LookwhereError` where it is no column, or of another length."""
    shape = np.shape(values)
    if len(shape) != 1:
        raise LookwhereError(f"{name}: expected one value a row, not an array of shape {shape}")
    column = pd.Series(values if isinstance(values, pd.Series | list | tuple) else np.asarray(values))
    column = column.reset_index(drop=True)
    if n is not None and len(column) != n:
        raise LookwhereError(f"{name}: {len(column):,} values for {n:,} labels")
    return column


def _labels(y_true: Values, y_pred: Values) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions as arrays of the same kind."""
    truth = _column(y_true, "y_true")
    predicted = _column(y_pred, "y_pred", len(truth))
    for name, column in (("y_true", truth), ("y_pred", predicted)):
        if missing := int(column.isna().sum()):
            raise LookwhereError(f"{name}: {missing:,} of {len(column):,} values are missing; leave these rows out")
    if pd.api.types.is_float_dtype(predicted) and (predicted % 1 != 0).any():
        raise LookwhereError("y_pred: scores, not labels; compare them with a threshold first, y_pred = scores >= 0.5")
    true_values, predicted_values = set(truth), set(predicted)
    if len(truth) and not true_values & predicted_values:
        some = [
            ", ".join(repr(value) for value in sorted(values, key=repr)[:3])
            for values in (true_values, predicted_values)
        ]
        raise LookwhereError(f"y_pred has none of the labels of y_true: {some[1]} beside {some[0]}")
    return truth.to_numpy(dtype=object), predicted.to_numpy(dtype=object)


def _crossed(groups: GroupValues, n: int) -> tuple[np.ndarray, pd.DataFrame, np.ndarray]:
    """Each row's place (N,) in a table of the groups that occur, and which of these have an unknown part, bool (G,)."""
    if isinstance(groups, pd.DataFrame):
        columns = {str(name): groups[name] for name in groups.columns}
    elif isinstance(groups, Mapping):
        columns = {str(name): values for name, values in groups.items()}
    else:
        columns = {str(getattr(groups, "name", None) or "group"): groups}
    if not columns:
        raise LookwhereError("groups: no column in it")
    code, levels = np.zeros(n, dtype=np.int64), []
    for name, values in columns.items():
        column = _column(values, f"groups {name}", n)
        categorical = pd.Categorical(column.astype("string"))
        # Numbers keep their order: 9 comes before 10.
        order = sorted(column.dropna().unique().tolist()) if pd.api.types.is_numeric_dtype(column) else None
        if order is not None:
            categorical = pd.Categorical(column, order)
        names = [str(value) for value in categorical.categories]
        part = np.where(categorical.codes < 0, len(names), categorical.codes)
        levels.append([*names, NOT_KNOWN])
        code = code * len(levels[-1]) + part
    present, member = np.unique(code, return_inverse=True)
    places = np.unravel_index(present, [len(names) for names in levels])
    values = [[names[at] for at in place] for names, place in zip(levels, places, strict=True)]
    table = pd.DataFrame({"group": [" · ".join(parts) for parts in zip(*values, strict=True)]})
    for name, column in zip(columns, values, strict=True):
        table[name] = column
    unknown = np.zeros(len(table), dtype=bool)
    for names, place in zip(levels, places, strict=True):
        unknown |= place == len(names) - 1
    return member, table, unknown


def _rates(
    truth: np.ndarray, predicted: np.ndarray, member: np.ndarray, positive: Hashable, size: int
) -> dict[str, np.ndarray]:
    """Shares called positive of all, of the positive and of the negative rows of each group; NaN of none."""
    labels = set(truth) | set(predicted)
    if positive not in labels or len(labels) > 2:
        names = ", ".join(sorted(map(repr, labels)))
        raise LookwhereError(f"positive {positive!r}: must be one of two labels; there are {names}")
    real, called = truth == positive, predicted == positive

    def share(inside: np.ndarray) -> np.ndarray:
        n = np.bincount(member[inside], minlength=size)
        with np.errstate(invalid="ignore"):
            return np.bincount(member[inside], weights=called[inside], minlength=size) / n

    everyone = np.ones(len(truth), dtype=bool)
    return {
        "selection_rate": share(everyone),
        "true_positive_rate": share(np.asarray(real, dtype=bool)),
        "false_positive_rate": share(~np.asarray(real, dtype=bool)),
    }
