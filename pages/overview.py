"""What this model is, for whom it fails, and the original study's grid of average faces and Grad-CAMs."""

import streamlit as st

from core.explain import NORMALISATIONS, TARGETS
from core.faces import group_name
from core.figures import pictures
from core.groups import study_grid
from core.sentences import accuracy_sentence, capital, pair_rate, percent, row_name, target_words
from core.statistics import accuracy_by, gap
from ui import parts, takeaway, words
from ui.filters import filter_bar
from ui.navigation import opened

model = opened()
audit = model.load()
st.title("For whom does it fail, and where does it look?")
above = st.container()
within = filter_bar(audit, outcome=False)
faces = audit.faces[within.mask(audit.faces)]
table = accuracy_by(faces, ["gender", "ethnicity"])
takeaway.of(within.describe())

with above:
    parts.lede(accuracy_sentence(faces, within))
    parts.empty(len(faces))
    overall, found = accuracy_by(faces, []).iloc[0], gap(table)
    numbers = parts.four()
    interval = f"95 % interval {100 * overall['low']:.1f}–{100 * overall['high']:.1f}"
    parts.number(numbers[0], "Accuracy", percent(overall["accuracy"]), interval)
    parts.number(numbers[1], "Faces", f"{len(faces):,}", audit.split_words)
    if found is not None:
        worst, difference = found.worst, found.difference
        bounds = f"{100 * worst['low']:.1f}–{100 * worst['high']:.1f}, n = {worst['n']:,}"
        parts.number(numbers[2], f"Worst group: {row_name(worst)}", percent(worst["accuracy"]), bounds)
        parts.number(
            numbers[3],
            "Gap to the best group",
            f"{100 * difference.value:.1f} points",
            f"{100 * difference.low:.1f}–{100 * difference.high:.1f}, best: {row_name(found.best)}",
            help="The largest of several differences overstates the true one. Groups under 50 faces are left out.",
        )

heading = words.grid_title(audit)
st.subheader(heading)
target, normalisation = "predicted", "raw"
if audit.has_maps:
    left, right = st.columns(2)
    target = left.selectbox("The map explains", TARGETS, index=1, key="target", bind="query-params", help=words.TARGETS)
    normalisation = right.selectbox(
        "Averaging", NORMALISATIONS, key="norm", bind="query-params", help=words.NORMALISATIONS
    )
grid = study_grid(audit, within, target, normalisation)
names = [capital(group_name(g, e or within.ethnicity)) for g, e in zip(grid["gender"], grid["ethnicity"], strict=True)]
facts = [pair_rate(row.correct.n, row.incorrect.n) for row in grid.itertuples()]
signed = target == "margin"
limit = pictures.shared_limit([g.map for column in ("correct", "incorrect") for g in grid[column]])
note = f"{capital(target_words(target, audit.map_words))}; one scale for all panels." if audit.has_maps else ""
parts.study_cards(grid, names, facts, limit, signed, note)
takeaway.picture(
    lambda: parts.study_sheet(grid, names, limit, signed, note),
    "study-grid",
    heading.lower(),
)
takeaway.table(table, "accuracy", "accuracy by gender and ethnicity, with Wilson 95 % intervals")

st.subheader("What this model is")
st.markdown(words.model_summary(model.info(), audit.manifest))
