"""Charts with Plotly: intervals are always drawn, and n always stands beside the group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.faces import GENDERS
from core.statistics import Roc

#: Okabe & Ito's colours, told apart with any kind of colour vision.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#6B6B6B"]
GENDER_COLOURS = {"female": "#D55E00", "male": "#0072B2"}
_MARGIN = {"l": 8, "r": 12, "t": 36, "b": 8}


def _layout(figure: go.Figure, height: int, **more: object) -> go.Figure:
    figure.update_layout(
        height=height,
        margin=_MARGIN,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
        hoverlabel={"namelength": -1},
        **more,
    )
    return figure


def _interval(table: pd.DataFrame, value: str, thickness: int) -> dict:
    """Error bars from the columns `low` and `high` about `value`."""
    return {
        "type": "data",
        "symmetric": False,
        "array": table["high"] - table[value],
        "arrayminus": table[value] - table["low"],
        "thickness": thickness,
        "width": 0,
    }


def accuracy_dots(
    table: pd.DataFrame, names: list[str], genders: list[str] | None = None, overall: float | None = None
) -> go.Figure:
    """Accuracy with Wilson intervals, a row a group, from an `accuracy_by` table; dots coloured by gender if given."""
    figure = go.Figure()
    labels = [f"{name}  <span style='opacity:.65'>n = {n:,}</span>" for name, n in zip(names, table["n"], strict=True)]
    kinds = genders or [""] * len(table)
    for kind in dict.fromkeys(kinds):
        mask = np.array([k == kind for k in kinds])
        part = table[mask]
        figure.add_scatter(
            x=part["accuracy"],
            y=[label for label, m in zip(labels, mask, strict=True) if m],
            error_x=_interval(part, "accuracy", 2),
            mode="markers",
            marker={"size": 11, "color": GENDER_COLOURS.get(kind, COLOURS[0])},
            name={"female": "women", "male": "men"}.get(kind, kind),
            showlegend=bool(kind),
            customdata=np.stack([part["low"], part["high"], part["errors"]], axis=1),
            hovertemplate="%{y}<br><b>%{x:.1%}</b> [%{customdata[0]:.1%}–%{customdata[1]:.1%}]"
            "<br>%{customdata[2]:,} wrong<extra></extra>",
        )
    if overall is not None:
        figure.add_vline(x=overall, line={"dash": "dot", "width": 1.5, "color": "#888"})
    low = float(np.nanmin(table["low"])) if len(table) else 0.5
    figure.update_xaxes(tickformat=".0%", range=[max(0.0, low - 0.03), 1.005], automargin=True)
    figure.update_yaxes(
        autorange="reversed", categoryorder="array", categoryarray=labels, automargin=True, ticksuffix=" "
    )
    return _layout(figure, 90 + 30 * len(table))


def roc_curves(curves: dict[str, Roc]) -> go.Figure:
    """Share of men called male against share of women called male, a curve a group."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": "#999"}, showlegend=False, hoverinfo="skip"
    )
    for n, (name, curve) in enumerate(curves.items()):
        figure.add_scatter(
            x=curve.false_positive,
            y=curve.true_positive,
            mode="lines",
            line={"color": COLOURS[n % len(COLOURS)], "width": 2},
            name=f"{name}, AUC {curve.auc.value:.3f}",
            hovertemplate="women called male %{x:.1%}<br>men called male %{y:.1%}<extra>" + name + "</extra>",
        )
    figure.update_xaxes(title="women called male", tickformat=".0%", range=[0, 1.0])
    figure.update_yaxes(title="men called male", tickformat=".0%", range=[0, 1.01])
    figure.update_layout(legend_orientation="v")
    return _legend_below(_layout(figure, 480))


