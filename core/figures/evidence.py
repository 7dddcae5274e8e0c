"""The evidence budget drawn: waterfall, contributions by region, shares of positive evidence, and the regions."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image, ImageDraw, ImageFilter

from core.budget import Budget, Waterfall
from core.figures import pictures
from core.figures.charts import COLOURS, GENDER_COLOURS
from core.regions import REGIONS, label_image

_GREY = "#7A7A85"
#: Groups must not look like genders, which are blue and orange.
_GROUPS = [COLOURS[2], COLOURS[6], COLOURS[3], COLOURS[4]]
_MARGIN = {"l": 8, "r": 16, "t": 40, "b": 8}
_LEGEND = {"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0, "title": None}


def _n_label(name: str, n: int) -> str:
    return f"{name}  <span style='opacity:.65'>n = {n:,}</span>"


def _row_label(name: str, n: int) -> str:
    """In lines, since a telephone has no room for «White women, 18 and older, predicted wrong» in one."""
    return f"{name.replace(', ', ',<br>')}<br><span style='opacity:.65'>n = {n:,}</span>"


def _whiskers(value: pd.Series, low: pd.Series, high: pd.Series) -> dict:
    return {
        "type": "data",
        "symmetric": False,
        "array": high - value,
        "arrayminus": value - low,
        "thickness": 1.5,
        "width": 4,
        "color": "#888",
    }


def _finish(figure: go.Figure, height: int, title: str) -> go.Figure:
    figure.update_layout(height=height, margin=_MARGIN, legend=_LEGEND, hoverlabel={"namelength": -1}, bargap=0.28)
    figure.update_layout(showlegend=True)  # for one group too, since its name stands there alone
    figure.update_xaxes(title=title, zeroline=True, zerolinewidth=1.5, zerolinecolor="rgba(128,128,140,.6)")
    figure.update_yaxes(autorange="reversed", automargin=True, ticksuffix=" ")
    return figure


def waterfall_chart(found: Waterfall, name_a: str, name_b: str) -> go.Figure:
    """From A's mean margin, region by region, to B's; whiskers are the bootstrap intervals of each bar's length."""
    table, ends = found.table, found.ends
    start, end = ends.loc["a", "margin"], ends.loc["b", "margin"]
    base = start + table["difference"].cumsum().shift(fill_value=0.0)
    rows = [
        _row_label(name_a, found.n_a),
        *table["region"],
        _row_label(name_b, found.n_b) + "\u200b",
    ]  # else equal names share a row
    figure = go.Figure()
    totals = ends.loc[["a", "b"]]
    # Bars from 0 dwarf the steps between two groups of like margins: a mark then stands for the total.
    reach = float(np.ptp([start, end, *(base + table["difference"])]))
    marks = reach < 0.4 * max(abs(start), abs(end))
    settings = {
        "y": [rows[0], rows[-1]],
        "x": totals["margin"],
        "error_x": _whiskers(totals["margin"], totals["low"], totals["high"]),
        "name": "mean margin",
        "customdata": np.stack([totals["low"], totals["high"]], axis=1),
        "hovertemplate": "%{y}<br>mean margin <b>%{x:+.3f}</b> [%{customdata[0]:+.3f} to %{customdata[1]:+.3f}]"
        "<extra></extra>",
    }
    if marks:
        figure.add_scatter(mode="markers", marker={"symbol": "diamond", "size": 13, "color": _GREY}, **settings)
    else:
        figure.add_bar(orientation="h", marker={"color": _GREY}, **settings)
    for gender, mask in (("female", table["difference"] >= 0), ("male", table["difference"] < 0)):
        part = table[mask]
        figure.add_bar(
            orientation="h",
            y=part["region"],
            x=part["difference"],
            base=base[mask],
            error_x=_whiskers(part["difference"], part["low"], part["high"]),
            marker={"color": GENDER_COLOURS[gender]},
            name=f"towards {gender}",
            customdata=np.stack([part["difference"], part["low"], part["high"], part["a"], part["b"]], axis=1),
            hovertemplate="%{y}<br>A %{customdata[3]:+.3f}, B %{customdata[4]:+.3f}<br>B − A "
            "<b>%{customdata[0]:+.3f}</b> [%{customdata[1]:+.3f} to %{customdata[2]:+.3f}]<extra></extra>",
        )
    # What each bar hands on to the next one.
    steps = [start, *(base + table["difference"])]
    figure.add_scatter(
        x=np.repeat(steps, 3),
        y=[y for a, b in itertools.pairwise(rows) for y in (a, b, None)],
        mode="lines",
        line={"color": "#888", "width": 1, "dash": "dot"},
        showlegend=False,
        hoverinfo="skip",
    )
    figure = _finish(figure, 570, "mean margin, logit female − logit male")
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(categoryorder="array", categoryarray=rows)
    return figure


