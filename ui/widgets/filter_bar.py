"""The filter bar: gender, ethnicity, age, outcome, split. It lives in the URL, so a link reproduces a view."""

from __future__ import annotations

from dataclasses import fields, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.audit.folder import Audit
from core.data.columns import Column
from core.data.faces import ADULT_AGE
from core.data.filters import OUTCOMES, Filter
from core.present.text import escape
from ui.shell.cache import kept
from ui.widgets import controls, help_texts, terms
from ui.widgets.filter_query import AGES, BY, FilterOptions, FilterSelection, read_query, write_query

#: Fields with a parameter and a widget of their own name; further columns have one each (`BY`).
FIELDS = tuple(field.name for field in fields(FilterSelection) if field.name != "columns")
#: So many further columns have a widget from the start, and pills where their levels are few and short; the visitor
#: chooses others under «more».
FIRST, PILLS, SHORT = 2, 5, 24


def leave_page() -> None:
    """The next page's bar begins with what its address says, else with what this one says."""
    st.session_state.pop("filter_place", None)


def _arrive(audit: Audit, options: FilterOptions) -> None:
    """On arriving at a page or at another audit, set the widgets by the address, else as they were before.

    So too where the visitor went back or on to another address of the page. Streamlit can bind widgets to the URL
    itself, but then changes the address in place, so that Back undoes nothing, and drops a value on the next page
    unless it was touched by hand.
    """
    state = st.session_state
    query = _address()
    before = state.get("filter_selection")
    if state.get("filter_place") == str(audit.path):
        if query == state.filter_query or _touched(before):
            return
        before = None
        state.age_turn += 1
    else:
        state.age_turn = 0
    if before is not None and not state.get("filter_had_age", True):
        before = replace(before, adults=options.adults_first)  # there was nothing to ask for
    state.filter_had_age = options.has_age
    selection, notes = read_query(query, options, before)
    for key in FIELDS:
        value = getattr(selection, key)
        # A range slider takes its start from `value` alone: a state set beforehand would make it a single one.
        state["age_start" if key == "age" else key] = list(value) if key in ("gender", "ethnicity", "split") else value
    for column in options.columns:
        state[BY + column.name] = list(dict(selection.columns).get(column.name, ()))
    state.filter_selection = selection
    state.filter_notes = (selection, notes)
    state.filter_place = str(audit.path)


def _touched(before: FilterSelection) -> bool:
    """Whether the visitor has changed a widget of the bar since it was drawn: then the address is the older one."""
    state = st.session_state
    bar = {key: state.get(_key(key)) for key in FIELDS if _key(key) in state}
    levels = dict(before.columns)
    columns = {key: value for key, value in state.items() if isinstance(key, str) and key.startswith(BY)}
    return any(
        (tuple(value) if isinstance(value, list) else value) != getattr(before, key) for key, value in bar.items()
    ) or any(set(value) != set(levels.get(key.removeprefix(BY), ())) for key, value in columns.items())


def _address() -> dict[str, list[str]]:
    """What the address says of the bar, by parameter."""
    keys = (*FIELDS, *sorted(key for key in st.query_params if key.startswith(BY)))
    return {key: st.query_params.get_all(key) for key in keys}


def _key(field: str) -> str:
    """The key of a field's widget. A range slider takes its start from `value` alone: to move it, it is made anew."""
    turn = st.session_state.get("age_turn", 0) if field == "age" else 0
    return f"{field} {turn}" if turn else field


def _publish(selection: FilterSelection, opening: FilterSelection, outcome: bool) -> None:
    """Keep what the bar says for the next page, and write it into the address where it differs from `opening`.

    All at once, since each writing is a step back for the visitor.
    """
    state = st.session_state
    state.filter_selection = selection
    query = write_query(selection, opening)
    if not outcome:
        query["outcome"] = st.query_params.get_all("outcome")
    before = _address()
    keys = dict.fromkeys((*before, *query))
    changed = {key: query.get(key, []) for key in keys if query.get(key, []) != before.get(key, [])}
    if parameters := {key: values for key, values in changed.items() if values}:
        st.query_params.update(parameters)
    for key in changed.keys() - parameters.keys():
        del st.query_params[key]
    state.filter_query = _address()


_CHILDREN = "Small children's perceived gender is close to a guess for anyone. "


