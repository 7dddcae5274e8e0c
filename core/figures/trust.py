"""Charts of the checks: similarity by randomised stage, curves with their controls, regions, methods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures.charts import COLOURS, _interval, _layout, _legend_below
from core.trust.definitions.orders import Order
from core.trust.definitions.randomisation import ANOTHER_FACE, RANK, RANK_OF_MAGNITUDES

#: The face's own map is drawn strong, the controls in colours of their own, dashed.
STYLES = {
    Order.OWN: (COLOURS[0], "solid", 3),
    Order.RANDOM: (COLOURS[7], "dot", 2),
    Order.GAUSSIAN: (COLOURS[1], "dash", 2),
    Order.AVERAGE_FACE: (COLOURS[2], "dashdot", 2),
}
STAGES = {
    "fc": "last layer",
    "layer4": "+ stage 4",
    "layer3": "+ stage 3",
    "layer2": "+ stage 2",
    "layer1": "+ stage 1",
    "conv1": "+ stem (all)",
}


def similarity_dots(rows: pd.DataFrame) -> go.Figure:
    """Rank correlation with the real map after each randomised stage, signed and of magnitudes, from the rows of one
    group; the shaded band is what two faces' real maps have."""
    figure = go.Figure()
    for n, (measure, name) in enumerate(((RANK, "signed map"), (RANK_OF_MAGNITUDES, "magnitudes alone"))):
        part = rows[rows["measure"] == measure]
        steps, other = part[part["stage"] != ANOTHER_FACE], part[part["stage"] == ANOTHER_FACE].iloc[0]
        colour = COLOURS[n]
        figure.add_hrect(other["low"], other["high"], fillcolor=colour, opacity=0.18, line_width=0)
        figure.add_hline(other["mean"], line={"color": colour, "width": 1, "dash": "dot"})
        figure.add_scatter(
            x=["nothing", *(STAGES[stage] for stage in steps["stage"])],
            y=[1.0, *steps["mean"]],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [0, *(steps["high"] - steps["mean"])],
                "arrayminus": [0, *(steps["mean"] - steps["low"])],
                "thickness": 2,
                "width": 0,
            },
            mode="lines+markers",
            marker={"size": 9},
            line={"color": colour, "width": 2},
            name=name,
            customdata=np.vstack([[1, 1, 1, 1], steps[["low", "high", "draw_low", "draw_high"]].to_numpy()]),
            hovertemplate="%{x}: <b>%{y:.2f}</b> [%{customdata[0]:.2f} to %{customdata[1]:.2f}]"
            "<br>single draws %{customdata[2]:.2f} to %{customdata[3]:.2f}<extra>" + name + "</extra>",
        )
    figure.update_xaxes(title={"text": "weights made random", "standoff": 14}, tickangle=-35, tickfont={"size": 11})
    figure.update_yaxes(title="rank correlation", zeroline=True, zerolinecolor="#888", tickformat=".1f")
    return _layout(figure, 360)


def order_curves(curves: np.ndarray, x: np.ndarray, orders: list[str], axis: str, score: str) -> go.Figure:
    """Curves (3, orders, X) of mean, low and high over the share of pixels; the own map's interval is shaded."""
    figure = go.Figure()
    for o, name in enumerate(orders):
        colour, dash, width = STYLES[name]
        mean, low, high = curves[:, o].astype(float)
        if o == 0:
            figure.add_scatter(
                x=np.concatenate([x, x[::-1]]),
                y=np.concatenate([high, low[::-1]]),
                mode="lines",
                fill="toself",
                fillcolor="rgba(0,114,178,.15)",
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
            )
        figure.add_scatter(
            x=x,
            y=mean,
            mode="lines+markers",
            marker={"size": 5},
            line={"color": colour, "dash": dash, "width": width},
            name=name,
            customdata=np.stack([low, high], axis=1),
            hovertemplate="%{x:.0%}: <b>%{y:.2f}</b> [%{customdata[0]:.2f} to %{customdata[1]:.2f}]<extra>"
            + name
            + "</extra>",
        )
    figure.update_xaxes(title=axis, tickformat=".0%", range=[-0.02, 1.02])
    figure.update_yaxes(title=score)
    return _legend_below(_layout(figure, 380))


