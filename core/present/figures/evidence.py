"""Evidence by region drawn: waterfall, contributions by region, shares of positive evidence, and the regions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFilter

from core.analysis.maps.region_evidence import EvidenceByRegion, Waterfall
from core.explain.regions import REGIONS, label_image
from core.present.figures import raster
from core.present.figures.chart_data import Axis, Bar, BarChart, IntervalChart, Mark, Row, Series
from core.present.figures.styles import BY_CLASS, COLOURS, DARK_GREY, GROUP_COLOURS, STROKE, Style, cycled
from core.task import GENDER, Task
from core.wording import number, percent, signed, signed_interval, with_interval

#: Intervals on bars: thin, with ends.
WHISKERS = {"thickness": 1.5, "cap": 4, "interval_colour": "#888"}
UNIFORM = "uniform map"


def margin_title(task: Task = GENDER) -> str:
    """What the mean margin is: «mean margin, logit female − logit male»."""
    first, second = task.labels
    return f"mean margin, logit {first} − logit {second}"


def towards(value: float, task: Task = GENDER) -> str:
    """The series of a contribution to the margin, by its sign."""
    return f"towards {task.labels[0 if value >= 0 else 1]}"


def _towards_series(task: Task) -> tuple[Series, ...]:
    """Bars towards each class, in its colour, with whiskers."""
    styles = zip(task.labels, BY_CLASS, strict=True)
    return tuple(Series(f"towards {label}", style.but(**WHISKERS)) for label, style in styles)


def waterfall_chart(
    waterfall: Waterfall, name_a: str, name_b: str, title: str = "", caption: str = "", task: Task = GENDER
) -> BarChart:
    """From A's mean margin, region by region, to B's; whiskers are the bootstrap intervals of each bar's length."""
    table, ends = waterfall.table, waterfall.ends
    total = "mean margin"
    rows, at = [_total(name_a, waterfall.n_a, total, ends.loc["a"])], float(ends.loc["a", "margin"])
    turns = [at]
    for row in table.to_dict("records"):
        words = signed_interval(row["difference"], row["low"], row["high"])
        both = f"A {signed(row['a'])}, B {signed(row['b'])}"
        name = towards(row["difference"], task)
        bar = Bar(name, row["difference"], row["low"], row["high"], f"B − A {words}", (both,), base=at)
        rows.append(Row(row["region"], (bar,), f"{percent(row['area'], 0)} of the image", words))
        at += row["difference"]
        turns.append(at)
    rows.append(_total(name_b, waterfall.n_b, total, ends.loc["b"]))
    # Bars from 0 dwarf the steps between two groups of like margins: a mark then stands for the total.
    reach = float(np.ptp([*turns, ends.loc["b", "margin"]]))
    dwarfed = reach < 0.4 * float(ends.loc[["a", "b"], "margin"].abs().max())
    style = Style(DARK_GREY, "diamond" if dwarfed else None, size=13, **WHISKERS)
    return BarChart(
        tuple(rows),
        (Series(total, style, total=True), *_towards_series(task)),
        Axis(margin_title(task)),
        570,
        title=title,
        caption=caption,
        note_below=True,
        connected=True,
    )


def _total(name: str, n: int, series: str, ends: pd.Series) -> Row:
    words = signed_interval(ends["margin"], ends["low"], ends["high"])
    bar = Bar(series, ends["margin"], ends["low"], ends["high"], f"mean margin {words}")
    return Row(name, (bar,), f"n = {n:,}", words)


def region_evidence_bars(groups: list[tuple[str, EvidenceByRegion]]) -> BarChart:
    """Signed contributions to the mean margin by region, groups side by side, with bootstrap intervals."""
    tables = [(name, evidence.table.set_index("region").loc[list(REGIONS)]) for name, evidence in groups]
    rows = tuple(
        Row(region, tuple(_contribution(name, table.loc[region]) for name, table in tables)) for region in REGIONS
    )
    series = tuple(
        Series(name, Style(cycled(GROUP_COLOURS, n), **WHISKERS), note=f"n = {evidence.n:,}")
        for n, (name, evidence) in enumerate(groups)
    )
    axis = Axis("contribution to the mean margin")
    return BarChart(rows, series, axis, 120 + 24 * len(REGIONS) * max(len(groups), 1), grouped=True)


def _contribution(name: str, row: pd.Series) -> Bar:
    words = signed_interval(row["evidence"], row["low"], row["high"])
    return Bar(name, row["evidence"], row["low"], row["high"], words, (f"{percent(row['area'], 0)} of the image",))


def energy_dots(tables: list[tuple[str, pd.DataFrame]]) -> IntervalChart:
    """Share of positive evidence by region with its interval, a dot a group, beside a uniform map's share."""
    by_region = [(name, table.set_index("region").loc[list(REGIONS)]) for name, table in tables]
    rows = []
    for region in REGIONS:
        marks = [_share(name, table.loc[region]) for name, table in by_region]
        if by_region:
            area = by_region[0][1].loc[region, "area"]
            marks.append(Mark(UNIFORM, area, words=f"a uniform map has {percent(area)}"))
        rows.append(Row(region, tuple(marks)))
    groups = [
        Series(
            name,
            Style(cycled(GROUP_COLOURS, n), size=10, interval_colour="#888"),
            (n - (len(tables) - 1) / 2) * 0.26,
            note=f"n = {int(table['n'].iloc[0]):,}",
        )
        for n, (name, table) in enumerate(tables)
    ]
    uniform = [Series(UNIFORM, STROKE.but(colour=DARK_GREY, size=22, edge=2))] if tables else []
    axis = Axis("share of positive evidence", "%", from_zero=True)
    return IntervalChart(tuple(rows), (*groups, *uniform), axis, 130 + 38 * len(REGIONS))


def _share(name: str, row: pd.Series) -> Mark:
    words = with_interval(row["share"], row["low"], row["high"])
    beside = f"uniform map {percent(row['area'])}, ratio {number(row['density'])} ×"
    return Mark(name, row["share"], row["low"], row["high"], words, (beside,))


def regions_image(face: np.ndarray, side: int = 448) -> Image.Image:
    """The regions' outlines and names over an average face uint8 (112, 112, 3)."""
    labels = label_image(side, 1)
    tints = np.array([tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5)) for colour in COLOURS], dtype=np.uint8)
    tint = Image.fromarray(tints[labels % len(COLOURS)])
    image = Image.blend(raster.show_face(face, side), tint, 0.16)
    edge = np.zeros(labels.shape, dtype=bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    mask = Image.fromarray((edge * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(side / 500))
    image.paste(Image.new("RGB", image.size, "white"), mask=mask.point(lambda v: min(255, v * 2)))
    draw = ImageDraw.Draw(image)
    for index, name in enumerate(REGIONS):
        x, y = _label_place(labels == index)
        draw.text((x, y), name, "white", raster.font(side // 26), "mm", stroke_width=2, stroke_fill=(30, 30, 36))
    return image


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
