"""Which region of the face the margin comes from: two groups' budgets, and the way from one to the other."""

import streamlit as st

from core.budget import waterfall_sentence
from core.errors import LookwhereError
from core.explain import TARGETS
from core.sentences import capital
from ui import evidence, parts, takeaway
from ui.compare import choose_group, default_groups
from ui.filters import filter_bar
from ui.navigation import opened
from ui.opened import NOT_ADDITIVE, need_maps

audit = opened().load()
st.title("Evidence by region")
need_maps(audit)
above = st.container()
within = filter_bar(audit)
takeaway.of(within.describe())
with above:
    if not within.mask(audit.faces).any():
        parts.lede("No face passes this filter, so there is no evidence to divide.")
        parts.empty(0)

columns, groups = st.columns(2), []
for letter, column, first in zip("AB", columns, default_groups(audit, within), strict=False):
    with column, st.container(border=True):
        st.markdown(f"**Group {letter}**")
        try:
            groups.append((letter, choose_group(audit, within, letter, first)))
        except LookwhereError as error:
            st.warning(capital(str(error)) + ".")

both = len(groups) == 2
found = evidence.cached_waterfall(audit, groups[0][1], groups[1][1]) if both and audit.additive else None
with above:
    if not both:
        parts.lede("Choose two groups that the filter bar leaves in.")
    elif found:
        parts.lede(waterfall_sentence(found))
    else:
        parts.lede(evidence.shares_lede(audit, groups))
        st.info(NOT_ADDITIVE.format(method=audit.map_method), icon=":material/info:")

left, right = st.columns([1, 2.2])
with left:
    st.subheader("The regions")
    evidence.show_regions(audit, within)
with right:
    if found:
        evidence.show_waterfall(audit, found)
st.caption(evidence.READING)
if groups:
    if audit.additive:
        evidence.show_budgets(audit, groups)
    st.subheader("Share of positive evidence")
    target = st.selectbox("Target", TARGETS, index=1, key="target", bind="query-params", help=evidence.TARGETS)
    evidence.show_energy(audit, groups, target)
