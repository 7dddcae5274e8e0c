"""The filter bar: gender, ethnicity, age, outcome, split. It lives in the URL, so a link reproduces a view."""

from __future__ import annotations

import streamlit as st

from core.audit.folder import Audit
from core.faces import ADULT_AGE, AGE_EDGES, GENDERS, OUTCOMES, UNRECORDED, Filter
from ui import words

OPEN_AGE = "any"
AGES = [str(edge) for edge in AGE_EDGES] + [OPEN_AGE]


def ethnicities(audit: Audit) -> list[str]:
    """The audit's ethnicities, most faces first; empty where the data set records none."""
    names = list(audit.faces["ethnicity"].value_counts().index)
    return [] if names == [UNRECORDED] else names


#: The bar's widget keys, which are also its names in the URL, and what they say when nothing is filtered.
NOTHING = {"gender": [], "ethnicity": [], "adults": False, "age": (AGES[0], AGES[-1]), "outcome": "all", "split": []}


def _restore(allowed: dict[str, list[str]]) -> None:
    """On arriving at a page: what its address says, else what the bar said on the page before.

    Streamlit can bind widgets to the URL itself, but drops a value on the next page unless it was touched by hand.
    """
    state = st.session_state
    memory = state.setdefault("filter_memory", dict(NOTHING))
    if not state.get("page_changed", True):
        return
    for key, nothing in NOTHING.items():
        values = st.query_params.get_all(key)
        value = memory[key]
        if values and key in allowed:
            value = [v for v in values if v in allowed[key]]
        elif values:
            value = _parse(key, values, nothing)
        # A range slider takes its start from `value` alone: a state set beforehand would make it a single one.
        place = "age_start" if key == "age" else key
        state[place] = [v for v in value if v in allowed[key]] if key in allowed else value


def _parse(key: str, values: list[str], nothing: object) -> object:
    if key == "adults":
        return values[0].lower() in ("true", "1")
    if key == "age":
        known = len(values) == 2 and set(values) <= set(AGES) and AGES.index(values[0]) <= AGES.index(values[1])
        return (values[0], values[1]) if known else nothing
    return values[0] if values[0] in OUTCOMES else nothing


def _publish(now: dict[str, object]) -> None:
    """Keep what the bar says for the next page, and write it into the address where it filters anything."""
    st.session_state.filter_memory.update(now)
    for key, value in now.items():
        if value == NOTHING[key]:
            st.query_params.pop(key, None)
        else:
            st.query_params[key] = list(value) if isinstance(value, (list, tuple)) else str(value).lower()


def filter_bar(audit: Audit, outcome: bool = True) -> Filter:
    """Draw the bar and return what it says. `outcome` is left out where a page shows right and wrong side by side."""
    names, splits = ethnicities(audit), list(audit.manifest["splits"])
    _restore({"gender": list(GENDERS), "ethnicity": names, "split": splits})
    has_age = audit.faces["age"].notna().any()
    with st.container(border=True, key="filters"):
        first = st.columns([1.1, 2.2, 1.2])
        gender = first[0].pills("Gender", GENDERS, selection_mode="multi", key="gender")
        if names:
            ethnicity = first[1].pills("Ethnicity", names, selection_mode="multi", key="ethnicity")
        else:
            ethnicity = []
            first[1].caption(words.NO_ETHNICITY)
        adults = first[2].toggle(
            "Adults only",
            key="adults",
            disabled=not has_age,
            help="Most errors are small children, whose perceived gender is close to a guess for anyone, and the share "
            "of children differs between ethnicities in the data. Among adults the comparison is not mixed with age.",
        )
        second = st.columns([2.2, 1.4, 0.9] if len(splits) > 1 else [2.2, 1.4])
        low, high = second[0].select_slider(
            "Age in years (from – up to)",
            AGES,
            value=st.session_state.age_start,
            key="age",
            disabled=adults or not has_age,
            help="In the bands in which average faces are stored." if has_age else words.NO_AGE,
        )
        chosen = "all"
        if outcome:
            chosen = second[1].segmented_control("Prediction", OUTCOMES, key="outcome", required=True)
        split: list[str] = []
        if len(splits) > 1:
            split = second[-1].pills("Split", splits, selection_mode="multi", key="split")
    now = {"gender": gender, "ethnicity": ethnicity, "adults": adults, "age": (low, high), "split": split}
    _publish(now | ({"outcome": chosen} if outcome else {}))
    if adults:
        age_from, age_to = ADULT_AGE, None
    else:
        age_from, age_to = _ages(low, high)
    return Filter(tuple(gender), tuple(ethnicity), age_from, age_to, chosen or "all", tuple(split))


def _ages(low: str, high: str) -> tuple[int, int | None]:
    """The slider's ends as years; both ends on one edge mean that edge's band."""
    if low == OPEN_AGE:
        low = AGES[-2]
    start = int(low)
    if high == low:
        place = AGES.index(low) + 1
        high = AGES[place] if place < len(AGES) else OPEN_AGE
    return start, None if high == OPEN_AGE else int(high)
