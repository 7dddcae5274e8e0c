"""The person or the image: how much of a group's gap of accuracy goes with what the image says, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from core.analysis.accuracy import joint, logistic
from core.analysis.accuracy.by_group import LARGE_GROUP
from core.analysis.accuracy.counts import columns_of, group_rows, outside_of_groups
from core.analysis.intervals import Z95, holm, newcombe
from core.data.columns import Column, Kind
from core.data.faces import AGE_BANDS, age_band, people
from core.data.measured import IN_GROUP
from core.errors import LookwhereError
from core.task import task_of

#: Bands of a number: five remove over 90 % of what a common cause adds to a difference (Cochran 1968, Biometrics
#: 24:295).
BANDS = 5
#: Rows that are no measure: age, which is labelled, and all measures together.
AGE, TOGETHER = "age", "all measures together"
LEVEL = 0.95
#: What is NaN where a factor cannot be told from the groups.
NUMBERS = ("explained", "low", "high", "left", "left_low", "left_high", "error", "unseen", "p")


@dataclass(frozen=True)
class Factor:
    """Something that may explain a gap: `codes` int64 (N,) are each face's band, −1 where it is not known."""

    name: str
    words: str
    codes: np.ndarray
    bands: int
    measured: bool


@dataclass(frozen=True)
class Explained:
    """`table`, a factor and group a row: factor, words, measured, group, n (faces of the group with a value), accuracy,
    gap (the group's accuracy less that of all others), gap_low, gap_high, explained, low, high, left, left_low,
    left_high, sure, unseen.

    `explained` + `left` = `gap`. Intervals are 95 % each alone; `sure` says that the interval of `explained` leaves out
    0 even when made for all rows at once. `unseen` is the share of all faces in bands where the group has none, NaN of
    all measures together. `p`, one of each factor, is of «within groups it makes no difference» (likelihood ratio, Wald
    by person where people are known), NaN of all measures together. `groups` are those compared, `left_out` those under
    50 faces, `critical` the z of `sure`.
    """

    table: pd.DataFrame
    groups: tuple[str, ...]
    left_out: tuple[str, ...]
    factors: tuple[str, ...]
    critical: float

    @property
    def terms(self) -> pd.DataFrame:
        """A factor a row: factor, words, p, and p_holm over all of them; NaN where it is not told."""
        table = self.table.drop_duplicates("factor")[["factor", "words", "p"]].reset_index(drop=True)
        tested = table["p"].notna().to_numpy()
        corrected = np.full(len(table), np.nan)
        corrected[tested] = holm(table["p"].to_numpy()[tested])
        return table.assign(p_holm=corrected)


def factors_of(faces: pd.DataFrame, columns: Sequence[Column]) -> list[Factor]:
    """What is at hand: measures in five bands, labelled columns by their levels, age by its bands."""
    factors = []
    for column in columns:
        if column.name.endswith(IN_GROUP) or column.name == task_of(faces).attribute:
            continue
        if column.kind is Kind.NUMBER and len(column.edges) > 1:
            codes = fifths(faces[column.value_name].to_numpy(dtype=np.float64))
        else:
            codes = faces[column.name].cat.codes.to_numpy(dtype=np.int64)
        factors.append(Factor(column.name, column.said, codes, int(codes.max(initial=-1)) + 1, column.measured))
    age = age_band(faces["age"]).astype(np.int64)
    if len(set(age) - {-1}) > 1:
        factors.append(Factor(AGE, "age (labelled)", age, len(AGE_BANDS), False))
    return [factor for factor in factors if len(set(factor.codes) - {-1}) > 1]


def fifths(values: np.ndarray) -> np.ndarray:
    """The fifth of each value (N,) among those known, int64; −1 of NaN."""
    finite = np.isfinite(values)
    edges = np.unique(np.quantile(values[finite], np.arange(1, BANDS) / BANDS)) if finite.any() else np.zeros(0)
    return np.where(finite, np.searchsorted(edges, values, side="right"), -1)


