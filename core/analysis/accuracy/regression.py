"""Age against ethnicity: logistic regression of being correct on gender, ethnicity and age; standardised accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr

from core.analysis.accuracy import joint, logistic
from core.analysis.accuracy.age_model import AgeModel, Design, Term, age_model
from core.analysis.accuracy.equal_ages import EqualAges, equal_ages
from core.analysis.intervals import Z95, holm
from core.data.filters import group_name
from core.task import gender_noun

LIKELIHOOD, FIRTH = "maximum likelihood", "Firth's penalised likelihood"
#: An effect of ethnicity for which the power of its joint test is told: so many points of one ethnicity.
PLANTED = 0.02
#: The level of a test that Holm's correction over the six claims of the study is sure to let pass.
STRICTEST = 0.05 / 6


class Together(StrEnum):
    """What `Regression.together` tests, several terms at once."""

    ETHNICITY = "ethnicity, women's or men's"
    FIT = "one rate for each gender, ethnicity and age"


@dataclass(frozen=True)
class Regression:
    """`n` faces in it, `without_age` left out for want of an age, `left_out` groups under 50 faces.

    `tests`: term, test, statistic, df, p, p_holm. `odds_ratios` of being correct: comparison, odds_ratio, low, high, p.
    `standardised`: group, gender, ethnicity, n, accuracy, low, high (Wilson), standardised, standardised_low,
    standardised_high, and `unseen`, the share of the standard ages at which the group has no face. `separated`: groups
    and ages without an error (or with nothing else), for which no maximum likelihood exists; `estimator` says what was
    used; `errors`: «by person» or «independent faces». `together`: terms (of `Together`), test, statistic, df, p; the
    last, whether the model itself fits, is not asked where cells separate or people are known. `power`: the least and
    the most power over ethnicities of `Together.ETHNICITY` at 5 % over six tests, should one fare 2 points worse.
    `equal`: accuracies at equal ages, of all groups and pairs at once, and of women against men.
    """

    n: int
    without_age: int
    left_out: tuple[str, ...]
    bands: tuple[str, ...]
    tests: pd.DataFrame
    odds_ratios: pd.DataFrame
    standardised: pd.DataFrame
    separated: tuple[str, ...]
    estimator: str
    errors: str
    together: pd.DataFrame
    power: tuple[float, float]
    equal: EqualAges

    def p(self, term: Term | Together) -> float:
        """The p-value of a term, or of several together; NaN where it is not in the model or was not asked."""
        table, column = (self.together, "terms") if isinstance(term, Together) else (self.tests, "term")
        p_values = table.loc[table[column] == term, "p"]
        return float(p_values.iloc[0]) if len(p_values) else float("nan")


def regression(faces: pd.DataFrame, threshold: float = 0.5, ages: bool = True) -> Regression:
    """Fit right ~ gender × ethnicity + gender × age band on the faces of known age in groups of 50 and more.

    Age goes in by bands, not as a line: errors are most at both ends of life; bands under 11 faces join a neighbour. It
    may act differently on women and men. Terms are tested by likelihood ratio, type II (each given all others that do
    not contain it); where people are known by Wald's test with errors by person, since the faces of one person make the
    likelihood too sure. Standardised accuracy: the model's mean for a group at the ages of all faces (marginal
    standardisation; interval by the delta method on the logit). Without `ages` it is fitted whatever the ages, known or
    not, as if all were alike. Raises `LookwhereError` where there is nothing to fit.
    """
    model = age_model(faces, threshold, ages)
    fit, cells, persons, table = model.fit, model.cells, model.persons, model.groups.table
    k, n = cells["k"].to_numpy(), cells["n"].to_numpy()
    occupied = set(cells[["g", "e", "b"]].itertuples(index=False, name=None))
    return Regression(
        int(model.cells["n"].sum()),
        model.without_age,
        tuple(model.groups.left_out["group"]),
        model.bands,
        _tests(model.full, k, n, persons, model.penalised),
        _odds_ratios(fit, model, occupied),
        _standardised(table, fit, model, occupied),
        _without_both(cells[model.apart], cells, model),
        FIRTH if model.penalised else LIKELIHOOD,
        "independent faces" if persons is None else "by person",
        _together(model.full, k, n, persons, model.penalised),
        _power(model.full, cells, float(model.groups.effective[1].sum() / table["n"].sum()), model.penalised),
        equal_ages(model.codes, fit, model.row, model.counts, model.groups),
    )


def _tests(
    full: Design, k: np.ndarray, n: np.ndarray, persons: logistic.Persons | None, penalised: bool
) -> pd.DataFrame:
    rows = []
    for term in Term:
        # Type II: what contains the term leaves the model before it is tested.
        big = full.keep(np.array([t == term or t is None or not term.variables < t.variables for t in full.term]))
        of_terms = big.term == term
        if not of_terms.any():
            continue
        test, statistic, df, p = joint.left_out(big.x, of_terms, k, n, persons, penalised)
        rows.append({"term": term, "test": test, "statistic": statistic, "df": df, "p": p})
    table = pd.DataFrame(rows, columns=["term", "test", "statistic", "df", "p"])
    return table.assign(p_holm=holm(table["p"].to_numpy()))


def _of_ethnicity(design: Design) -> np.ndarray:
    """Bool (P,): the columns of ethnicity, alone and with gender."""
    return np.isin(design.term, [Term.ETHNICITY, Term.GENDER_ETHNICITY])


def _together(
    full: Design, k: np.ndarray, n: np.ndarray, persons: logistic.Persons | None, penalised: bool
) -> pd.DataFrame:
    rows, of_terms = [], _of_ethnicity(full)
    if of_terms.any():
        rows.append((Together.ETHNICITY, *joint.left_out(full.x, of_terms, k, n, persons, penalised)))
    if persons is None and not penalised and len(n) > full.x.shape[1]:
        rows.append((Together.FIT, *joint.against_cells(full.x, k, n)))
    return pd.DataFrame(rows, columns=["terms", "test", "statistic", "df", "p"])


def _power(full: Design, cells: pd.DataFrame, effective: float, penalised: bool) -> tuple[float, float]:
    """`Regression.power`, each face counting as `effective` independent ones."""
    ethnicity, k, n = (cells[column].to_numpy() for column in "ekn")
    of_terms = _of_ethnicity(full)
    if not of_terms.any():
        return float("nan"), float("nan")
    null = np.clip(joint.without(full.x, of_terms, k, n, penalised), 1e-6, 1 - 1e-6)
    powers = [
        joint.power(full.x, of_terms, n * effective, np.maximum(null - PLANTED * (ethnicity == e), 1e-6), STRICTEST)
        for e in np.unique(ethnicity)
    ]
    return min(powers), max(powers)


def _odds_ratios(fit: Any, model: AgeModel, occupied: set) -> pd.DataFrame:
    """Contrasts that hold at any value of what is not named; only between cells that have faces."""
    row, ethnicities, bands, base = model.row, model.ethnicities, model.bands, model.base
    contrasts = []
    have = {(g, e) for g, e, _ in occupied}
    ages = {(g, b) for g, _, b in occupied}
    words = [gender_noun(gender) for gender in model.genders]
    for g in (0, 1):
        for e in range(1, len(ethnicities)):
            if {(g, e), (g, 0)} <= have:
                names = [group_name(model.genders[g], ethnicities[m]) for m in (e, 0)]
                contrasts.append((f"{names[0]} against {names[1]}, same age", row(g, e, base) - row(g, 0, base)))
    for e, name in enumerate(ethnicities):
        if {(0, e), (1, e)} <= have and {(0, base), (1, base)} <= ages:
            head = " against ".join(group_name(gender, name or ()) for gender in reversed(model.genders))
            contrasts.append((f"{head}, {bands[base]} years", row(1, e, base) - row(0, e, base)))
    for g in (0, 1):
        for b, name in enumerate(bands):
            if b != base and {(g, b), (g, base)} <= ages:
                text = f"{words[g]} of {name} against {bands[base]} years, same ethnicity"
                contrasts.append((text, row(g, 0, b) - row(g, 0, base)))
    rows = []
    for text, contrast in contrasts:
        value, error = float(contrast @ fit.beta), float(np.sqrt(contrast @ fit.cov @ contrast))
        if error > 0:
            low, high = np.exp([value - Z95 * error, value + Z95 * error])
            p = float(2 * ndtr(-abs(value) / error))
            rows.append({"comparison": text, "odds_ratio": np.exp(value), "low": low, "high": high, "p": p})
    return pd.DataFrame(rows, columns=["comparison", "odds_ratio", "low", "high", "p"])


def _standardised(table: pd.DataFrame, fit: Any, model: AgeModel, occupied: set) -> pd.DataFrame:
    row, counts = model.row, model.counts.sum(axis=0)
    weight = counts / counts.sum()
    rows = []
    for group in table.to_dict("records"):
        g, e = model.genders.index(group["gender"]), model.ethnicities.index(group["ethnicity"])
        x = np.stack([row(g, e, b) for b in range(len(weight))])
        mu = expit(x @ fit.beta)
        value = float(weight @ mu)
        slope = (weight * mu * (1 - mu)) @ x
        error = float(np.sqrt(slope @ fit.cov @ slope)) / (value * (1 - value))
        low, high = expit([logit(value) - Z95 * error, logit(value) + Z95 * error])
        rows.append(
            {**{c: group[c] for c in ("group", "gender", "ethnicity", "n", "accuracy")}, "low": group["wilson_low"],
             "high": group["wilson_high"], "standardised": value, "standardised_low": low, "standardised_high": high,
             "unseen": float(weight[[(g, e, b) not in occupied for b in range(len(weight))]].sum())}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _without_both(apart: pd.DataFrame, cells: pd.DataFrame, model: AgeModel) -> tuple[str, ...]:
    """Names of the groups, and the women or men of an age, that are all correct or all incorrect and so separate."""
    names = []
    for keys in (["g", "e"], ["g", "b"]):
        total = cells.groupby(keys)[["k", "n"]].sum()
        for key in dict.fromkeys(apart[keys].itertuples(index=False, name=None)):
            k, n = total.loc[key]
            if k in (0, n):
                gender = model.genders[key[0]]
                head = group_name(gender, model.ethnicities[key[1]] or ()) if keys[1] == "e" else group_name(gender)
                names.append((head if keys[1] == "e" else f"{head} of {model.bands[key[1]]} years") + f" ({n} faces)")
    return tuple(names) if names or apart.empty else ("a combination of groups and ages",)
