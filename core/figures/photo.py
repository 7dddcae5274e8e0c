"""A tried picture drawn: its faces numbered, the crop with its points, evidence by region, certainty among audited."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageDraw

from core.figures.charts import COLOURS, GENDER_COLOURS
from core.figures.pictures import font, show_face
from core.photo.faces import Face
from core.photo.uploads import shrunk_to
from core.regions import REGIONS

SIDE = 800
_LINE, _CHOSEN, _DARK = (255, 255, 255), (255, 196, 0), (20, 24, 30)
_GREY = "#7A7A85"
_MARGIN = {"l": 8, "r": 16, "t": 8, "b": 8}


def marked(picture: Image.Image, faces: list[Face], chosen: int | None = None, side: int = SIDE) -> Image.Image:
    """The picture at most `side` pixels a side; each face's box, number and five points, the chosen one in yellow."""
    small = shrunk_to(picture, side).copy()
    scale = small.width / picture.width
    draw = ImageDraw.Draw(small)
    width = max(2, round(max(small.size) / 300))
    for n, face in enumerate(faces):
        colour = _CHOSEN if n == chosen else _LINE
        left, top, right, bottom = face.box * scale
        draw.rectangle((left - width, top - width, right + width, bottom + width), outline=_DARK, width=2 * width)
        draw.rectangle((left, top, right, bottom), outline=colour, width=width)
        for x, y in face.points * scale:
            r = max(1.5, (right - left) / 60)
            draw.ellipse((x - r - 1, y - r - 1, x + r + 1, y + r + 1), fill=_DARK)
            draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        if len(faces) > 1:
            size = max(14, round(max(small.size) / 40))
            x, y = max(left, 0), max(top - size * 1.3, 0)
            draw.rectangle((x, y, x + size * 0.75 * len(str(n + 1)) + size * 0.5, y + size * 1.3), fill=_DARK)
            draw.text((x + size * 0.3, y + size * 0.65), str(n + 1), colour, font(size), "lm")
    return small


def with_points(face: Face, side: int = 224) -> Image.Image:
    """The crop enlarged, with its five points."""
    picture = show_face(face.crop, side)
    draw = ImageDraw.Draw(picture)
    for x, y in (face.landmarks + 0.5) * (side / len(face.crop)):
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=_DARK)
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=_CHOSEN)
    return picture


def region_bars(regions: np.ndarray, bias: float | None, margin: float) -> go.Figure:
    """Signed evidence (R,) by region, orange towards female and blue towards male; where maps add up, bias and margin
    too."""
    names, values = list(REGIONS), [float(v) for v in regions]
    figure = go.Figure()
    for gender, sign in (("female", 1), ("male", -1)):
        shown = [(name, value) for name, value in zip(names, values, strict=True) if value * sign > 0]
        figure.add_bar(
            orientation="h",
            y=[name for name, _ in shown],
            x=[value for _, value in shown],
            marker={"color": GENDER_COLOURS[gender]},
            name=f"towards {gender}",
            showlegend=True,
            hovertemplate="%{y} <b>%{x:+.3f}</b><extra></extra>",
        )
    if bias is not None:
        totals = {"bias": bias, "margin": margin}
        figure.add_bar(
            orientation="h",
            y=list(totals),
            x=list(totals.values()),
            marker={"color": _GREY},
            showlegend=False,
            hovertemplate="%{y} <b>%{x:+.3f}</b><extra></extra>",
        )
        names += list(totals)
    figure.update_layout(
        height=120 + 24 * len(names),
        margin=_MARGIN,
        bargap=0.28,
        legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0},
        barmode="overlay",
    )
    figure.update_yaxes(
        categoryorder="array", categoryarray=names, autorange="reversed", automargin=True, ticksuffix=" "
    )
    figure.update_xaxes(
        title="evidence in logits; + speaks for female", zeroline=True, zerolinewidth=1.5, zerolinecolor=_GREY
    )
    return figure


def certainty(right: np.ndarray, wrong: np.ndarray, margin: float, predicted: str) -> go.Figure:
    """Shares of audited faces given this class by |margin|, those rightly and those wrongly, and where this face is."""
    certain = abs(margin)
    end = max([certain, *(float(a.max()) for a in (right, wrong) if len(a))]) * 1.02
    bins = {"start": 0, "end": end, "size": end / 30}
    figure = go.Figure()
    for values, word, colour in ((right, "rightly", COLOURS[2]), (wrong, "wrongly", COLOURS[3])):
        if len(values):
            figure.add_histogram(
                x=values,
                xbins=bins,
                histnorm="probability",
                opacity=0.6,
                marker={"color": colour},
                name=f"{word} called {predicted}, n = {len(values):,}",
                hovertemplate="|margin| %{x}: %{y:.1%}<extra></extra>",
            )
    figure.add_vline(x=certain, line={"width": 3, "color": "#E69F00"})
    figure.add_annotation(
        x=certain,
        y=1,
        yref="paper",
        text="<b>this face</b>",
        showarrow=False,
        xanchor="left" if certain < end / 2 else "right",
        yanchor="top",
        xshift=6 if certain < end / 2 else -6,
    )
    figure.update_layout(
        height=336,
        margin=_MARGIN,
        barmode="overlay",
        bargap=0.02,
        legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0},
    )
    figure.update_xaxes(title="|margin|, the distance from the decision", range=[0, end])
    figure.update_yaxes(tickformat=".0%", title="share of faces", automargin=True)
    return figure
