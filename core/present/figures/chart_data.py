"""Charts as data: what is drawn, and nothing of how.

A builder makes each chart once from the tables of an analysis (`charts`, `gaps`, `evidence`, … beside this file). The
pages draw it with Plotly (`plotly_charts`), from which print is made (`core.present.export.charts`); the report draws
it as SVG (`core.present.report.blocks`). So a number in a chart cannot differ between them.

Shares are kept as shares of 0–1 and their differences likewise; an axis says in which unit they are shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from core.errors import LookwhereError
from core.explain.placement import Placement
from core.present.figures.styles import Style

NAN = float("nan")
#: What an axis can show: shares in per cent, differences of shares in points, or values as they are.
UNITS = ("%", "points", "")


def check_interval(what: str, value: float, low: float, high: float) -> None:
    """Raise `LookwhereError` unless low ≤ value ≤ high; any of them may be NaN, a bound only with the other."""
    slack = 1e-9 * max(1.0, *(abs(x) for x in (value, low, high) if not math.isnan(x)), 0.0)
    infinite = any(math.isinf(x) for x in (value, low, high))
    if infinite or math.isnan(low) != math.isnan(high) or low > high or value < low - slack or value > high + slack:
        raise LookwhereError(
            f"{what}: {value:g} with an interval from {low:g} to {high:g} cannot be drawn; the table it is from is "
            "damaged: make the audit, or its checks, again"
        )


@dataclass(frozen=True)
class Axis:
    """A scale: its title, its unit (one of `UNITS`), and its ends in data units where they are given.

    `from_zero` starts a scale without given ends at 0; `log` makes it logarithmic; `step` is from tick to tick. Raises
    `LookwhereError` for an unknown unit.
    """

    title: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    from_zero: bool = False
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise LookwhereError(f"{self.unit!r} is no unit of an axis; take one of {UNITS}")


@dataclass(frozen=True)
class Series:
    """What the marks of one name share: style, place in the row (`shift`, in rows, downwards), an entry in the legend.

    `note` stands beside the name, quietly. `total`: bars that are no steps of a waterfall but its ends.
    """

    name: str
    style: Style
    shift: float = 0.0
    legend: bool = True
    note: str = ""
    total: bool = False


@dataclass(frozen=True)
class Mark:
    """A value of a series with its interval; NaN where there is none.

    `value` NaN beside two bounds is an interval alone. `words`: the value in words; without them nothing is told when
    it is pointed at. `details`: further lines. `hollow`: drawn as a ring. Raises `LookwhereError` unless
    low ≤ value ≤ high.
    """

    series: str
    value: float
    low: float = NAN
    high: float = NAN
    words: str = ""
    details: tuple[str, ...] = ()
    hollow: bool = False

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            object.__setattr__(self, name, float(getattr(self, name)))
        check_interval(self.series or "a mark", self.value, self.low, self.high)

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return not (math.isnan(self.value) and math.isnan(self.low))


@dataclass(frozen=True)
class Bar(Mark):
    """A mark drawn as a bar from `base` to `base` + value; the interval is of the bar's length. `text` ends it."""

    base: float = 0.0
    text: str = ""


@dataclass(frozen=True)
class Row:
    """A line of a chart: its name, a quiet note beside it (often n), its marks, and the value in words."""

    name: str
    marks: tuple[Mark, ...]
    note: str = ""
    words: str = ""


@dataclass(frozen=True)
class _Rows:
    """What charts of rows share: `rows` from above, `series`, the `axis`, and a value to compare with.

    `title` and `caption` stand over and under the chart where the page around it has none; `height` is in CSS pixels
    and belongs to the pages. Raises `LookwhereError` where a mark is of a series that the chart does not have.
    """

    rows: tuple[Row, ...]
    series: tuple[Series, ...]
    axis: Axis
    height: int
    reference: float | None = None
    title: str = ""
    caption: str = ""
    #: Whether a row's note stands under its name rather than beside it.
    note_below: bool = False
    legend_below: bool = False

    def __post_init__(self) -> None:
        names = [series.name for series in self.series]
        if len(set(names)) < len(names):
            raise LookwhereError(f"two series of a chart have one name: {', '.join(names)}")
        for row in self.rows:
            for mark in row.marks:
                if mark.series not in names:
                    raise LookwhereError(f"{row.name}: no series «{mark.series}» among {', '.join(names)}")

    def marks_of(self, name: str) -> list[tuple[int, Row, Mark]]:
        """Place of the row, row and mark of all that a series has to draw, from above."""
        return [
            (place, row, mark)
            for place, row in enumerate(self.rows)
            for mark in row.marks
            if mark.series == name and mark.drawn
        ]


@dataclass(frozen=True)
class IntervalChart(_Rows):
    """Values with their intervals on one horizontal scale, a row a group."""


