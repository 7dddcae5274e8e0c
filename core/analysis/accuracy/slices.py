"""Slices that hold: groups of faces made by crossing columns, searched on half of the faces and tested on the other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammaln, ndtri

from core.analysis.accuracy.by_group import GROUP_COLUMNS
from core.analysis.accuracy.counts import FEWEST_PEOPLE, group_words
from core.analysis.intervals import newcombe_bounds
from core.data.columns import MOST_CROSSED, Column
from core.data.faces import AGE_BANDS, UNRECORDED, age_band, people
from core.data.measured import IN_GROUP
from core.task import Task, task_of

#: A slice has so many faces in either half; of known people `FEWEST_PEOPLE` too.
LEAST = 30
#: So many slices at most are taken from the search to the test, each of this one-sided p there.
MOST_TAKEN, TAKEN_P = 20, 0.05
#: A crossing with more than this share of a coarser slice's faces is that slice.
SAME = 0.9
ALPHA = 0.05
DRAWS = 1000
#: Indices counted at a time.
AT_ONCE = 4_000_000
#: People among whom shares of errors are dealt: so many neighbours by their number of faces.
NEIGHBOURS = 20
COLUMNS = ["slice", "columns", "searched_n", "searched_incorrect", "searched_p", "n", "incorrect", "accuracy",
           "others", "less", "low", "p", "holds"]  # fmt: skip


@dataclass(frozen=True)
class Slices:
    """What was searched, and what of it was tested.

    `taken`, a slice a row: slice (in words), columns (what it is made of), searched_n, searched_incorrect and
    searched_p of the first half; of the other half n, incorrect, accuracy, others (the accuracy of all its other
    faces), less (others less accuracy), low (its bound, which holds for all `searched` slices at once; 0 at most where
    p is above `critical`), p, and holds. Rows that hold first, by falling bound. `columns` are those crossed, `first`
    and `second` the faces of the halves, `critical` the p that a slice has to reach on the second.
    """

    searched: int
    columns: tuple[str, ...]
    first: int
    second: int
    critical: float
    by_person: bool
    taken: pd.DataFrame

    @property
    def held(self) -> pd.DataFrame:
        """The rows that hold."""
        return self.taken[self.taken["holds"].to_numpy(dtype=bool)]


@dataclass(frozen=True)
class _Coded:
    """A column to cross: each face's level as a code (N,), −1 where it is not known, and the levels' words."""

    name: str
    words: str
    codes: np.ndarray
    levels: tuple[str, ...]


@dataclass(frozen=True)
class _Searched:
    """The slices that are large enough: `member` int32 (T, N), a crossing a row, each face's slice there, M where it is
    in none; `terms` (M,) their columns and levels as places in the list of columns."""

    member: np.ndarray
    terms: list[tuple[tuple[int, int], ...]]

    @property
    def count(self) -> int:
        return len(self.terms)


def find_slices(faces: pd.DataFrame, columns: Sequence[Column] = (), seed: int = 0, draws: int = DRAWS) -> Slices:
    """Slices of an audit's faces on which the model is less accurate than on all others (docs/rules.md has the rule).

    `faces` has the audit's column `correct`; `columns` are crossed beside gender, ethnicity and age band, up to three
    at a time. The first half is searched; p on the other is held against the smallest p over all slices searched,
    errors being dealt anew (Westfall & Young 1993).
    """
    coded = _coded(faces, columns)
    wrong, unit = ~faces["correct"].to_numpy(dtype=bool), people(faces)
    first = halves(faces, seed)
    searched = _searched(coded, first, unit)
    names = tuple(column.words for column in coded)
    head = (searched.count, names, int(first.sum()), int((~first).sum()))
    on_first, on_second = _counts(searched, first, wrong), _counts(searched, ~first, wrong)
    nothing = Slices(*head, float("nan"), unit is not None, pd.DataFrame(columns=COLUMNS))
    if not searched.count or not wrong[first].any() or not wrong[~first].any():
        return nothing
    searched_p = _surprise(*on_first, int(first.sum()), int(wrong[first].sum()))
    rows = _taken(searched, searched_p, first)
    critical = _critical(searched, ~first, wrong, unit, on_second[0], seed, draws)
    p = _surprise(*on_second, int((~first).sum()), int(wrong[~first].sum()))
    (n, k), size, errors = on_second, int((~first).sum()), int(wrong[~first].sum())
    z = float(-ndtri(critical))
    table = []
    for row in rows:
        right, rest = n[row] - k[row], size - n[row]
        less, low, _ = newcombe_bounds(np.float64(rest - (errors - k[row])), rest, right, n[row], z)
        numbers = [on_first[0][row], on_first[1][row], searched_p[row], n[row], k[row], right / n[row]]
        low = low if p[row] <= critical else min(low, 0.0)  # the test is exact, the bound is not
        holds = bool(low > 0)
        terms = searched.terms[row]
        table.append(
            [_words(coded, terms, task_of(faces)), tuple(coded[place].name for place, _ in terms), *numbers,
             1 - (errors - k[row]) / rest, float(less), float(low), p[row], holds]
        )  # fmt: skip
    candidates = pd.DataFrame(table, columns=COLUMNS).sort_values(["holds", "low"], ascending=False, kind="stable")
    return Slices(*head, critical, unit is not None, candidates.reset_index(drop=True))


def halves(faces: pd.DataFrame, seed: int = 0) -> np.ndarray:
    """Bool (N,): the faces of the first half. People, and near-copies where nobody is known, are in one half."""
    alike = "copies of " + faces["cluster"].astype(str)
    unit = pd.factorize(faces["identity"].astype("object").where(faces["identity"].notna(), alike))[0]
    sizes = np.bincount(unit)
    order = np.random.default_rng([seed, 1]).permutation(len(sizes))
    first = order[np.cumsum(sizes[order]) <= len(faces) / 2]
    return np.isin(unit, first)


def _coded(faces: pd.DataFrame, columns: Sequence[Column]) -> list[_Coded]:
    coded = []
    for name in ("gender", "ethnicity"):
        labels = faces[name] if name == "ethnicity" else faces[name].where(faces[name] != UNRECORDED)
        codes, levels = pd.factorize(labels, sort=True)
        if len(levels) > 1 and set(levels) != {UNRECORDED}:
            coded.append(_Coded(name, name, codes.astype(np.int64), tuple(map(str, levels))))
    band = age_band(faces["age"]).astype(np.int64)
    if len(set(band) - {-1}) > 1:
        coded.append(_Coded("age band", "age band", band, AGE_BANDS))
    for column in columns:
        codes = faces[column.name].cat.codes.to_numpy(dtype=np.int64)
        if not column.name.endswith(IN_GROUP) and len(set(codes) - {-1}) > 1:
            coded.append(_Coded(column.name, column.said, codes, column.levels))
    return coded


def _searched(coded: list[_Coded], first: np.ndarray, unit: np.ndarray | None) -> _Searched:
    """Every level and crossing of up to three columns that is large enough in either half, and no coarser one again."""
    rows: list[np.ndarray] = []
    terms: list[tuple[tuple[int, int], ...]] = []
    known_sizes: dict[tuple[tuple[int, int], ...], int] = {}
    crossings = itertools.chain.from_iterable(
        itertools.combinations(range(len(coded)), order) for order in range(1, MOST_CROSSED + 1)
    )
    for crossing in crossings:
        sizes = [len(coded[place].levels) for place in crossing]
        code, complete = np.zeros(len(first), dtype=np.int64), np.ones(len(first), dtype=bool)
        for place, size in zip(crossing, sizes, strict=True):
            code = code * size + coded[place].codes
            complete &= coded[place].codes >= 0
        total = int(np.prod(sizes))
        code = np.where(complete, code, total)
        enough = np.ones(total, dtype=bool)
        for half in (first, ~first):
            enough &= np.bincount(code[half], minlength=total + 1)[:total] >= LEAST
            if unit is not None and enough.any():
                pairs = np.unique(unit[half] * (total + 1) + code[half]) % (total + 1)
                enough &= np.bincount(pairs, minlength=total + 1)[:total] >= FEWEST_PEOPLE
        whole = np.bincount(code, minlength=total + 1)
        cells, names = [], []
        for cell in np.flatnonzero(enough):
            name = tuple(zip(crossing, map(int, np.unravel_index(cell, sizes)), strict=True))
            parents = (known_sizes.get(name[:n] + name[n + 1 :], 0) for n in range(len(name) if len(name) > 1 else 0))
            known_sizes[name] = int(whole[cell])
            if not any(whole[cell] > SAME * parent > 0 for parent in parents):
                cells.append(cell)
                names.append(name)
        if not cells:
            continue
        number = np.full(total + 1, -1)
        number[cells] = len(terms) + np.arange(len(cells))
        rows.append(number[code])
        terms += names
    member = np.stack(rows).astype(np.int32) if rows else np.zeros((0, len(first)), dtype=np.int32)
    return _Searched(np.where(member < 0, len(terms), member).astype(np.int32), terms)


def _counts(searched: _Searched, half: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Faces and errors of each slice in a half, int64 (M,) each."""
    size = searched.count + 1
    n = np.bincount(searched.member[:, half].ravel(), minlength=size)[:-1]
    return n, np.bincount(searched.member[:, half & wrong].ravel(), minlength=size)[:-1]


