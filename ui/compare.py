"""The groups that the heatmap page compares: each chosen by gender, ethnicity, age and outcome, kept in the URL."""

from __future__ import annotations

import streamlit as st

from core.audit.folder import Audit
from core.errors import LookwhereError
from core.faces import AGE_BANDS, AGE_EDGES, GENDERS, OUTCOMES, Filter
from core.statistics import accuracy_by, gap
from ui.filters import ethnicities

ANY = "any"
LETTERS = "ABCD"
AGES = [ANY, "adults", "under 18", *AGE_BANDS]


def default_groups(audit: Audit, within: Filter) -> list[tuple[str, str]]:
    """(gender, ethnicity) to begin with: the worst and the best group, then women and men."""
    found = gap(accuracy_by(audit.faces[within.narrowed(outcome="all").mask(audit.faces)], ["gender", "ethnicity"]))
    first = [] if found is None else [(row["gender"], row["ethnicity"]) for row in (found.worst, found.best)]
    return [*first, ("female", ANY), ("male", ANY), (ANY, ANY)][: len(LETTERS)]


def choose_group(audit: Audit, within: Filter, letter: str, first: tuple[str, str]) -> Filter:
    """Draw one group's four pickers; the result lies inside `within`, the filter bar's."""
    genders, names = [ANY, *GENDERS], [ANY, *ethnicities(audit)]

    left, right = st.columns(2, wrap=False)

    def pick(place, label: str, options: list[str], start: str, key: str) -> str:
        index = options.index(start) if start in options else 0
        return place.selectbox(label, options, index=index, key=f"{letter.lower()}_{key}", bind="query-params")

    gender = pick(left, "Gender", genders, first[0], "gender")
    ethnicity = pick(right, "Ethnicity", names, first[1], "ethnicity")
    age = pick(left, "Age", AGES, ANY, "age")
    outcome = pick(right, "Prediction", list(OUTCOMES), "all", "outcome")
    return narrow(within, gender, ethnicity, age, outcome)


def narrow(within: Filter, gender: str, ethnicity: str, age: str, outcome: str) -> Filter:
    """`within` and the group's own choices. Raises `LookwhereError` where the two exclude each other."""
    changes: dict[str, object] = {}
    for field, value in (("gender", gender), ("ethnicity", ethnicity)):
        if value == ANY:
            continue
        allowed = getattr(within, field)
        if allowed and value not in allowed:
            raise LookwhereError(f"the filter bar leaves out {value}: clear its {field} filter to see this group")
        changes[field] = (value,)
    if outcome != "all":
        if within.outcome not in ("all", outcome):
            raise LookwhereError(f"the filter bar shows {within.outcome} predictions only: set it to all")
        changes["outcome"] = outcome
    if age != ANY:
        low, high = years(age)
        low = max(low, within.age_from)
        ends = [end for end in (high, within.age_to) if end is not None]
        end = min(ends) if ends else None
        if end is not None and end <= low:
            raise LookwhereError("the filter bar leaves out these ages: open its age range")
        changes |= {"age_from": low, "age_to": end}
    return within.narrowed(**changes)


def years(age: str) -> tuple[int, int | None]:
    """A choice of `AGES` as years from and up to."""
    if age == "adults":
        return 18, None
    if age == "under 18":
        return 0, 18
    place = AGE_BANDS.index(age)
    return AGE_EDGES[place], AGE_EDGES[place + 1] if place + 1 < len(AGE_EDGES) else None
