"""Faces counted by group, their design effects where people are known, and how counts are resampled."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtrit

from core.analysis.accuracy.by_group import GROUP_COLUMNS, LARGE_GROUP, check_columns, right_calls
from core.analysis.accuracy.group_rule import LARGE_GROUPS, GroupRule
from core.analysis.intervals import clopper_pearson, wilson
from core.data.columns import Column
from core.data.faces import (
    ADULT_AGE,
    AGE_BANDS,
    AGE_EDGES,
    COUNT,
    UNRECORDED,
    age_band,
    counts_of,
    gender_known,
    genders_in,
    people,
)
from core.data.filters import group_name
from core.task import ClassWords, task_of

if TYPE_CHECKING:
    from scipy import sparse

#: A group of fewer known people says too little about how faces of one person hang together.
FEWEST_PEOPLE = 20
#: Kinds of people up to which a multinomial draws faster than people one by one.
MOST_KINDS = 4096
#: Resampled counts of so many questions are kept, of 2,000 draws and 60 groups 2 MB each.
KEPT = 8
_DRAWN: dict[bytes, np.ndarray] = {}
AGE_UNKNOWN = "age unknown"
#: Names of the age bands of children, who are girls and boys.
YOUNG = {f"{band} years" for low, band in zip(AGE_EDGES, AGE_BANDS, strict=True) if low < ADULT_AGE}


def columns_of(faces: pd.DataFrame) -> list[str]:
    """What groups can be made by: gender and ethnicity where they vary, else the age band; empty where nothing does.

    Ethnicity alone where no gender is recorded.
    """
    ethnicities, several = set(faces["ethnicity"].unique()), len(genders_in(faces)) > 1
    if not gender_known(faces) and len(ethnicities) > 1:
        return ["ethnicity"]
    if len(ethnicities) > 1 or (several and ethnicities - {UNRECORDED}):
        return ["gender", "ethnicity"]
    if several:
        return ["gender"]
    return ["age band"] if len(set(age_band(faces["age"])) - {-1}) > 1 else []


def group_rows(faces: pd.DataFrame, by: list[str], columns: Sequence[Column] = ()) -> tuple[np.ndarray, pd.DataFrame]:
    """Each face's row (N,) in a table of the groups that occur: group (its name), gender, ethnicity, age band, and
    further columns that are asked for.

    Rows by age, then gender, then ethnicity, then the others in the order asked for; of the three a column not asked
    for is empty. `columns` are the audit's, where they are at hand: then they are called as a person says them.
    """
    task = task_of(faces)
    own, column_words = (
        [name for name in by if name not in GROUP_COLUMNS],
        {column.name: column.said for column in columns},
    )
    check_columns(own, faces.columns)
    code = np.zeros(len(faces), dtype=np.int64)
    levels: list[list[str]] = []
    for column in ("age band", "gender", "ethnicity", *own):
        if column not in by:
            levels.append([""])
            continue
        if column == "age band":
            part, names = age_band(faces["age"]).astype(np.int64), [f"{band} years" for band in AGE_BANDS]
            part, names = np.where(part < 0, len(names), part), [*names, AGE_UNKNOWN]
        elif column in own:
            part, names = own_levels(faces[column])
        else:
            part, uniques = pd.factorize(faces[column], sort=True)
            names = [str(name) for name in uniques]
        levels.append(names)
        code = code * len(names) + part
    present, member = np.unique(code, return_inverse=True)
    shape = [len(names) for names in levels]
    places = np.unravel_index(present, shape) if len(present) else [np.empty(0, dtype=np.int64)] * len(levels)
    years, gender, ethnicity, *own_values = (
        [names[n] for n in place] for names, place in zip(levels, places, strict=True)
    )
    words = []
    for age, g, e, *rest in zip(years, gender, ethnicity, *own_values, strict=True):
        classified = task.words_of(dict(zip(own, rest, strict=True)))
        own_words = [
            f"{column_words.get(name, name)}: {level}"
            for name, level in zip(own, rest, strict=True)
            if classified is None or name != task.attribute
        ]
        words.append(group_words(g, e, age, own_words, classified))
    named = {"group": words, "gender": gender, "ethnicity": ethnicity, "age band": years}
    return member, pd.DataFrame(named | dict(zip(own, own_values, strict=True)))


def group_words(
    gender: str, ethnicity: str, years: str, own_words: Sequence[str], classified: ClassWords | None = None
) -> str:
    """A group's name from its parts, of which any may be empty: «Black girls, 3–9 years, glasses: no».

    `own_words` is what is said of its further columns, in their order; `classified` are the words of its class, where
    the classified column is one of those it is made by and is not gender: «women with glasses, camera: a».
    """
    head = group_name(gender or (), ethnicity or (), years in YOUNG) if gender or ethnicity else ""
    head = head if classified is None else classified.of(head)
    return ", ".join(part for part in (head, years, *own_words) if part) or "all faces"


def own_levels(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """The level of each face in a further column as a number int64 (N,), and the levels' names in order; the last is
    that of faces whose level is not known."""
    levels = values.astype("category").cat
    code = levels.codes.to_numpy(dtype=np.int64)
    return np.where(code < 0, len(levels.categories), code), [*map(str, levels.categories), UNRECORDED]


def design_effect(right: np.ndarray, unit: np.ndarray | None, each: np.ndarray | None = None) -> tuple[float, int]:
    """Variance of a share when people are drawn, over that when faces are; never under 1. And the number of people.

    Counts divided by it may be used as independent ones (Rao & Scott 1992, Biometrics 48:577). It cannot be estimated
    where all faces are correct or all are incorrect; each person then counts once. `each` says how many faces a row
    stands for.
    """
    each = np.ones(len(right), dtype=np.int64) if each is None else each
    n = int(each.sum())
    if unit is None or n == 0:
        return 1.0, n
    count = np.bincount(unit, weights=each)
    there = count > 0
    faces, m = count[there], int(there.sum())
    correct = np.bincount(unit, weights=right * each)[there]
    p = correct.sum() / n
    if m < 2 or p in (0.0, 1.0):
        return n / m, m
    apart = correct - p * faces
    return max(1.0, float(m / (m - 1) * (apart**2).sum() / (n * p * (1 - p)))) if faces.max() > 1 else 1.0, m


def pooled_effects(
    member: np.ndarray, right: np.ndarray, unit: np.ndarray, groups: int, each: np.ndarray | None = None
) -> np.ndarray:
    """Design effects (G,) that all groups would have by one correlation within people, pooled over them.

    Of few people a group's own design effect is a guess, and without an error it is none; what faces of one person have
    in common is much the same in all groups. 1 + ρ (Σm² / Σm − 1), ρ from the squares of people's sums against those of
    faces (Kish 1965; Donner & Klar 2000), and 0 or more. A person in two groups counts as one in each. `each` says
    how many faces a row stands for.
    """
    each = np.ones(len(right), dtype=np.int64) if each is None else each
    person, place = np.unique(unit * groups + member, return_inverse=True)
    group, faces = person % groups, np.bincount(place, weights=each)
    n, people = np.bincount(group, weights=faces, minlength=groups), np.bincount(group, minlength=groups)
    correct = np.bincount(place, weights=right * each)
    with np.errstate(divide="ignore", invalid="ignore"):
        k = np.bincount(group, weights=correct, minlength=groups)
        p = k / n
        size = np.bincount(group, weights=faces**2, minlength=groups) / n
        alone = (k * (1 - p) ** 2 + (n - k) * p**2) * n / np.maximum(n - 1, 1)
        together = np.bincount(group, weights=(correct - p[group] * faces) ** 2, minlength=groups)
        together *= people / np.maximum(people - 1, 1)
        repeated = (n > 1) & (people > 1)
        rest = (alone * (size - 1))[repeated].sum()
        rho = np.clip((together - alone)[repeated].sum() / rest, 0, 1) if rest > 0 else 0.0
    return 1 + rho * np.nan_to_num(size - 1)


@dataclass(frozen=True)
class Groups:
    """Groups of faces, those of 50 and more unless others were asked for.

    `table`: group, gender, ethnicity (empty where not asked for), n, correct, errors, accuracy, wilson_low, wilson_high
    (the plain interval, of effective counts where people are known), people, effect (design effect). `left_out`: group,
    n, why. `member` int (N,): the table's row of each face, −1 where left out. `right` bool, `unit` int or None (N,).
    `each` int (N,) where a row stands for so many faces, None where for one.
    """

    table: pd.DataFrame
    left_out: pd.DataFrame
    member: np.ndarray
    right: np.ndarray
    unit: np.ndarray | None
    each: np.ndarray | None = None

    @property
    def small(self) -> np.ndarray:
        """Bool (G,): groups under 50 faces, or 20 known people, which large-sample errors do not fit."""
        few = self.table["n"].to_numpy() < LARGE_GROUP
        return few if self.unit is None else few | (self.table["people"].to_numpy() < FEWEST_PEOPLE)

    @property
    def effective(self) -> tuple[np.ndarray, np.ndarray]:
        """Right faces and faces divided by the design effect, float64 (G,) each."""
        return self.effective_at(None)

    def effective_at(self, z: float | None) -> tuple[np.ndarray, np.ndarray]:
        """`effective`, for an interval made with `z`: where people are known, fewer by so much as Student's quantile of
        the same tail, at the people less 1, is beyond z (Korn & Graubard 1998, Survey Methodology 24:193)."""
        effect = self.table["effect"].to_numpy(dtype=float)
        if z is not None and self.unit is not None:
            freedom = np.maximum(self.table["people"].to_numpy() - 1, 1)
            effect = effect * (-stdtrit(freedom, ndtr(-z)) / z) ** 2
        return self.table["correct"].to_numpy() / effect, self.table["n"].to_numpy() / effect

    def bounds_at(self, z: float, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Low and high (G,) of the accuracies: Wilson's at `z`, nowhere narrower than the exact ones at `level`."""
        effective = self.effective_at(z)
        (low, high), exact = wilson(*effective, z), clopper_pearson(*effective, level)
        return np.minimum(low, exact[0]), np.maximum(high, exact[1])


