"""Measures of the image as terms of the regression, in words."""

from __future__ import annotations

import numpy as np

from core.analysis.accuracy.measured_terms import ETHNICITY, GENDER, MeasuredTerms
from core.task import BOTH_GENDERS
from core.wording import capital, number, p_words


def measured_words(terms: MeasuredTerms) -> str:
    """Which measures go with errors, and what they leave of ethnicity."""
    tests = terms.tests.set_index("term")
    own = tests[tests["p_without"].isna()]
    sure = [f"{term} ({p_words(row['p_holm'])})" for term, row in own.iterrows() if row["p_holm"] < 0.05]
    names = ", ".join(terms.measures)
    text = (
        f"{', '.join(sure)} {'goes' if len(sure) == 1 else 'go'} with being correct, given all other terms."
        if sure
        else f"Of {names} nothing is seen to go with being correct, given all other terms."
    )
    if ETHNICITY in tests.index:
        row = tests.loc[ETHNICITY]
        it = "it" if len(terms.measures) == 1 else "them"
        text += (
            f" Ethnicity beside {it}: {p_words(row['p'])}; of the same faces without {it} {p_words(row['p_without'])}."
        )
    return capital(text)


def how_words(terms: MeasuredTerms) -> str:
    """How further terms go in, of how many faces, and what that does not show."""
    unknown = f" {terms.unknown:,} {'face is' if terms.unknown == 1 else 'faces are'} left out whose "
    missing = f"{unknown}gender, age or measure is not known." if terms.unknown else ""
    by_gender = terms.tests["term"].str.startswith(f"{GENDER} × ").any()
    differently = f", and may act differently on {BOTH_GENDERS}" if by_gender else ""
    return (
        f"{_parts_words(terms)}{differently}; {terms.n:,} faces, {terms.estimator}; "
        f"standard errors: {terms.errors}.{missing} What goes with a measure is not shown to be caused by it."
    )


def _parts_words(terms: MeasuredTerms) -> str:
    """«Measures go in by fifths»: which of them do, where others go in by their levels."""
    levels = [name for name in terms.measures if name not in terms.in_fifths]
    if not levels:
        return "Measures go in by fifths"
    several = len(levels) > 1
    by_levels = f"{' and '.join(levels)} go{'' if several else 'es'} in by {'their' if several else 'its'} levels"
    fifths = " and ".join(terms.in_fifths)
    return capital(f"{fifths} by fifths, {by_levels}") if fifths else capital(by_levels)


def terms_report(terms: MeasuredTerms) -> str:
    """Every term with its test, corrected, and its p in the model of the same faces without the further terms."""
    lines = [f"With {', '.join(terms.measures)} in the regression (exploratory)", f"  {measured_words(terms)}"]
    for row in terms.tests.to_dict("records"):
        before = p_words(row["p_without"])
        before = "" if np.isnan(row["p_without"]) else f"; without the further terms {before}"
        lines.append(
            f"  {row['term']}: {row['test']}, χ² = {number(row['statistic'], '.1f')}, df {row['df']}, "
            f"{p_words(row['p'])}, Holm {p_words(row['p_holm'])}{before}"
        )
    return "\n".join([*lines, f"  {how_words(terms)}"])
