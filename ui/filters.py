"""The filter bar: gender, ethnicity, age, outcome, split. It lives in the URL, so a link reproduces a view."""

from __future__ import annotations

import streamlit as st

from core.audit.folder import Audit
from core.faces import ADULT_AGE, AGE_EDGES, GENDERS, OUTCOMES, Filter

OPEN_AGE = "any"
AGES = [str(edge) for edge in AGE_EDGES] + [OPEN_AGE]


def ethnicities(audit: Audit) -> list[str]:
    """The audit's ethnicities, most faces first."""
    return list(audit.faces["ethnicity"].dropna().value_counts().index)


def filter_bar(audit: Audit, outcome: bool = True) -> Filter:
    """Draw the bar and return what it says. `outcome` is left out where a page shows right and wrong side by side."""
    names, splits = ethnicities(audit), list(audit.manifest["splits"])
    has_age = audit.faces["age"].notna().any()
    with st.container(border=True, key="filters"):
        first = st.columns([1.1, 2.2, 1.2])
        gender = first[0].pills("Gender", GENDERS, selection_mode="multi", key="gender", bind="query-params")
        ethnicity = first[1].pills("Ethnicity", names, selection_mode="multi", key="ethnicity", bind="query-params")
        adults = first[2].toggle(
            "Adults only",
            key="adults",
            bind="query-params",
            disabled=not has_age,
            help="Most errors are small children, whose perceived gender is close to a guess for anyone, and the share "
            "of children differs between ethnicities in the data. Among adults the comparison is not mixed with age.",
        )
        second = st.columns([2.2, 1.4, 0.9] if len(splits) > 1 else [2.2, 1.4])
        low, high = second[0].select_slider(
            "Age in years (from – up to)",
            AGES,
            value=(AGES[0], AGES[-1]),
            key="age",
            bind="query-params",
            disabled=adults or not has_age,
            help="In the bands in which average faces are stored.",
        )
        chosen = "all"
        if outcome:
            chosen = second[1].segmented_control(
                "Prediction", OUTCOMES, default="all", key="outcome", bind="query-params", required=True
            )
        split: list[str] = []
        if len(splits) > 1:
            split = second[-1].pills("Split", splits, selection_mode="multi", key="split", bind="query-params")
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
