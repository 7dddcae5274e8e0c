"""Measures of the image as terms of the regression, in words."""

from __future__ import annotations

from core.analysis.accuracy.measured_terms import ETHNICITY, MeasuredTerms
from core.wording import capital, p_words


def measured_words(found: MeasuredTerms) -> str:
    """Which measures go with errors, and what they leave of ethnicity."""
    tests = found.tests.set_index("term")
    own = tests[tests["p_without"].isna()]
    sure = [f"{term} ({p_words(row['p_holm'])})" for term, row in own.iterrows() if row["p_holm"] < 0.05]
    said = ", ".join(found.measures)
    text = (
        f"{', '.join(sure)} {'goes' if len(sure) == 1 else 'go'} with being correct, given all other terms."
        if sure
        else f"Of {said} nothing is seen to go with being correct, given all other terms."
    )
    if ETHNICITY in tests.index:
        row = tests.loc[ETHNICITY]
        text += f" Ethnicity beside it: {p_words(row['p'])}; of the same faces without it {p_words(row['p_without'])}."
    return capital(text)
