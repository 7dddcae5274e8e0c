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

from core.analysis.accuracy.by_group import LARGE_GROUP
from core.analysis.accuracy.counts import group_rows
from core.analysis.accuracy.curves import calibration, calibration_error, roc
from core.audit.doubts import mere_decisions
from core.data.faces import UNRECORDED
from core.estimate import Estimate
from core.task import Task


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
    `smallest` faces have no value.
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

    def about_of(self, task: Task) -> str:
        """What the number is, of an audit of this task; `about` may name {p}, {said}, {positive} and {negative}."""
        negative, positive = (words.many for words in task.nouns)
        names = {"p": task.p_words, "said": task.said(task.positive), "positive": positive, "negative": negative}
        text = self.about
        for name, words in names.items():
            text = text.replace(f"{{{name}}}", words)
        return text


NONE = Estimate(np.nan, np.nan, np.nan)


def area_under_roc(faces: pd.DataFrame) -> Estimate:
    """Area under the ROC curve of the positive class, DeLong's interval; none unless both classes occur.

    None of mere decisions either, here and below.
    """
    curve = None if mere_decisions(faces) else roc(faces)
    return NONE if curve is None else curve.auc


def expected_calibration_error(faces: pd.DataFrame) -> Estimate:
    """Mean |share labelled positive − its probability| over ten bins, weighted by faces; it has no interval here."""
    if mere_decisions(faces):
        return NONE
    return Estimate(calibration_error(calibration(faces)), np.nan, np.nan)


GROUP_STATISTICS: tuple[GroupStatistic, ...] = (
    GroupStatistic(
        "area under the ROC curve",
        "Area under the ROC curve",
        "How well {p} ranks {positive} above {negative}, whatever the threshold: 1 is perfect, 0.5 is chance.",
        area_under_roc,
        interval="DeLong",
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
    """All faces, then the groups of each grouping: columns by («» for all), group (in words), n, value, low, high.

    Values are NaN under the statistic's smallest number of faces. A grouping that makes one group is left out.
    """
    rows = [("", "all faces", len(faces), _value(statistic, faces))]
    for by in statistic.groupings:
        if "ethnicity" in by and set(faces["ethnicity"]) <= {UNRECORDED}:
            continue
        member, names = group_rows(faces, list(by))
        groups = names["group"] if len(names) > 1 else ()
        for place, name in enumerate(groups):
            part = faces[member == place]
            rows.append((" × ".join(by), name, len(part), _value(statistic, part)))
    return pd.DataFrame(
        [(by, name, n, e.value, e.low, e.high) for by, name, n, e in rows],
        columns=["by", "group", "n", "value", "low", "high"],
    )


def _value(statistic: GroupStatistic, faces: pd.DataFrame) -> Estimate:
    return statistic.compute(faces) if len(faces) >= statistic.smallest else NONE