@dataclass(frozen=True)
class BarChart(_Rows):
    """Horizontal bars: beside each other where `grouped`, else on one line a row.

    `connected`: a dotted line leads from the end of each row's first bar to the next row, as in a waterfall. A series
    whose style has a symbol is drawn as marks.
    """

    grouped: bool = False
    connected: bool = False

    def lengths(self) -> IntervalChart:
        """Each bar's length with its interval, all from 0: for means without room for bars. Totals are left out."""
        totals = {series.name for series in self.series if series.total}
        rows = tuple(row for row in self.rows if not any(mark.series in totals for mark in row.marks))
        series = tuple(series for series in self.series if not series.total)
        shared = {f.name: getattr(self, f.name) for f in fields(_Rows)}
        return IntervalChart(**shared | {"rows": rows, "series": series, "reference": 0.0})


@dataclass(frozen=True)
class Curve:
    """A line through points (K,), from the left; `low` and `high` are NaN, or empty, where there is no interval.

    `interval` says how it is drawn: as «bars», as a «band», or only «told» when a point is pointed at. `notes`: a line
    told of each point. Raises `LookwhereError` where the lengths differ or a value lies outside its interval.
    """

    name: str
    x: tuple[float | str, ...]
    y: tuple[float, ...]
    style: Style
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    markers: bool = True
    interval: str = "bars"
    legend: bool = True
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("x", "y", "low", "high", "notes"):
            object.__setattr__(self, name, tuple(_plain(value) for value in getattr(self, name)))
        count = len(self.x)
        if len(self.y) != count or {len(self.low), len(self.high)} - {0, count} or len(self.low) != len(self.high):
            raise LookwhereError(f"{self.name}: a curve needs as many values and bounds as it has places, {count}")
        for value, low, high in zip(self.y, self.low, self.high, strict=False):
            check_interval(self.name, value, low, high)


def _plain(value: object) -> object:
    """A number or text of Python's own, so that charts compare and hash."""
    return value.item() if isinstance(value, np.generic) else value


@dataclass(frozen=True)
class Band:
    """A shaded part of a chart between two values of an axis («x» or «y»), and its name."""

    axis: str
    low: float
    high: float
    colour: str
    opacity: float
    name: str = ""
    #: A dotted line inside the band.
    line: float = NAN

    def __post_init__(self) -> None:
        check_interval(self.name or "a band", self.line, self.low, self.high)


@dataclass(frozen=True)
class CurveChart:
    """Curves over one horizontal scale. `diagonal`: a dotted line from 0, 0 to 1, 1; `reference`: a dotted line at x.

    `reference_colour` is its colour. `height` is in CSS pixels.
    """

    curves: tuple[Curve, ...]
    x: Axis
    y: Axis
    height: int
    bands: tuple[Band, ...] = ()
    diagonal: bool = False
    reference: float | None = None
    reference_colour: str = "#888"
    legend_below: bool = True


@dataclass(frozen=True)
class Histogram:
    """The share of a series in each bin, (K,); they sum to 1."""

    name: str
    shares: tuple[float, ...]
    n: int
    style: Style


@dataclass(frozen=True)
class HistogramChart:
    """Shares by bin, `edges` (K + 1,), of one or more series over each other, and a value `at` with its name.

    Raises `LookwhereError` where shares and bins differ in number or shares do not sum to 1.
    """

    edges: tuple[float, ...]
    histograms: tuple[Histogram, ...]
    x: Axis
    y: Axis
    height: int
    at: float
    at_name: str

    def __post_init__(self) -> None:
        for histogram in self.histograms:
            if len(histogram.shares) != len(self.edges) - 1 or abs(sum(histogram.shares) - 1) > 1e-6:
                raise LookwhereError(f"{histogram.name}: the shares of its {len(self.edges) - 1} bins do not sum to 1")


@dataclass(frozen=True)
class MatrixChart:
    """Counts (rows, columns) with each row's shares, names from above and from the left; `height` in CSS pixels."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[float, ...], ...]
    height: int


@dataclass(frozen=True)
class Scale:
    """The colours of maps: from 0, or from −`limit` where `signed`, to `limit`; what its ends and its note say."""

    limit: float
    signed: bool
    low: str
    high: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class MapPanel:
    """A map, float (h, w), on a scale of its chart, with a caption and a text for who cannot see it.

    `outlined`: bool (h, w), cells that survive a test, others are hatched; None where nothing was tested.
    `values` may be None: then `why` says so in its place. `placement` says where cells lie, by default they are tiles.
    """

    values: np.ndarray | None
    caption: str
    alt: str
    outlined: np.ndarray | None = None
    why: str = ""
    scale: int = 0
    placement: Placement | None = None

    def __post_init__(self) -> None:
        if self.values is None and not self.why:
            raise LookwhereError(f"{self.alt}: a panel without a map must say why")
        if self.values is not None and not np.isfinite(self.values).all():
            raise LookwhereError(f"{self.alt}: a map with values that are not finite cannot be drawn")
        if self.values is not None and self.outlined is not None and self.values.shape != self.outlined.shape:
            raise LookwhereError(f"{self.alt}: a map of {self.values.shape} with cells of {self.outlined.shape}")


@dataclass(frozen=True, eq=False)
class MapChart:
    """Maps side by side on shared scales."""

    panels: tuple[MapPanel, ...]
    scales: tuple[Scale, ...]
    note: str = ""


Chart = IntervalChart | BarChart | CurveChart | HistogramChart | MatrixChart
