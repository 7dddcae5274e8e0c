"""How large the gaps between groups are, which are more than chance, and the part of age and label noise in them."""

import streamlit as st

from core.gaps.words import gap_sentence
from core.sentences import scope
from ui import gaps, parts, takeaway, words
from ui.filters import ethnicities, filter_bar
from ui.navigation import opened

audit = opened().load()
st.title("Gaps and tests")
above = st.container()
within = filter_bar(audit, outcome=False)
faces = audit.faces[within.mask(audit.faces)]
takeaway.of(within.describe())
with above:
    if not len(faces):
        parts.lede("No face passes this filter.")
    parts.empty(len(faces))
choices = gaps.groupings(faces)
if not choices:
    with above:
        parts.lede(f"{scope(within)}, there is one group only (n = {len(faces):,}), so there is no gap to speak of.")
    st.stop()
grouping = choices[0]
if len(choices) > 1:
    grouping = st.segmented_control(
        "Groups by", choices, default=choices[0], key="by", bind="query-params", required=True
    )
bands, gap, tests = gaps.found(audit, within, grouping)
with above:
    parts.lede(gap_sentence(gap, scope(within), len(faces)))
    if not within.age_from and faces["age"].notna().any() and ethnicities(audit):
        st.caption(words.AGE)
    if audit.faces["gender"].nunique() < 2:
        st.info(words.ONE_GENDER)

gaps.all_at_once(bands, gap)
gaps.pairs(tests)
gaps.age(audit, within)
gaps.faces_needed(audit, within, grouping)
gaps.fairness(audit, within)
gaps.label_noise(audit, within)
