"""The filter bar: gender, ethnicity, age, outcome, split. It lives in the URL, so a link reproduces a view."""

from __future__ import annotations

from dataclasses import asdict, replace

import streamlit as st

from core.audit.folder import Audit
from core.data.filters import OUTCOMES, Filter
from core.task import GENDERS
from ui.widgets import help_texts
from ui.widgets.filter_query import AGES, FilterOptions, FilterSelection, read_query, write_query
from ui.widgets.layout import escape_markdown


def leave_page() -> None:
    """The next page's bar begins with what its address says, else with what this one says."""
    st.session_state.pop("filter_place", None)


def _arrive(audit: Audit, options: FilterOptions) -> None:
    """On arriving at a page or at another audit, set the widgets by the address, else as they were before.

    Streamlit can bind widgets to the URL itself, but drops a value on the next page unless it was touched by hand.
    """
    state = st.session_state
    if state.get("filter_place") == str(audit.path):
        return
    query = {key: st.query_params.get_all(key) for key in st.query_params}
    selection, notes = read_query(query, options, state.get("filter_selection"))
    for key, value in asdict(selection).items():
        # A range slider takes its start from `value` alone: a state set beforehand would make it a single one.
        state["age_start" if key == "age" else key] = list(value) if key in ("gender", "ethnicity", "split") else value
    state.filter_selection = selection
    state.filter_notes = (selection, notes)
    state.filter_place = str(audit.path)


def _publish(selection: FilterSelection, outcome: bool) -> None:
    """Keep what the bar says for the next page, and write it into the address where it filters anything."""
    st.session_state.filter_selection = selection
    query = write_query(selection)
    for key in asdict(selection):
        if key == "outcome" and not outcome:
            continue
        if key in query:
            st.query_params[key] = query[key]
        else:
            st.query_params.pop(key, None)


def filter_bar(audit: Audit, outcome: bool = True) -> Filter:
    """Draw the bar and return what it says; what the address asks for in vain is told under it.

    `outcome` is left out where a page shows correct and incorrect predictions side by side; the next page has it again.
    """
    options = FilterOptions.of(audit)
    _arrive(audit, options)
    with st.container(border=True, key="filters"):
        selection = _widgets(options, outcome)
        arrived, notes = st.session_state.filter_notes
        if selection != arrived:
            st.session_state.filter_notes = (arrived, notes := ())
        for note in notes:
            st.caption(f":material/link_off: In the address: {escape_markdown(note)} Left out.")
    _publish(selection, outcome)
    return selection.filter() if outcome else replace(selection, outcome=OUTCOMES[0]).filter()


def _widgets(options: FilterOptions, outcome: bool) -> FilterSelection:
    """Draw the bar's widgets; a field without one is as it was before."""
    ethnicity, split = [], []
    chosen = st.session_state.filter_selection.outcome
    first = st.columns([1.1, 2.2, 1.2])
    gender = first[0].pills("Gender", GENDERS, selection_mode="multi", key="gender")
    if options.ethnicities:
        ethnicity = first[1].pills("Ethnicity", options.ethnicities, selection_mode="multi", key="ethnicity")
    else:
        first[1].caption(help_texts.NO_ETHNICITY)
    adults = first[2].toggle(
        "Adults only",
        key="adults",
        disabled=not options.has_age,
        help="Most errors are small children, whose perceived gender is close to a guess for anyone, and the share "
        "of children differs between ethnicities in the data. Among adults the comparison is not mixed with age.",
    )
    several = len(options.splits) > 1
    second = st.columns([2.2, 1.4, 0.9] if several else [2.2, 1.4])
    age = second[0].select_slider(
        "Age in years (from – up to)",
        AGES,
        value=st.session_state.age_start,
        key="age",
        disabled=adults or not options.has_age,
        help="In the bands in which average faces are stored." if options.has_age else help_texts.NO_AGE,
    )
    if outcome:
        chosen = second[1].segmented_control("Prediction", OUTCOMES, key="outcome", required=True) or OUTCOMES[0]
    if several:
        split = second[-1].pills("Split", options.splits, selection_mode="multi", key="split")
    if not options.has_age:  # the widgets keep what they said of another audit
        adults, age = False, FilterSelection().age
    return FilterSelection(tuple(gender), tuple(ethnicity), adults, tuple(age), chosen, tuple(split))
