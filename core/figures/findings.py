"""Figures of the findings page that no other page has: density by region, mean shapes, an experiment's effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from core.figures import differences, pictures
from core.figures.charts import COLOURS

LINE = {"dash": "dot", "width": 1.5, "color": "#888"}


def _rows(figure: go.Figure, labels: list[str], height: int) -> go.Figure:
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=labels, automargin=True)
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 36, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
        hoverlabel={"namelength": -1},
    )
    return figure


def density_dots(table: pd.DataFrame, marked: tuple[str, ...]) -> go.Figure:
    """Density of positive evidence by region with intervals; the claim's regions in another colour, 1 as a line."""
    figure = go.Figure()
    table = table.sort_values("density", ascending=False)
    for name, part in (("in the claim", table[table["region"].isin(marked)]),
                       ("not in it", table[~table["region"].isin(marked)])):  # fmt: skip
        figure.add_scatter(
            x=part["density"], y=part["region"], mode="markers", name=name,
            marker={"size": 11, "color": COLOURS[1] if name == "in the claim" else COLOURS[0]},
            error_x={"type": "data", "symmetric": False, "array": part["high"] - part["density"],
                     "arrayminus": part["density"] - part["low"], "thickness": 2, "width": 0},
            customdata=np.stack([part["low"], part["high"], part["share"], part["area"]], axis=1),
            hovertemplate="%{y}<br><b>%{x:.2f}</b> [%{customdata[0]:.2f}–%{customdata[1]:.2f}]<br>%{customdata[2]:.1%} "
            "of the evidence on %{customdata[3]:.1%} of the picture<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=1, line=LINE)
    figure.update_xaxes(title="density of positive evidence (1 is uniform)", rangemode="tozero")
    return _rows(figure, list(table["region"]), 90 + 32 * len(table))


def shape_panels(right: np.ndarray, wrong: np.ndarray, significant: np.ndarray, side: int = 224) -> list[Image.Image]:
    """Mean shapes of right and wrong predictions on one signed scale; in the second, cells other than flat outlined."""
    limit = pictures.shared_limit([right, wrong])
    painted = [pictures.paint(mean, limit, signed=True, side=side) for mean in (right, wrong)]
    return [painted[0], differences.outlined(painted[1], significant)]


def effect_dots(table: pd.DataFrame) -> go.Figure:
    """An experiment's effects: a row a measure; each seed a small dot, the mean with its interval over seeds (thick)
    and over seeds and faces (thin). From a finding's `numbers` of one contrast."""
    figure = go.Figure()
    labels = list(table["measure"])
    seeds = [name for name in table if name.startswith("seed ")]
    for n, name in enumerate(seeds):
        figure.add_scatter(
            x=table[name], y=labels, mode="markers", name="each seed", legendgroup="seed", showlegend=n == 0,
            marker={"size": 7, "color": COLOURS[7], "symbol": "circle-open"},
            hovertemplate="%{y}<br>" + name + ": %{x:+.1%}<extra></extra>",
        )  # fmt: skip
    for name, low, high, width in (
        ("over seeds and faces", "both_low", "both_high", 1.5),
        ("over seeds", "low", "high", 4),
    ):
        figure.add_scatter(
            x=table["mean"], y=labels, mode="markers", name="mean; thick over seeds, thin over seeds and faces",
            showlegend=name == "over seeds",
            marker={"size": 11, "color": COLOURS[0]},
            error_x={"type": "data", "symmetric": False, "array": table[high] - table["mean"],
                     "arrayminus": table["mean"] - table[low], "thickness": width, "width": 0},
            customdata=np.stack([table[low], table[high]], axis=1),
            hovertemplate="%{y}<br><b>%{x:+.1%}</b> [%{customdata[0]:+.1%} to %{customdata[1]:+.1%}]<extra>" + name
            + "</extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line=LINE)
    figure.update_xaxes(title="change of accuracy", tickformat="+.0%")
    return _rows(figure, labels, 120 + 34 * len(labels))