def group_counts(
    faces: pd.DataFrame,
    by: list[str],
    threshold: float = 0.5,
    smallest: int = LARGE_GROUP,
    order: str = "accuracy",
    columns: Sequence[Column] = (),
) -> Groups:
    """Count by `by` (gender, ethnicity, age band, and further `columns` of the faces); rows by falling accuracy, or as
    they come with `order=""`.

    With `smallest=1` no group is left out, but faces of unknown age among age bands, and of an unknown level or gender
    among others. Raises `LookwhereError` for any
    other column: it would else be left out, and all faces be taken for one group.
    """
    check_columns(by, (*GROUP_COLUMNS, *(column.name for column in columns)))
    right = right_calls(faces, threshold)
    member, names = group_rows(faces, by, columns)
    outside = outside_of_groups(names, [name for name in by if name not in GROUP_COLUMNS], columns)
    unit = people(faces)
    each = counts_of(faces) if COUNT in faces else None
    names = names if "age band" in by else names.drop(columns="age band")
    return tally(member, names, right, unit, GroupRule(smallest, order, outside), each)


def outside_of_groups(names: pd.DataFrame, own: Sequence[str], columns: Sequence[Column] = ()) -> dict[str, np.ndarray]:
    """Which rows of `group_rows` make no group to compare, bool (G,), by the reason in words: what they are grouped by
    is not recorded of their faces, and is of others."""
    column_words = {column.name: column.said for column in columns}
    outside = {AGE_UNKNOWN: (names["age band"] == AGE_UNKNOWN).to_numpy()}
    if gender_known(names):
        outside[f"gender {UNRECORDED}"] = (names["gender"] == UNRECORDED).to_numpy()
    return outside | {
        f"{column_words.get(name, name)} {UNRECORDED}": (names[name] == UNRECORDED).to_numpy() for name in own
    }


