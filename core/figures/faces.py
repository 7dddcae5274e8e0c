"""One face's evidence by region, drawn; and a kind of wrong beside all wrong predictions."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.clusters import Kind
from core.figures import pictures
from core.figures.charts import GENDER_COLOURS
from core.regions import REGIONS


def region_bars(regions: np.ndarray, additive: bool) -> go.Figure:
    """Signed contributions (R,) of the regions to one face's margin, from the top of the face down."""
    figure = go.Figure()
    for gender, mask in (("female", regions >= 0), ("male", regions < 0)):
        figure.add_bar(
            orientation="h",
            y=[name for name, there in zip(REGIONS, mask, strict=True) if there],
            x=regions[mask],
            name=f"speaks for {gender}",
            marker={"color": GENDER_COLOURS[gender]},
            text=[f"{value:+.2f}".replace("-", "−") for value in regions[mask]],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: <b>%{x:+.3f}</b><extra></extra>",
        )
    reach = max(float(np.abs(regions).max()), 1e-9)
    low = -1.25 * reach if (regions < 0).any() else -0.02 * reach
    high = 1.25 * reach if (regions > 0).any() else 0.02 * reach
    title = "contribution to the margin" if additive else "evidence, in the map's own units"
    figure.update_xaxes(title=title, range=[low, high], zeroline=True, zerolinecolor="rgba(128,128,140,.6)")
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=list(REGIONS), automargin=True)
    figure.update_layout(
        height=330,
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        bargap=0.3,
        barmode="overlay",
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
    )
    return figure


def kinds_sheet(shown: list[tuple[str, Kind]], limit: float) -> pictures.Sheet:
    """The mean maps of kinds that are shown, by name, to take away."""
    rows = [(name, [(pictures.paint(k.map, limit, True), f"mean shape, n = {k.n:,}")]) for name, k in shown]
    return pictures.Sheet(rows, [(True, f"−{limit:.3g} against", f"{limit:.3g} for the choice")])
