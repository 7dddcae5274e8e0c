"""Age against ethnicity: logistic regression of being right on gender, ethnicity and age; standardised accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from core.analysis.accuracy import joint, logistic
from core.analysis.accuracy.counts import group_counts
from core.analysis.accuracy.equal_ages import EqualAges, equal_ages
from core.analysis.intervals import Z95, holm
from core.data.faces import AGE_BANDS, AGE_EDGES, UNRECORDED, age_band, people
from core.data.filters import group_name
from core.errors import LookwhereError
from core.privacy import MINIMUM_FACES
from core.task import GENDERS

#: The terms of the full model, each with those it is a part of (which are left out when it is tested: type II).


class Term(StrEnum):
    """A term of the regression; the value is its name in tables."""

    GENDER = "gender"
    ETHNICITY = "ethnicity"
    GENDER_ETHNICITY = "gender × ethnicity"
    AGE = "age"
    GENDER_AGE = "gender × age"

    @property
    def variables(self) -> frozenset[str]:
        """What it is made of: one variable, or the two of an interaction."""
        return {
            Term.GENDER_ETHNICITY: frozenset({Term.GENDER, Term.ETHNICITY}),
            Term.GENDER_AGE: frozenset({Term.GENDER, Term.AGE}),
        }.get(self, frozenset({self}))


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

    `tests`: term, test, statistic, df, p, p_holm. `odds_ratios`: comparison, odds_ratio, low, high, p, of being right.
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
        found = table.loc[table[column] == term, "p"]
        return float(found.iloc[0]) if len(found) else float("nan")


@dataclass(frozen=True)
class _Design:
    """Rows of counts and their columns: x (N, P), `term` (P,) of each column."""

    x: np.ndarray
    term: np.ndarray

    def keep(self, columns: np.ndarray) -> _Design:
        return _Design(self.x[:, columns], self.term[columns])


def regression(faces: pd.DataFrame, threshold: float = 0.5, ages: bool = True) -> Regression:
    """Fit right ~ gender × ethnicity + gender × age band on the faces of known age in groups of 50 and more.

    Age goes in by bands, not as a line: errors are most at both ends of life; bands under 11 faces join a neighbour. It
    may act differently on women and men. Terms are tested by likelihood ratio, type II (each given all others that do
    not contain it); where people are known by Wald's test with errors by person, since the faces of one person make the
    likelihood too sure. Standardised accuracy: the model's mean for a group at the ages of all faces (marginal
    standardisation; interval by the delta method on the logit). Without `ages` it is fitted whatever the ages, known or
    not, as if all were alike. Raises `LookwhereError` where there is nothing to fit.
    """
    if not ages:
        faces = faces.assign(age=0)
    known = age_band(faces["age"]) >= 0
    if not known.any():
        raise LookwhereError("no age is known here, so age cannot be told from ethnicity")
    by = ["gender"] if set(faces["ethnicity"].unique()) == {UNRECORDED} else ["gender", "ethnicity"]
    groups = group_counts(faces[known], by, threshold, order="")
    part = faces[known][groups.member >= 0]
    right, unit = groups.right[groups.member >= 0], people(part)
    if len(groups.table) < 2:
        raise LookwhereError("no two groups have 50 faces of known age, so age cannot be told from ethnicity")
    if right.all() or not right.any():
        raise LookwhereError("all predictions are correct or all incorrect, so there is nothing to explain")
    band, bands = _merged_bands(age_band(part["age"]))
    if len(bands) < 2 and ages:
        raise LookwhereError(f"all faces are of one age band ({bands[0]}), so age has nothing to explain")
    ethnicities = list(part["ethnicity"].value_counts().index) if "ethnicity" in by else [""]
    ethnicity = np.zeros(len(part), dtype=np.int64)
    if "ethnicity" in by:  # codes come in eight bits, which ethnicity × age band outgrows
        ethnicity = pd.Categorical(part["ethnicity"], ethnicities).codes.astype(np.int64)
    gender = (part["gender"] == GENDERS[1]).to_numpy().astype(int)
    base_band = int(np.bincount(band).argmax())

    def design(g: np.ndarray, e: np.ndarray, b: np.ndarray) -> _Design:
        blocks = [(None, np.ones((len(g), 1))), (Term.GENDER, g[:, None].astype(float))]
        eth = (e[:, None] == np.arange(1, len(ethnicities))).astype(float)
        age = (b[:, None] == np.delete(np.arange(len(bands)), base_band)).astype(float)
        blocks += [(Term.ETHNICITY, eth), (Term.GENDER_ETHNICITY, eth * g[:, None])]
        blocks += [(Term.AGE, age), (Term.GENDER_AGE, age * g[:, None])]
        return _Design(
            np.concatenate([block for _, block in blocks], axis=1),
            np.array([term for term, block in blocks for _ in range(block.shape[1])], dtype=object),
        )

    # Faces of one gender, ethnicity and age are alike to the model, so it is fitted to such cells, not to faces.
    sizes = (len(GENDERS), len(ethnicities), len(bands))
    present, cell = np.unique(np.ravel_multi_index((gender, ethnicity, band), sizes), return_inverse=True)
    cells = pd.DataFrame(dict(zip("geb", np.unravel_index(present, sizes), strict=True)))
    n, k = np.bincount(cell), np.bincount(cell, weights=right).astype(np.int64)
    cells = cells.assign(k=k, n=n)
    whole = design(*(cells[c].to_numpy() for c in "geb"))
    used = _full_rank(whole.x)
    full = whole.keep(used)
    persons = None if unit is None else logistic.Persons.counted(unit, cell, right, len(cells))
    apart = logistic.separated(full.x, k, n)
    fit = (logistic.firth if apart.any() else logistic.maximum_likelihood)(full.x, k, n, persons)

    def row(g: int, e: int, b: int) -> np.ndarray:
        return design(np.array([g]), np.array([e]), np.array([b])).keep(used).x[0]

    seen = set(cells[["g", "e", "b"]].itertuples(index=False, name=None))
    codes = groups.table.assign(
        g=[GENDERS.index(g) for g in groups.table["gender"]],
        e=[ethnicities.index(e) for e in groups.table["ethnicity"]],
    )
    counts = np.bincount(ethnicity * len(bands) + band, minlength=len(ethnicities) * len(bands))
    counts = counts.reshape(len(ethnicities), len(bands))
    standardised = _standardised(groups.table, fit, row, band, ethnicities, seen)
    return Regression(
        len(part),
        int((~known).sum()),
        tuple(groups.left_out["group"]),
        tuple(bands),
        _tests(full, k, n, persons, bool(apart.any())),
        _odds_ratios(fit, row, ethnicities, bands, base_band, seen),
        standardised,
        _without_both(cells[apart], cells, ethnicities, bands),
        FIRTH if apart.any() else LIKELIHOOD,
        "independent faces" if unit is None else "by person",
        _together(full, k, n, persons, bool(apart.any())),
        _power(full, cells, float(groups.effective[1].sum() / groups.table["n"].sum()), bool(apart.any())),
        equal_ages(codes, fit, row, counts),
    )


def _merged_bands(band: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Bands renumbered from 0 (N,), those under 11 faces joined to the smaller neighbour, and their names."""
    parts = [[b] for b in range(len(AGE_BANDS)) if (band == b).any()]
    sizes = [int((band == b[0]).sum()) for b in parts]
    while len(parts) > 1 and min(sizes) < MINIMUM_FACES:
        place = int(np.argmin(sizes))
        near = min((p for p in (place - 1, place + 1) if 0 <= p < len(parts)), key=lambda p: sizes[p])
        first = min(place, near)
        parts[first : first + 2] = [parts[first] + parts[first + 1]]
        sizes[first : first + 2] = [sizes[first] + sizes[first + 1]]
    lookup = {b: n for n, part in enumerate(parts) for b in part}
    names = []
    for part in parts:
        low, last = AGE_EDGES[part[0]], part[-1]
        names.append(f"{low}+" if last == len(AGE_BANDS) - 1 else f"{low}–{AGE_EDGES[last + 1] - 1}")
    return np.array([lookup[b] for b in band]), names


