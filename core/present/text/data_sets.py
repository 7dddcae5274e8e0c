"""One model on several data sets, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from core.analysis.comparison.data_sets import (
    DataSetAudit,
    GroupDrop,
    Seen,
    group_drops,
    overall_drop,
    perhaps_the_same,
)
from core.data.columns import Column
from core.data.filters import Filter, group_name
from core.data.store_names import OF_ANYBODY
from core.estimate import Estimate
from core.present.text.credits import data_set_title
from core.present.text.sentences import scope
from core.wording import bounds, capital, in_points, percent, signed_points, with_interval

SEEN_WORDS = {
    Seen.HOME: "of the data it was trained on",
    Seen.ABROAD: "data it was not trained on",
    Seen.NOT_COMPARED: "not labelled as its training data, images not compared",
    Seen.UNKNOWN: "whether it was trained on these nobody knows",
}


def called(data_set: DataSetAudit) -> str:
    """A data set by its name; where anybody's data may have its layout, by the audit's, which somebody chose."""
    dataset = data_set.audit.manifest.dataset
    return data_set.name if dataset in OF_ANYBODY else data_set_title(dataset)


def data_set_name(data_set: DataSetAudit) -> str:
    """«FairFace, data it was not trained on»; of the training's data which of its splits."""
    splits = f"{data_set.audit.split_words} " if data_set.seen == Seen.HOME else ""
    return f"{called(data_set)}, {splits}{SEEN_WORDS[data_set.seen]}"


def data_set_names(audits: Sequence[DataSetAudit]) -> dict[str, str]:
    """`data_set_name` of each audit by its name, which stands with it where two data sets are called alike."""
    names = {data_set.name: data_set_name(data_set) for data_set in audits}
    alike = {name for name, times in Counter(names.values()).items() if times > 1}
    return {key: f"{key}: {name}" if name in alike else name for key, name in names.items()}


def shown_sentence(audits: Sequence[DataSetAudit], filter: Filter) -> str:
    """How many of each data set's audited faces are shown: numbers of faces differ between pages for that."""
    names = _called(audits)
    counts = [
        f"{int(filter.mask(data_set.audit.faces).sum()):,} of {names[data_set.name]}'s {len(data_set.audit.faces):,}"
        for data_set in audits
    ]
    return f"Shown are {', '.join(counts[:-1])} and {counts[-1]} audited faces."


def perhaps_the_same_words(audits: Sequence[DataSetAudit]) -> str | None:
    """Which of them may be of the same images, and why that is not known; None where each is known to be of its own."""
    pairs = perhaps_the_same(audits)
    if not pairs:
        return None
    names = "; ".join(" and ".join(audit.name for audit in pair) for pair in pairs)
    return (
        f"May be of the same images: {names}. Their labels differ, and images are compared only where both audits keep "
        "a sketch of theirs, as newer audits with average faces do."
    )


def without_columns(without: Sequence[DataSetAudit], filter: Filter, columns: Sequence[Column] = ()) -> str:
    """Which audits have none of a column that the filter asks of, and so are not put beside the open one."""
    lacking = {name for name, _ in filter.columns for data_set in without if name not in data_set.audit.faces}
    words = [column.said for column in columns if column.name in lacking]
    have = "has" if len(without) == 1 else "have"
    names = ", ".join(data_set.name for data_set in without)
    return f"Not beside it: {names}, which {have} no column {' or '.join(words)}."


def _called(audits: Sequence[DataSetAudit]) -> dict[str, str]:
    """The data set of each audit by the audit's name; where two are called alike, the audits' own names."""
    names = {data_set.name: called(data_set) for data_set in audits}
    return names if len(set(names.values())) == len(names) else {name: name for name in names}


def abroad_sentence(table: pd.DataFrame, first: DataSetAudit, second: DataSetAudit, filter: Filter) -> str:
    """How accuracy on a second data set differs from that on the first, over all and for the group that loses most.

    `table` is that of `accuracy_by_data_set`. The data sets' faces differ in age, camera and annotators too, and the
    sentence says no cause.
    """
    names = _called((first, second))
    overall = dict(table[(table["gender"] == "") & (table["ethnicity"] == "")].set_index("audit").iterrows())
    if not {first.name, second.name} <= set(overall):
        missing = " and ".join(
            f"{names[data_set.name]} has no face{_of_known_age(data_set, filter)}"
            for data_set in (first, second)
            if data_set.name not in overall
        )
        return f"{scope(filter)}, {missing}, so the data sets cannot be put beside each other."
    a, b = overall[first.name], overall[second.name]
    there, home = f"accuracy on {names[second.name]} is {_rate(b)}", f"on {names[first.name]} ({_rate(a)})"
    text = f"{scope(filter)}, {there}, {_difference(overall_drop(table, first.name, second.name))} {home}."
    drops = group_drops(table, first.name, second.name)
    return f"{text} {_surest(drops)}" if len(drops) > 1 else text


def _of_known_age(data_set: DataSetAudit, filter: Filter) -> str:
    """What a data set without ages lacks where a filter asks for an age."""
    return "" if filter.any_age or data_set.audit.faces["age"].notna().any() else " of known age"


def _rate(row: pd.Series) -> str:
    return f"{with_interval(row['accuracy'], row['low'], row['high'])} of {row['n']:,}"


def _difference(drop: Estimate) -> str:
    """«12.2 points [9.7–14.9] below that»; both directions where the interval holds zero."""
    low, high = 100 * drop.low, 100 * drop.high
    if low <= 0 <= high:
        return f"not told apart ({signed_points(drop.value)} points [{bounds(low, high)}]) from that"
    if drop.value < 0:
        return f"{in_points(-drop.value)} points [{bounds(-high, -low)}] below that"
    return f"{in_points(drop.value)} points [{bounds(low, high)}] above that"


def _surest(drops: list[GroupDrop]) -> str:
    drop = drops[0]
    if drop.difference.high >= 0:
        return f"Of {len(drops)} groups with 30 faces and more in both, none is sure to lose accuracy."
    name, value = group_name(drop.gender, drop.ethnicity), drop.difference
    return (
        f"Of {len(drops)} groups with 30 faces and more in both, {name} are surest to lose: "
        f"{percent(drop.first['accuracy'])} to {percent(drop.second['accuracy'])}, "
        f"{in_points(-value.value)} points [{bounds(-100 * value.high, -100 * value.low)}]."
    )


def group_label(gender: str, ethnicity: str) -> str:
    """A row's group: «All faces», «Women», «Black women»."""
    return capital(group_name(gender or (), ethnicity or ()))
