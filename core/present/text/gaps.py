"""The gap in words, shared by the page and the commands."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.analysis.accuracy.extremes import Extremes
from core.analysis.accuracy.simultaneous import LargestGap
from core.present.text.columns import in_sentence
from core.verdicts import TestVerdict
from core.wording import bounds, in_points, number, percent, points, span

#: So many groups that are left out are told by name; of more, on a page, the first few, and all in a table.
NAMED_LEFT_OUT, FIRST_LEFT_OUT = 12, 6
#: Nor are more named than the first few where their names take more characters than these.
LONG_LEFT_OUT = 500
#: A reason that the number of faces beside it explains.
COUNTED = re.compile(r"under [\d,]+ faces")


def differ_words(tests: pd.DataFrame, what: str = "") -> str:
    """«3 of 45 pairs of groups differ at 5 % after Holm's correction», of a table of `pairs_of`."""
    differ = int((tests["verdict"] == TestVerdict.DIFFER).sum())
    return f"{differ} of {len(tests)} {f'{what} ' if what else ''}differ at 5 % after Holm's correction"


def left_out_words(left_out: pd.DataFrame, column: str = "group", most: int = NAMED_LEFT_OUT) -> str:
    """«Left out, since nothing sure can be said of them: … (under 50 faces: 31).», at most so many by name.

    Where the reason is not the number of faces, that is told beside it: «(under 50 women, 99 in all)»; where the
    group's name says the reason, the number alone.
    """
    rows = zip(left_out[column], left_out["why"], left_out["n"], strict=True)
    names = [f"{name} ({_reason('' if why in name else why, n)})" for name, why, n in rows]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"Left out, since nothing sure can be said of them: {'; '.join(names[:most])}{more}."


def _reason(why: str, n: int) -> str:
    return f"{why}: {n:,}" if COUNTED.fullmatch(why) else ", ".join([*filter(None, [why]), f"{n:,} in all"])


def measure_words(row: dict) -> str:
    """A row of `fairness`'s measures: «0.081 [0.042–0.120]»; a ratio of rates that are all 0 is none."""
    if np.isnan(row["value"]):
        return "not known"
    return f"{number(row['value'], '.3f')} [{bounds(row['low'], row['high'], '.3f')}]"


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
        return "there are no two groups"
    d = gap.difference
    return (
        f"{gap.best['group']} {percent(gap.best['accuracy'])} against {gap.worst['group']} "
        f"{percent(gap.worst['accuracy'])}: {points(d)}, {in_points(gap.corrected)} corrected"
    )


def gap_sentence(gap: LargestGap | None, scope: str, n: int) -> str:
    """The page's sentence; `scope` as «Among adults»."""
    if not n:
        return "No face passes this filter."
    if gap is None:
        return f"{scope}, there are no two groups to compare, so nothing is said of a gap."
    d, head = gap.difference, f"the gap between {in_sentence(gap.best['group'])} and {in_sentence(gap.worst['group'])}"
    size = (
        f"{in_points(d.value)} points, {in_points(gap.corrected)} after allowing for having chosen the extremes "
        f"[simultaneous 95 % interval {span(d.low, d.high)}]"
    )
    if not gap.distinguishable:
        return f"{scope}, no two groups are told apart: {head}{', the surest,' if gap.pairs > 1 else ''} is {size}."
    rest = f"; {as_low(gap)} may be as low" if gap.as_low else ""
    return f"{scope}, {head} is {size}{rest}."


def counted_words(pair: Extremes | None) -> str | None:
    """Why a gap as counted is not Overview's, which is at equal ages where ages are known; None where both are one."""
    if pair is None or not pair.at_equal_ages:
        return None
    return (
        "These accuracies are as counted, whatever the ages in a group. At equal ages, as Overview has it, accuracy "
        f"for {pair.worst['group']} lies {points(pair.difference)} below that for {pair.best['group']}."
    )


def as_low(gap: LargestGap) -> str:
    """«A, B and C», «12 of the other 16 groups» where names have commas and nobody could tell them apart in a row."""
    if len(gap.as_low) > 1 and any(", " in name for name in gap.as_low):
        return f"{len(gap.as_low)} of the other {gap.groups - 2} groups"
    return several(gap.as_low)


def several(names: Sequence[str], most: int = 4) -> str:
    """«A, B and C»; at most so many by name, and how many more."""
    parts = [*names[:most], *([f"{len(names) - most} more"] if len(names) > most else [])]
    return " and ".join([*([", ".join(parts[:-1])] if parts[1:] else []), *parts[-1:]])