def group_table(
    member: np.ndarray,
    names: pd.DataFrame,
    right: np.ndarray,
    unit: np.ndarray | None = None,
    each: np.ndarray | None = None,
) -> pd.DataFrame:
    """`names` with n, correct, errors, accuracy, people, effect (design effect), wilson_low, wilson_high of each row.

    Arguments are those of `tally`; no group is left out here.
    """
    each_right = right if each is None else right * each
    n = np.bincount(member, weights=each, minlength=len(names)).astype(np.int64)
    correct = np.bincount(member, weights=each_right, minlength=len(names)).astype(np.int64)
    people, effect = n, np.ones(len(names))
    if unit is not None:
        effects = []
        for row in range(len(names)):
            inside = member == row
            effects.append(design_effect(right[inside], unit[inside], None if each is None else each[inside]))
        people = np.array([m for _, m in effects], dtype=np.int64)
        effect = np.maximum([effect for effect, _ in effects], pooled_effects(member, right, unit, len(names), each))
    with np.errstate(divide="ignore", invalid="ignore"):
        numbers = {
            "n": n, "correct": correct, "errors": n - correct, "accuracy": correct / n, "people": people,
            "effect": effect,
        }  # fmt: skip
    numbers["wilson_low"], numbers["wilson_high"] = wilson(correct / effect, n / effect)
    return names.assign(**numbers)


