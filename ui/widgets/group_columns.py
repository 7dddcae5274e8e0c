"""By which columns a page makes its groups: gender, ethnicity, age and the audit's own, up to three crossed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import streamlit as st

from core.analysis.accuracy.counts import group_rows
from core.analysis.accuracy.groupings import ALWAYS, grouping
from core.audit.folder import Audit
from core.data.columns import MOST_CROSSED
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.text import escape
from core.present.text.columns import brief_names, order_words
from core.wording import capital
from ui.widgets import controls, terms
from ui.widgets.filter_query import occurring

#: More groups than these are no chart that anyone could read.
MOST_GROUPS = 120


def short_names(audit: Audit, filter: Filter, by: Sequence[str]) -> tuple[dict[str, str], str | None]:
    """What a table with more than the groups calls each of them, and the sentence that then goes with it, if any."""
    names = group_rows(audit.passing(filter), list(by), audit.columns)[1].assign(n=0)
    return brief_names(names), order_words(names)


def cell_names(groups: Iterable[str], brief: Mapping[str, str]) -> list[str]:
    """Groups as cells of a table have them, by their `short_names`; a level that stands alone as it is written."""
    alone = {short for name, short in brief.items() if name.endswith(f": {short}")}
    names = [brief.get(name, name) for name in groups]
    return [name if name in alone else capital(name) for name in names]


def choose_columns(audit: Audit, filter: Filter) -> tuple[str, ...]:
    """Draw the choice; empty where nothing is chosen, or the audit has no further column. In the address as `across`.

    More than three columns, or crossings of too many groups, are told and not made.
    """
    columns = occurring(audit)
    if not columns:
        return ()
    names = [*ALWAYS, *(column.name for column in columns)]
    choice = controls.multiselect(
        "Groups across columns", names, key="across", placeholder=f"choose up to {MOST_CROSSED} to cross"
    )
    try:
        by = grouping(choice, columns)
    except LookwhereError as error:
        st.info(escape.sentence(capital(str(error))) + ".")
        return ()
    if by:
        count = len(group_rows(audit.passing(filter), by)[1])
        if count > MOST_GROUPS:
            st.info(f"These columns make {count:,} groups, more than a page can show: cross fewer of them.")
            return ()
        if not set(by) <= {"gender", "ethnicity"}:
            terms.caption("Exploratory: the declared analysis is by gender × ethnicity.")
    return tuple(by)
