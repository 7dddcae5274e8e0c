"""The horizontal scale of a chart whose rows are lines of HTML, in a page or a report: places in per cent, ticks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.present.figures.chart_data import IntervalChart
from core.wording import PER_CENT, number


@dataclass(frozen=True)
class RowScale:
    """From `low` to `high` in data units, a tick each `step`; `unit` is the axis's."""

    low: float
    high: float
    step: float
    unit: str

    @classmethod
    def of_marks(cls, chart: IntervalChart) -> RowScale:
        """All that is drawn and a margin, with four to eight round ticks."""
        values = [x for row in chart.rows for m in row.marks for x in (m.value, m.low, m.high)]
        values = [x for x in [*values, chart.reference] if x is not None and np.isfinite(x)]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        margin = 0.03 * (high - low) or 0.01
        return cls.between(low - margin, high + margin, chart.axis.unit)

    @classmethod
    def of_axis(cls, chart: IntervalChart) -> RowScale:
        """The ends and the step that the chart's axis gives; those of `of_marks` where it gives none."""
        marks, axis = cls.of_marks(chart), chart.axis
        low, high = marks.low if axis.low is None else axis.low, marks.high if axis.high is None else axis.high
        return cls.between(low, high, axis.unit) if axis.step is None else cls(low, high, axis.step, axis.unit)

    @classmethod
    def between(cls, low: float, high: float, unit: str) -> RowScale:
        """With four to eight round ticks."""
        rough = (high - low) / 5
        power = 10.0 ** np.floor(np.log10(rough))
        return cls(low, high, next(power * n for n in (1, 2, 5, 10) if power * n >= rough), unit)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values: (place in per cent of the width, words)."""
        values = np.arange(np.ceil(self.low / self.step), np.floor(self.high / self.step) + 1) * self.step
        return [(self.place(value), self.words(float(value))) for value in values]

    def words(self, value: float) -> str:
        """A tick in words, with as many digits as the step has."""
        scale = 1.0 if not self.unit else 100.0
        digits = max(0, int(np.ceil(-np.log10(self.step * scale) - 1e-9)))
        text = number(value * scale, f",.{digits}f")
        return f"{text}{PER_CENT}" if self.unit == "%" else text

    def place(self, value: float) -> float:
        """Where a value lies, in per cent of the width."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)
