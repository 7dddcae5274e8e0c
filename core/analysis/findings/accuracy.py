"""Claim 1: accuracy differs by gender and by ethnicity, both at equal ages."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from core.analysis.accuracy.counts import group_counts
from core.analysis.accuracy.equal_ages import reach
from core.analysis.accuracy.pairwise import ALPHA, two_groups
from core.analysis.accuracy.regression import STRICTEST, Regression, Term, Together, regression
from core.analysis.accuracy.simultaneous import simultaneous_accuracy
from core.analysis.comparison.contrasts import MATTERS
from core.analysis.findings.base import EthnicityGap, Finding, GenderGap, unable
from core.analysis.intervals import Z95, newcombe_bounds
from core.audit.folder import Audit
from core.data.faces import UNRECORDED
from core.data.filters import Filter
from core.errors import LookwhereError
from core.estimate import Estimate
from core.task import GENDERS
from core.verdicts import Verdict
from core.wording import p_words, points_words, share_of_audits, signed_points, with_interval

CLAIMS = {
    "1a": "Women are recognised less often than men.",
    "1b": "Accuracy differs between ethnicities.",
}
RULES = {
    "1a": (
        "Women's less men's accuracy at equal ages and ethnicities, from a logistic regression of being correct on "
        "gender × ethnicity and gender × age. Supported: p under 5 % after Holm's correction over all claims, and "
        "women less accurate. Supported in part: so, but gender × age has p under 5 % and the difference lies above 0 "
        "at one age and below it at another. Not supported: the 95 % interval lies above −2 points and gender × age "
        "has p of 5 % or more. Cannot tell: else."
    ),
    "1b": (
        "The same regression with and without ethnicity and gender × ethnicity together, so at equal ages: does "
        "women's or men's accuracy depend on ethnicity? Supported: p under 5 % after Holm's correction over all "
        "claims. Not supported: the intervals of all pairs of ethnicities of one gender, at equal ages and all at "
        "once, lie within 2 points of 0. Cannot tell: else."
    ),
}
#: Under this share «not supported» is said to be out of reach.
OUT_OF_REACH = 0.05


def _fit(faces: pd.DataFrame) -> tuple[Regression | None, str]:
    """The regression, at equal ages where it can be (else why not is said), or None."""
    try:
        return regression(faces), ""
    except LookwhereError as error:
        why = str(error)
    try:
        return regression(faces, ages=False), why
    except LookwhereError:
        return None, why


def accuracy_findings(audit: Audit, filter: Filter) -> list[Finding]:
    """Findings 1a and 1b on the faces in a filter, before the correction over all claims."""
    faces = audit.passing(filter)
    fit, why = _fit(faces)
    return [_by_gender(faces, fit, why), _by_ethnicity(faces, fit, why)]


def _by_gender(faces: pd.DataFrame, fit: Regression | None, why: str) -> Finding:
    key = "1a"
    groups = group_counts(faces, ["gender"])
    if len(groups.table) < 2:
        return unable(key, CLAIMS[key], "There are not 50 faces of each gender here.", RULES[key])
    k, n = (dict(zip(groups.table["gender"], values, strict=True)) for values in groups.effective)
    rows = {
        row["gender"]: f"{with_interval(row['accuracy'], row['wilson_low'], row['wilson_high'])} of {row['n']:,}"
        for _, row in groups.table.iterrows()
    }
    first, second = GENDERS
    sentence = f"{rows[first]} women are correct and {rows[second]} men."
    if fit is None or np.isnan(fit.equal.p):
        plain = two_groups(k[first], n[first], k[second], n[second])
        d, p, by_age, ends = plain.difference, plain.p, _by_age(faces.iloc[:0]), None
        sentence += f" Women less men: {_signed(d)} ({why or 'not at equal ages'})."
    else:
        d, p, by_age = fit.equal.women_less_men, fit.equal.p, _by_age(faces)
        ethnicity_recorded = set(faces["ethnicity"].unique()) != {UNRECORDED}
        if ethnicity_recorded:
            head = "At equal ages and ethnicities" if not why else f"At equal ethnicities ({why})"
        else:
            head = "At equal ages" if not why else f"As they are ({why})"
        sentence += f" {head} women less men is {_signed(d)}, {p_words(p)}."
        ends = _ends(by_age) if fit.p(Term.GENDER_AGE) < ALPHA else None
    depends = fit is not None and fit.p(Term.GENDER_AGE) < ALPHA
    if ends:
        sentence += (
            f" The sign changes with age (gender × age {p_words(fit.p(Term.GENDER_AGE))}): "
            + " and ".join(f"{_signed(_estimate(row))} at {row['band']}" for row in ends)
            + ", each age by itself."
        )
    elif depends:
        sentence += f" How large it is depends on age (gender × age {p_words(fit.p(Term.GENDER_AGE))})."
    if fit is not None and fit.p(Together.FIT) < ALPHA:
        sentence += (
            f" One size of each ethnicity's gap for all ages does not fit ({p_words(fit.p(Together.FIT))} against one "
            "rate for each gender, ethnicity and age): what is said at equal ages is an average over ages."
        )
    if fit is not None and fit.equal.error > 0:
        power = float(ndtr(MATTERS / fit.equal.error + ndtri(STRICTEST / 2)))
        sentence += f" A difference of 2 points would be found in {share_of_audits(power)} of audits of such faces."
    worse = p < ALPHA and d.value < 0
    if worse:
        verdict = Verdict.IN_PART if ends else Verdict.SUPPORTED
    else:
        verdict = Verdict.NOT_SUPPORTED if d.low > -MATTERS and not depends else Verdict.CANNOT_TELL
    table = simultaneous_accuracy(faces, ["gender"]).table
    if len(by_age):
        aged = simultaneous_accuracy(faces, ["gender", "age band"]).table
        table = pd.concat([table, aged.drop(columns="age band")], ignore_index=True)
    names = None if ends is None else (str(ends[0]["band"]), str(ends[1]["band"]))
    return Finding(key, CLAIMS[key], verdict, sentence, RULES[key], table, GenderGap(d, by_age, names), p, worse)


def _by_age(faces: pd.DataFrame) -> pd.DataFrame:
    """Women less men at each age with 50 faces of each: band, women, men, difference, low, high (Newcombe)."""
    groups = group_counts(faces, ["gender", "age band"], order="")
    k, n = groups.effective
    band = groups.table["age band"].to_numpy(dtype=object)
    rows = []
    for name in dict.fromkeys(band):
        women, men = (np.flatnonzero((band == name) & (groups.table["gender"] == gender)) for gender in GENDERS)
        if len(women) and len(men):
            w, m = int(women[0]), int(men[0])
            bounds = newcombe_bounds(*(np.array(x) for x in (k[w], n[w], k[m], n[m])), Z95)
            rows.append((name, *groups.table["n"].iloc[[w, m]], *map(float, bounds)))
    return pd.DataFrame(rows, columns=["band", "women", "men", "difference", "low", "high"])


def _ends(by_age: pd.DataFrame) -> tuple[pd.Series, pd.Series] | None:
    """The ages at which women are furthest ahead of and behind men; None where they are ahead, or behind, at all."""
    if not len(by_age) or not by_age["difference"].min() < 0 < by_age["difference"].max():
        return None
    return by_age.loc[by_age["difference"].idxmax()], by_age.loc[by_age["difference"].idxmin()]


def _by_ethnicity(faces: pd.DataFrame, fit: Regression | None, why: str) -> Finding:
    key = "1b"
    if set(faces["ethnicity"].unique()) <= {UNRECORDED}:
        return unable(key, CLAIMS[key], "This data set records no ethnicity.", RULES[key])
    if len(group_counts(faces, ["ethnicity"]).table) < 2:
        return unable(key, CLAIMS[key], "No two ethnicities have 50 faces here.", RULES[key])
    table = simultaneous_accuracy(faces, ["gender", "ethnicity"]).table
    if fit is None or np.isnan(fit.p(Together.ETHNICITY)):
        sentence = f"No test: {why or 'ethnicity is not in the model'}."
        return Finding(key, CLAIMS[key], Verdict.CANNOT_TELL, sentence, RULES[key], table)
    p, pairs = fit.p(Together.ETHNICITY), fit.equal.pairs
    test = fit.together[fit.together["terms"] == Together.ETHNICITY].iloc[0]
    head = "At equal ages" if not why else f"Whatever the ages ({why})"
    sentence = (
        f"{head}, women's or men's accuracy depends on ethnicity with {p_words(p)} ({test['test']}, "
        f"{test['statistic']:.2f} on {test['df']} degrees of freedom). Furthest apart are {_apart(pairs.iloc[0])}"
    )
    same = pairs[pairs["within"]]
    if len(same) and not pairs["within"].iloc[0]:
        sentence += f"; of one gender {_apart(same.iloc[0])}"
    sentence += " (intervals that hold for all pairs at once)."
    if np.isfinite(fit.p(Term.GENDER_ETHNICITY)):
        sentence += f" That the two genders' gap depends on ethnicity: {p_words(fit.p(Term.GENDER_ETHNICITY))}."
    reached = reach(fit.equal, MATTERS)
    least, most = (share_of_audits(value) for value in fit.power)
    sentence += (
        f" One ethnicity 2 points below the others would be found in {least if least == most else f'{least} to {most}'}"
        " of audits of such faces, by ethnicity; if nothing differed, the verdict would be «not supported» in "
        f"{share_of_audits(reached)}" + (", so it is out of reach here." if reached < OUT_OF_REACH else ".")
    )
    close = len(same) > 0 and bool((same["high"] < MATTERS).all() and (same["low"] > -MATTERS).all())
    differs = p < ALPHA
    verdict = Verdict.SUPPORTED if differs else Verdict.NOT_SUPPORTED if close else Verdict.CANNOT_TELL
    at_age = fit.equal.groups[["group", "accuracy", "low", "high"]]
    at_age = at_age.set_axis(["group", "equal_ages", "equal_ages_low", "equal_ages_high"], axis=1)
    table = table.merge(at_age, on="group", how="left")
    result = EthnicityGap(pairs, fit.power, reached, not why)
    return Finding(key, CLAIMS[key], verdict, sentence, RULES[key], table, result, p, differs)


def _apart(row: pd.Series) -> str:
    d = Estimate(row["difference"], row["low"], row["high"])
    return f"{row['best']} and {row['worst']}, {points(d.value, d.low, d.high, sign=False)}"


def _estimate(row: pd.Series) -> Estimate:
    return Estimate(row["difference"], row["low"], row["high"])


def _signed(d: Estimate) -> str:
    return points(d.value, d.low, d.high)


def points(value: float, low: float, high: float, sign: bool = True) -> str:
    """«−1.8 points [−3.4 to −0.2]»; «−1.8 points (no interval)» of one value."""
    if not np.isfinite([low, high]).all():
        return f"{signed_points(value)} points (no interval)"
    if sign:
        return points_words(value, low, high)
    # Adding 0.0 makes of −0.0 a plain 0.0.
    text = [f"{round(100 * x, 1) + 0.0:.1f}".replace("-", "−") for x in (value, low, high)]
    return f"{text[0]} points [{text[1]} to {text[2]}]"