def _tails(n: np.ndarray, faces: int, errors: int) -> np.ndarray:
    """P(K ≥ k) of K errors among n (U,) of `faces` faces with `errors` errors, for k = 0 … errors: (U, errors + 1)."""

    def choose(of: np.ndarray | int, some: np.ndarray) -> np.ndarray:
        return gammaln(np.add(of, 1)) - gammaln(some + 1) - gammaln(of - some + 1)

    n, k = n[:, None].astype(np.float64), np.arange(errors + 1)[None, :].astype(np.float64)
    there = (k <= n) & (n - k <= faces - errors)
    safe, rest = np.where(there, k, 0), np.where(there, n - k, 0)
    chance = np.exp(choose(errors, safe) + choose(faces - errors, rest) - choose(faces, n))
    return np.minimum(np.where(there, chance, 0)[:, ::-1].cumsum(axis=1)[:, ::-1], 1)


def _surprise(n: np.ndarray, k: np.ndarray, faces: int, errors: int) -> np.ndarray:
    """One-sided hypergeometric p of k errors or more in each slice of n (M,)."""
    sizes, place = np.unique(n, return_inverse=True)
    return _tails(sizes, faces, errors)[place, k]


def _taken(searched: _Searched, p: np.ndarray, first: np.ndarray) -> list[int]:
    """The most surprising slices of the first half, none more than half the same faces as one before."""
    where = np.searchsorted(_starts(searched), np.arange(searched.count), side="right") - 1
    rows: list[int] = []
    masks: list[np.ndarray] = []
    orders = np.array([len(term) for term in searched.terms])
    for row in np.lexsort((orders, p)):
        if p[row] >= TAKEN_P or len(rows) == MOST_TAKEN:
            break
        mask = searched.member[where[row], first] == row
        shared = [(mask & earlier).sum() / max(mask.sum(), earlier.sum()) for earlier in masks]
        if max(shared, default=0) <= 0.5:
            rows.append(int(row))
            masks.append(mask)
    return rows


