"""Figures of paired comparisons: differences of accuracy, arms over seeds, maps with the cells that differ outlined."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from core.figures import pictures
from core.figures.charts import COLOURS
from core.figures.differences import outlined
from core.paired import FAMILY_WISE, MapPair, named
from core.sentences import capital

_MARGIN = {"l": 8, "r": 12, "t": 36, "b": 8}
_NONE = "no map:\nunder 11 faces"


def difference_dots(tables: dict[str, pd.DataFrame]) -> go.Figure:
    """Differences of accuracy in points with their intervals, a row a group, a colour a model, from `paired_by_group`
    tables by model name. Filled: Holm's p is at most 0.05."""
    figure, first = go.Figure(), next(iter(tables.values()))
    rows = [
        f"{capital(named(r.gender, r.ethnicity))}  <span style='opacity:.65'>n = {r.n:,}</span>"
        for r in first.itertuples()
    ]
    places = np.arange(len(rows))
    for k, (name, table) in enumerate(tables.items()):
        found = (table["p_holm"] <= FAMILY_WISE).to_numpy()
        colour = COLOURS[k % len(COLOURS)]
        counts = table[["low", "high", "only_a", "only_b", "both", "p", "p_holm", "accuracy_a", "accuracy_b"]].copy()
        counts[["low", "high"]] *= 100
        figure.add_scatter(
            x=100 * table["difference"],
            y=places + (k - (len(tables) - 1) / 2) * 0.24,
            error_x={
                "type": "data", "symmetric": False, "thickness": 2, "width": 0,
                "array": 100 * (table["high"] - table["difference"]),
                "arrayminus": 100 * (table["difference"] - table["low"]),
            },
            mode="markers",
            marker={
                "size": 11, "color": colour, "line": {"width": 2, "color": colour},
                "symbol": np.where(found, "circle", "circle-open"),
            },
            name=name,
            showlegend=len(tables) > 1,
            text=rows,
            customdata=counts.to_numpy(),
            hovertemplate="%{text}<br><b>%{x:+.1f} points</b> [%{customdata[0]:+.1f} to %{customdata[1]:+.1f}]"
            "<br>%{customdata[7]:.1%} → %{customdata[8]:.1%}"
            "<br>right only before %{customdata[2]:,}, only after %{customdata[3]:,}, both %{customdata[4]:,}"
            "<br>McNemar p = %{customdata[5]:.2g}, with Holm %{customdata[6]:.2g}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"dash": "dot", "width": 1.5, "color": "#888"})
    figure.update_xaxes(title="points of accuracy gained", zeroline=False, automargin=True)
    figure.update_yaxes(
        tickvals=places, ticktext=rows, range=[len(rows) - 0.5, -0.5], automargin=True, ticksuffix=" ", zeroline=False
    )
    return _layout(figure, 110 + (30 + 6 * len(tables)) * len(rows))


def arm_dots(table: pd.DataFrame, means: pd.DataFrame, titles: dict[str, str]) -> go.Figure:
    """One measure by arm: a small dot a seed, the mean and its t interval over seeds; from `arm_table` and
    `arm_estimates` rows of that measure. `titles`: arms in order, and their names."""
    figure, order = go.Figure(), list(titles)
    place = table["arm"].map(order.index)
    figure.add_scatter(
        x=100 * table["accuracy"], y=place + 0.22, mode="markers", name="a seed", text=table["model"],
        marker={"size": 8, "color": COLOURS[0], "opacity": 0.6},
        hovertemplate="%{text}<br>%{x:.1f} %<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=100 * means["mean"], y=means["arm"].map(order.index), mode="markers", name="mean, 95 % over seeds",
        marker={"size": 12, "color": COLOURS[1], "symbol": "diamond"},
        error_x={
            "type": "data", "symmetric": False, "thickness": 2, "width": 0,
            "array": 100 * (means["high"] - means["mean"]).fillna(0),
            "arrayminus": 100 * (means["mean"] - means["low"]).fillna(0),
        },
        customdata=100 * means[["low", "high", "both_low", "both_high"]].to_numpy(),
        hovertemplate="<b>%{x:.1f} %</b><br>over seeds [%{customdata[0]:.1f}–%{customdata[1]:.1f}]"
        "<br>seeds and faces resampled [%{customdata[2]:.1f}–%{customdata[3]:.1f}]<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(ticksuffix=" %", automargin=True, zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(order))), ticktext=list(titles.values()), range=[len(order) - 0.4, -0.5],
        automargin=True, ticksuffix=" ", zeroline=False,
    )  # fmt: skip
    return _layout(figure, 110 + 46 * len(order))


def _layout(figure: go.Figure, height: int) -> go.Figure:
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None}
    figure.update_layout(height=height, margin=_MARGIN, legend=legend, hoverlabel={"namelength": -1})
    return figure


def paired_panels(
    face: np.ndarray | None, maps: list[MapPair | None], limits: tuple[float, float], signed: bool, side: int
) -> list[Image.Image]:
    """Average face, the first model's mean map, then each other model's mean map and its difference to the first.

    `limits`: ends of the scale of maps, and of differences; surviving cells are outlined.
    """
    none = pictures.placeholder(_NONE, side)
    panels = [pictures.placeholder("no average face\nstored", side) if face is None else pictures.show_face(face, side)]
    for k, pair in enumerate(maps):
        if pair is None:
            panels += [none] * (3 if k == 0 else 2)
            continue
        if k == 0:
            panels.append(pictures.paint(pair.a, limits[0], signed, side))
        panels.append(pictures.paint(pair.b, limits[0], signed, side))
        if pair.difference is None:
            panels.append(pictures.placeholder("not tested:\nunder 30 faces\nor people", side))
        else:
            painted = pictures.paint(pair.difference, limits[1], True, side)
            panels.append(outlined(painted, pair.survives) if pair.survives.any() else painted)
    return panels