def explain(faces: pd.DataFrame, columns: Sequence[Column], by: list[str] | None = None) -> Explained:
    """Each group's gap to all other faces, as it is and at equal distributions of each factor.

    Logistic regression right ~ group + true class × band (Firth's where cells separate; by class since what makes faces
    of one class look like the other helps the other), standardised over the bands of all faces
    (Lane & Nelder 1982, Biometrics 38:613): what a group's accuracy owes to its own bands in place of everyone's is
    `explained`, less the same of the others. The slopes are those within groups, so that what differs between groups
    for another reason is not laid to a factor. Intervals by the delta method, errors by person where people are known.
    «All measures together» has them all in thirds, additively, and a missing value as a band.

    Explaining is not causing. Raises `LookwhereError` where there are not two groups of 50 faces, errors of both kinds,
    or anything that differs.
    """
    by = columns_of(faces) if by is None else by
    if not by:
        raise LookwhereError("neither gender nor ethnicity nor age makes two groups, so there is no gap to explain")
    code, names = group_rows(faces, by)
    size = np.bincount(code, minlength=len(names))
    unknown = np.logical_or.reduce(list(outside_of_groups(names, []).values()))
    large = np.flatnonzero((size >= LARGE_GROUP) & ~unknown)
    small = tuple(names["group"][(size < LARGE_GROUP) & ~unknown])
    if len(large) < 2:
        raise LookwhereError("no two groups have 50 faces, so there is no gap to explain")
    member = np.full(len(names), -1)
    member[large] = np.arange(len(large))
    group, right = member[code], faces["correct"].to_numpy(dtype=bool)
    inside = group >= 0
    if right[inside].all() or not right[inside].any():
        raise LookwhereError("all predictions are correct or all incorrect, so there is nothing to explain")
    factors = factors_of(faces, columns)
    if not factors:
        raise LookwhereError("nothing was measured from these images and no age is known, so nothing can be explained")
    unit, words = people(faces), list(names["group"].iloc[large])
    side = _sides(group[inside], task_of(faces).is_positive(faces)[inside], len(large))
    compared = _Compared(group, right, unit, words, side)
    rows = [_rows(f, *_bands(f.codes), compared) for f in factors]
    measures = [factor for factor in factors if factor.measured]
    if len(measures) > 1:
        blocks = [_dummies(_thirds(f), 4)[:, 1:] for f in measures]
        both = Factor(TOGETHER, TOGETHER, np.zeros(len(faces), dtype=np.int64), 1, True)
        pattern, cell = np.unique(np.hstack(blocks), axis=0, return_inverse=True)
        rows.append(_rows(both, pattern, cell.ravel(), compared))
    table = pd.concat(rows, ignore_index=True)
    z = float(-ndtri((1 - LEVEL ** (1 / max(len(table), 1))) / 2))
    table["sure"] = (np.abs(table["explained"]) > z * table["error"]) & (table["error"] > 0)
    return Explained(table.drop(columns="error"), tuple(words), small, tuple(dict.fromkeys(table["factor"])), z)