def _starts(searched: _Searched) -> np.ndarray:
    """The first slice of each crossing (T,)."""
    return np.where(searched.member < searched.count, searched.member, searched.count).min(axis=1)


def _critical(
    searched: _Searched,
    half: np.ndarray,
    wrong: np.ndarray,
    unit: np.ndarray | None,
    n: np.ndarray,
    seed: int,
    draws: int,
) -> float:
    """The 5 % quantile of the smallest p over all slices, errors being dealt anew in the half."""
    rng = np.random.default_rng([seed, 2])
    member, errors, size = searched.member[:, half], wrong[half], searched.count + 1
    sizes, place = np.unique(n, return_inverse=True)
    tails = _tails(sizes, len(errors), int(errors.sum()))
    deal = _dealer(errors, None if unit is None else unit[half], rng)
    smallest = np.empty(draws)
    block = max(1, AT_ONCE // max(member.shape[0] * int(errors.sum()), size))
    for start in range(0, draws, block):
        picks = [deal() for _ in range(min(block, draws - start))]
        codes = [member[:, pick].ravel() + number * size for number, pick in enumerate(picks)]
        counts = np.bincount(np.concatenate(codes), minlength=len(picks) * size).reshape(len(picks), size)
        k = np.minimum(counts[:, :-1], tails.shape[1] - 1)
        smallest[start : start + len(picks)] = tails[place[None, :], k].min(axis=1)
    return float(np.quantile(smallest, ALPHA, method="lower"))


def _dealer(wrong: np.ndarray, unit: np.ndarray | None, rng: np.random.Generator) -> Callable[[], np.ndarray]:
    """A function that gives the places of errors dealt anew among faces (N,), or by people's shares of them."""
    if unit is None:
        return lambda: rng.permutation(len(wrong))[: int(wrong.sum())]
    person = np.unique(unit, return_inverse=True)[1]
    faces = np.bincount(person)
    share = np.bincount(person, weights=wrong) / faces
    ranked = np.argsort(faces, kind="stable")
    block = np.empty(len(faces), dtype=np.int64)
    block[ranked] = np.arange(len(faces)) // NEIGHBOURS
    begin = np.concatenate([[0], np.cumsum(faces)[:-1]])

    def deal() -> np.ndarray:
        # Within each block of neighbours shares change hands.
        order = np.lexsort((rng.random(len(faces)), block))
        dealt = np.empty(len(faces))
        dealt[np.argsort(block, kind="stable")] = share[order]
        errors = np.floor(dealt * faces + rng.random(len(faces))).astype(np.int64)
        mixed = np.lexsort((rng.random(len(wrong)), person))
        return mixed[np.arange(len(wrong)) - begin[person[mixed]] < errors[person[mixed]]]

    return deal


def _words(coded: list[_Coded], terms: tuple[tuple[int, int], ...], task: Task) -> str:
    """«Black women, 60+ years, sharpness of the image: blurriest third»."""
    level = {coded[place].name: coded[place].levels[code] for place, code in terms}
    years = f"{level['age band']} years" if "age band" in level else ""
    classified = task.words_of(level)
    in_group_words = {*GROUP_COLUMNS, *(() if classified is None else (task.attribute,))}
    rest = [f"{coded[place].words}: {coded[place].levels[code]}" for place, code in terms
            if coded[place].name not in in_group_words]  # fmt: skip
    gender, ethnicity = level.get("gender", ""), level.get("ethnicity", "")
    if not (gender or ethnicity or classified):
        return ", ".join(["faces", *([years] if years else []), *rest])
    return group_words(gender, ethnicity, years, rest, classified)
