"""One model on several data sets, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from core.analysis.comparison.data_sets import DataSetAudit, GroupDrop, Seen, group_drops, overall_drop
from core.data.columns import Column
from core.data.filters import Filter, group_name
from core.data.store_names import OF_ANYBODY
from core.estimate import Estimate
from core.present.text.sentences import scope
from core.wording import bounds, capital, in_points, percent, signed_points, with_interval

SEEN_WORDS = {
    Seen.HOME: "of the data it was trained on",
    Seen.ABROAD: "data it was not trained on",
    Seen.UNKNOWN: "whether it was trained on these nobody knows",
}


def called(one: DataSetAudit) -> str:
    """A data set by its name; where anybody's data may have its layout, by the audit's, which somebody chose."""
    dataset = one.audit.manifest.dataset
    return one.name if dataset in OF_ANYBODY else dataset


def data_set_name(one: DataSetAudit) -> str:
    """«fairface, data it was not trained on»; of the training's data which of its splits."""
    splits = f"{one.audit.split_words} " if one.seen == Seen.HOME else ""
    return f"{called(one)}, {splits}{SEEN_WORDS[one.seen]}"


def data_set_names(audits: Sequence[DataSetAudit]) -> dict[str, str]:
    """`data_set_name` of each audit by its name, which stands with it where two data sets are called alike."""
    names = {one.name: data_set_name(one) for one in audits}
    alike = {name for name, times in Counter(names.values()).items() if times > 1}
    return {key: f"{key}: {name}" if name in alike else name for key, name in names.items()}


def shown_sentence(audits: Sequence[DataSetAudit], within: Filter) -> str:
    """How many of each data set's audited faces are shown: numbers of faces differ between pages for that."""
    names = _called(audits)
    counts = [
        f"{int(within.mask(one.audit.faces).sum()):,} of {names[one.name]}'s {len(one.audit.faces):,}" for one in audits
    ]
    return f"Shown are {', '.join(counts[:-1])} and {counts[-1]} audited faces."


def without_columns(without: Sequence[DataSetAudit], within: Filter, columns: Sequence[Column] = ()) -> str:
    """Which audits have none of a column that the filter asks of, and so are not put beside the open one."""
    asked = {name for name, _ in within.columns for one in without if name not in one.audit.faces}
    said = [column.said for column in columns if column.name in asked]
    have = "has" if len(without) == 1 else "have"
    return f"Not beside it: {', '.join(one.name for one in without)}, which {have} no column {' or '.join(said)}."


def _called(audits: Sequence[DataSetAudit]) -> dict[str, str]:
    """The data set of each audit by the audit's name; where two are called alike, the audits' own names."""
    names = {one.name: called(one) for one in audits}
    return names if len(set(names.values())) == len(names) else {name: name for name in names}


def abroad_sentence(table: pd.DataFrame, first: DataSetAudit, second: DataSetAudit, within: Filter) -> str:
    """How accuracy on a second data set differs from that on the first, over all and for the group that loses most.

    `table` is that of `accuracy_by_data_set`. The data sets' faces differ in age, camera and annotators too, and the
    sentence says no cause.
    """
    names = _called((first, second))
    overall = dict(table[(table["gender"] == "") & (table["ethnicity"] == "")].set_index("audit").iterrows())
    if not {first.name, second.name} <= set(overall):
        missing = " and ".join(
            f"{names[one.name]} has no face{_of_known_age(one, within)}"
            for one in (first, second)
            if one.name not in overall
        )
        return f"{scope(within)}, {missing}, so the data sets cannot be put beside each other."
    a, b = overall[first.name], overall[second.name]
    there, home = f"accuracy on {names[second.name]} is {_rate(b)}", f"on {names[first.name]} ({_rate(a)})"
    text = f"{scope(within)}, {there}, {_difference(overall_drop(table, first.name, second.name))} {home}."
    drops = group_drops(table, first.name, second.name)
    return f"{text} {_surest(drops)}" if len(drops) > 1 else text


def _of_known_age(one: DataSetAudit, within: Filter) -> str:
    """What a data set without ages lacks where a filter asks for an age."""
    return "" if within.any_age or one.audit.faces["age"].notna().any() else " of known age"


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
