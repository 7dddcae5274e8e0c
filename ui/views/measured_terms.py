"""The part of «Gaps and tests» that takes measures of the image into the regression."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.analysis.accuracy.measured_terms import MeasuredTerms, terms_of
from core.audit.folder import Audit
from core.data.columns import MOST_CROSSED
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.text import escape
from core.present.text.gap_tables import p_column
from core.present.text.measured_terms import how_words, measured_words
from core.wording import capital
from ui.shell import downloads
from ui.shell.cache import kept
from ui.widgets import controls, layout, terms
from ui.widgets.filter_query import occurring


@kept(entries=32)
def _terms(audit: Audit, filter: Filter, threshold: float, names: tuple[str, ...]) -> MeasuredTerms | str:
    try:
        return terms_of(audit, filter, names, threshold)
    except LookwhereError as error:
        return capital(str(error)) + "."


def show_measured_terms(audit: Audit, filter: Filter, threshold: float = 0.5) -> None:
    """The choice of measures and columns, and their terms; nothing where the audit has none."""
    columns = [column for column in occurring(audit) if column.name != audit.task.attribute]
    if not columns:
        return
    terms.markdown("**With what the image says, and further columns, in the regression**")
    names_by_column = {column.name: column.said for column in columns}
    names = controls.multiselect(
        "Further terms", list(names_by_column), key="terms", max_selections=MOST_CROSSED,
        placeholder="choose measures or columns",
    )  # fmt: skip
    if not names:
        return
    tested = _terms(audit, filter, threshold, tuple(names))
    if isinstance(tested, str):
        st.info(escape.markdown(tested))
        return
    layout.sentence(measured_words(tested))
    rows = pd.DataFrame(
        {
            "term": tested.tests["term"],
            "p": p_column(tested.tests["p"]),
            "p (Holm)": p_column(tested.tests["p_holm"]),
            "p without the further terms": [
                "–" if pd.isna(p) else words
                for p, words in zip(tested.tests["p_without"], p_column(tested.tests["p_without"]), strict=True)
            ],
        }
    )
    layout.table(rows)
    terms.caption(
        f"{escape.markdown(how_words(tested))} The page «The person or the image?» has each measure's part of each gap."
    )
    downloads.table(tested.tests, "measured-terms", "tests of the regression's terms with further ones")
