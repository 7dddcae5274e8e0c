"""Numbers in charts are written as `core.wording` writes them: «92.3 %», «−4.2», «1,234»; ticks, hovers and names."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.present.figures import charts, photo
from core.present.figures.chart_data import MapChart, MapPanel, Scale
from core.present.figures.plotly_charts import figure_of
from core.present.figures.plotly_maps import map_figure
from core.present.report import blocks
from core.wording import bounds, in_unit, number, percent, signed_points, trimmed
from tests.helpers.chart_cases import BAR_CASES, CURVES, INTERVALS, Case, CurveCase

ROWS = [*INTERVALS, *BAR_CASES]

#: What is no text to be read: where a thing lies, its colour and sign, and the page's own theme.
UNREAD = {"template", "color", "fillcolor", "colorscale", "symbol", "dash", "font", "bdata", "texttemplate"}
ODD = re.compile(r"\d%|-\d|\de[-+−]?\d|(?<![\d.,])\d{4,}")


def texts(part: Any) -> list[str]:
    """All texts of a drawn figure that somebody reads, marks of HTML taken out."""
    if isinstance(part, dict):
        return [text for key, value in part.items() if key not in UNREAD for text in texts(value)]
    if isinstance(part, list):
        return [text for value in part for text in texts(value)]
    return [re.sub(r"<[^>]*>", " ", part)] if isinstance(part, str) else []


def told_by_plotly(figure: go.Figure) -> None:
    """Fail where a figure writes a number, or would have Plotly write one, otherwise than `core.wording` does."""
    content = json.loads(figure.to_json())
    assert not [text for text in texts(content) if ODD.search(text)]
    for trace in content["data"]:
        # Plotly's own formats have «92%» and a hyphen for a minus.
        assert "%{x" not in trace.get("hovertemplate", "")
        assert ":" not in "".join(re.findall(r"%\{[^}]*\}", trace.get("hovertemplate", "")))
        assert trace.get("hoverinfo") == "skip" or "hovertext" in trace
    for name, axis in content["layout"].items():
        if name.startswith(("xaxis", "yaxis")):
            assert "tickformat" not in axis


@pytest.mark.parametrize("case", [*ROWS, *CURVES], ids=str)
def test_numbers_are_written_as_everywhere_else(case: Case | CurveCase) -> None:
    """«92.3 %», «−4.2», «1,234»: in ticks, hovers and names of every chart."""
    chart = case.build(**case.tables)
    figure = figure_of(chart)
    told_by_plotly(figure)
    axes = {"xaxis": getattr(chart, "axis", None) or chart.x} | ({"yaxis": chart.y} if hasattr(chart, "y") else {})
    for name, axis in axes.items():
        assert figure.layout[name].ticksuffix == (" %" if axis.unit == "%" else None)
        assert figure.layout[name].separatethousands


@pytest.mark.parametrize("case", [case for case in ROWS if case.name != "a photo's regions"], ids=str)
def test_the_report_writes_them_so_too(case: Case) -> None:
    block = blocks.Chart.from_chart(case.chart())
    words = [text for _, text in block.scale.ticks()] + [text for row in block.rows() for text in (row[1], row[3])]
    assert not [text for text in words if ODD.search(text)]
    percent = block.data.axis.unit == "%"
    assert all(text.endswith(" %") == percent for _, text in block.scale.ticks())


def test_so_do_matrices_histograms_and_maps() -> None:
    table = pd.DataFrame([[1474, 82], [0, 0]], index=["female", "male"], columns=["female", "male"])
    told_by_plotly(figure_of(charts.confusion_matrix(table)))
    told_by_plotly(figure_of(photo.certainty(np.array([0.1, 2.9]), np.array([0.1]), -1.5, "male")))
    panel = MapPanel(np.array([[-0.25, 0.5], [0.0, 1.0]]), "women", "a map")
    figure = map_figure(MapChart((panel,), (Scale(1.0, True, "−1", "1"),)))
    told_by_plotly(figure)
    assert figure.data[0].hovertext[0][0] == "−0.2500"


def test_a_number_is_written_one_way() -> None:
    """A true minus, thousands apart, and no «−0.0»."""
    assert [number(-1234.5, ",.1f"), number(-0.001), number(-0.001, "+.1f"), number(2.0, "+.1f")] == [
        "−1,234.5", "0.00", "+0.0", "+2.0",
    ]  # fmt: skip
    assert number(-2e-9, "+.1e") == "−2.0e−09"
    assert (percent(0.9234), percent(-0.0001), signed_points(-0.0004)) == ("92.3 %", "0.0 %", "+0.0")
    assert [in_unit(-0.051, unit) for unit in ("%", "points", "")] == ["−5.1 %", "−5.1", "−0.051"]
    assert [trimmed(value) for value in (0.931, -0.07281, 2.0, float("nan"))] == ["0.931", "−0.0728", "2", "–"]
    assert bounds(-0.01, 9.1) == "0.0–9.1"
