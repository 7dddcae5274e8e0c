"""Charts of gaps: two kinds of interval on one line, age taken out, what label noise holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures.charts import COLOURS, GENDER_COLOURS
from core.noise import Noise
from core.sentences import capital

GREY = "#8A9494"


def _finish(figure: go.Figure, labels: Sequence[str], height: int) -> go.Figure:
    """Rows from above, named by `labels`, the legend over the chart."""
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=[label + " " for label in labels],
        range=[len(labels) - 0.4, -0.6],
        automargin=True,
        zeroline=False,
    )
    figure.update_xaxes(automargin=True, zeroline=False)
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 44, "b": 8},
        legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0, "title": None},
        hoverlabel={"namelength": -1},
    )
    return figure


def _bars(value: pd.Series, low: pd.Series, high: pd.Series, thickness: float, colour: str | None = None) -> dict:
    return {
        "type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low,
        "thickness": thickness, "width": 0, "color": colour,
    }  # fmt: skip


def _labels(table: pd.DataFrame) -> list[str]:
    return [
        f"{capital(name)}  <span style='opacity:.65'>n = {n:,}</span>"
        for name, n in zip(table["group"], table["n"], strict=True)
    ]


def simultaneous_dots(table: pd.DataFrame) -> go.Figure:
    """Accuracy of each group of a `Simultaneous.table`: thick its Wilson interval, thin the one that holds for all."""
    figure = go.Figure()
    rows = np.arange(len(table))
    figure.add_scatter(
        x=table["accuracy"], y=rows, mode="markers", hoverinfo="skip",
        marker={"size": 12, "symbol": "line-ew-open", "color": GREY, "line": {"width": 1.5}},
        error_x=_bars(table["accuracy"], table["low"], table["high"], 1.5, GREY), name="all groups at once",
    )  # fmt: skip
    for gender in dict.fromkeys(table["gender"]):
        mask = (table["gender"] == gender).to_numpy()
        part = table[mask]
        figure.add_scatter(
            x=part["accuracy"],
            y=rows[mask],
            mode="markers",
            marker={"size": 10, "color": GENDER_COLOURS.get(gender, COLOURS[0])},
            error_x=_bars(part["accuracy"], part["wilson_low"], part["wilson_high"], 4),
            name={"female": "women", "male": "men"}.get(gender, "this group alone"),
            customdata=part[["group", "low", "high", "wilson_low", "wilson_high", "errors"]],
            hovertemplate="%{customdata[0]}: <b>%{x:.1%}</b><br>alone %{customdata[3]:.1%}–%{customdata[4]:.1%}"
            "<br>all at once %{customdata[1]:.1%}–%{customdata[2]:.1%}<br>%{customdata[5]:,} wrong<extra></extra>",
        )
    figure.update_xaxes(tickformat=".0%", range=[max(0.0, float(table["low"].min()) - 0.02), 1.004])
    return _finish(figure, _labels(table), 90 + 30 * len(table))


def age_dots(table: pd.DataFrame) -> go.Figure:
    """Accuracy as it is (hollow) and at the ages of all faces (filled) of a `Regression.standardised`."""
    table = table.sort_values("standardised", ascending=False, kind="stable", ignore_index=True)
    figure = go.Figure()
    rows = np.arange(len(table))
    kinds = (
        ("accuracy", "low", "high", "as it is", -0.16, "circle-open", GREY),
        (
            "standardised",
            "standardised_low",
            "standardised_high",
            "at the ages of all faces",
            0.16,
            "circle",
            COLOURS[0],
        ),
    )
    for value, low, high, name, shift, symbol, colour in kinds:
        figure.add_scatter(
            x=table[value],
            y=rows + shift,
            mode="markers",
            marker={"size": 10, "symbol": symbol, "color": colour, "line": {"width": 2, "color": colour}},
            error_x=_bars(table[value], table[low], table[high], 2),
            name=name,
            customdata=table[["group", low, high]],
            hovertemplate="%{customdata[0]}, " + name + ": <b>%{x:.1%}</b>"
            " [%{customdata[1]:.1%}–%{customdata[2]:.1%}]<extra></extra>",
        )
    least = float(table[["low", "standardised_low"]].min().min())
    figure.update_xaxes(tickformat=".0%", range=[max(0.0, least - 0.02), 1.004])
    return _finish(figure, _labels(table), 90 + 36 * len(table))


def noise_shares(found: Noise) -> go.Figure:
    """Share of the errors (with its interval) beside the share of all faces, a row a place."""
    table, figure = found.shares, go.Figure()
    rows = np.arange(len(table))
    figure.add_scatter(
        x=table["share_faces"], y=rows, mode="markers", name="of all faces",
        marker={"size": 11, "symbol": "line-ns-open", "color": GREY, "line": {"width": 3}},
        hovertemplate="%{x:.1%} of all faces<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=table["share_errors"], y=rows, mode="markers", name="of the errors",
        marker={"size": 11, "color": COLOURS[1]},
        error_x=_bars(table["share_errors"], table["low"], table["high"], 2),
        hovertemplate="%{x:.1%} of the errors<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    labels = [
        f"{capital(row.where)}  <span style='opacity:.65'>{row.errors:,} of {found.errors:,}</span>"
        for row in table.itertuples()
    ]
    return _finish(figure, labels, 100 + 34 * len(table))


def gap_variants(found: Noise) -> go.Figure:
    """The largest gap with its simultaneous interval, and corrected, with and without what may be noise."""
    shown = [variant for variant in found.variants if variant.gap is not None]
    figure = go.Figure()
    values = pd.DataFrame(
        {
            "value": [v.gap.difference.value for v in shown],
            "low": [v.gap.difference.low for v in shown],
            "high": [v.gap.difference.high for v in shown],
            "corrected": [v.gap.corrected for v in shown],
            "between": [f"{v.gap.best['group']} and {v.gap.worst['group']}" for v in shown],
        }
    )
    rows = np.arange(len(shown))
    figure.add_scatter(
        x=values["value"], y=rows, mode="markers", name="largest gap", marker={"size": 11, "color": COLOURS[0]},
        error_x=_bars(values["value"], values["low"], values["high"], 2),
        customdata=values[["between", "low", "high"]],
        hovertemplate="%{customdata[0]}: <b>%{x:.1%}</b> [%{customdata[1]:.1%} to %{customdata[2]:.1%}]<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=values["corrected"], y=rows, mode="markers", name="less its bias",
        marker={"size": 11, "symbol": "diamond-open", "color": COLOURS[4], "line": {"width": 2}},
        hovertemplate="%{x:.1%} less the bias of a maximum<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=0, line={"dash": "dot", "width": 1.5, "color": "#888"})
    figure.update_xaxes(tickformat=".0%")
    labels = [f"{capital(v.without)}  <span style='opacity:.65'>n = {v.n:,}</span>" for v in shown]
    return _finish(figure, labels, 100 + 34 * len(shown))
