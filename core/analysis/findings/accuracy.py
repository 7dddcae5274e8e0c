"""Claim 1: accuracy differs by gender and by ethnicity."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.accuracy.counts import group_counts
from core.analysis.accuracy.pairwise import ALPHA, two_groups
from core.analysis.accuracy.regression import Regression, Term, regression
from core.analysis.accuracy.simultaneous import largest_gap, simultaneous_accuracy
from core.analysis.comparison.contrasts import MATTERS
from core.analysis.findings.base import EthnicityGap, Finding, GenderGap, unable
from core.analysis.intervals import holm
from core.audit.folder import Audit
from core.data.faces import UNRECORDED
from core.data.filters import Filter
from core.errors import LookwhereError
from core.task import GENDERS
from core.verdicts import Verdict
from core.wording import p_words, points_words, with_interval

CLAIMS = {
    "1a": "Women are recognised less often than men.",
    "1b": "Accuracy differs between ethnicities.",
}
RULES = {
    "1a": (
        "Women against men: Newcombe's interval of the difference, and gender's term in a logistic regression of "
        "being correct on gender × ethnicity and age (Holm over the terms of 1a and 1b). Supported: p under 5 % and "
        "women less accurate. Not supported: the interval lies above −2 points (women are not worse by that much)."
        " Cannot tell: else."
    ),
    "1b": (
        "Ethnicity's term in the same regression, so at equal ages; the largest gap between ethnicities with an "
        "interval that allows for having chosen the extremes. Supported: p under 5 %. Not supported: that interval"
        " lies under 2 points. Cannot tell: else."
    ),
}


def _fit(faces: pd.DataFrame) -> tuple[Regression | None, str]:
    try:
        return regression(faces), ""
    except LookwhereError as error:
        return None, str(error)


def accuracy_findings(audit: Audit, within: Filter) -> list[Finding]:
    """Findings 1a and 1b on the faces in a filter."""
    faces = audit.faces[within.mask(audit.faces)]
    fit, why = _fit(faces)
    terms = (Term.GENDER, Term.ETHNICITY)
    p = np.array([fit.p(term) if fit else np.nan for term in terms])
    known = np.isfinite(p)
    corrected = p.copy()
    corrected[known] = holm(p[known])
    return [_by_gender(faces, float(corrected[0]), why), _by_ethnicity(faces, float(corrected[1]), fit, why)]


def _by_gender(faces: pd.DataFrame, p: float, why: str) -> Finding:
    key = "1a"
    groups = group_counts(faces, ["gender"])
    if len(groups.table) < 2:
        return unable(key, CLAIMS[key], "There are not 50 faces of each gender here.", RULES[key])
    k, n = (dict(zip(groups.table["gender"], values, strict=True)) for values in groups.effective)
    female, male = GENDERS
    d = two_groups(k[female], n[female], k[male], n[male]).difference
    worse = p < ALPHA and d.value < 0
    verdict = Verdict.SUPPORTED if worse else Verdict.NOT_SUPPORTED if d.low > -MATTERS else Verdict.CANNOT_TELL
    rows = {
        row["gender"]: with_interval(row["accuracy"], row["wilson_low"], row["wilson_high"])
        for _, row in groups.table.iterrows()
    }
    sentence = (
        f"{rows[female]} of {int(n[female]):,} women are correct and {rows[male]} of {int(n[male]):,} men: "
        f"women less men {points(d.value, d.low, d.high)}. "
        f"At equal ages and ethnicities gender's term has {_p(p, why)}."
    )
    table = simultaneous_accuracy(faces, ["gender"]).table
    return Finding(key, CLAIMS[key], verdict, sentence, RULES[key], table, GenderGap(d, p))


def _by_ethnicity(faces: pd.DataFrame, p: float, fit: Regression | None, why: str) -> Finding:
    key = "1b"
    if set(faces["ethnicity"].unique()) <= {UNRECORDED}:
        return unable(key, CLAIMS[key], "This data set records no ethnicity.", RULES[key])
    gap = largest_gap(faces, ["ethnicity"])
    if gap is None:
        return unable(key, CLAIMS[key], "No two ethnicities have 50 faces here.", RULES[key])
    verdict = (
        Verdict.SUPPORTED
        if p < ALPHA
        else Verdict.NOT_SUPPORTED
        if gap.difference.high < MATTERS
        else Verdict.CANNOT_TELL
    )
    crossed = largest_gap(faces, ["gender", "ethnicity"])
    d = gap.difference
    sentence = (
        f"At equal ages, ethnicity's term has {_p(p, why)}. From best ({gap.best['group']}) to worst "
        f"({gap.worst['group']}) accuracy falls by {points(d.value, d.low, d.high, sign=False)}, simultaneous "
        f"interval; {100 * gap.corrected:.1f} points after allowing for having chosen the extremes."
    )
    if crossed is not None:
        c = crossed.difference
        sentence += (
            f" By gender × ethnicity the weakest are {crossed.worst['group']}, "
            f"{points(c.value, c.low, c.high, sign=False)} below {crossed.best['group']}."
        )
    if fit is not None and np.isfinite(fit.p(Term.GENDER_ETHNICITY)):
        sentence += f" That the two genders' gap depends on ethnicity: {p_words(fit.p(Term.GENDER_ETHNICITY))}."
    table = simultaneous_accuracy(faces, ["gender", "ethnicity"]).table
    if fit is not None:
        at_age = fit.standardised.set_index("group")[["standardised", "standardised_low", "standardised_high"]]
        table = table.merge(at_age, left_on="group", right_index=True, how="left")
    return Finding(key, CLAIMS[key], verdict, sentence, RULES[key], table, EthnicityGap(gap, p))


def _p(p: float, why: str) -> str:
    return p_words(p) + " after Holm's correction" if np.isfinite(p) else f"no test ({why or 'it is not in the model'})"


def points(value: float, low: float, high: float, sign: bool = True) -> str:
    """«−1.8 points [−3.4 to −0.2]»."""
    if sign:
        return points_words(value, low, high)
    # Adding 0.0 makes of −0.0 a plain 0.0.
    text = [f"{round(100 * x, 1) + 0.0:.1f}".replace("-", "−") for x in (value, low, high)]
    return f"{text[0]} points [{text[1]} to {text[2]}]"
