"""How checks write numbers and lists."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def number(value: float | None, digits: int = 2) -> str:
    """«0.12», «−0.12», «–» for none."""
    if value is None or not np.isfinite(value):
        return "–"
    return f"{value:.{digits}f}".replace("-", "−")


def interval_words(value: float, low: float, high: float, digits: int = 2) -> str:
    """«0.12 [0.08 to 0.16]»."""
    return f"{number(value, digits)} [{number(low, digits)} to {number(high, digits)}]"


def interval_of(row: Mapping, name: str = "mean", digits: int = 2) -> str:
    """A table's column with its interval; the first of a row is `mean, low, high`, others carry their name."""
    ends = ("low", "high") if name in ("mean", "area") else (f"{name}_low", f"{name}_high")
    return interval_words(row[name], row[ends[0]], row[ends[1]], digits)


def listed(names: list[str], last: str = "and") -> str:
    """«a», «a and b», «a, b and c»."""
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""
