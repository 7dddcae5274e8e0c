"""On a telephone no label lies on another: names of rows have room for their lines, names of bands their own line."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pandas as pd
import pytest

from core.present.figures.chart_data import Axis, Band, Bar, BarChart, Curve, CurveChart, Row, Series
from core.present.figures.charts import training_curve
from core.present.figures.plotly_charts import figure_of, label
from core.present.figures.styles import STROKE

#: Width of a chart's plot in a window of 390 px, and of a character of ten pixels, as Chromium draws them.
PLOT, CHARACTER = 250, 5
#: A line of a tick's label.
LINE = 16


def rows_of(names: list[str]) -> BarChart:
    rows = tuple(Row(name, (Bar("a", 1.0, 0.5, 1.5, "1"),), "n = 37") for name in names)
    return BarChart(rows, (Series("a", STROKE),), Axis("margin"), 90 + 40 * len(names), note_below=True)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_long_names_of_rows_have_room_for_their_lines(levels: int) -> None:
    long = ", ".join(["B: White women", "18 and older", *[f"column {n}: some level" for n in range(levels)]])
    figure = figure_of(rows_of(["brows", "nose", long, "mouth", long]))
    lines = [text.count("<br>") + 1 for text in figure.layout.yaxis.ticktext]
    # Above and below the rows Plotly leaves no more than this.
    pitch = (figure.layout.height - 110) / len(lines)
    assert max(a + b for a, b in itertools.pairwise(lines)) / 2 * LINE <= pitch


def test_names_of_rows_are_broken_at_their_commas_alone_where_they_fit() -> None:
    name = label("B: White women, 18 and older, glasses: yes", "n = 25", below=True)
    assert name.startswith("B: White women,<br>18 and older,<br>glasses: yes<br><span")


def test_long_names_leave_room_for_the_chart_and_long_titles_are_broken() -> None:
    """On a telephone half of 390 px for names, a character 6 px wide; a title is as wide as the plot at most."""
    long = "A: Men, collection: archive of the municipal photographic service, department of portraits (series 39)"
    chart = rows_of([long, "nose"])
    figure = figure_of(replace(chart, axis=Axis("mean margin, logit not smiling − logit smiling")))
    lines = [line for text in figure.layout.yaxis.ticktext for line in re.sub("<(?!br).*?>", "", text).split("<br>")]
    assert max(map(len, lines)) * 6 <= 390 / 2
    assert figure.layout.xaxis.title.text == "mean margin,<br>logit not smiling − logit smiling"


def names_drawn(chart: CurveChart, low: float, high: float) -> list[tuple[float, float, float]]:
    """Left and right end in pixels of each name, and how far it is lifted."""
    places = []
    for name in figure_of(chart).layout.annotations:
        width, at = CHARACTER * len(name.text), (name.x - low) / (high - low) * PLOT
        start = at - width if name.xanchor == "right" else at
        places.append((start, start + width, name.yshift))
    return places


def apart(places: list[tuple[float, float, float]]) -> bool:
    return all(
        a[1] <= b[0] or b[1] <= a[0] or abs(a[2] - b[2]) >= 11 for a, b in itertools.combinations(places, 2)
    ) and all(start >= -CHARACTER and end <= PLOT + CHARACTER for start, end, _ in places)


def test_image_sizes_of_a_training_lie_apart() -> None:
    """The shipped model's epochs: four at 112 px and three more dilated, which take 33 pixels of a telephone's."""
    sizes = [64] * 8 + [96] * 8 + [112] * 7
    metrics = pd.DataFrame(
        {"epoch": range(1, 24), "size": sizes, "dilated": [False] * 20 + [True] * 3, "val_accuracy": 0.9}
    )
    chart = training_curve(metrics, {"val_accuracy": "validation"}, True, 20)
    places = names_drawn(chart, 0.5, 23.5)
    assert len(places) == 4 and apart(places), places
    # Over the plot, where no curve is: at the foot a rate that falls to the last epoch runs through the last one.
    assert {(name.y, name.yanchor) for name in figure_of(chart).layout.annotations} == {(1, "bottom")}


def test_many_short_bands_take_more_lines() -> None:
    bands = tuple(Band("x", n - 0.5, n + 0.5, "#888", 0.1, f"{100 + n} px dilated") for n in range(1, 7))
    chart = CurveChart((Curve("a", tuple(range(1, 7)), (0.5,) * 6, STROKE),), Axis("epoch"), Axis(), 300, bands)
    assert apart(names_drawn(chart, 0.5, 6.5))
