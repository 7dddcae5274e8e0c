"""The regression of being correct on gender, ethnicity and age, with measures of the image as further terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.accuracy import joint, logistic
from core.analysis.accuracy.by_group import LARGE_GROUP, right_calls
from core.analysis.accuracy.counts import columns_of, group_rows
from core.analysis.accuracy.explained import fifths, independent
from core.analysis.intervals import holm
from core.audit.folder import Audit
from core.data.columns import MOST_CROSSED, Column, Kind, find_column
from core.data.faces import UNRECORDED, age_band, people
from core.data.filters import Filter
from core.errors import LookwhereError

#: What a column of the design is of, beside a measure: the names of its variables.
GENDER, ETHNICITY, AGE = "gender", "ethnicity", "age"


@dataclass(frozen=True)
class MeasuredTerms:
    """`tests`: term (in words), test, statistic, df, p, p_holm, and `p_without`, the p of the same term in a model of
    the same faces without the measures (NaN of their own terms).

    `n` faces are in it; `unknown` are left out for want of a gender, an age or a measure, `left_out` are groups under
    50 faces. `in_fifths` are those of `measures` that go in by fifths of their numbers; the others go in by their
    levels. `estimator` says how it is fitted, `errors` whether by person.
    """

    tests: pd.DataFrame
    n: int
    unknown: int
    left_out: tuple[str, ...]
    measures: tuple[str, ...]
    in_fifths: tuple[str, ...]
    estimator: str
    errors: str


@dataclass(frozen=True)
class _Block:
    """Columns of the design (N, Q) and the variables that they are of."""

    x: np.ndarray
    variables: frozenset[str]
    words: str


def terms_of(audit: Audit, filter: Filter, names: Sequence[str], threshold: float = 0.5) -> MeasuredTerms:
    """`measured_terms` of a filter's faces, whatever their outcome, by columns of the audit as they are named.

    Raises `LookwhereError` where one is not there, naming what there is, where there are more than three, and as
    `measured_terms` does.
    """
    offered = [column for column in audit.columns if column.name != audit.task.attribute]
    columns = list({column.name: column for column in (find_column(offered, name, "terms") for name in names)}.values())
    if len(columns) > MOST_CROSSED:
        raise LookwhereError(f"terms {', '.join(names)}: up to {MOST_CROSSED} go in, not {len(columns)}")
    return measured_terms(audit.passing(filter.narrowed(outcome="all")), columns, threshold)


def measured_terms(faces: pd.DataFrame, columns: Sequence[Column], threshold: float = 0.5) -> MeasuredTerms:
    """Fit right ~ gender × ethnicity + gender × age band + gender × each of `columns`, measures in fifths, others by
    their levels, and test each term given all others that do not contain it (type II).

    By likelihood ratio, where people are known by Wald's test with errors by person, by Firth's penalised likelihood
    where cells separate (`core.analysis.accuracy.joint`). Terms of the measures are one family (Holm). What a term of
    ethnicity loses beside the measures goes with them; neither is shown to be a cause. Raises `LookwhereError` where
    no measure is given, or there is nothing to fit.
    """
    if not columns:
        raise LookwhereError("no measure is chosen")
    codes = [_codes(faces, column) for column in columns]
    age = age_band(faces["age"]).astype(np.int64)
    aged = len(set(age) - {-1}) > 1
    complete = np.logical_and.reduce([code >= 0 for code in codes]) & ((age >= 0) | (not aged))
    by = [name for name in columns_of(faces) if name in (GENDER, ETHNICITY)]
    if not by:
        raise LookwhereError("there are no two groups of gender and ethnicity here")
    if GENDER in by:
        complete &= (faces[GENDER] != UNRECORDED).to_numpy(dtype=bool)
    member, names = group_rows(faces, by)
    size = np.bincount(member[complete], minlength=len(names))
    use = complete & (size >= LARGE_GROUP)[member]
    if len(set(member[use])) < 2:
        raise LookwhereError("no two groups have 50 faces whose measures are known")
    right = right_calls(faces, threshold)[use]
    if right.all() or not right.any():
        raise LookwhereError("all predictions are correct or all incorrect, so there is nothing to explain")
    part = faces[use]
    blocks = [_Block(np.ones((len(part), 1)), frozenset(), "")]
    gender = _dummies(pd.factorize(part[GENDER], sort=True)[0])
    singles = [(GENDER, GENDER, gender)]
    if ETHNICITY in by:
        singles.append((ETHNICITY, ETHNICITY, _dummies(pd.factorize(part[ETHNICITY], sort=True)[0])))
    singles += [(AGE, AGE, _dummies(age[use]))] if aged else []
    singles += [(column.name, column.said, _dummies(code[use])) for column, code in zip(columns, codes, strict=True)]
    blocks += [_Block(x, frozenset({name}), words) for name, words, x in singles]
    blocks += [
        _Block(_products(gender, x), frozenset({GENDER, name}), f"{GENDER} × {words}") for name, words, x in singles[1:]
    ]
    cells, cell = np.unique(np.hstack([block.x for block in blocks]), axis=0, return_inverse=True)
    n, k = np.bincount(cell.ravel()), np.bincount(cell.ravel(), weights=right)
    of = np.repeat(np.arange(len(blocks)), [block.x.shape[1] for block in blocks])
    unit = people(part)
    persons = None if unit is None else logistic.Persons.counted(unit, cell.ravel(), right, len(cells))
    own = frozenset(column.name for column in columns)
    tests, penalised = _tests(blocks, of, cells, k, n, persons, frozenset())
    without, _ = _tests(blocks, of, cells, k, n, persons, own)
    before = {term: p for term, p, *_ in ((row["term"], row["p"]) for row in without)}
    table = pd.DataFrame(tests)
    mine = np.array([bool(set(row["variables"]) & own) for row in tests])
    corrected = np.full(len(table), np.nan)
    for family in (mine, ~mine):
        corrected[family] = holm(table["p"].to_numpy()[family])
    table = table.drop(columns="variables").assign(p_holm=corrected, p_without=[before.get(t) for t in table["term"]])
    return MeasuredTerms(
        table.astype({"p_without": "float64"}),
        len(part),
        int((~complete).sum()),
        tuple(names["group"][(size < LARGE_GROUP) & (np.bincount(member, minlength=len(names)) > 0)]),
        tuple(column.said for column in columns),
        tuple(column.said for column in columns if _in_fifths(column)),
        "Firth's penalised likelihood" if penalised else "maximum likelihood",
        "independent faces" if persons is None else "by person",
    )


def _tests(
    blocks: list[_Block], of: np.ndarray, x: np.ndarray, k: np.ndarray, n: np.ndarray,
    persons: logistic.Persons | None, dropped: frozenset[str],
) -> tuple[list[dict], bool]:  # fmt: skip
    """A row a term, of the model without the variables `dropped`; and whether any of its cells separate."""
    there = np.array([not block.variables & dropped for block in blocks])
    rows, any_apart = [], False
    for place, block in enumerate(blocks):
        if not block.variables or not there[place]:
            continue
        # Type II: what contains the term leaves the model before it is tested.
        big = np.array([t and not block.variables < b.variables for b, t in zip(blocks, there, strict=True)])
        columns = np.flatnonzero(big[of])
        # The term's columns last: what the others say already is none of its own.
        columns = columns[np.argsort(of[columns] == place, kind="stable")]
        columns = columns[independent(x[:, columns])]
        of_term = of[columns] == place
        if not of_term.any():
            continue
        apart = bool(logistic.separated(x[:, columns], k, n).any())
        any_apart |= apart
        test, statistic, df, p = joint.left_out(x[:, columns], of_term, k, n, persons, apart)
        rows.append(
            {"term": block.words, "test": test, "statistic": statistic, "df": df, "p": p, "variables": block.variables}
        )
    return rows, any_apart


def _in_fifths(column: Column) -> bool:
    return column.kind is Kind.NUMBER and len(column.edges) > 1


def _codes(faces: pd.DataFrame, column: Column) -> np.ndarray:
    """The fifth of each value of a number, the level of another column, int64 (N,); −1 where it is not known."""
    if _in_fifths(column):
        return fifths(faces[column.value_name].to_numpy(dtype=np.float64))
    return faces[column.name].cat.codes.to_numpy(dtype=np.int64)


def _dummies(codes: np.ndarray) -> np.ndarray:
    """(N, L − 1): a column a level that occurs, but the most frequent one."""
    there, place, count = np.unique(codes, return_inverse=True, return_counts=True)
    return np.delete((place.ravel()[:, None] == np.arange(len(there))).astype(np.float64), count.argmax(), axis=1)


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)