def tally(
    member: np.ndarray,
    names: pd.DataFrame,
    right: np.ndarray,
    unit: np.ndarray | None = None,
    rule: GroupRule = LARGE_GROUPS,
    each: np.ndarray | None = None,
) -> Groups:
    """Count any groups of anything: `member` int (N,) is each one's row in `names`, `right` bool (N,).

    `names` has a column `group` and perhaps others, which the table keeps; every row has a member. `unit` int (N,)
    tells people apart, None where each stands for itself; `each` int (N,) says for how many faces a row stands.
    """
    table = group_table(member, names, right, unit, each)
    few = FEWEST_PEOPLE if unit is not None and rule.smallest > 1 else 0
    why = np.where(table["people"].to_numpy() < few, "too few people", "")
    for reason, rows in rule.outside.items():
        why = np.where(rows, reason, why)
    why = np.where(table["n"].to_numpy() < rule.smallest, f"under {rule.smallest} faces", why)
    out = why != ""
    excluded = pd.DataFrame({"group": table["group"].array[out], "n": table["n"].array[out], "why": why[out]})
    included = np.flatnonzero(~out)
    if rule.order:
        included = included[np.argsort(-table[rule.order].to_numpy(dtype=float)[included], kind="stable")]
    place = np.full(len(table), -1)
    place[included] = np.arange(len(included))
    return Groups(table.iloc[included].reset_index(drop=True), excluded, place[member], right, unit, each)


def resample_cells(
    cell: np.ndarray,
    cells: int,
    unit: np.ndarray | None,
    draws: int,
    rng: np.random.Generator,
    each: np.ndarray | None = None,
) -> np.ndarray:
    """Bootstrap of faces, or of people whole, counted by `cell` int (N,): float64 (draws, cells).

    People with the same counts are interchangeable, so the kinds of people are drawn by a multinomial: exactly the
    bootstrap of people, at the price of the kinds. Where nearly everybody is a kind, people are drawn one by one.
    `each` says how many faces a row stands for; without `unit` a row is one.
    """
    if unit is None:
        observed = np.bincount(cell, minlength=cells)
        return rng.multinomial(len(cell), observed / len(cell), size=draws).astype(np.float64)
    from scipy import sparse  # Slow to import

    m = int(unit.max()) + 1
    times = np.ones(len(cell)) if each is None else each.astype(np.float64)
    profile = sparse.csr_array((times, (unit, cell)), shape=(m, cells))
    profile.sum_duplicates()
    kinds, number = _kinds(profile)
    if len(kinds) <= MOST_KINDS:
        return rng.multinomial(m, number / m, size=draws).astype(np.float64) @ profile[kinds].toarray()
    by_cell, resampled = sparse.csr_array(profile.T), np.empty((draws, cells))
    for draw in range(draws):
        times = np.bincount(rng.integers(0, m, m, dtype=np.int32), minlength=m)
        resampled[draw] = by_cell @ times.astype(np.float64)
    return resampled


def _kinds(profile: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """A row (K,) for each of the different ones of a profile without duplicates, and how often it occurs (K,)."""
    first: dict[tuple[bytes, bytes], int] = {}
    code = np.empty(profile.shape[0], dtype=np.int64)
    for row, (low, high) in enumerate(itertools.pairwise(profile.indptr)):
        code[row] = first.setdefault(
            (profile.indices[low:high].tobytes(), profile.data[low:high].tobytes()), len(first)
        )
    return np.unique(code, return_index=True)[1], np.bincount(code)


def resample_accuracy(groups: Groups, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Resampled accuracies (draws, G) and the ones they scatter about (G,).

    With people known they are drawn whole. Else right faces are drawn as binomials about (k + ½)/(n + 1): drawn about
    k/n, a group without an error would never have one. A draw without a face of a group is NaN there.
    """
    rng = np.random.default_rng(seed)
    n, k = groups.table["n"].to_numpy(), groups.table["correct"].to_numpy()
    if groups.unit is None:
        centre = (k + 0.5) / (n + 1)
        return rng.binomial(n, centre, (draws, len(n))) / n, centre
    inside = groups.member >= 0
    unit = np.unique(groups.unit[inside], return_inverse=True)[1]
    cell = groups.member[inside] * 2 + groups.right[inside]
    # Bands, gap, findings and card of one report ask for the same draws, which take seconds where people are many.
    each = None if groups.each is None else groups.each[inside]
    content = unit.tobytes() + cell.tobytes() + (b"" if each is None else each.tobytes())
    key = hashlib.sha256(content).digest() + np.array([len(n), draws, seed]).tobytes()
    counts = _DRAWN.get(key)
    if counts is None:
        counts = _DRAWN[key] = resample_cells(cell, 2 * len(n), unit, draws, rng, each)
        counts.flags.writeable = False
        if len(_DRAWN) > KEPT:
            _DRAWN.pop(next(iter(_DRAWN)), None)
    with np.errstate(invalid="ignore"):
        return counts[:, 1::2] / (counts[:, ::2] + counts[:, 1::2]), k / n
