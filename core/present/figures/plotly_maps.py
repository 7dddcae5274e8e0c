"""Maps as one Plotly figure, for notebooks; pages and print paint them as images (`differences`)."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.explain.placement import placed
from core.present.figures.chart_data import MapChart
from core.present.figures.raster import SIGNED, STRENGTH
from core.present.text import escape
from core.wording import number

#: Pixels of a panel's side, and panels in a row.
PANEL, COLUMNS = 220, 4


def map_figure(chart: MapChart) -> go.Figure:
    """The panels side by side, cells as they are; those that survive a test have borders. A scale of its own each."""
    count = max(len(chart.panels), 1)
    columns, rows = min(COLUMNS, count), -(-count // COLUMNS)
    titles = [p.caption if p.values is not None else f"{p.caption}: {p.why}" for p in chart.panels]
    # A panel has no room for «Asian women, 18 and older − White women, 18 and older» in one line.
    titles = [escape.plotly(title).replace(", ", ",<br>").replace(" − ", " −<br>") for title in titles]
    lines = max((title.count("<br>") for title in titles), default=0)
    figure = make_subplots(rows, columns, subplot_titles=titles, horizontal_spacing=0.03, vertical_spacing=0.2 / rows)
    for place, panel in enumerate(chart.panels):
        row, column = divmod(place, columns)
        where = {"row": row + 1, "col": column + 1}
        figure.update_xaxes(visible=False, constrain="domain", **where)
        figure.update_yaxes(visible=False, autorange="reversed", scaleanchor=f"x{place + 1 if place else ''}", **where)
        if panel.values is None:
            continue
        axis = f"coloraxis{panel.scale + 1 if panel.scale else ''}"
        down, across = placed(panel.values.shape, panel.placement).edges
        figure.add_heatmap(
            z=panel.values, x=across, y=down, coloraxis=axis, hovertemplate="%{hovertext}<extra></extra>",
            hovertext=[[number(value, ".4f") for value in line] for line in panel.values], **where,
        )  # fmt: skip
        for y, x in np.argwhere(panel.outlined) if panel.outlined is not None else []:
            corners = {"x0": across[x], "x1": across[x + 1], "y0": down[y], "y1": down[y + 1]}
            figure.add_shape(type="rect", line={"color": "#101014", "width": 2}, **corners, **where)
    for place, scale in enumerate(chart.scales):
        limit = scale.limit if scale.limit > 0 else 1.0
        figure.update_layout(
            {
                f"coloraxis{place + 1 if place else ''}": {
                    "colorscale": SIGNED if scale.signed else STRENGTH,
                    "cmin": -limit if scale.signed else 0,
                    "cmax": limit,
                    "colorbar": {"x": 1.02 + 0.12 * place},
                }
            }
        )
    size = {
        "height": 40 + 16 * lines + rows * (PANEL + 30 + 12 * lines),
        "width": 60 + columns * PANEL + 90 * len(chart.scales),
    }
    figure.update_annotations(font_size=12)
    figure.update_layout(**size, margin={"l": 8, "r": 8, "t": 30 + 16 * lines, "b": 8}, plot_bgcolor="rgba(0,0,0,0)")
    return figure
