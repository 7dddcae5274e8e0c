"""Average faces by cell, kept so that no average of fewer than 11 people can be had, not even by subtraction.

A cell is gender × ethnicity × age band × predicted class (× split, and true class where that is not gender), and
further columns where an audit was asked to tell these apart (`cells`): a face whose level is not known is in a cell of
such. Cells under 11 people are merged over age bands, first on their own side of 18 years, then across; what is still
under 11 takes part in no sum. Every average that can be formed is a sum of whole cells, so the difference of two is one
as well. Faces of one identity, and near-copies of one image, are of one person; a face of no known identity stands
for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.columns import shown_level
from core.data.faces import ADULT_AGE, AGE_EDGES, age_band
from core.data.filters import Filter
from core.data.splits import person_numbers
from core.errors import LookwhereError
from core.files import read_npz, write_npz
from core.privacy import MINIMUM_FACES, MOST_OF_ONE, enough_people
from core.task import task_of

KEYS = ["split", "gender", "ethnicity", "predicted"]
#: A further key where the true class is another label than gender.
TRUTH = "labelled"
BOUNDS = ["age_from", "age_to", "n"]
#: No upper bound.
OPEN = 999
#: The cell of faces of unknown age.
UNKNOWN = -1


@dataclass(frozen=True)
class Averages:
    """`cells`: a row a cell, `split, gender, ethnicity, predicted`, further columns, `age_from, age_to, n`; ages are
    years from–to (to is excluded, 999 is open, −1 is unknown age). `means` uint8 (C, 112, 112, 3): rounded, so sums are
    good to half a grey level.
    """

    cells: pd.DataFrame
    means: np.ndarray

    def select(self, filter: Filter) -> np.ndarray:
        """Boolean (C,): cells that lie wholly inside the filter; none for a column that cells do not have."""
        if any(name not in self.cells for name, _ in filter.columns):
            return np.zeros(len(self.cells), dtype=bool)
        cells = self._as_faces
        keep = filter.narrowed(age_from=0, age_to=None).mask(cells)
        if not filter.any_age:
            keep &= (cells["age_from"] >= filter.age_from).to_numpy()
            keep &= (cells["age_to"] <= (OPEN if filter.age_to is None else filter.age_to)).to_numpy()
        return keep

    @cached_property
    def _as_faces(self) -> pd.DataFrame:
        """The cells with what else a filter asks of faces; a page asks for a dozen averages at each click."""
        truth = self.cells[TRUTH if TRUTH in self.cells else "gender"]
        return self.cells.assign(
            correct=truth == self.cells["predicted"], age=pd.array(self.cells["age_from"], dtype="Int16")
        )

    def place(self, faces: pd.DataFrame) -> np.ndarray:
        """The cell that each of the audited faces is in, int64 (N,); −1 for a face that takes part in no average."""
        band, place = age_band(faces["age"]), np.full(len(faces), -1, dtype=np.int64)
        keys = [*KEYS, *(name for name in self.cells if name not in (*KEYS, *BOUNDS))]
        members = _told_apart(faces, keys).groupby(keys, observed=True).indices if len(self.cells) else {}
        for n in range(len(self.cells)):
            cell = self.cells.iloc[n]
            inside = members.get(tuple(cell[keys]), np.empty(0, dtype=np.int64))
            place[inside[_in_bands(band[inside], cell["age_from"], cell["age_to"])]] = n
        return place

    def shares(self, faces: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """How many people each cell is of, and the share of the person with most of its faces, float64 (C,) each."""
        if not len(self.cells):
            return np.zeros(0), np.zeros(0)
        place, persons = self.place(faces), person_numbers(faces)
        inside = place >= 0
        order = np.lexsort((persons[inside], place[inside]))
        cell, person = place[inside][order], persons[inside][order]
        first = np.flatnonzero(np.r_[True, (cell[1:] != cell[:-1]) | (person[1:] != person[:-1])][: len(cell)])
        counts = np.diff(np.r_[first, len(cell)])
        people, most = np.bincount(cell[first], minlength=len(self.cells)), np.zeros(len(self.cells))
        np.maximum.at(most, cell[first], counts)
        return people.astype(np.float64), most / np.maximum(np.bincount(cell, minlength=len(self.cells)), 1)

    def of_at_least(
        self, minimum: int, faces: pd.DataFrame, shares: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Averages:
        """Without the cells of under `minimum` people, so that no average of fewer can be had by subtraction either.

        `faces` are the audited ones; versions before people were counted stored cells of fewer. `shares` are those of
        these faces, where they were counted before.
        """
        keep = (self.cells["n"] >= minimum).to_numpy(dtype=bool, copy=True)
        if keep.any():
            people, most = self.shares(faces) if shares is None else shares
            keep &= (people >= minimum) & (most <= MOST_OF_ONE)
        return self if keep.all() else Averages(self.cells[keep].reset_index(drop=True), self.means[keep])

    def none(self) -> Averages:
        """No cell and no average."""
        return Averages(self.cells.iloc[:0], self.means[:0])

    def mean(self, filter: Filter) -> tuple[np.ndarray | None, int]:
        """The average face uint8 (112, 112, 3) of the cells inside the filter, and its number of faces.

        None and 0 where no cell lies inside.
        """
        keep = self.select(filter)
        n = self.cells["n"].to_numpy()[keep]
        if n.sum() == 0:
            return None, 0
        total = np.tensordot(n.astype(np.float64), self.means[keep].astype(np.float64), axes=1)
        return (total / n.sum()).round().astype(np.uint8), int(n.sum())

    def save(self, file: Path) -> None:
        """Write `averages.npz`, compressed; strings as fixed-width unicode, so nothing is pickled.

        Images are written as what each pixel differs from its neighbours (`differenced`), which takes less than half.
        """
        columns = {f"cell_{name}": np.asarray(self.cells[name].to_list()) for name in self.cells}
        write_npz(file, {"differences": differenced(self.means)} | columns)

    @classmethod
    def load(cls, file: Path) -> Averages:
        """Raises `LookwhereError` where the file is missing or damaged."""
        try:
            content = read_npz(file)
            cells = {k.removeprefix("cell_"): array for k, array in content.items() if k.startswith("cell_")}
            # Before images were written as differences, they were written as they are.
            means = content["means"] if "means" in content else undifferenced(content["differences"])
            return cls(_checked(pd.DataFrame(cells), means), means)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LookwhereError(f"{file}: damaged or missing ({error}); delete this audit and run it again") from error


def _checked(cells: pd.DataFrame, means: np.ndarray) -> pd.DataFrame:
    """The cells. Raises `ValueError` where they are none, or the averages are not theirs."""
    if missing := [name for name in (*KEYS, *BOUNDS) if name not in cells]:
        raise ValueError(f"its cells have no {', '.join(missing)}")
    if means.dtype != np.uint8 or means.ndim != 4 or (len(means), means.shape[3]) != (len(cells), 3):
        raise ValueError(f"averages of shape {means.shape}, {means.dtype} in {len(cells)} cells")
    bounds = cells[BOUNDS]
    if len(cells) and not all(pd.api.types.is_integer_dtype(kind) for kind in bounds.dtypes):
        raise ValueError("ages or counts that are no whole numbers")
    low, high = bounds["age_from"], bounds["age_to"]
    unknown = (low == UNKNOWN) & (high == UNKNOWN)
    known = low.isin(AGE_EDGES) & high.isin((*AGE_EDGES, OPEN)) & (low < high)
    if not (unknown | known).all() or (bounds["n"] < 1).any():
        raise ValueError("cells of ages or counts that cannot be")
    if cells.drop(columns="n").duplicated().any():
        raise ValueError("a cell is there twice")
    return cells


def differenced(images: np.ndarray) -> np.ndarray:
    """Images uint8 (C, h, w, 3) as uint8 (C, 3, h, w): red and blue less green, each pixel less those before it in
    its row and its column, all modulo 256, so that nothing is lost. Zeros, mostly, which compress well."""
    planes = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    planes[:, ::2] -= planes[:, 1:2]
    for axis in (2, 3):
        planes = np.diff(planes, axis=axis, prepend=np.uint8(0))
    return planes


def undifferenced(planes: np.ndarray) -> np.ndarray:
    """The images that `differenced` took. Raises `ValueError` where these are none."""
    if planes.ndim != 4 or planes.shape[1] != 3 or planes.dtype != np.uint8:
        raise ValueError(f"differences of shape {planes.shape}, {planes.dtype}")
    for axis in (2, 3):
        planes = np.cumsum(planes, axis=axis, dtype=np.uint8)
    planes[:, ::2] += planes[:, 1:2]
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))


def _in_bands(band: np.ndarray, age_from: int, age_to: int) -> np.ndarray:
    """Which of these age bands lie in a cell's years, bool (n,)."""
    if age_from == UNKNOWN:
        return band < 0
    upper = len(AGE_EDGES) if age_to == OPEN else AGE_EDGES.index(age_to)
    return (band >= AGE_EDGES.index(age_from)) & (band < upper)


