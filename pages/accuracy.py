"""Accuracy by gender, ethnicity, their intersection and age, with intervals; confusion, ROC, calibration."""

import pandas as pd
import streamlit as st

from core.figures import charts
from core.published import beside
from core.sentences import accuracy_sentence, capital, row_name
from core.statistics import accuracy_by, confusion
from ui import parts, statistics, takeaway, words
from ui.curves import curves
from ui.filters import ethnicities, filter_bar
from ui.navigation import opened

audit = opened().load()
st.title("Accuracy breakdown")
above = st.container()
within = filter_bar(audit)
threshold = st.slider(
    "Decision threshold: «male» is said from this probability on",
    0.05,
    0.95,
    0.5,
    0.01,
    key="threshold",
    bind="query-params",
)
faces = audit.faces[within.narrowed(outcome="all").mask(audit.faces)]
takeaway.of(f"{within.narrowed(outcome='all').describe()}; «male» from p = {threshold:.2f} on")
if within.outcome != "all":
    st.caption("Accuracy of only right or only wrong predictions would be 100 or 0 %: that filter is not applied here.")
with above:
    parts.lede(accuracy_sentence(faces, within.narrowed(outcome="all"), threshold))
    parts.empty(len(faces))
    if not within.age_from and faces["age"].notna().any():
        st.caption(words.AGE)
    if audit.faces["gender"].nunique() < 2:
        st.info(words.ONE_GENDER)

overall = accuracy_by(faces, [], threshold)
crossed = accuracy_by(faces, ["gender", "ethnicity"], threshold)
single = {by: accuracy_by(faces, [by], threshold) for by in ("gender", "ethnicity", "age band")}


def label(row: dict) -> str:
    """A row's group in words."""
    return f"{row['age band']} years" if "age band" in row else capital(row_name(row))


def dots(table: pd.DataFrame, title: str) -> None:
    """One dot plot under its title."""
    st.subheader(title)
    names = [label(row) for row in table.to_dict("records")]
    genders = list(table["gender"]) if "gender" in table else None
    figure = charts.accuracy_dots(table, names, genders, overall["accuracy"].iloc[0])
    takeaway.chart(figure, title.lower(), f"accuracy {title[0].lower()}{title[1:]}", key=title)


if ethnicities(audit):
    dots(crossed, "By gender × ethnicity")
st.caption("Bars are Wilson 95 % intervals; the dotted line is the accuracy over all faces shown.")
left, right = st.columns(2)
with left:
    dots(single["gender"], "By gender")
    if ethnicities(audit):
        dots(single["ethnicity"], "By ethnicity")
    else:
        st.info(words.NO_ETHNICITY)
with right:
    if faces["age"].notna().any():
        dots(single["age band"], "By age")
    else:
        st.info(words.NO_AGE)

left, right = st.columns([1, 1])
with left:
    st.subheader("Confusion matrix")
    takeaway.chart(charts.confusion_matrix(confusion(faces, threshold)), "confusion", "confusion matrix")
with right:
    st.subheader("All groups as a table")
    table = pd.concat([overall, *single.values(), crossed], ignore_index=True)
    table = table[["gender", "ethnicity", "age band", "n", "correct", "errors", "accuracy", "low", "high"]]
    shares = ["accuracy", "low", "high"]
    shown = table.astype({"age band": object})
    shown[["gender", "ethnicity", "age band"]] = shown[["gender", "ethnicity", "age band"]].fillna("all")
    parts.share_table(shown, shares, height=300)
    takeaway.table(table, "accuracy", "accuracy by group, with Wilson 95 % intervals")

curves(faces, [name for name in ethnicities(audit) if name in set(faces["ethnicity"])])
statistics.show(faces, within.narrowed(outcome="all"))

st.subheader("Beside the original study's MORPH figures")
ours = pd.concat([overall, single["gender"], crossed], ignore_index=True).fillna({"gender": "", "ethnicity": ""})
compared = beside(ours)
shares = ["original", "ours", "low", "high"]
parts.share_table(compared, shares)
takeaway.table(compared, "morph", "accuracy beside the original study's on MORPH")
st.caption(words.MORPH)
