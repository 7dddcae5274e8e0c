"""The gap in words, shared by the page and the commands."""

from __future__ import annotations

import numpy as np

from core.gaps.simultaneous import LargestGap
from core.statistics import Estimate


def percent(value: float) -> str:
    """«6.1 %»."""
    return f"{100 * value:.1f} %"


def points(value: Estimate) -> str:
    """«6.1 points [2.0–9.1]»; a bound under 0 makes it «[−0.4 to 9.1]»."""
    return f"{100 * value.value:.1f} points [{span(value.low, value.high)}]"


def span(low: float, high: float) -> str:
    """Bounds in points: «2.0–9.1» or «−0.4 to 9.1»."""
    low, high = 100 * low, 100 * high
    if low <= -0.05:
        return f"−{abs(low):.1f} to {'−' if high <= -0.05 else ''}{abs(high):.1f}"
    return f"{abs(low):.1f}–{high:.1f}"


def p_words(p: float) -> str:
    """«p = 0.031», «p < 0.0001»."""
    if np.isnan(p):
        return "p not known"
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}" if p < 0.01 else f"p = {p:.3f}"


def share_words(row: dict) -> str:
    """A row of `noise`'s shares: errors inside, their share with interval, beside that of the faces."""
    if np.isnan(row["share_errors"]):
        return f"no error at all; {percent(row['share_faces'])} of the faces"
    return (
        f"{row['errors']:,} errors, {percent(row['share_errors'])} [{span(row['low'], row['high'])}] of them, "
        f"beside {percent(row['share_faces'])} of the faces ({row['faces']:,})"
    )


def gap_words(gap: LargestGap | None) -> str:
    """One line: which groups, the gap with its simultaneous interval, and corrected."""
    if gap is None:
        return "no two groups have 50 faces"
    d = gap.difference
    return (
        f"{gap.best['group']} {percent(gap.best['accuracy'])} against {gap.worst['group']} "
        f"{percent(gap.worst['accuracy'])}: {points(d)}, {100 * gap.corrected:.1f} corrected"
    )


def gap_sentence(gap: LargestGap | None, scope: str, n: int) -> str:
    """The page's sentence; `scope` as «Among adults»."""
    if not n:
        return "No face passes this filter."
    if gap is None:
        return f"{scope}, no two groups have the 50 faces that a comparison needs, so nothing is said of a gap."
    d = gap.difference
    text = (
        f"{scope}, the gap between {gap.best['group']} and {gap.worst['group']} is {100 * d.value:.1f} points, "
        f"{100 * gap.corrected:.1f} after allowing for having chosen the extremes "
        f"[simultaneous 95 % interval {span(d.low, d.high)}]"
    )
    return text + ("." if gap.distinguishable else ": the worst group cannot be told from the best.")
