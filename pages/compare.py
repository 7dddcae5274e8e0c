"""The same faces under two or more models: whom a change helped, whom it harmed, and where the model looks now."""

import streamlit as st

from core.experiments import MATTERS
from core.explain import TARGETS
from core.figures.paired import difference_dots
from core.paired import named
from ui import models, paired, parts, takeaway, words
from ui.filters import filter_bar
from ui.navigation import opened

opened().load()
st.title("Compare models")
above = st.container()
choice = models.choose(opened())
within = filter_bar(models.first_audit(choice), outcome=False)
tables = models.tables(choice, within)
table = next(iter(tables.values()))
takeaway.of(within.describe(), [one.path for one in choice.models])
parts.empty(int(table["n"].iloc[0]))
contrast = models.contrast_of(choice, within)
first, *others = choice.models
with above:
    parts.lede(paired.sentence(choice, tables, contrast, within))
    if choice.claim is not None and choice.claim.question:
        st.caption(choice.claim.question)

st.subheader("Whom the change helped, and whom it harmed")
named_pair = " and ".join(f"**{letter}**: {m.label}" for letter, m in zip(models.LETTERS[1:], others, strict=False))
st.markdown(f"{named_pair}, compared with **A**: {first.label}")
takeaway.chart(difference_dots(tables), "differences", "paired differences of accuracy by group", key="differences")
st.caption(
    "The same faces under both models. To the right: right more often than under A. Bars are Newcombe's paired 95 % "
    "intervals; a filled dot differs by McNemar's exact test at 5 %, corrected by Holm for all rows."
)

st.subheader("Where it looks now")
if paired.same_method(choice):
    controls = st.columns([1.2, 1.4, 2.4])
    target = controls[0].selectbox("Target", TARGETS, key="of", bind="query-params", help=words.TARGETS)
    scaling = controls[1].segmented_control(
        "Maps",
        ["shape", "strength"],
        default="shape",
        key="maps",
        bind="query-params",
        required=True,
        help="**shape**: each face's map is divided by its own strength first, since two networks' logits have scales "
        "of their own. **strength**: the maps as they are.",
    )
    names = [named(row.gender, row.ethnicity) for row in table.itertuples()]
    chosen = controls[2].multiselect(
        "Groups", names, key="shown", bind="query-params", placeholder="chosen for you", max_selections=4
    )
    shown = chosen or paired.automatic_groups(table, contrast)
    paired.maps_of(choice, table, shown, within, target, scaling == "shape")
    st.caption(words.READING)

if choice.experiment is not None:
    st.subheader("Over all seeds")
    paired.arms_of(choice.experiment, contrast, within)
    st.caption(
        f"{choice.experiment.title}. A dot is one seed; bars are Student's 95 % intervals over the seeds, wide because "
        "seeds are few. The worst group and the gap are among groups of 50 and more faces; an extreme of several "
        "groups is biased outward, in each arm alike."
    )
    if contrast is not None:
        st.dataframe(paired.effects_table(contrast), hide_index=True)
        takeaway.table(paired.effects_table(contrast), "effects", "effects over all seeds")
        st.caption(
            "Differences in points, each seed with its own partner. «Seeds and faces» draws both anew. **Supported**: "
            f"both intervals lie beyond 0. **Not supported**: neither holds {100 * MATTERS:.0f} points or more. "
            "Otherwise one cannot tell here."
        )

st.subheader("All groups as a table")
whole = paired.whole_table(tables)
paired.shown_table(whole)
takeaway.table(whole, "paired", "paired comparison of all groups")
