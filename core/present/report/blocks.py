"""What a report is made of besides a card's blocks: charts, images, pairs, verdicts, commands. All text is plain."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import pandas as pd
from PIL import Image

from core.present.card import Table
from core.present.figures.chart_data import BarChart, IntervalChart, MapChart, Mark
from core.present.figures.differences import panel_images
from core.present.figures.raster import colour_bar
from core.present.figures.row_scale import RowScale
from core.wording import NONE, bounds, capital, number, percent

#: An image in a page: (address, alternative text, caption).
PageImage = tuple[str, str, str]


def data_uri(image: Image.Image) -> str:
    """As a `data:` address, WebP without loss, so that what is shown is what was computed."""
    out = io.BytesIO()
    image.save(out, format="WEBP", lossless=True, method=4)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


@dataclass(frozen=True)
class Chart:
    """An interval chart drawn as rows of SVG on one horizontal scale. Bars are drawn as their lengths."""

    kind: ClassVar[str] = "chart"
    data: IntervalChart

    @classmethod
    def from_chart(cls, chart: IntervalChart | BarChart) -> Chart:
        """The block of a chart."""
        return cls(chart.lengths() if isinstance(chart, BarChart) else chart)

    @property
    def title(self) -> str:
        """The title, and the unit where the words beside the rows do not say it."""
        return f"{self.data.title}, points" if self.data.axis.unit == "points" else self.data.title

    def rows(self) -> list[tuple[str, str, list[tuple[Mark, str]], str]]:
        """Name, note, marks that are drawn with their classes in the style sheet, words; a line each.

        The details of its marks are the note of a row without one: nothing can be pointed at here.
        """
        styles = {series.name: series.style.report for series in self.data.series}
        order = {series.name: place for place, series in enumerate(self.data.series)}
        return [
            (
                capital(row.name),
                row.note or "; ".join(detail for mark in row.marks for detail in mark.details),
                [(m, styles[m.series]) for m in sorted(row.marks, key=lambda m: order[m.series]) if m.drawn],
                row.words,
            )
            for row in self.data.rows
        ]

    def legend(self) -> list[tuple[str, str]]:
        """Class and name of each series that the legend has."""
        used = {mark.series for row in self.data.rows for mark in row.marks if mark.drawn}
        return [
            (series.style.report, series.name) for series in self.data.series if series.legend and series.name in used
        ]

    @cached_property
    def scale(self) -> RowScale:
        """All that is drawn, and a margin."""
        return RowScale.of_marks(self.data)


@dataclass(frozen=True)
class Scale:
    """The colour scale of images: its address, what its ends say, and a note."""

    kind: ClassVar[str] = "scale"
    uri: str
    low: str
    high: str
    note: str


@dataclass(frozen=True)
class PageImages:
    """Images in a row that wraps."""

    kind: ClassVar[str] = "images"
    images: tuple[PageImage, ...]
    scale: Scale | None = None

    @classmethod
    def from_chart(cls, chart: MapChart, side: int) -> PageImages:
        """The maps of a chart on their one scale, each `side` pixels a side."""
        (scale,) = chart.scales
        pairs = zip(chart.panels, panel_images(chart, side), strict=True)
        images = tuple((data_uri(image), panel.alt, panel.caption) for panel, image in pairs)
        return cls(images, Scale(data_uri(colour_bar(scale.signed)), scale.low, scale.high, scale.note))


@dataclass(frozen=True)
class Side:
    """Correct or incorrect predictions of a group: the average `face` and `cam`, or why there is none.

    They are None where the grid shows none at all. `n` is None where the whole group has too few faces to count its
    correct ones apart.
    """

    tag: str
    n: int | None
    face: PageImage | str | None
    cam: PageImage | str | None


@dataclass(frozen=True)
class Pair:
    """A group of the study's grid."""

    name: str
    fact: str
    sides: tuple[Side, Side]


@dataclass(frozen=True)
class Grid:
    """The study's grid of pairs."""

    kind: ClassVar[str] = "grid"
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Verdict:
    """A claim or a check with its verdict; `tone` is good, bad or open."""

    kind: ClassVar[str] = "verdict"
    title: str
    verdict: str
    tone: str
    text: str


@dataclass(frozen=True)
class Code:
    """Commands, a line each."""

    kind: ClassVar[str] = "code"
    lines: tuple[str, ...]


def interval_words(low: float, high: float) -> str:
    """Bounds of a share of 0–1 in per cent: «89.0–94.5»."""
    return bounds(100 * low, 100 * high)


def frame_table(frame: pd.DataFrame, align: str, caption: str, formats: Mapping[str, str]) -> Table:
    """A frame as a table. `formats` by column: «%» for shares of 0–1, else as for `format`; other cells are texts."""

    def cell(column: str, value: object) -> str:
        if formats.get(column) == "%":
            return percent(value)
        if column in formats:
            return number(value, formats[column])
        return NONE if pd.isna(value) else str(value)

    rows = tuple(tuple(cell(name, value) for name, value in row.items()) for row in frame.to_dict("records"))
    return Table(tuple(frame.columns), rows, align, caption)
