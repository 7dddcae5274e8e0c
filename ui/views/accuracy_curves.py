"""ROC and calibration by ethnicity, side by side."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.analysis.accuracy.curves import Roc, calibration, calibration_error, roc
from core.audit.doubts import mere_decisions
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.figures import charts
from core.present.text import escape
from core.present.text.group_statistics import roc_note
from core.wording import number, told_apart
from ui.shell import downloads
from ui.shell.cache import kept
from ui.widgets import terms
from ui.widgets.filter_query import ethnicities


@kept(entries=64)
def _curves(audit: Audit, filter: Filter) -> tuple[dict[str, Roc], dict[str, pd.DataFrame]] | None:
    """ROC curves and calibration tables, of all faces and of each ethnicity; None without faces of both classes."""
    task, faces = audit.task, audit.passing(filter)
    positive = task.is_positive(faces)
    if positive.all() or not positive.any():
        return None
    present = set(faces["ethnicity"].unique())
    names = [name for name in ethnicities(audit) if name in present]
    needed = faces[list(dict.fromkeys([task.attribute, *task.logits, task.probability]))]
    groups = {told_apart("all", names): needed} | {name: needed[faces["ethnicity"] == name] for name in names}
    by_name = {name: curve for name, group in groups.items() if (curve := roc(group)) is not None}
    return by_name, {name: calibration(group) for name, group in groups.items() if len(group)}


def show_curves(audit: Audit, filter: Filter) -> None:
    """Draw both for all faces and for each ethnicity; they need faces of both classes, and scores."""
    if mere_decisions(audit.faces):
        st.info("The scores are mere decisions: there is no ROC curve and no calibration to draw.")
        return
    task, curves = audit.task, _curves(audit, filter)
    if curves is None:
        kinds = "genders: clear the gender filter" if task.is_gender else f"classes of {task.name}: clear the filter"
        st.info(escape.markdown(f"ROC and calibration need faces of both {kinds} to see them."))
        return
    by_name, tables = curves
    several = len(tables) > 1
    left, right = st.columns(2)
    with left:
        terms.subheader("ROC by ethnicity" if several else "ROC")
        downloads.chart(charts.roc_curves(by_name, task), "roc", "ROC curves")
        terms.caption(roc_note(by_name.values()))
    with right:
        terms.subheader("Calibration by ethnicity" if several else "Calibration")
        downloads.chart(charts.calibration_curves(tables, task), "calibration", "calibration")
        errors = ", ".join(f"{name} {number(calibration_error(table), '.3f')}" for name, table in tables.items())
        terms.caption(escape.markdown(f"Expected calibration error: {errors}."))