def calibration_curves(tables: dict[str, pd.DataFrame]) -> go.Figure:
    """Share of faces labelled male against predicted probability, a line a group, with Wilson intervals."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": "#999"}, showlegend=False, hoverinfo="skip"
    )
    for n, (name, table) in enumerate(tables.items()):
        figure.add_scatter(
            x=table["p"],
            y=table["share"],
            error_y=_interval(table, "share", 1),
            mode="lines+markers",
            line={"color": COLOURS[n % len(COLOURS)]},
            name=name,
            customdata=table["n"],
            hovertemplate="p(male) %{x:.2f}<br>labelled male %{y:.1%}<br>n = %{customdata:,}<extra>"
            + name
            + "</extra>",
        )
    figure.update_xaxes(title="predicted probability of male", tickformat=".0%", range=[-0.01, 1.01])
    figure.update_yaxes(title="labelled male", tickformat=".0%", range=[-0.01, 1.02])
    return _legend_below(_layout(figure, 480))


def _legend_below(figure: go.Figure) -> go.Figure:
    figure.update_layout(legend={"orientation": "h", "y": -0.24, "yanchor": "top", "x": 0})
    return figure


def confusion_matrix(table: pd.DataFrame) -> go.Figure:
    """Counts and row shares; rows the label, columns the prediction."""
    shares = table.to_numpy() / np.maximum(table.to_numpy().sum(axis=1, keepdims=True), 1)
    text = [
        [f"{n:,}<br>{s:.1%}" for n, s in zip(row, share, strict=True)]
        for row, share in zip(table.to_numpy(), shares, strict=True)
    ]
    words = {"female": "women", "male": "men"}
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=[f"predicted {gender}" for gender in GENDERS],
            y=[f"labelled {words[gender]}" for gender in GENDERS],
            text=text,
            texttemplate="%{text}",
            colorscale="Blues",
            zmin=0,
            zmax=1,
            showscale=False,
            hoverinfo="skip",
            xgap=4,
            ygap=4,
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(side="top")
    return _layout(figure, 260)


def training_curve(
    metrics: pd.DataFrame, columns: dict[str, str], percent: bool, best: int | None, log: bool = False
) -> go.Figure:
    """Columns of `metrics.csv` over epochs; the kept epoch is marked, a change of picture size shaded."""
    figure = go.Figure()
    # An ethnicity's women and men share a colour; men's lines are dotted.
    kinds = list(dict.fromkeys(name.removesuffix(" women").removesuffix(" men") for name in columns.values()))
    for column, name in columns.items():
        colour = kinds.index(name.removesuffix(" women").removesuffix(" men")) % len(COLOURS)
        figure.add_scatter(
            x=metrics["epoch"],
            y=metrics[column],
            mode="lines+markers",
            marker={"size": 5},
            line={"color": COLOURS[colour], "width": 2, "dash": "dot" if name.endswith(" men") else "solid"},
            name=name,
            hovertemplate="epoch %{x}: %{y" + (":.2%" if percent else ":.4g") + "}<extra>" + name + "</extra>",
        )
    geometry = metrics["size"].astype(str) + " px" + metrics["dilated"].map({True: " dilated", False: ""})
    starts = np.flatnonzero((geometry != geometry.shift()).to_numpy())
    for n, start in enumerate(starts):
        end = starts[n + 1] if n + 1 < len(starts) else len(metrics)
        figure.add_vrect(
            x0=metrics["epoch"].iloc[start] - 0.5,
            x1=metrics["epoch"].iloc[end - 1] + 0.5,
            fillcolor="#888",
            opacity=0.04 + 0.04 * (n % 2),
            line_width=0,
            annotation={"text": geometry.iloc[start], "font": {"size": 10}, "textangle": 0},
            annotation_position="bottom left",
        )
    if best is not None:
        figure.add_vline(x=best, line={"dash": "dot", "color": "#D55E00", "width": 1.5})
    figure.update_xaxes(title="epoch", dtick=1 if len(metrics) <= 12 else None)
    figure.update_yaxes(tickformat=".0%" if percent else None)
    if log:
        figure.update_yaxes(type="log", dtick=1, tickformat=".0e")
    return _legend_below(_layout(figure, 340 if len(columns) <= 3 else 440))
