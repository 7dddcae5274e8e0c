"""An uploaded image drawn: its faces numbered, the crop and its points, evidence by region, certainty beside others."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from core.explain.regions import REGIONS
from core.photo.faces import Face
from core.photo.uploads import shrunk_to
from core.present.figures.chart_data import Axis, Bar, BarChart, Histogram, HistogramChart, Row, Series
from core.present.figures.evidence import towards
from core.present.figures.raster import font, show_face
from core.present.figures.styles import BY_CLASS, COLOURS, DARK_GREY, Style
from core.task import GENDER, Task
from core.wording import signed

SIDE = 800
_LINE, _CHOSEN, _DARK = (255, 255, 255), (255, 196, 0), (20, 24, 30)
#: Bins of the certainties.
BINS = 30


def marked(image: Image.Image, faces: list[Face], highlight: int | None = None, side: int = SIDE) -> Image.Image:
    """The image at most `side` pixels a side; each face's box, number and five points, the chosen one in yellow."""
    small = shrunk_to(image, side).copy()
    scale = small.width / image.width
    draw = ImageDraw.Draw(small)
    width = max(2, round(max(small.size) / 300))
    for n, face in enumerate(faces):
        colour = _CHOSEN if n == highlight else _LINE
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
    image = show_face(face.crop, side)
    draw = ImageDraw.Draw(image)
    for x, y in (face.landmarks + 0.5) * (side / len(face.crop)):
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=_DARK)
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=_CHOSEN)
    return image


def region_bars(regions: np.ndarray, bias: float | None, margin: float, task: Task = GENDER) -> BarChart:
    """Signed evidence (R,) by region, orange towards the first class and blue towards the second; where maps add up,
    bias and margin too."""
    rows = [
        Row(name, (Bar(towards(value, task), value, words=signed(value, 3)),))
        for name, value in zip(REGIONS, regions, strict=True)
    ]
    if bias is not None:
        ends = (("bias", bias), ("margin", margin))
        rows += [Row(name, (Bar("totals", value, words=signed(value, 3)),)) for name, value in ends]
    series = (
        *(Series(f"towards {label}", style) for label, style in zip(task.labels, BY_CLASS, strict=True)),
        Series("totals", Style(DARK_GREY), legend=False, total=True),
    )
    return BarChart(
        tuple(rows), series, Axis(f"evidence in logits; + speaks for {task.labels[0]}"), 120 + 24 * len(rows)
    )


def certainty(right: np.ndarray, wrong: np.ndarray, margin: float, predicted: str) -> HistogramChart:
    """Shares of audited faces given this class by |margin|, those rightly and those wrongly, and where this face is."""
    certain = abs(margin)
    end = max([certain, *(float(a.max()) for a in (right, wrong) if len(a))]) * 1.02
    edges = np.linspace(0, max(end, 1e-9), BINS + 1)
    histograms = tuple(
        Histogram(
            f"{word} called {predicted}, n = {len(values):,}",
            tuple((np.histogram(values, edges)[0] / len(values)).tolist()),
            len(values),
            Style(colour, opacity=0.6),
        )
        for values, word, colour in ((right, "correctly", COLOURS[2]), (wrong, "incorrectly", COLOURS[3]))
        if len(values)
    )
    return HistogramChart(
        tuple(edges.tolist()),
        histograms,
        Axis("|margin|, the distance from the decision", low=0, high=float(edges[-1])),
        Axis("share of faces", "%"),
        336,
        certain,
        "this face",
    )