def _full_rank(x: np.ndarray) -> np.ndarray:
    """Bool (P,): the columns that each add to the rank of those before; what is left out cannot be told apart."""
    keep: list[int] = []
    for column in range(x.shape[1]):
        if np.linalg.matrix_rank(x[:, [*keep, column]]) > len(keep):
            keep.append(column)
    return np.isin(np.arange(x.shape[1]), keep)


def _tests(
    full: _Design, k: np.ndarray, n: np.ndarray, persons: logistic.Persons | None, penalised: bool
) -> pd.DataFrame:
    rows = []
    for term in Term:
        # Type II: what contains the term leaves the model before it is tested.
        big = full.keep(np.array([t == term or t is None or not term.variables < t.variables for t in full.term]))
        asked = big.term == term
        if not asked.any():
            continue
        test, statistic, df, p = joint.left_out(big.x, asked, k, n, persons, penalised)
        rows.append({"term": term, "test": test, "statistic": statistic, "df": df, "p": p})
    table = pd.DataFrame(rows, columns=["term", "test", "statistic", "df", "p"])
    return table.assign(p_holm=holm(table["p"].to_numpy()))


def _of_ethnicity(design: _Design) -> np.ndarray:
    """Bool (P,): the columns of ethnicity, alone and with gender."""
    return np.isin(design.term, [Term.ETHNICITY, Term.GENDER_ETHNICITY])


