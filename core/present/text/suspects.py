"""Suspected labels in words."""

from __future__ import annotations

import pandas as pd

from core.data.filters import Filter
from core.present.text.columns import in_sentence
from core.present.text.sentences import scope


def suspects_sentence(table: pd.DataFrame, filter: Filter) -> str:
    """How many errors have suspected labels and where most; `table` is that of `suspected_by_group`."""
    whole = table.iloc[0]
    if not whole["errors"]:
        return f"{scope(filter)}, no prediction is incorrect, so no label is suspected."
    are = "is" if whole["suspected"] == 1 else "are"
    text = (
        f"{scope(filter)}, the labels of {whole['suspected']:,} of {whole['errors']:,} incorrect predictions {are} "
        "doubted by the model itself"
    )
    groups = table.iloc[1:]
    if len(groups) and groups["suspected"].max() > 0:
        most = groups.loc[groups["suspected"].idxmax()]
        text += f"; the largest number in a group is that of {in_sentence(most['group'])}, "
        text += f"{most['suspected']:,} of {most['errors']:,}"
    return f"{text}. Whether they are wrong only a look at the faces tells."


def agreed_words(table: pd.DataFrame, models: list[str]) -> str:
    """How circular the suspicion is: how much of it other models share."""
    if not models or "agreed" not in table:
        return (
            "No other model of the same faces is at hand, so the suspicion is this model's own: it is circular, and "
            "says where to look."
        )
    whole, names = table.iloc[0], ", ".join(models)
    subject = f"{len(models)} other models ({names}) doubt" if len(models) > 1 else f"One other model ({names}) doubts"
    return (
        f"{subject} {whole['agreed']:,} of these {whole['suspected']:,} labels too. Where models "
        "were trained apart, what they share is less circular than one model's own word, though labels of one kind may "
        "have taught them all."
    )


def reviewed_so_far(decisions: dict[str, str]) -> str:
    """What a person has decided so far."""
    counts = pd.Series(list(decisions.values()), dtype=object).value_counts()
    if counts.empty:
        return "Nothing is decided yet; an empty decision counts as keep."
    return "Decided so far: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()) + "."
