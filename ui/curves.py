"""ROC and calibration by ethnicity, side by side."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.figures import charts
from core.statistics import calibration, calibration_error, roc
from ui import takeaway


def curves(faces: pd.DataFrame, names: list[str]) -> None:
    """Draw both for all faces and for each ethnicity in `names`; they need faces of both genders."""
    if faces["gender"].nunique() < 2:
        st.info("ROC and calibration need faces of both genders: clear the gender filter to see them.")
        return
    groups = {"all": faces} | {name: faces[faces["ethnicity"] == name] for name in names}
    left, right = st.columns(2)
    with left:
        st.subheader("ROC by ethnicity" if names else "ROC")
        found = {name: c for name, part in groups.items() if (c := roc(part)) is not None}
        takeaway.chart(charts.roc_curves(found), "roc", "ROC curves")
        st.caption("The threshold moves along a curve; the curve itself does not depend on it.")
    with right:
        st.subheader("Calibration by ethnicity" if names else "Calibration")
        tables = {name: calibration(part) for name, part in groups.items() if len(part)}
        takeaway.chart(charts.calibration_curves(tables), "calibration", "calibration")
        errors = ", ".join(f"{name} {calibration_error(table):.3f}" for name, table in tables.items())
        st.caption(f"Expected calibration error: {errors}.")