def budget_bars(budgets: list[tuple[str, Budget]]) -> go.Figure:
    """Signed contributions to the mean margin by region, groups side by side, with bootstrap intervals."""
    figure = go.Figure()
    for index, (name, found) in enumerate(budgets):
        table = found.table
        figure.add_bar(
            orientation="h",
            y=table["region"],
            x=table["evidence"],
            error_x=_whiskers(table["evidence"], table["low"], table["high"]),
            marker={"color": _GROUPS[index % len(_GROUPS)]},
            name=_n_label(name, found.n),
            customdata=np.stack([table["low"], table["high"], table["area"]], axis=1),
            hovertemplate=f"{name}<br>%{{y}}, %{{customdata[2]:.0%}} of the picture<br><b>%{{x:+.3f}}</b>"
            " [%{customdata[0]:+.3f} to %{customdata[1]:+.3f}]<extra></extra>",
        )
    figure = _finish(figure, 120 + 24 * len(REGIONS) * max(len(budgets), 1), "contribution to the mean margin")
    figure.update_yaxes(categoryorder="array", categoryarray=list(REGIONS))
    return figure


def energy_dots(tables: list[tuple[str, pd.DataFrame]]) -> go.Figure:
    """Share of positive evidence by region with its interval, a dot a group, beside a uniform map's share."""
    figure = go.Figure()
    places = np.arange(len(REGIONS))
    for index, (name, table) in enumerate(tables):
        shift = (index - (len(tables) - 1) / 2) * 0.26
        figure.add_scatter(
            x=table["share"],
            y=places + shift,
            error_x=_whiskers(table["share"], table["low"], table["high"]) | {"width": 0, "thickness": 2},
            mode="markers",
            marker={"size": 10, "color": _GROUPS[index % len(_GROUPS)]},
            name=_n_label(name, int(table["n"].iloc[0])),
            customdata=np.stack([table["low"], table["high"], table["area"], table["density"]], axis=1),
            text=table["region"],
            hovertemplate=f"{name}<br>%{{text}} <b>%{{x:.1%}}</b> [%{{customdata[0]:.1%}}–%{{customdata[1]:.1%}}]"
            "<br>uniform map %{customdata[2]:.1%}, ratio %{customdata[3]:.2f} ×<extra></extra>",
        )
    if tables:
        figure.add_scatter(
            x=tables[0][1]["area"],
            y=places,
            mode="markers",
            marker={"symbol": "line-ns-open", "size": 22, "line": {"width": 2}, "color": _GREY},
            name="uniform map",
            text=REGIONS,
            hovertemplate="%{text}: a uniform map has %{x:.1%}<extra></extra>",
        )
    figure = _finish(figure, 130 + 38 * len(REGIONS), "share of positive evidence")
    figure.update_xaxes(tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(tickvals=places, ticktext=list(REGIONS), range=[len(REGIONS) - 0.5, -0.5], autorange=False)
    return figure


def regions_picture(face: np.ndarray, side: int = 448) -> Image.Image:
    """The regions' outlines and names over an average face uint8 (112, 112, 3)."""
    labels = label_image(side, 1)
    tints = np.array([tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5)) for colour in COLOURS], dtype=np.uint8)
    tint = Image.fromarray(tints[labels % len(COLOURS)])
    picture = Image.blend(pictures.show_face(face, side), tint, 0.16)
    edge = np.zeros(labels.shape, dtype=bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    mask = Image.fromarray((edge * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(side / 500))
    picture.paste(Image.new("RGB", picture.size, "white"), mask=mask.point(lambda v: min(255, v * 2)))
    draw = ImageDraw.Draw(picture)
    for index, name in enumerate(REGIONS):
        x, y = _label_place(labels == index)
        draw.text((x, y), name, "white", pictures.font(side // 26), "mm", stroke_width=2, stroke_fill=(30, 30, 36))
    return picture


def _label_place(region: np.ndarray) -> tuple[float, float]:
    """Where a name sits best: amid a region on the middle line, else amid its left half; (x, y) in pixels."""
    middle = region.shape[1] // 2
    column = np.flatnonzero(region[:, middle])
    if len(column) > region.shape[0] // 28:
        return middle, float(column.mean())
    rows, columns = np.nonzero(region[:, :middle])
    # The rest has its mean inside the face, where it is not: take the outermost part.
    if region[:, 0].all():
        return region.shape[1] * 0.09, region.shape[0] * 0.5
    return float(columns.mean()), float(rows.mean())