def _thirds(factor: Factor) -> np.ndarray:
    """Codes of 1 to 3, a factor's bands joined to three; 0 where it is not known."""
    return np.where(factor.codes < 0, 0, 1 + factor.codes * 3 // max(factor.bands, 3))


def _bands(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bands that occur as rows of columns, the first being the base, and each face's row, −1 where not known."""
    there, row = np.unique(codes, return_inverse=True)
    first = int(there[0] < 0)
    return np.eye(len(there) - first)[:, 1:], row - first


def _dummies(codes: np.ndarray, bands: int) -> np.ndarray:
    """Columns (N, bands) of which each says «in this band»."""
    return (codes[:, None] == np.arange(bands)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class _Compared:
    """The faces and groups that are compared.

    `group` (N,) is each face's group, −1 of small ones; `right` bool (N,) its outcome; `unit` (N,) its person, None
    where people are unknown. `words` names the groups; `side` (G, S) one-hot the slopes of each group.
    """

    group: np.ndarray
    right: np.ndarray
    unit: np.ndarray | None
    words: list[str]
    side: np.ndarray


def _rows(factor: Factor, pattern: np.ndarray, cell: np.ndarray, compared: _Compared) -> pd.DataFrame:
    """A factor's rows of `Explained.table`, with the `error` of `explained`.

    `pattern` (R, Q) has its columns, `cell` (N,) each face's row there, −1 where it is not known.
    """
    words, side, unit = compared.words, compared.side, compared.unit
    use = (cell >= 0) & (compared.group >= 0)
    g, k, cell, count = compared.group[use], compared.right[use], cell[use], len(words)
    n = np.bincount(g * len(pattern) + cell, minlength=count * len(pattern)).reshape(count, -1).astype(np.float64)
    hits = np.bincount(g * len(pattern) + cell, weights=k, minlength=n.size).reshape(n.shape)
    at, place = np.nonzero(n)
    x = np.hstack([np.eye(count)[at], _crossed(side[at], pattern[place])])
    each = n.sum(axis=1)
    gap = _gaps(each, hits.sum(axis=1))
    head = pd.DataFrame(
        {"factor": factor.name, "words": factor.words, "measured": factor.measured, "group": words,
         "n": each.astype(np.int64), "accuracy": hits.sum(axis=1) / np.maximum(each, 1), **gap}
    )  # fmt: skip
    apart = independent(x)
    # Of all measures together, what cannot be told apart has no column of its own.
    columns = apart if factor.name == TOGETHER else np.ones(x.shape[1], dtype=bool)
    if each.min() == 0 or len(set(k)) < 2 or not apart[columns].all():
        return head.assign(**dict.fromkeys(NUMBERS, np.nan))
    row = np.full(n.shape, -1)
    row[at, place] = np.arange(len(at))
    persons = None if unit is None else logistic.Persons.counted(unit[use], row[g, cell], k, len(at))
    kk, nn = hits[at, place], n[at, place]
    x = x[:, columns]
    penalised = factor.name == TOGETHER or logistic.separated(x, kk, nn).any()
    fit = (logistic.firth if penalised else logistic.maximum_likelihood)(x, kk, nn, persons)
    beta, cov = np.zeros(len(columns)), np.zeros((len(columns), len(columns)))
    beta[columns], cov[np.ix_(columns, columns)] = fit.beta, fit.cov
    mu = expit(beta[:count, None] + side @ beta[count:].reshape(side.shape[1], -1) @ pattern.T)
    own, everyone = n / each[:, None], n.sum(axis=0) / n.sum()
    contrast = _less_others(each)
    change, slope = _moved(own - everyone, mu, pattern, side)
    part = contrast @ change
    error = _errors(contrast @ slope, cov)
    rest = _errors(contrast @ _moved(np.broadcast_to(everyone, n.shape), mu, pattern, side)[1], cov)
    remaining = gap["gap"] - part
    term = np.arange(x.shape[1]) >= count
    p = np.nan if factor.name == TOGETHER else joint.left_out(x, term, kk, nn, persons, bool(penalised))[3]
    return head.assign(
        p=p, explained=part, low=part - Z95 * error, high=part + Z95 * error,
        left=remaining, left_low=remaining - Z95 * rest, left_high=remaining + Z95 * rest,
        error=error, unseen=np.nan if factor.name == TOGETHER else ((n == 0) * everyone).sum(axis=1),
    )  # fmt: skip


def independent(columns: np.ndarray) -> np.ndarray:
    """Bool (P,): the columns of (R, P) that each add to the rank of those before."""
    basis, keep = np.zeros((len(columns), 0)), np.zeros(columns.shape[1], dtype=bool)
    for place, column in enumerate(columns.T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)  # once more, against rounding
        if keep_it := np.linalg.norm(rest) > 1e-8 * max(np.linalg.norm(column), 1e-300):
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
        keep[place] = keep_it
    return keep


def _less_others(n: np.ndarray) -> np.ndarray:
    """(G, G): what takes values of groups to each group's less the mean of all other faces."""
    weights = np.tile(n, (len(n), 1)) * (1 - np.eye(len(n)))
    return np.eye(len(n)) - weights / np.maximum(weights.sum(axis=1, keepdims=True), 1)


def _sides(group: np.ndarray, positive: np.ndarray, groups: int) -> np.ndarray:
    """(G, S) one-hot: the true class of each group, of both where all have one; else one column, of the same slopes."""
    n, k = (np.bincount(group, weights=w, minlength=groups) for w in (np.ones(len(group)), positive))
    pure = np.isin(k / n, (0, 1)).all() and 0 < k.sum() < n.sum()
    return np.eye(2)[(k > 0).astype(int)] if pure else np.ones((groups, 1))


def _crossed(side: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Each side's own copy of the columns, (R, S · Q), 0 on rows of the other."""
    return (side[:, :, None] * columns[:, None, :]).reshape(len(side), -1)


def _moved(weights: np.ndarray, mu: np.ndarray, pattern: np.ndarray, side: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Σ weights · rates of each group (G,), and its derivative by the coefficients of groups and columns (G, P)."""
    spread = weights * mu * (1 - mu)
    return (weights * mu).sum(axis=1), np.hstack([np.diag(spread.sum(axis=1)), _crossed(side, spread @ pattern)])


def _errors(slopes: np.ndarray, cov: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", slopes, cov, slopes), 0))


def _gaps(n: np.ndarray, k: np.ndarray) -> dict[str, np.ndarray]:
    """Each group's accuracy less that of all others, with Newcombe's interval."""
    gaps = [newcombe(a, b, k.sum() - a, n.sum() - b) for a, b in zip(k, n, strict=True)]
    return {
        "gap": np.array([gap.value for gap in gaps]),
        "gap_low": np.array([gap.low for gap in gaps]),
        "gap_high": np.array([gap.high for gap in gaps]),
    }
