"""Checks of the maps: random weights, deletion and insertion, ROAD, hidden regions, other methods."""

import streamlit as st

from core.trust.definitions import PARTS, Fill, Score, View
from core.trust.report import sentence, trust_report
from ui import parts, takeaway, trust
from ui.navigation import opened
from ui.opened import need_maps

open_now = opened()
audit = open_now.load()
st.title("Can it be trusted?")
need_maps(audit)
checks = trust.load(open_now, audit)
above = st.container()
controls = st.columns([1.6, 1.2, 1.4])
group = controls[0].selectbox("Group", checks.groups, key="trust_group", bind="query-params")
score = controls[1].segmented_control(
    "Score",
    [score.value for score in Score],
    default=Score.MARGIN.value,
    key="trust_score",
    bind="query-params",
    required=True,
    help="**margin**: logit of the predicted class less the other's. **probability**: of the predicted class; it "
    "hardly moves where the network is sure.",
)
fill = controls[2].segmented_control(
    "Hide regions with",
    [fill.value for fill in Fill],
    default=Fill.BLUR.value,
    key="trust_fill",
    bind="query-params",
    required=True,
    help="**grey**: the training pictures' mean colour. **blur**: the same face, heavily blurred. **local mean**: the "
    "mean colour of what is hidden.",
)
view = View(group, Score(score), Fill(fill))
takeaway.of(f"{group}, in a sample of the audit")
with above:
    parts.lede(sentence(checks, view))
    if not checks.manifest["finished"]:
        st.warning("These checks were stopped before they were done; the command at the foot of the page goes on.")

for part in PARTS:
    trust.show(part, checks, view)

st.subheader("How this was made")
made = checks.manifest
st.caption(
    f"A sample of {made['sample']:,} faces is the measure (seed {made['seed']}), of which each check takes a share, "
    "stratified by gender × ethnicity × outcome: wrong predictions come first, up to half of a group, and each face "
    "counts for as many as it stands for, so that means are those of the whole audit. Nothing is published of fewer "
    f"than 11 faces. Computed in {made['precision']} in {made['seconds'] / 60:.0f} minutes."
)
trust.command(open_now, audit)
parts.download("All numbers as text", lambda: trust_report(checks).encode(), f"{audit.name}-checks.txt", "text/plain")
