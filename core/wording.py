"""Numbers in words: shares, points, intervals and p-values, written one way everywhere."""

from __future__ import annotations

import numpy as np

from core.estimate import Estimate


def percent(value: float, digits: int = 1) -> str:
    """«6.1 %»."""
    return f"{100 * value:.{digits}f} %"


def with_interval(value: float, low: float, high: float, digits: int = 1) -> str:
    """«6.1 % [4.2–8.7]»."""
    return f"{percent(value, digits)} [{100 * low:.{digits}f}–{100 * high:.{digits}f}]"


def times(ratio: Estimate) -> str:
    """«2.9 × [1.8–4.6]»."""
    return f"{ratio.value:.1f} × [{ratio.low:.1f}–{ratio.high:.1f}]"


def capital(text: str) -> str:
    """First letter upper-case, the rest as it is."""
    return text[:1].upper() + text[1:]


def signed(value: float, digits: int = 2) -> str:
    """«+1.20», «−0.35»."""
    return f"{value:+.{digits}f}".replace("-", "−")


def signed_interval(value: float, low: float, high: float, digits: int = 2) -> str:
    """«−1.20 [−1.41 to −0.99]»."""
    return f"{signed(value, digits)} [{signed(low, digits)} to {signed(high, digits)}]"


def points(value: Estimate) -> str:
    """«6.1 points [2.0–9.1]»; a bound under 0 makes it «[−0.4 to 9.1]»."""
    return f"{100 * value.value:.1f} points [{span(value.low, value.high)}]"


def signed_points(share: float) -> str:
    """«+0.7», «−4.2»: a share in points. It is rounded first: −0.0004 is «+0.0», not «−0.0»."""
    return signed(round(100 * share, 1) + 0.0, 1)


def signed_bounds(low: float, high: float) -> str:
    """«[−7.1 to −1.3]»: bounds in points, from shares."""
    return f"[{signed_points(low)} to {signed_points(high)}]"


def points_words(value: float, low: float, high: float) -> str:
    """«−4.2 points [−7.1 to −1.3]», from shares."""
    return f"{signed_points(value)} points {signed_bounds(low, high)}"


def span(low: float, high: float) -> str:
    """Bounds in points: «2.0–9.1» or «−0.4 to 9.1»."""
    low, high = 100 * low, 100 * high
    if low <= -0.05:
        return f"−{abs(low):.1f} to {'−' if high <= -0.05 else ''}{abs(high):.1f}"
    return f"{abs(low):.1f}–{high:.1f}"


def p_words(p: float, named: bool = True) -> str:
    """«p = 0.031», «p < 0.0001»; not `named`, for a column of p-values, «0.031», «< 0.0001»."""
    if np.isnan(p):
        return "p not known" if named else "not known"
    if p < 0.0001:
        return "p < 0.0001" if named else "< 0.0001"
    return ("p = " if named else "") + (f"{p:.2g}" if p < 0.01 else f"{p:.3f}")