def _together(
    full: _Design, k: np.ndarray, n: np.ndarray, persons: logistic.Persons | None, penalised: bool
) -> pd.DataFrame:
    rows, asked = [], _of_ethnicity(full)
    if asked.any():
        rows.append((Together.ETHNICITY, *joint.left_out(full.x, asked, k, n, persons, penalised)))
    if persons is None and not penalised and len(n) > full.x.shape[1]:
        rows.append((Together.FIT, *joint.against_cells(full.x, k, n)))
    return pd.DataFrame(rows, columns=["terms", "test", "statistic", "df", "p"])


def _power(full: _Design, cells: pd.DataFrame, effective: float, penalised: bool) -> tuple[float, float]:
    """`Regression.power`, each face counting as `effective` independent ones."""
    ethnicity, k, n = (cells[column].to_numpy() for column in "ekn")
    asked = _of_ethnicity(full)
    if not asked.any():
        return float("nan"), float("nan")
    null = np.clip(joint.without(full.x, asked, k, n, penalised), 1e-6, 1 - 1e-6)
    found = [
        joint.power(full.x, asked, n * effective, np.maximum(null - PLANTED * (ethnicity == e), 1e-6), STRICTEST)
        for e in np.unique(ethnicity)
    ]
    return min(found), max(found)


def _odds_ratios(
    fit: Any, row: Callable[..., np.ndarray], ethnicities: list[str], bands: list[str], base: int, seen: set
) -> pd.DataFrame:
    """Contrasts that hold at any value of what is not named; only between cells that have faces."""
    wanted = []
    have = {(g, e) for g, e, _ in seen}
    ages = {(g, b) for g, _, b in seen}
    words = ("women", "men")
    for g in (0, 1):
        for e in range(1, len(ethnicities)):
            if {(g, e), (g, 0)} <= have:
                names = [group_name(GENDERS[g], ethnicities[m]) for m in (e, 0)]
                wanted.append((f"{names[0]} against {names[1]}, same age", row(g, e, base) - row(g, 0, base)))
    for e, name in enumerate(ethnicities):
        if {(0, e), (1, e)} <= have and {(0, base), (1, base)} <= ages:
            head = " against ".join(group_name(gender, name or ()) for gender in reversed(GENDERS))
            wanted.append((f"{head}, {bands[base]} years", row(1, e, base) - row(0, e, base)))
    for g in (0, 1):
        for b, name in enumerate(bands):
            if b != base and {(g, b), (g, base)} <= ages:
                text = f"{words[g]} of {name} against {bands[base]} years, same ethnicity"
                wanted.append((text, row(g, 0, b) - row(g, 0, base)))
    rows = []
    for text, contrast in wanted:
        value, error = float(contrast @ fit.beta), float(np.sqrt(contrast @ fit.cov @ contrast))
        if error > 0:
            low, high = np.exp([value - Z95 * error, value + Z95 * error])
            p = float(2 * norm.sf(abs(value) / error))
            rows.append({"comparison": text, "odds_ratio": np.exp(value), "low": low, "high": high, "p": p})
    return pd.DataFrame(rows, columns=["comparison", "odds_ratio", "low", "high", "p"])


def _standardised(
    table: pd.DataFrame, fit: Any, row: Callable[..., np.ndarray], band: np.ndarray, ethnicities: list[str], seen: set
) -> pd.DataFrame:
    weight = np.bincount(band) / len(band)
    rows = []
    for group in table.to_dict("records"):
        g, e = GENDERS.index(group["gender"]), ethnicities.index(group["ethnicity"])
        x = np.stack([row(g, e, b) for b in range(len(weight))])
        mu = expit(x @ fit.beta)
        value = float(weight @ mu)
        slope = (weight * mu * (1 - mu)) @ x
        error = float(np.sqrt(slope @ fit.cov @ slope)) / (value * (1 - value))
        low, high = expit([logit(value) - Z95 * error, logit(value) + Z95 * error])
        rows.append(
            {**{c: group[c] for c in ("group", "gender", "ethnicity", "n", "accuracy")}, "low": group["wilson_low"],
             "high": group["wilson_high"], "standardised": value, "standardised_low": low, "standardised_high": high,
             "unseen": float(weight[[(g, e, b) not in seen for b in range(len(weight))]].sum())}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _without_both(
    apart: pd.DataFrame, cells: pd.DataFrame, ethnicities: list[str], bands: list[str]
) -> tuple[str, ...]:
    """Names of the groups, and the women or men of an age, that are all right or all wrong and so separate."""
    names = []
    for keys in (["g", "e"], ["g", "b"]):
        total = cells.groupby(keys)[["k", "n"]].sum()
        for key in dict.fromkeys(apart[keys].itertuples(index=False, name=None)):
            k, n = total.loc[key]
            if k in (0, n):
                gender = GENDERS[key[0]]
                head = group_name(gender, ethnicities[key[1]] or ()) if keys[1] == "e" else group_name(gender)
                names.append((head if keys[1] == "e" else f"{head} of {bands[key[1]]} years") + f" ({n} faces)")
    return tuple(names) if names or apart.empty else ("a combination of groups and ages",)
