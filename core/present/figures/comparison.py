"""Figures of paired comparisons: differences of accuracy, arms over seeds, maps with the cells that differ outlined."""

from __future__ import annotations

import numpy as np
import pandas as pd
from PIL import Image

from core.analysis.comparison.paired import FAMILY_WISE, MapPair, named
from core.present.figures import raster
from core.present.figures.chart_data import Axis, IntervalChart, Mark, Row, Series
from core.present.figures.charts import accuracy_range
from core.present.figures.differences import outlined
from core.present.figures.styles import COLOURS, OWN, Style, cycled
from core.present.text.data_sets import group_label
from core.wording import capital, number, percent, points_words, with_interval

_NONE = "no map:\ntoo few faces"
SEED, MEAN = "a seed", "mean, 95 % over seeds"
ORIGINAL, OURS = "the original", "ours, mean and 95 % interval"


def difference_dots(tables: dict[str, pd.DataFrame]) -> IntervalChart:
    """Differences of accuracy with their intervals, a row a group, a colour a model, from `paired_by_group` tables by
    model name. Filled: Holm's p is at most 0.05."""
    first = next(iter(tables.values()))
    rows = tuple(
        Row(
            capital(named(row.gender, row.ethnicity)),
            tuple(_difference(name, table.iloc[place]) for name, table in tables.items()),
            f"n = {row.n:,}",
        )
        for place, row in enumerate(first.itertuples())
    )
    series = tuple(
        Series(name, Style(cycled(COLOURS, k), "circle", edge=2), (k - (len(tables) - 1) / 2) * 0.24, len(tables) > 1)
        for k, name in enumerate(tables)
    )
    axis = Axis("points of accuracy gained", "points")
    return IntervalChart(rows, series, axis, 110 + (30 + 6 * len(tables)) * len(rows), reference=0.0)


def _difference(name: str, row: pd.Series) -> Mark:
    words = points_words(row["difference"], row["low"], row["high"])
    details = (
        f"{percent(row['accuracy_a'])} → {percent(row['accuracy_b'])}",
        f"correct only before {row['only_a']:,}, only after {row['only_b']:,}, both {row['both']:,}",
        f"McNemar p = {number(row['p'], '.2g')}, with Holm {number(row['p_holm'], '.2g')}",
    )
    hollow = not row["p_holm"] <= FAMILY_WISE
    return Mark(name, row["difference"], row["low"], row["high"], words, details, hollow)


def arm_dots(table: pd.DataFrame, means: pd.DataFrame, titles: dict[str, str]) -> IntervalChart:
    """One measure by arm: a small dot a seed, the mean and its t interval over seeds; from `arm_table` and
    `arm_estimates` rows of that measure. `titles`: arms in order, and their names."""
    rows = []
    for arm, title in titles.items():
        seeds = [
            Mark(SEED, row["accuracy"], words=percent(row["accuracy"]), details=(str(row["model"]),))
            for row in table[table["arm"] == arm].to_dict("records")
        ]
        arms = [
            Mark(
                MEAN, row["mean"], row["low"], row["high"], f"over seeds {_share(row, 'low', 'high')}",
                (f"seeds and faces resampled {_share(row, 'both_low', 'both_high')}",),
            )
            for row in means[means["arm"] == arm].to_dict("records")
        ]  # fmt: skip
        rows.append(Row(title, (*seeds, *arms)))
    series = (Series(SEED, OWN.but(size=8, opacity=0.6), 0.22), Series(MEAN, Style(COLOURS[1], "diamond", size=12)))
    return IntervalChart(tuple(rows), series, Axis(unit="%"), 110 + 46 * len(rows))


def study_dots(table: pd.DataFrame) -> IntervalChart:
    """The original study's figures beside those of its repetition: a small dot a network, their mean and its interval;
    from `core.analysis.findings.repeated.seven_figures`. A figure without a group here has the original's mark alone.
    """
    rows = []
    for row in table.itertuples():
        marks = [Mark(ORIGINAL, row.original, words=f"{percent(row.original)} in the original study")]
        if row.n:
            marks += [Mark(SEED, value, words=percent(value)) for value in row.by_seed]
            words, details = with_interval(row.mean, row.low, row.high), (str(row.repeats),)
            marks.append(Mark(OURS, row.mean, row.low, row.high, words, details))
        rows.append(Row(capital(row.figure), tuple(marks), f"n = {row.n:,}" if row.n else "none here"))
    series = (
        Series(ORIGINAL, Style(COLOURS[1], "diamond", size=12), -0.22),
        Series(SEED, OWN.but(size=8, opacity=0.6), 0.22),
        Series(OURS, OWN),
    )
    low = table[["original", "low"]].min(axis=1)
    return IntervalChart(tuple(rows), series, Axis(unit="%", **accuracy_range(low)), 110 + 46 * len(rows))


def _share(row: dict, low: str, high: str) -> str:
    bounded = row[low] == row[low]
    return with_interval(row["mean"], row[low], row[high]) if bounded else percent(row["mean"])


def paired_panels(
    face: np.ndarray | None, maps: list[MapPair | None], limits: tuple[float, float], signed: bool, side: int
) -> list[Image.Image]:
    """Average face, the first model's mean map, then each other model's mean map and its difference to the first.

    `limits`: ends of the scale of maps, and of differences; surviving cells are outlined.
    """
    none = raster.placeholder(_NONE, side)
    panels = [raster.placeholder("no average face\nstored", side) if face is None else raster.show_face(face, side)]
    for k, pair in enumerate(maps):
        if pair is None:
            panels += [none] * (3 if k == 0 else 2)
            continue
        if k == 0:
            panels.append(raster.paint(pair.a, limits[0], signed, side, pair.placement))
        panels.append(raster.paint(pair.b, limits[0], signed, side, pair.placement))
        if pair.difference is None:
            panels.append(raster.placeholder("not tested:\nunder 30 faces\nor people", side))
        else:
            painted = raster.paint(pair.difference, limits[1], True, side, pair.placement)
            panels.append(outlined(painted, pair.survives, pair.placement) if pair.survives.any() else painted)
    return panels


def data_set_dots(table: pd.DataFrame, audits: dict[str, str]) -> IntervalChart:
    """Accuracy with Wilson intervals by group, a mark a data set; from `accuracy_by_data_set`.

    `audits`: the audits in order, and the words for their data sets.
    """
    rows = []
    for (gender, ethnicity), group in table.groupby(["gender", "ethnicity"], sort=False):
        marks = tuple(
            Mark(
                audits[row["audit"]],
                row["accuracy"],
                row["low"],
                row["high"],
                with_interval(row["accuracy"], row["low"], row["high"]),
                (f"{row['errors']:,} of {row['n']:,} incorrect",),
            )
            for row in group.to_dict("records")
        )
        rows.append(Row(group_label(gender, ethnicity), marks, f"n = {' / '.join(f'{n:,}' for n in group['n'])}"))
    series = tuple(
        Series(name, Style(cycled(COLOURS, k), "circle"), (k - (len(audits) - 1) / 2) * 0.26, True)
        for k, name in enumerate(audits.values())
    )
    axis = Axis(unit="%", **accuracy_range(table["low"]))
    return IntervalChart(tuple(rows), series, axis, 110 + (28 + 6 * len(audits)) * len(rows))