def difference_dots(rows: pd.DataFrame, better: dict[str, bool], labels: dict[str, str]) -> go.Figure:
    """Area under the own curve less each control's, with its paired interval; turned so that right is better for the
    map: `better` says for each kind whether a smaller area is. `labels` names the kinds."""
    rows = rows[rows["less"].notna()]
    figure = go.Figure()
    for kind in labels:
        part = rows[rows["kind"] == kind]
        turned = pd.DataFrame({"value": part["less"], "low": part["less_low"], "high": part["less_high"]})
        if better[kind]:
            turned = pd.DataFrame({"value": -turned["value"], "low": -turned["high"], "high": -turned["low"]})
        figure.add_scatter(
            x=turned["value"],
            y=[f"{labels[kind]}<br>against {order}" for order in part["order"]],
            error_x=_interval(turned, "value", 2) | {"color": "#888"},
            mode="markers",
            marker={"size": 11, "color": [STYLES[order][0] for order in part["order"]]},
            name=labels[kind],
            showlegend=False,
            customdata=turned[["low", "high"]].to_numpy(),
            hovertemplate="%{y}<br><b>%{x:.3f}</b> [%{customdata[0]:.3f} to %{customdata[1]:.3f}]<extra></extra>",
        )
    figure.add_vline(x=0, line={"dash": "dot", "width": 1.5, "color": "#888"})
    figure.update_xaxes(title="← control better · map better →", automargin=True)
    figure.update_yaxes(autorange="reversed", automargin=True, ticksuffix=" ")
    return _layout(figure, 90 + 40 * len(rows))


def region_bars(rows: pd.DataFrame, by_area: bool) -> go.Figure:
    """Evidence of each region beside what hiding it costs, and what the same hole costs elsewhere, in logits; divided
    by the region's share of the picture where `by_area`."""
    figure = go.Figure()
    kinds = (
        ("evidence", "evidence of the map", COLOURS[0], ""),
        ("drop", "lost by hiding it", COLOURS[1], ""),
        ("control", "lost by the same hole elsewhere", COLOURS[7], "/"),
    )
    scale = rows["area"] if by_area else 1.0
    names = [f"{name}  <span style='opacity:.65'>{share:.0%}</span>" for name, share in rows[["region", "area"]].values]
    for column, name, colour, pattern in kinds:
        part = pd.DataFrame({end: rows[f"{column}{end}"] / scale for end in ("", "_low", "_high")})
        part.columns = ["value", "low", "high"]
        figure.add_bar(
            x=part["value"],
            y=names,
            orientation="h",
            error_x=_interval(part, "value", 1) | {"color": "#888"},
            marker={"color": colour, "pattern": {"shape": pattern}},
            name=name,
            customdata=part[["low", "high"]].to_numpy(),
            hovertemplate="%{y}<br><b>%{x:.2f}</b> [%{customdata[0]:.2f} to %{customdata[1]:.2f}]<extra>"
            + name
            + "</extra>",
        )
    title = "logits for the prediction" + (", per unit of area (the whole picture is 1)" if by_area else "")
    figure.update_xaxes(title=title, zeroline=True, zerolinecolor="#888")
    figure.update_yaxes(autorange="reversed", automargin=True, ticksuffix=" ")
    return _legend_below(_layout(figure, 120 + 56 * len(rows), barmode="group", bargap=0.25)).update_layout(
        legend={"y": -0.13}
    )


def method_dots(rows: pd.DataFrame) -> go.Figure:
    """Mean rank correlation with the closed form, a row a method, from the rows of one group; best first."""
    rows = rows.sort_values("mean", ascending=False, kind="stable", na_position="last")
    figure = go.Figure()
    labels = [f"{name}  <span style='opacity:.65'>n = {n}</span>" for name, n in rows[["method", "defined"]].values]
    figure.add_scatter(
        x=rows["mean"],
        y=labels,
        error_x=_interval(rows, "mean", 2),
        mode="markers",
        marker={"size": 10, "color": COLOURS[0]},
        showlegend=False,
        customdata=rows[["low", "high"]].to_numpy(),
        hovertemplate="%{y}<br><b>%{x:.3f}</b> [%{customdata[0]:.3f} to %{customdata[1]:.3f}]<extra></extra>",
    )
    figure.add_vline(x=0, line={"width": 1, "color": "#888"})
    least = min(0.0, float(np.nan_to_num(rows["low"].astype(float)).min()))
    figure.update_xaxes(title="rank correlation", range=[least - 0.06, 1.06], tickformat=".1f")
    figure.update_yaxes(
        autorange="reversed", categoryorder="array", categoryarray=labels, automargin=True, ticksuffix=" "
    )
    return _layout(figure, 100 + 26 * len(rows))
