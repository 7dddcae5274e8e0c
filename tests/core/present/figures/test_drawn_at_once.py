"""Charts of rows are made of one dictionary."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from core.present.figures.plotly_charts import figure_of
from tests.helpers.chart_cases import INTERVALS, Case


@pytest.mark.parametrize("case", INTERVALS[:3], ids=lambda case: case.name)
def test_a_figure_of_rows_is_made_at_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call of Plotly's `add_…` and `update_…` costs milliseconds at every click on a filter."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a figure is drawn piece by piece")

    chart = case.build(**case.tables)
    for name in ("add_trace", "add_traces", "add_shape", "update_layout", "update_xaxes", "update_yaxes"):
        monkeypatch.setattr(go.Figure, name, refused)
    assert figure_of(chart).data