def _told_apart(faces: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The faces with a word in each further column: «not recorded» where the level is not known."""
    if TRUTH in keys:
        faces = faces.assign(**{TRUTH: task_of(faces).truth(faces)})
    further = [name for name in keys if name not in (*KEYS, TRUTH)]
    return faces.assign(**{name: [shown_level(level) for level in faces[name]] for name in further})


def assign_cells(
    faces: pd.DataFrame, minimum: int = MINIMUM_FACES, further: Sequence[str] = ()
) -> tuple[pd.DataFrame, np.ndarray]:
    """The cells of an audit's faces after merging, and each face's cell: int64 (N,), −1 where it takes part in none.

    `further` are columns of the faces whose levels are told apart too. A cell has `minimum` people or more
    (`core.privacy.enough_people`).
    """
    band, persons = age_band(faces["age"]), person_numbers(faces)
    place = np.full(len(faces), -1, dtype=np.int64)
    cells: list[dict] = []
    further = further if task_of(faces).is_gender else (*further, TRUTH)
    keys = [*KEYS, *further]
    for key, members in _told_apart(faces, keys).groupby(keys, observed=True, sort=True).indices.items():
        runs = merge_bands([persons[members[band[members] == n]] for n in range(len(AGE_EDGES))], minimum)
        unknown = members[band[members] < 0]
        if enough_people(persons[unknown], minimum):
            place[unknown] = len(cells)
            cells.append((*key, UNKNOWN, UNKNOWN, len(unknown)))
        for low, high in runs:
            inside = members[(band[members] >= low) & (band[members] < high)]
            place[inside] = len(cells)
            upper = AGE_EDGES[high] if high < len(AGE_EDGES) else OPEN
            cells.append((*key, AGE_EDGES[low], upper, len(inside)))
    return pd.DataFrame(cells, columns=[*keys, *BOUNDS]), place


def merge_bands(persons: Sequence[np.ndarray], minimum: int = MINIMUM_FACES) -> list[tuple[int, int]]:
    """Runs [low, high) of age bands with at least `minimum` people each, from the persons of a group's bands.

    Children and adults are merged apart where a side has enough, together where only both have; bands that cannot reach
    it without the other side's are left out if that side stands alone.
    """
    adult = AGE_EDGES.index(ADULT_AGE)
    runs = _merged(persons, 0, adult, minimum) + _merged(persons, adult, len(persons), minimum)
    return runs or _merged(persons, 0, len(persons), minimum)


def _merged(persons: Sequence[np.ndarray], first: int, last: int, minimum: int) -> list[tuple[int, int]]:
    """The shortest runs of bands `first` to `last`, excluded, from the youngest on, that have enough people.

    What is left over at the end joins the run before it, where that has enough people still.
    """
    runs, start = [], first
    for high in range(first + 1, last + 1):
        if enough_people(np.concatenate(persons[start:high]), minimum):
            runs.append((start, high))
            start = high
    if runs and start < last and enough_people(np.concatenate(persons[runs[-1][0] : last]), minimum):
        runs[-1] = (runs[-1][0], last)
    return runs


@dataclass(frozen=True)
class Share:
    """What one of several processes averages: its `part` of the images. `total` adds up the sums of all processes,
    int64 (C, 112, 112, 3)."""

    part: slice = field(default_factory=lambda: slice(None))
    total: Callable[[np.ndarray], np.ndarray] = lambda sums: sums


#: The share of the only process.
WHOLE = Share()


@dataclass(frozen=True)
class CellRule:
    """Which cells faces are averaged in: none has under `minimum` people, and levels of the columns `further` are told
    apart."""

    minimum: int = MINIMUM_FACES
    further: Sequence[str] = ()


#: The cells that every average of this project may have.
USUAL_CELLS = CellRule()


def average_faces(
    images: np.ndarray,
    rows: np.ndarray,
    faces: pd.DataFrame,
    rule: CellRule = USUAL_CELLS,
    share: Share = WHOLE,
    block: int = 1024,
    tick: Callable[..., object] | None = None,
) -> Averages:
    """Average the images at `rows` of `images` by cell, reading them `block` at a time; memory is of the cells only.

    Of several processes each reads its `share` of the images; `tick` is told how many were read.
    """
    cells, place = assign_cells(faces, rule.minimum, rule.further)
    # 64 bits: 17 million faces of one cell would be more than 32 can hold.
    sums = np.zeros((len(cells), *images.shape[1:]), dtype=np.int64)
    place, rows = place[share.part], rows[share.part]
    for start in range(0, len(rows), block):
        cell = place[start : start + block]
        block_images = images[rows[start : start + block]]
        for n in np.unique(cell[cell >= 0]):
            sums[n] += block_images[cell == n].sum(axis=0, dtype=np.uint32)
        if tick is not None:
            tick(len(cell))
    sums, counts = share.total(sums), cells["n"].to_numpy().reshape(-1, 1, 1, 1)
    means = np.round(sums / np.maximum(counts, 1)).astype(np.uint8) if len(cells) else sums.astype(np.uint8)
    return Averages(cells, means)
