"""Which region of the face the margin comes from: two groups' budgets, and the way from one to the other."""

import streamlit as st

from core.budget import waterfall_sentence
from core.errors import LookwhereError
from core.explain import TARGETS
from core.sentences import capital
from ui import evidence, parts
from ui.compare import choose_group, default_groups
from ui.filters import filter_bar
from ui.navigation import opened

audit = opened().load()
st.title("Evidence by region")
above = st.container()
within = filter_bar(audit)
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

found = evidence.cached_waterfall(audit, groups[0][1], groups[1][1]) if len(groups) == 2 else None
with above:
    parts.lede(waterfall_sentence(found) if found else "Choose two groups that the filter bar leaves in.")

left, right = st.columns([1, 2.2])
with left:
    st.subheader("The regions")
    evidence.show_regions(audit, within)
with right:
    if found:
        evidence.show_waterfall(audit, found)
st.caption(evidence.READING)
if groups:
    evidence.show_budgets(audit, groups)
    st.subheader("Share of positive evidence")
    target = st.selectbox("Target", TARGETS, index=1, key="target", bind="query-params", help=evidence.TARGETS)
    evidence.show_energy(audit, groups, target)
