"""Numbers in words: shares, points, intervals and p-values, written one way everywhere.

What has no value (NaN, infinite) is «–» in all of them: neither «nan» nor «inf» ever stands on a page, in a report or
in what a command prints.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from core.estimate import Estimate

#: Ethnicities that a data set calls by a word that does not read well before faces.
ETHNICITY_WORDS = {"Others": "other-ethnicity"}
#: Stands where there is no value.
NONE = "–"
#: What ends a share, in sentences, in tables and at the ticks of charts.
PER_CENT = " %"


def number(value: float, form: str = ".2f") -> str:
    """A number as `format` gives it, with a minus that is one and none before a nought; «–» where it is not finite."""
    if not math.isfinite(value):
        return NONE
    text = format(value, form)
    if text.lstrip()[:1] == "-" and not text.strip(" -0.,%"):
        text = text.replace("-", "+" if "+" in form else "")
    return text.replace("-", "−")


def percent(value: float, digits: int = 1) -> str:
    """«6.1 %»."""
    return f"{number(100 * value, f'.{digits}f')}{PER_CENT}" if math.isfinite(value) else NONE


def share_of_audits(value: float) -> str:
    """«46 %»; «under 1 %» and «over 99 %» at the ends, since no computed chance is nought or all."""
    return f"under 1{PER_CENT}" if value < 0.01 else f"over 99{PER_CENT}" if value > 0.99 else percent(value, 0)


def told_apart(word: str, names: Collection[str | None]) -> str:
    """A word of ours for all or any of some groups: «all», or «all faces» where a group is called «all»."""
    while word in names:
        word += " faces"
    return word


def in_points(share: float) -> str:
    """«6.1»: a share or a difference of shares in points, without the word."""
    return number(100 * share, ".1f")


def trimmed(value: float, digits: int = 4) -> str:
    """«0.931», «−0.0728», «2»: at most so many decimals, and none that is a nought at the end."""
    text = number(value, f".{digits}f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_unit(value: float, unit: str) -> str:
    """A value as an axis of a chart counts it: «6.1 %» or, for «points», «6.1», of a share; else any number."""
    return percent(value) if unit == "%" else in_points(value) if unit == "points" else number(value, ".4g")


def bounds(low: float, high: float, form: str = ".1f") -> str:
    """«4.2–8.7»; «−0.4 to 9.1» where one is negative, «– to 9.1» where one is not known, «–» where neither is."""
    ends = [number(end, form) for end in (low, high)]
    if ends == [NONE, NONE]:
        return NONE
    return ("–" if all(end[0].isdigit() for end in ends) else " to ").join(ends)


def with_interval(value: float, low: float, high: float, digits: int = 1) -> str:
    """«6.1 % [4.2–8.7]»."""
    return f"{percent(value, digits)} [{bounds(100 * low, 100 * high, f'.{digits}f')}]"


def times(ratio: Estimate) -> str:
    """«2.9 × [1.8–4.6]»."""
    return f"{number(ratio.value, '.1f')} × [{bounds(ratio.low, ratio.high)}]"


def capital(text: str) -> str:
    """First letter upper-case, the rest as it is."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """First letter lower-case, the rest as it is: a sentence that goes on after a colon or a semicolon."""
    return text[:1].lower() + text[1:]


def counted(count: int, noun: str) -> str:
    """«1 seed», «3 seeds»: a number and its noun, whose plural ends in s."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def signed(value: float, digits: int = 2) -> str:
    """«+1.20», «−0.35»."""
    return number(value, f"+.{digits}f")


def signed_interval(value: float, low: float, high: float, digits: int = 2) -> str:
    """«−1.20 [−1.41 to −0.99]»."""
    return f"{signed(value, digits)} [{signed(low, digits)} to {signed(high, digits)}]"


def points(value: Estimate) -> str:
    """«6.1 points [2.0–9.1]»; a bound under 0 makes it «[−0.4 to 9.1]»."""
    return f"{in_points(value.value)} points [{span(value.low, value.high)}]"


def signed_points(share: float) -> str:
    """«+0.7», «−4.2»: a share in points; −0.0004 is «+0.0», not «−0.0»."""
    return signed(100 * share, 1)


def signed_bounds(low: float, high: float) -> str:
    """«[−7.1 to −1.3]»: bounds in points, from shares."""
    ends = [signed_points(end) for end in (low, high)]
    return f"[{NONE}]" if ends == [NONE, NONE] else f"[{' to '.join(ends)}]"


def points_words(value: float, low: float, high: float) -> str:
    """«−4.2 points [−7.1 to −1.3]», from shares."""
    return f"{signed_points(value)} points {signed_bounds(low, high)}"


def span(low: float, high: float) -> str:
    """Bounds in points: «2.0–9.1» or «−0.4 to 9.1»."""
    return bounds(100 * low, 100 * high)


def p_words(p: float, with_name: bool = True) -> str:
    """«p = 0.031», «p < 0.0001»; without its name, for a column of p-values, «0.031», «< 0.0001»."""
    if math.isnan(p):
        return "p not known" if with_name else "not known"
    if p < 0.0001:
        return "p < 0.0001" if with_name else "< 0.0001"
    return ("p = " if with_name else "") + (f"{p:.2g}" if p < 0.01 else f"{p:.3f}")


def duration(seconds: float | None) -> str:
    """«1 h 12 min», «3 min», «40 s», or a dash."""
    if seconds is None:
        return "–"
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"
