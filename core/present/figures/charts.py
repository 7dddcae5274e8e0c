"""Charts of accuracy and training: intervals are always drawn, and n always stands beside the group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.analysis.accuracy.curves import Roc
from core.data.faces import UNRECORDED
from core.present.figures.chart_data import Axis, Band, Curve, CurveChart, IntervalChart, Mark, MatrixChart, Row, Series
from core.present.figures.styles import COLOURS, GENDER_NOUNS, NO_GENDER, Style, cycled, of_gender
from core.task import GENDER, GENDERS, Task
from core.wording import number, with_interval


def gender_series(genders: Sequence[str], both: str = "") -> tuple[Series, ...]:
    """A series for each gender that occurs, in order of appearance; `both` names that of rows without one, which is in
    the legend only if it has a name."""
    names = {gender: GENDER_NOUNS.get(gender, gender) or both for gender in dict.fromkeys(_kinds(genders))}
    return tuple(Series(name, of_gender(gender), legend=bool(name)) for gender, name in names.items())


def _kinds(genders: Sequence[str]) -> list[str]:
    """What each row is coloured by: its gender; faces of which none is recorded are a kind of their own beside genders,
    and else nothing that needs a colour."""
    some = not set(GENDERS).isdisjoint(genders)
    none = NO_GENDER if some else ""
    return [none if gender == UNRECORDED else gender for gender in genders]


def accuracy_range(low: pd.Series, margin: float = 0.03) -> dict[str, float]:
    """Ends of a scale of accuracies, a little below the lowest bound and 1, and steps of which 1 is one."""
    least = float(np.nanmin(low)) if len(low) and low.notna().any() else 0.5
    start = max(0.0, least - margin)
    # Said outright: on a narrow screen the axis would be marked so sparsely that its end is not.
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if 1 - start <= 5 * step)
    return {"low": start, "high": 1.005, "step": step}


def accuracy_dots(
    table: pd.DataFrame,
    names: Sequence[str],
    genders: Sequence[str] | None = None,
    overall: float | None = None,
    title: str = "",
    caption: str = "",
) -> IntervalChart:
    """Accuracy with Wilson intervals, a row a group named by `names`, from an `accuracy_by` table.

    Dots are coloured by gender where `genders` are given; `overall` is the accuracy to compare with.
    """
    kinds = _kinds([""] * len(table) if genders is None else genders)
    rows = []
    for name, kind, row in zip(names, kinds, table.to_dict("records"), strict=True):
        words = with_interval(row["accuracy"], row["low"], row["high"])
        details = (f"{row['errors']:,} incorrect",)
        mark = Mark(GENDER_NOUNS.get(kind, kind), row["accuracy"], row["low"], row["high"], words, details)
        rows.append(Row(name, (mark,), f"n = {row['n']:,}", words))
    return IntervalChart(
        tuple(rows),
        gender_series(kinds),
        Axis(unit="%", **accuracy_range(table["low"])),
        90 + 30 * len(table),
        reference=overall,
        title=title,
        caption=caption,
    )


def roc_curves(curves: dict[str, Roc], task: Task = GENDER) -> CurveChart:
    """Share of positive faces called so against share of negative ones, a curve a group."""
    called = f"called {task.said(task.positive)}"
    negative, positive = (words.many for words in task.nouns)
    lines = tuple(
        Curve(
            f"{name}, AUC {number(curve.auc.value, '.3f')}",
            *curve.drawn(),
            Style(cycled(COLOURS, n)),
            markers=False,
        )
        for n, (name, curve) in enumerate(curves.items())
    )
    return CurveChart(
        lines,
        Axis(f"{negative} {called}", "%", 0, 1.0),
        Axis(f"{positive} {called}", "%", 0, 1.01),
        480,
        diagonal=True,
    )


def calibration_curves(tables: dict[str, pd.DataFrame], task: Task = GENDER) -> CurveChart:
    """Share of faces labelled positive against predicted probability, a line a group, with Wilson intervals."""
    lines = tuple(
        Curve(
            name,
            table["p"],
            table["share"],
            Style(cycled(COLOURS, n), size=6, thickness=1),
            table["low"],
            table["high"],
            notes=[f"n = {n:,}" for n in table["n"]],
        )
        for n, (name, table) in enumerate(tables.items())
    )
    return CurveChart(
        lines,
        Axis(f"predicted probability of {task.said(task.positive)}", "%", -0.01, 1.01),
        Axis(f"labelled {task.said(task.positive)}", "%", -0.01, 1.02),
        480,
        diagonal=True,
    )


def confusion_matrix(table: pd.DataFrame, task: Task = GENDER) -> MatrixChart:
    """Counts and row shares; rows the label, columns the prediction."""
    counts, class_nouns = table.to_numpy(), list(zip(task.classes, task.nouns, strict=True))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return MatrixChart(
        tuple(f"labelled {words.many if task.is_gender else task.said(name)}" for name, words in class_nouns),
        tuple(f"predicted {task.said(name)}" for name in task.classes),
        tuple(map(tuple, counts.tolist())),
        tuple(map(tuple, shares.tolist())),
        260,
    )


def training_curve(
    metrics: pd.DataFrame, columns: dict[str, str], percent: bool, best: int | None, log: bool = False
) -> CurveChart:
    """Columns of `metrics.csv` over epochs, named by `columns`.

    The kept epoch `best` is marked, and each part with one image size is shaded. `percent`: values are shares.
    """
    # An ethnicity's women and men share a colour; men's lines are dotted.
    groups = {column: _gender_and_rest(column) for column in columns}
    kinds = list(dict.fromkeys(kind for _, kind in groups.values()))
    curves = []
    for column, name in columns.items():
        gender, kind = groups[column]
        style = Style(cycled(COLOURS, kinds.index(kind)), size=5, dash="dot" if gender == GENDERS[1] else "solid")
        curves.append(Curve(name, metrics["epoch"], metrics[column], style, legend=len(columns) > 1))
    return CurveChart(
        tuple(curves),
        Axis("epoch", step=1 if len(metrics) <= 12 else None),
        Axis(unit="%" if percent else "", log=log),
        340 if len(columns) <= 3 else 440,
        _image_sizes(metrics),
        reference=best,
        reference_colour=COLOURS[1],
    )


def _gender_and_rest(column: str) -> tuple[str, str]:
    """Gender and ethnicity by a group's column of `metrics.csv`, `val_female_Asian`; of any other one "" and itself."""
    gender, _, ethnicity = column.removeprefix("val_").partition("_")
    return (gender, ethnicity) if gender in GENDERS else ("", column)


def _image_sizes(metrics: pd.DataFrame) -> tuple[Band, ...]:
    """Each run of epochs with one image size, half an epoch wider on both sides; every other one is darker."""
    geometry = metrics["size"].astype(str) + " px" + metrics["dilated"].map({True: " dilated", False: ""})
    starts = np.flatnonzero((geometry != geometry.shift()).to_numpy())
    ends = [*starts[1:], len(metrics)]
    epochs = metrics["epoch"].to_list()
    return tuple(
        Band("x", epochs[start] - 0.5, epochs[end - 1] + 0.5, "#888", 0.04 + 0.04 * (n % 2), geometry.iloc[start])
        for n, (start, end) in enumerate(zip(starts, ends, strict=False))
    )
