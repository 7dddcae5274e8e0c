"""What charts colour by gender, where some faces have none recorded."""

from __future__ import annotations

from core.data.faces import UNRECORDED
from core.present.figures import charts
from tests.helpers.chart_tables import ACCURACY


def test_faces_without_a_gender_are_not_coloured_as_men() -> None:
    """Where some have a gender, those without are a kind of their own, in the legend too."""
    table = ACCURACY.head(3)
    genders = ["female", "male", UNRECORDED]
    series = {one.name: one for one in charts.accuracy_dots(table, ["a", "b", "c"], genders).series}
    assert list(series) == ["women", "men", "gender not recorded"] and all(one.legend for one in series.values())
    assert len({one.style.colour for one in series.values()}) == 3
    assert len({one.style.report for one in series.values()}) == 3
    (alone,) = charts.accuracy_dots(table, ["a", "b", "c"], [UNRECORDED] * 3).series
    assert alone.name == "" and not alone.legend, "of none a gender is recorded: nothing is said of it"
