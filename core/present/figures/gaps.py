"""Charts of gaps: two kinds of interval on one line, age taken out, what label noise holds."""

from __future__ import annotations

import pandas as pd

from core.analysis.accuracy.label_noise import LabelNoise
from core.present.figures.chart_data import Axis, IntervalChart, Mark, Row, Series
from core.present.figures.charts import accuracy_range, gender_series
from core.present.figures.styles import COLOURS, GENDER_NOUNS, GREY, OWN, STROKE, THIN, Style
from core.present.text.columns import tick_names
from core.wording import capital, in_points, percent, points, with_interval

AT_ONCE, ALONE = "all groups at once", "this group alone"


def _n(count: int) -> str:
    return f"n = {count:,}"


def simultaneous_dots(table: pd.DataFrame) -> IntervalChart:
    """Accuracy of each group of a `Simultaneous.table`: thick its Wilson interval, thin the one that holds for all."""
    rows = []
    for name_of, row in zip(tick_names(table), table.to_dict("records"), strict=True):
        alone = with_interval(row["accuracy"], row["wilson_low"], row["wilson_high"])
        words = with_interval(row["accuracy"], row["low"], row["high"])
        details = (f"alone {alone}", f"all at once {words}", f"{row['errors']:,} incorrect")
        name = GENDER_NOUNS.get(row["gender"], ALONE)
        marks = (
            Mark(AT_ONCE, row["accuracy"], row["low"], row["high"]),
            Mark(name, row["accuracy"], row["wilson_low"], row["wilson_high"], percent(row["accuracy"]), details),
        )
        rows.append(Row(name_of, marks, _n(row["n"]), words))
    genders = [gender if gender in GENDER_NOUNS else "" for gender in table["gender"]]
    thick = (
        Series(series.name, series.style.but(size=10, thickness=4), legend=series.legend)
        for series in gender_series(genders, both=ALONE)
    )
    return IntervalChart(
        tuple(rows),
        (Series(AT_ONCE, THIN), *thick),
        Axis(unit="%", **accuracy_range(table["low"], 0.02)),
        90 + 30 * len(table),
        title="Accuracy, all groups at once",
        caption="Thick: Wilson 95 % interval of a group by itself. Thin: intervals that hold for all groups at once.",
    )


def age_dots(table: pd.DataFrame) -> IntervalChart:
    """Accuracy as it is (hollow) and at the ages of all faces (filled) of a `Regression.standardised`, best first."""
    table = table.sort_values("standardised", ascending=False, kind="stable", ignore_index=True)
    kinds = (
        ("accuracy", "low", "high", "as it is"),
        ("standardised", "standardised_low", "standardised_high", "at the ages of all faces"),
    )
    rows = tuple(
        Row(
            capital(row["group"]),
            tuple(
                Mark(name, *(row[key] for key in keys), f"{name} {with_interval(*(row[key] for key in keys))}")
                for *keys, name in kinds
            ),
            _n(row["n"]),
        )
        for row in table.to_dict("records")
    )
    styles = (Style(GREY, "circle-open", size=10, edge=2), OWN.but(symbol="circle", size=10, edge=2))
    series = (Series(kinds[0][3], styles[0], -0.16), Series(kinds[1][3], styles[1], 0.16))
    least = table[["low", "standardised_low"]].min(axis=1)
    return IntervalChart(rows, series, Axis(unit="%", **accuracy_range(least, 0.02)), 90 + 36 * len(table))


def noise_shares(noise: LabelNoise) -> IntervalChart:
    """Share of the errors (with its interval) beside the share of all faces, a row a place."""
    rows = tuple(
        Row(
            capital(row["where"]),
            (
                Mark("of all faces", row["share_faces"], words=f"{percent(row['share_faces'])} of all faces"),
                Mark("of the errors", row["share_errors"], row["low"], row["high"],
                     f"{with_interval(row['share_errors'], row['low'], row['high'])} of the errors"),
            ),
            f"{row['errors']:,} of {noise.errors:,}",
        )
        for row in noise.shares.to_dict("records")
    )  # fmt: skip
    series = (Series("of all faces", STROKE), Series("of the errors", Style(COLOURS[1])))
    return IntervalChart(rows, series, Axis(unit="%", from_zero=True), 100 + 34 * len(rows))


def gap_variants(noise: LabelNoise) -> IntervalChart:
    """The largest gap with its simultaneous interval, and corrected, with and without what may be noise."""
    rows = []
    for variant in noise.variants:
        if (gap := variant.gap) is None:
            continue
        wide = gap.difference
        words = points(wide)
        marks = (
            Mark("largest gap", wide.value, wide.low, wide.high, words,
                 (f"{gap.best['group']} and {gap.worst['group']}",)),
            Mark("less its bias", gap.corrected, words=f"{in_points(gap.corrected)} points less the bias of a maximum"),
        )  # fmt: skip
        rows.append(Row(capital(variant.without), marks, _n(variant.n)))
    series = (Series("largest gap", OWN), Series("less its bias", Style(COLOURS[4], "diamond-open", edge=2)))
    return IntervalChart(tuple(rows), series, Axis("points", "points"), 100 + 34 * len(rows), reference=0.0)
