"""The groups that a page compares: each chosen by gender, ethnicity, age and outcome, kept in the URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.audit.folder import Audit
from core.data.faces import ADULT_AGE, AGE_BANDS, AGE_EDGES, UNRECORDED, labels_known
from core.data.filters import OUTCOMES, Filter
from core.errors import LookwhereError
from core.present.text import escape
from core.wording import capital, told_apart
from ui.shell.extremes import extremes_of
from ui.widgets import controls, terms
from ui.widgets.filter_query import ethnicities, gender_choices, genders, occurring

ANY = "any"
LETTERS = "ABCD"
#: What can be chosen, as years from and up to.
AGES: dict[str, tuple[int, int | None]] = {
    ANY: (0, None),
    "adults": (ADULT_AGE, None),
    f"under {ADULT_AGE}": (0, ADULT_AGE),
    **dict(zip(AGE_BANDS, zip(AGE_EDGES, (*AGE_EDGES[1:], None), strict=True), strict=True)),
}


def default_groups(audit: Audit, filter: Filter) -> list[tuple[str | None, str | None]]:
    """(gender, ethnicity) to begin with: the surely worst and best group, then women and men; None for any."""
    extremes = extremes_of(audit, filter)
    first = (
        []
        if extremes is None
        else [(recorded(row["gender"]), recorded(row["ethnicity"])) for row in (extremes.worst, extremes.best)]
    )
    return [*first, *((gender, None) for gender in genders(audit)), *[(None, None)] * len(LETTERS)][: len(LETTERS)]


def default_levels(audit: Audit) -> list[tuple[str, str] | None]:
    """A column and its level to begin with, a group each: the two classes where no face has a gender or an ethnicity,
    since all faces are no two groups."""
    if labels_known(audit.faces):
        return [None] * len(LETTERS)
    classes = [(audit.task.attribute, name) for name in audit.task.classes]
    return [*classes, *[None] * (len(LETTERS) - len(classes))]


def recorded(label: str) -> str | None:
    """A row's gender or ethnicity, None where it is not asked for or nobody recorded it."""
    return None if label in ("", UNRECORDED) else label


@dataclass(frozen=True)
class ChosenGroup:
    """A group that is compared: its letter, the column in which it was chosen, and which faces it is."""

    letter: str
    column: DeltaGenerator
    filter: Filter


def choose_groups(audit: Audit, filter: Filter, count: int) -> list[ChosenGroup]:
    """Draw the pickers of two to four groups inside the filter bar's; a group that it leaves out is told, not given."""
    # Four pickers do not fit beside each other: two by two.
    columns = st.columns(count) if count < 4 else st.columns(2) + st.columns(2)
    groups = []
    defaults = zip(default_groups(audit, filter), default_levels(audit), strict=True)
    for letter, column, (first, level) in zip(LETTERS, columns, defaults, strict=False):
        with column, st.container(border=True):
            terms.markdown(f"**Group {letter}**")
            try:
                groups.append(ChosenGroup(letter, column, _choose_group(audit, filter, letter, first, level)))
            except LookwhereError as error:
                st.warning(escape.sentence(capital(str(error))) + ".")
    return groups


def _choose_group(
    audit: Audit,
    filter: Filter,
    letter: str,
    first: tuple[str | None, str | None],
    first_level: tuple[str, str] | None = None,
) -> Filter:
    """Draw one group's pickers; the result lies inside `filter`. Raises `LookwhereError` as `narrow` does."""
    left, right = st.columns(2, wrap=False)

    def pick(place: DeltaGenerator, label: str, options: Sequence[str | None], start: str | None, key: str) -> Any:
        # Not None among the options: of a link that says «any» Streamlit would make no choice at all.
        words = told_apart(ANY, options)
        names = [words if option is None else option for option in options]
        choice = controls.selectbox(
            label,
            names,
            index=options.index(start) if start in options else 0,
            key=f"{letter.lower()}_{key}",
            place=place,
            named=f"{label.lower()} of group {letter}",
        )
        return options[names.index(choice)]

    gender = pick(left, "Gender", [None, *gender_choices(audit)], first[0], "gender") if genders(audit) else None
    ethnicity = pick(right, "Ethnicity", [None, *ethnicities(audit)], first[1], "ethnicity")
    age = pick(left, "Age", list(AGES), ANY, "age")
    outcome = pick(right, "Prediction", list(OUTCOMES), "all", "outcome")
    columns = {column.name: column for column in occurring(audit)}
    own = None
    start = first_level or (None, None)
    if columns and (name := pick(left, "Column", [None, *columns], start[0], "column")) is not None:
        level_first = start[1] if name == start[0] else None
        level = pick(right, "Level", [None, *columns[name].levels], level_first, "level")
        own = None if level is None else (name, level)
    return narrow(filter, gender, ethnicity, age, outcome, own)


def narrow(
    filter: Filter,
    gender: str | None,
    ethnicity: str | None,
    age: str,
    outcome: str,
    own: tuple[str, str] | None = None,
) -> Filter:
    """`filter` and the group's own choices, None for any. Raises `LookwhereError` where they exclude each other."""
    changes: dict[str, object] = {}
    for field, value in (("gender", gender), ("ethnicity", ethnicity)):
        if value is None:
            continue
        allowed = getattr(filter, field)
        if allowed and value not in allowed:
            raise LookwhereError(f"the filter bar leaves out {value}: clear its {field} filter to see this group")
        changes[field] = (value,)
    if own is not None:
        name, level = own
        before = dict(filter.columns)
        if level not in before.get(name, (level,)):
            raise LookwhereError(f"the filter bar leaves out {level}: clear its {name} filter to see this group")
        changes["columns"] = tuple(sorted({**before, name: (level,)}.items()))
    if outcome != "all":
        if filter.outcome not in ("all", outcome):
            raise LookwhereError(f"the filter bar shows {filter.outcome} predictions only: set it to all")
        changes["outcome"] = outcome
    if age != ANY:
        low, high = AGES[age]
        low = max(low, filter.age_from)
        ends = [end for end in (high, filter.age_to) if end is not None]
        end = min(ends) if ends else None
        if end is not None and end <= low:
            raise LookwhereError("the filter bar leaves out these ages: open its age range")
        changes |= {"age_from": low, "age_to": end}
    return filter.narrowed(**changes)
