"""Being correct by gender, ethnicity and age: the fitted model on which tests and accuracies at equal ages rest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from core.analysis.accuracy import logistic
from core.analysis.accuracy.by_group import LARGE_GROUP
from core.analysis.accuracy.counts import Groups, group_counts
from core.data.faces import AGE_BANDS, AGE_EDGES, UNRECORDED, age_band, counts_of, gender_known, most_first, people
from core.errors import LookwhereError
from core.privacy import MINIMUM_FACES
from core.task import GENDERS


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


@dataclass(frozen=True)
class Design:
    """Rows of counts and their columns: x (N, P), `term` (P,) of each column."""

    x: np.ndarray
    term: np.ndarray

    def keep(self, columns: np.ndarray) -> Design:
        return Design(self.x[:, columns], self.term[columns])


@dataclass(frozen=True)
class AgeModel:
    """right ~ gender × ethnicity + gender × age band, fitted to the groups' faces of known age.

    `groups` in it, their rows as they come; `without_age` faces left out for want of an age. `band` int (N,) of each
    face, by `bands`; `cells`: g, e, b (codes), k right of n faces; `full` their design, `apart` bool (rows): those that
    separate. `counts` int (E, B): faces by ethnicity and age band.
    """

    groups: Groups
    without_age: int
    band: np.ndarray
    bands: tuple[str, ...]
    ethnicities: tuple[str, ...]
    base: int
    used: np.ndarray
    cells: pd.DataFrame
    full: Design
    persons: logistic.Persons | None
    apart: np.ndarray
    fit: logistic.Fit
    counts: np.ndarray

    @property
    def penalised(self) -> bool:
        """Whether cells separate, so that no maximum likelihood exists."""
        return bool(self.apart.any())

    @property
    def codes(self) -> pd.DataFrame:
        """The groups' table with the codes `g` and `e` of gender and ethnicity."""
        table = self.groups.table
        genders, ethnicities = self.genders, list(self.ethnicities)
        return table.assign(
            g=[genders.index(g) for g in table["gender"]], e=[ethnicities.index(e) for e in table["ethnicity"]]
        )

    @property
    def genders(self) -> tuple[str, str]:
        """The genders of the codes 0 and 1; where none is recorded, all faces are of code 0 and of no gender."""
        return GENDERS if gender_known(self.groups.table) else (UNRECORDED, UNRECORDED)

    def row(self, g: int, e: int, b: int) -> np.ndarray:
        """The design's row (P,) of a gender, ethnicity and age band."""
        sizes = (len(self.ethnicities), len(self.bands), self.base)
        return _design(np.array([g]), np.array([e]), np.array([b]), *sizes).keep(self.used).x[0]


