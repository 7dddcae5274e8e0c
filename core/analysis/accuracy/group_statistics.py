"""Statistics of a group of faces beside its accuracy: the one list of them.

Whatever is in `GROUP_STATISTICS` stands in `core show`, on the page «Accuracy breakdown», in the report and in the
card. A further one is a function of a group's faces and an entry here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from scipy.special import ndtri

from core.analysis.accuracy.by_group import LARGE_GROUP
from core.analysis.accuracy.counts import group_rows, outside_of_groups
from core.analysis.accuracy.curves import area_bounds, calibration, calibration_error, roc
from core.analysis.accuracy.surest import Surest, surest
from core.analysis.intervals import Z95
from core.audit.doubts import mere_decisions
from core.data.faces import UNRECORDED
from core.estimate import Estimate
from core.task import Task, task_of


class Unit(StrEnum):
    """How a statistic's values are written: SHARE «93.1 %», NUMBER «0.981»."""

    SHARE = "%"
    NUMBER = ""


@dataclass(frozen=True)
class GroupStatistic:
    """A number of a group of faces.

    `name` as it stands in a sentence, `title` over a table. `compute` takes a group's rows of an audit's faces and
    returns the value with its 95 % interval; NaN where there is none. `interval` says how the interval is made, `about`
    what the number is. `groupings`: by which columns (gender, ethnicity, age band) groups are made. Groups under
    `smallest` faces have no value. `bounds` gives, of a group's faces, a level such as 0.99 and what `compute` gave of
    these faces, bounds that hold for groups of any size; without them no group is named worst or best, since nothing is
    sure.
    """

    name: str
    title: str
    about: str
    compute: Callable[[pd.DataFrame], Estimate]
    interval: str = ""
    unit: Unit = Unit.NUMBER
    higher_is_better: bool = True
    groupings: tuple[tuple[str, ...], ...] = (("ethnicity",),)
    smallest: int = LARGE_GROUP
    bounds: Callable[[pd.DataFrame, float, Estimate], tuple[float, float]] | None = None

    def about_of(self, task: Task) -> str:
        """What the number is, of an audit of this task; `about` may name {p}, {said}, {positive} and {negative}."""
        negative, positive = (words.many for words in task.nouns)
        names = {"p": task.p_words, "said": task.said(task.positive), "positive": positive, "negative": negative}
        text = self.about
        for name, words in names.items():
            text = text.replace(f"{{{name}}}", words)
        return text


NONE = Estimate(np.nan, np.nan, np.nan)
NOT_SURE = (np.nan, np.nan)
LEVEL = 0.95


def area_under_roc(faces: pd.DataFrame) -> Estimate:
    """Area under the ROC curve of the positive class, DeLong's interval, of groups under 50 faces Newcombe's.

    None unless both classes occur twice. None of mere decisions either, here and below.
    """
    curve = None if mere_decisions(faces) else roc(faces)
    if curve is None:
        return NONE
    small = len(faces) < LARGE_GROUP
    return Estimate(curve.auc.value, *_area_bounds(faces, curve.auc, Z95)) if small else curve.auc


def sure_area(faces: pd.DataFrame, level: float, area: Estimate) -> tuple[float, float]:
    """Bounds of the area at a level: DeLong's, nowhere narrower than Newcombe's, which have a width at an area of 1.

    `area` is that of these faces by `area_under_roc`, which has DeLong's interval unless the group is small.
    """
    if np.isnan(area.value):
        return NOT_SURE
    curve = roc(faces) if len(faces) < LARGE_GROUP else None
    delong = area if curve is None else curve.auc
    z = float(ndtri((1 + level) / 2))
    low, high = _area_bounds(faces, area, z)
    spread = (delong.high - delong.low) / 2 / Z95 * z
    return min(low, max(0.0, area.value - spread)), max(high, min(1.0, area.value + spread))


