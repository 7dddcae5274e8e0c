"""How many wrong labels each gap would need before its interval reaches zero."""

from __future__ import annotations

import streamlit as st

from core.analysis.accuracy.tipping import tipping_points
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.text import escape
from core.present.text.tipping import assumes, tipping_sentence
from core.wording import capital
from ui.shell import downloads
from ui.shell.cache import kept
from ui.widgets import terms
from ui.widgets.threshold import OWN

_tips = kept(entries=64)(tipping_points)


def show_tipping_points(audit: Audit, filter: Filter, threshold: float = OWN, by: tuple[str, ...] = ()) -> None:
    """The widest gap in a sentence, all pairs in a table; nothing where no pair differs beyond its interval.

    Groups are of the columns `by`, without any of gender, ethnicity and age as `tipping_points` has them.
    """
    table = _tips(audit, filter, threshold, by)
    if table.empty:
        return
    terms.markdown("**How many wrong labels would each gap need?**")
    widest = table.loc[table["difference"].idxmin()]
    terms.markdown(escape.markdown(capital(tipping_sentence(widest))))
    with st.expander(f"All {len(table)} pairs that differ beyond their interval" if len(table) > 1 else "The pair"):
        for _, row in table.iterrows():
            terms.markdown("- " + escape.markdown(capital(tipping_sentence(row))))
    terms.caption(escape.markdown(assumes(audit.task)))
    downloads.table(table, "tipping-points", "wrong labels that each gap would need")