def age_model(faces: pd.DataFrame, threshold: float = 0.5, ages: bool = True, smallest: int = LARGE_GROUP) -> AgeModel:
    """Fit the model on the faces of known age in groups of `smallest` and more; of all groups with 1.

    Without `ages` it is fitted whatever the ages, known or not, as if all were alike. Raises `LookwhereError` where
    there is nothing to fit.
    """
    if not ages:
        faces = faces.assign(age=0)
    by = ["gender"] if set(faces["ethnicity"].unique()) == {UNRECORDED} else ["gender", "ethnicity"]
    no_telling = ", so age cannot be told from ethnicity" if "ethnicity" in by else ""
    has_age = age_band(faces["age"]) >= 0
    if not has_age.any():
        raise LookwhereError(f"no age is known here{no_telling}")
    aged = faces if has_age.all() else faces[has_age]  # no copy of a hundred columns where nothing is left out
    groups = group_counts(aged, by, threshold, smallest, order="")
    part = aged if (groups.member >= 0).all() else aged[groups.member >= 0]
    right, unit, each = groups.right[groups.member >= 0], people(part), counts_of(part)
    if len(groups.table) < 2:
        few = f"have {smallest} faces" if smallest > 1 else "have faces"
        raise LookwhereError(f"no two groups {few} of known age{no_telling}")
    if right.all() or not right.any():
        raise LookwhereError("all predictions are correct or all incorrect, so there is nothing to explain")
    band, bands = _merged_bands(age_band(part["age"]), each)
    if len(bands) < 2 and ages:
        raise LookwhereError(f"all faces are of one age band ({bands[0]}), so age has nothing to explain")
    ethnicities = most_first(part["ethnicity"], each) if "ethnicity" in by else [""]
    ethnicity = np.zeros(len(part), dtype=np.int64)
    if "ethnicity" in by:  # codes come in eight bits, which ethnicity × age band outgrows
        ethnicity = pd.Categorical(part["ethnicity"], ethnicities).codes.astype(np.int64)
    gender = (part["gender"] == GENDERS[1]).to_numpy().astype(int)
    base_band = int(np.bincount(band, weights=each).argmax())
    # Faces of one gender, ethnicity and age are alike to the model, so it is fitted to such cells, not to faces.
    sizes = (len(GENDERS), len(ethnicities), len(bands))
    present, cell = np.unique(np.ravel_multi_index((gender, ethnicity, band), sizes), return_inverse=True)
    cells = pd.DataFrame(dict(zip("geb", np.unravel_index(present, sizes), strict=True)))
    n, k = (np.bincount(cell, weights=weights).astype(np.int64) for weights in (each, right * each))
    cells = cells.assign(k=k, n=n)
    whole = _design(*(cells[c].to_numpy() for c in "geb"), len(ethnicities), len(bands), base_band)
    used = _full_rank(whole.x)
    if used.sum() >= each.sum():
        raise LookwhereError(
            f"{each.sum():,} faces in {len(groups.table):,} groups are no more than the model has terms, so age cannot "
            "be told from ethnicity"
        )
    full = whole.keep(used)
    persons = None if unit is None else logistic.Persons.counted(unit, cell, right, len(cells), each)
    apart = logistic.separated(full.x, k, n)
    fit = (logistic.firth if apart.any() else logistic.maximum_likelihood)(full.x, k, n, persons)
    place = ethnicity * len(bands) + band
    counts = np.bincount(place, weights=each, minlength=len(ethnicities) * len(bands)).astype(np.int64)
    counts = counts.reshape(len(ethnicities), len(bands))
    return AgeModel(
        groups, int(counts_of(faces)[~has_age].sum()), band, tuple(bands), tuple(ethnicities), base_band, used, cells,
        full, persons, apart, fit, counts,
    )  # fmt: skip


def _design(g: np.ndarray, e: np.ndarray, b: np.ndarray, ethnicities: int, bands: int, base: int) -> Design:
    """Rows of genders, ethnicities and age bands (N,) by their codes; `base` is the band that has no column."""
    blocks = [(None, np.ones((len(g), 1))), (Term.GENDER, g[:, None].astype(float))]
    eth = (e[:, None] == np.arange(1, ethnicities)).astype(float)
    age = (b[:, None] == np.delete(np.arange(bands), base)).astype(float)
    blocks += [(Term.ETHNICITY, eth), (Term.GENDER_ETHNICITY, eth * g[:, None])]
    blocks += [(Term.AGE, age), (Term.GENDER_AGE, age * g[:, None])]
    return Design(
        np.concatenate([block for _, block in blocks], axis=1),
        np.array([term for term, block in blocks for _ in range(block.shape[1])], dtype=object),
    )


def _merged_bands(band: np.ndarray, each: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Bands renumbered from 0 (N,), those under 11 faces joined to the smaller neighbour, and their names; a row stands
    for `each` faces."""
    counts = np.bincount(band, weights=each, minlength=len(AGE_BANDS)).astype(np.int64)
    parts = [[b] for b in range(len(AGE_BANDS)) if counts[b]]
    sizes = [int(counts[b[0]]) for b in parts]
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
    return np.array([lookup.get(b, 0) for b in range(len(AGE_BANDS))])[band], names


def _full_rank(x: np.ndarray) -> np.ndarray:
    """Bool (P,): the columns that each add to the rank of those before; what is left out cannot be told apart.

    A column of `x`, whose entries are 0 and 1, adds to it where something of it is outside the span of those before:
    Gram and Schmidt, each projection taken twice (Giraud et al. 2005, Numer Math 101:87). With hundreds of groups a
    decomposition a column would take minutes.
    """
    keep, span = np.zeros(x.shape[1], dtype=bool), np.empty((len(x), min(x.shape)))
    for column in range(x.shape[1]):
        basis = span[:, : keep.sum()]
        if basis.shape[1] == span.shape[1]:
            break
        rest = x[:, column]
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        if length > 1e-8 * max(1.0, np.linalg.norm(x[:, column])):
            span[:, basis.shape[1]] = rest / length
            keep[column] = True
    return keep
