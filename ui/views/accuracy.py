"""The page «Accuracy breakdown»: its threshold, dot plots by group, confusion, tables."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.analysis.accuracy.by_group import GROUP_COLUMNS, accuracy_by, confusion
from core.analysis.accuracy.groupings import accuracy_of_groups, grouping_words
from core.analysis.original_study import beside
from core.audit.folder import Audit
from core.data.faces import labels_known
from core.present.figures import charts
from core.present.text import escape
from core.present.text.columns import tick_names
from core.present.text.original_study import MORPH
from core.present.text.sentences import row_name
from core.present.text.settings import kept_words
from core.task import task_of
from core.wording import capital, lower_first, told_apart
from ui.shell import downloads
from ui.shell.page import Page
from ui.widgets import help_texts, layout, terms
from ui.widgets.filter_query import ethnicities, genders
from ui.widgets.group_columns import choose_columns

PAIR = ["gender", "ethnicity"]
SHARES = ["accuracy", "low", "high"]
BESIDE_THE_STUDY = ("morph", "utkface", "utkface-wild")


def show_groups(p: Page, threshold: float) -> tuple[str, ...]:
    """Accuracy by the groups of chosen columns, by gender and ethnicity; the confusion matrix and all numbers.

    Returns the columns chosen.
    """
    by = show_across(p, threshold)
    faces = p.counted(threshold)
    show_by_group(p.audit, faces, threshold)
    show_confusion_and_table(faces, threshold)
    return by


def show_by_group(audit: Audit, faces: pd.DataFrame, threshold: float) -> None:
    """Accuracy by gender × ethnicity, by each alone and by age, with intervals; what is not recorded is said."""
    overall = accuracy_by(faces, [], threshold)["accuracy"].iloc[0]
    if genders(audit) and ethnicities(audit):
        _dots(accuracy_by(faces, PAIR, threshold), "By gender × ethnicity", overall)
    terms.caption("Bars are Wilson 95 % intervals; the dotted line is the accuracy over all faces shown.")
    if (words := kept_words(audit)) is not None:
        terms.caption(escape.markdown(words))
    left, right = st.columns(2)
    with left:
        if genders(audit):
            _dots(accuracy_by(faces, ["gender"], threshold), "By gender", overall)
        else:
            st.info(help_texts.NO_GENDER)
        if ethnicities(audit):
            _dots(accuracy_by(faces, ["ethnicity"], threshold), "By ethnicity", overall)
        else:
            st.info(help_texts.NO_ETHNICITY)
    with right:
        if faces["age"].notna().any():
            _dots(accuracy_by(faces, ["age band"], threshold), "By age", overall)
        else:
            st.info(help_texts.NO_AGE)


def show_across(p: Page, threshold: float) -> tuple[str, ...]:
    """Accuracy of the groups that some columns make, where the audit has columns of its own; the columns chosen."""
    if not (by := choose_columns(p.audit, p.filter)):
        return ()
    table = accuracy_of_groups(p.faces, list(by), p.audit.columns, threshold)
    title = f"By {grouping_words(by, p.audit.columns)}"
    terms.subheader(escape.markdown(title))
    overall = accuracy_by(p.counted(threshold), [], threshold)["accuracy"].iloc[0]
    own = [name for name in by if name not in GROUP_COLUMNS]
    empty = dict.fromkeys(set(GROUP_COLUMNS) - set(by), "")
    names = tick_names(table.assign(**empty)[["group", *GROUP_COLUMNS, *own, "n"]])
    genders = list(table["gender"]) if "gender" in table else None
    downloads.chart(
        charts.accuracy_dots(table, names, genders, overall), "across", f"accuracy {title}", key="across chart"
    )
    # The columns say all of the name, which would push the numbers off a telephone.
    layout.share_table(table.drop(columns="group"), SHARES, height=min(38 + 35 * len(table), 388))
    downloads.table(table, "accuracy-across", f"accuracy {title}, with 95 % intervals")
    return by


def _dots(table: pd.DataFrame, title: str, overall: float) -> None:
    """One dot plot under its title."""
    terms.subheader(title)
    names = [_label(row) for row in table.to_dict("records")]
    genders = list(table["gender"]) if "gender" in table else None
    figure = charts.accuracy_dots(table, names, genders, overall)
    downloads.chart(figure, title.lower(), f"accuracy {lower_first(title)}", key=title)


def _label(row: dict) -> str:
    """A row's group in words."""
    return f"{row['age band']} years" if "age band" in row else capital(row_name(row))


def show_confusion_and_table(faces: pd.DataFrame, threshold: float) -> None:
    """The confusion matrix, and every group's numbers beside it."""
    left, right = st.columns([1, 1])
    with left:
        terms.subheader("Confusion matrix")
        downloads.chart(
            charts.confusion_matrix(confusion(faces, threshold), task_of(faces)), "confusion", "confusion matrix"
        )
    with right:
        terms.subheader("All groups as a table")
        columns = [*labels_known(faces), *(["age band"] if faces["age"].notna().any() else [])]
        groupings = [[], *([column] for column in columns), *([PAIR] if set(PAIR) <= set(columns) else [])]
        table = pd.concat([accuracy_by(faces, by, threshold) for by in groupings], ignore_index=True)
        table = table[[*columns, "n", "correct", "errors", *SHARES]]
        rows = table.astype({"age band": object}) if "age band" in columns else table
        for column in columns:
            rows[column] = rows[column].astype(object).fillna(told_apart("all", set(rows[column])))
        layout.share_table(rows, SHARES, height=300)
        downloads.table(table, "accuracy", "accuracy by group, with Wilson 95 % intervals")


def show_original_study(audit: Audit, faces: pd.DataFrame, threshold: float) -> None:
    """The groups' accuracy beside the original study's on MORPH, for its own data and those of the shipped study.

    To any other audit, and for another attribute than gender, the figures say nothing; the page «About» has them.
    """
    if audit.manifest.dataset not in BESIDE_THE_STUDY or not audit.task.is_gender:
        return
    terms.subheader("Beside the original study's MORPH figures")
    groups = pd.concat([accuracy_by(faces, by, threshold) for by in ([], ["gender"], PAIR)], ignore_index=True)
    compared = beside(groups.fillna({"gender": "", "ethnicity": ""}))
    layout.share_table(compared, ["original", "ours", "low", "high"])
    downloads.table(compared, "morph", "accuracy beside the original study's on MORPH")
    terms.caption(MORPH)