def filter_bar(audit: Audit, outcome: bool = True) -> Filter:
    """Draw the bar and return what it says; what the address asks for in vain is told under it.

    `outcome` is left out where a page shows correct and incorrect predictions side by side; the next page has it again.
    """
    options = _options(audit)
    _arrive(audit, options)
    with st.container(border=True, key="filters"):
        selection = _widgets(options, outcome)
        arrived, notes = st.session_state.filter_notes
        if selection != arrived:
            st.session_state.filter_notes = (arrived, notes := ())
        for note in notes:
            terms.caption(f":material/link_off: In the address: {escape.markdown(note)} Left out.")
    _publish(selection, options.opening, outcome)
    selection = selection if outcome else replace(selection, outcome=OUTCOMES[0])
    return selection.filter().spoken(audit.columns)


@kept(entries=16, shared=True)
def _options(audit: Audit) -> FilterOptions:
    return FilterOptions.from_audit(audit)


def _widgets(options: FilterOptions, outcome: bool) -> FilterSelection:
    """Draw the bar's widgets; a field without one is as it was before."""
    gender, ethnicity, split = [], [], []
    outcome_choice = st.session_state.filter_selection.outcome
    first = st.columns([1.0, 2.1, 1.6])
    if options.genders:
        gender = controls.pills(
            "Gender", options.genders, selection_mode="multi", key="gender", place=first[0], bind=False
        )
    else:
        first[0].caption(help_texts.NO_GENDER)
    if options.some_gender:
        first[0].caption(options.some_gender)
    if options.ethnicities:
        ethnicity = controls.pills(
            "Ethnicity", options.ethnicities, selection_mode="multi", key="ethnicity", place=first[1], bind=False
        )
    else:
        first[1].caption(help_texts.NO_ETHNICITY)
    adults = first[2].toggle(
        "Adults only",
        key="adults",
        disabled=not options.has_age,
        help=(_CHILDREN if options.of_gender else "")
        + "Groups may have different shares of children. Adults' ages may differ between groups too: «at equal ages» "
        "allows for that.",
    )
    several = len(options.splits) > 1
    second = st.columns([2.2, 1.4, 0.9] if several else [2.2, 1.4])
    age = second[0].select_slider(
        f"Age in years ({ADULT_AGE} and older)" if adults else "Age in years (from – up to)",
        AGES,
        value=st.session_state.age_start,
        key=_key("age"),
        disabled=adults or not options.has_age,
        help="In the bands in which average faces are stored." if options.has_age else help_texts.NO_AGE,
    )
    if outcome:
        outcome_choice = (
            controls.segments("Prediction", OUTCOMES, key="outcome", place=second[1], bind=False) or OUTCOMES[0]
        )
    if several:
        split = controls.pills(
            "Split", options.splits, selection_mode="multi", key="split", place=second[-1], bind=False
        )
    if not options.has_age:  # the widgets keep what they said of another audit
        adults, age = False, FilterSelection().age
    selection = FilterSelection(tuple(gender), tuple(ethnicity), adults, tuple(age), outcome_choice, tuple(split))
    for name, levels in _columns(options).items():
        selection = selection.with_column(name, levels)
    return selection


def _columns(options: FilterOptions) -> dict[str, list[str]]:
    """Draw a widget for each further column that is chosen or asks for something; the levels each asks for.

    Which columns have one is chosen under «more», and kept for the visit.
    """
    if not options.columns:
        return {}
    state = st.session_state
    by_name = {column.name: column for column in options.columns}
    asking = [name for name in by_name if state.get(BY + name)]
    # Streamlit forgets a widget's value on another page.
    labelled = [
        column.name for column in options.columns if not column.measured
    ]  # measured ones are many: under «more»
    names = state.get("bar_columns", state.get("kept_bar_columns", labelled[:FIRST]))
    in_order = [name for name in by_name if name in {*names, *asking}]
    places = st.columns(min(len(in_order), 3)) if in_order else []
    levels = {name: _levels(by_name[name], places[n % len(places)]) for n, name in enumerate(in_order)}
    if len(by_name) > FIRST or len(in_order) < len(by_name):
        label_of = {name: column.said for name, column in by_name.items()}.__getitem__
        state.bar_columns = [name for name in names if name in by_name]
        with st.expander(f"More columns ({len(by_name) - len(in_order)})"):
            state.kept_bar_columns = controls.multiselect(
                "Columns in this bar", list(by_name), key="bar_columns", bind=False, format_func=label_of
            )
            terms.caption("A choice by such a column is exploratory, and leaves out faces whose level is not recorded.")
    return levels


def _levels(column: Column, place: DeltaGenerator) -> list[str]:
    """Draw the widget of one column: pills where its levels are few and short, else a list."""
    label, key = escape.markdown(column.said), BY + column.name
    if len(column.levels) <= PILLS and max(map(len, column.levels)) <= SHORT:
        return controls.pills(label, column.levels, selection_mode="multi", key=key, place=place, bind=False)
    return controls.multiselect(label, column.levels, key=key, place=place, bind=False)
