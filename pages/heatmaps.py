"""Two or more groups side by side: average face, average Grad-CAM, overlay, and the difference of their maps."""

import streamlit as st

from core.errors import LookwhereError
from core.explain import NORMALISATIONS, TARGETS
from core.figures import pictures
from core.groups import group
from core.sentences import capital, heatmap_sentence, target_words
from ui import differences, panels, parts, takeaway, words
from ui.compare import LETTERS, choose_group, default_groups
from ui.filters import filter_bar
from ui.navigation import opened
from ui.opened import need_maps

audit = opened().load()
st.title("Heatmap comparison")
need_maps(audit)
above = st.container()
within = filter_bar(audit)
takeaway.of(within.describe())
controls = st.columns([1, 1.1, 1.1, 1.4])
count = controls[0].segmented_control("Groups", [2, 3, 4], default=2, key="groups", bind="query-params", required=True)
target = controls[1].selectbox("Target", TARGETS, index=1, key="target", bind="query-params", help=words.TARGETS)
normalisation = controls[2].selectbox(
    "Normalisation", NORMALISATIONS, key="norm", bind="query-params", help=words.NORMALISATIONS
)
opacity = controls[3].slider("Overlay opacity", 0.0, 1.0, 0.5, 0.05, key="opacity", bind="query-params")

# Four pickers do not fit beside each other: two by two.
columns, groups = (st.columns(count) if count < 4 else st.columns(2) + st.columns(2)), []
for letter, column, first in zip(LETTERS, columns, default_groups(audit, within), strict=False):
    with column, st.container(border=True):
        st.markdown(f"**Group {letter}**")
        try:
            wanted = choose_group(audit, within, letter, first)
        except LookwhereError as error:
            st.warning(capital(str(error)) + ".")
            continue
        groups.append((letter, column, group(audit, wanted, target, normalisation)))

signed = target == "margin"
limit = pictures.shared_limit([g.map for _, _, g in groups])
for letter, column, chosen in groups:
    with column:
        panels.group_panel(letter, chosen, limit, signed, opacity, audit.map_words)
note = f"{capital(target_words(target, audit.map_words))}, {normalisation}; one scale for all panels."
st.html(parts.STYLE + parts.scale(signed, limit, note))
shown = [(letter, g) for letter, _, g in groups if g.map is not None]
found = {}
if shown and len(groups) >= 2:
    st.subheader("Difference of the average maps")
    # Groups too small to be shown come last: they are told how many faces a test needs.
    compared = shown + [(letter, g) for letter, _, g in groups if g.map is None]
    adjust = differences.choose_adjustment(audit, compared)
    found = differences.compute(audit, compared, target, normalisation, adjust)
    differences.draw(compared[0][0], found)
    differences.shapes(audit, compared, adjust)
with above:
    sentence = heatmap_sentence([g for _, _, g in groups], target, audit.map_words)
    parts.lede(" ".join([sentence, differences.verdict(found)]).strip())
if shown:
    takeaway.picture(
        lambda: panels.comparison_sheet(shown, found, limit, signed, opacity, note, audit.map_words),
        "heatmaps",
        f"average face and average {audit.map_words} of each group, and their differences",
    )
st.caption(words.reading(audit))