def _area_bounds(faces: pd.DataFrame, area: Estimate, z: float) -> tuple[float, float]:
    positive = int(task_of(faces).is_positive(faces).sum())
    return area_bounds(area.value, positive, len(faces) - positive, z)


def expected_calibration_error(faces: pd.DataFrame) -> Estimate:
    """Mean |share labelled positive − its probability| over ten bins, weighted by faces; it has no interval here."""
    if mere_decisions(faces):
        return NONE
    return Estimate(calibration_error(calibration(faces)), np.nan, np.nan)


GROUP_STATISTICS: tuple[GroupStatistic, ...] = (
    GroupStatistic(
        "area under the ROC curve",
        "Area under the ROC curve",
        "How well {p} ranks {positive} above {negative}, whatever the threshold: 1 is perfect, 0.5 is chance. Of "
        "groups under 50 faces the interval is Newcombe's (2006).",
        area_under_roc,
        interval="DeLong",
        smallest=1,
        bounds=sure_area,
    ),
    GroupStatistic(
        "expected calibration error",
        "Expected calibration error",
        "How far {p} is from the share of faces labelled {said}, over ten bins; it is above 0 by chance alone.",
        expected_calibration_error,
        unit=Unit.SHARE,
        higher_is_better=False,
    ),
)


def statistic_table(statistic: GroupStatistic, faces: pd.DataFrame) -> pd.DataFrame:
    """All faces, then the groups of each grouping: columns by («» for all), group (in words), n, value, low, high,
    sure_low, sure_high.

    The last two hold for all groups of a grouping at once (Šidák), and are NaN where the statistic has no `bounds`.
    Values are NaN under the statistic's smallest number of faces. A grouping that makes one group is left
    out, and so is a group of which it is not known what the grouping is by. The
    statistic is not given `face_id` and `path`, which say nothing of a group.
    """
    # Of millions of faces, to choose a group's takes longer for these two texts than for all else.
    faces = faces.drop(columns=["face_id", "path"], errors="ignore")
    rows = [("", "all faces", len(faces), _value(statistic, faces), NOT_SURE)]
    for by in statistic.groupings:
        if "ethnicity" in by and set(faces["ethnicity"].unique()) <= {UNRECORDED}:
            continue
        member, names = group_rows(faces, list(by))
        known = ~np.logical_or.reduce(list(outside_of_groups(names, []).values()))
        places = np.flatnonzero(known) if known.sum() > 1 else ()
        groups = [names["group"][place] for place in places]
        parts = [faces[member == place] for place in places]
        values = [_value(statistic, part) for part in parts]
        measured = sum(not np.isnan(value.value) for value in values)
        for name, part, value in zip(groups, parts, values, strict=True):
            sure = NOT_SURE
            if statistic.bounds is not None and not np.isnan(value.value):
                sure = statistic.bounds(part, LEVEL ** (1 / measured), value)
            rows.append((" × ".join(by), name, len(part), value, sure))
    return pd.DataFrame(
        [(by, name, n, e.value, e.low, e.high, *sure) for by, name, n, e, sure in rows],
        columns=["by", "group", "n", "value", "low", "high", "sure_low", "sure_high"],
    )


def surest_groups(statistic: GroupStatistic, rows: pd.DataFrame) -> Surest | None:
    """Places of the surely worst and best of a grouping's `rows`, which have bounds; None where fewer than two have."""
    measured = rows.dropna(subset=["value", "sure_low", "sure_high"])
    if len(measured) < 2 or len(measured) < rows["value"].notna().sum():
        return None
    value, low, high = (measured[name].to_numpy() for name in ("value", "sure_low", "sure_high"))
    if not statistic.higher_is_better:
        value, low, high = -value, -high, -low
    return surest(value, low, high, low[:, None] - high[None])


def _value(statistic: GroupStatistic, faces: pd.DataFrame) -> Estimate:
    return statistic.compute(faces) if len(faces) >= statistic.smallest else NONE
