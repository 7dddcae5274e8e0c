"""Group means: of maps by any filter, of faces by whole cells, additive and mergeable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.audit.folder import Audit
from core.data.faces import counts_of, ethnicity_known, gender_known, most_first
from core.data.filters import Filter
from core.errors import LookwhereError
from core.explain.maps import SUMMED_AS, added_up, check_display, mean_of
from core.explain.placement import Placement
from core.privacy import MINIMUM_FACES
from core.task import GENDERS

#: Faces whose maps are added up at a time.
BLOCK = 1 << 15


class MeanMap:
    """A streaming mean and variance of maps (h, w), Chan et al. 1983: `update`, `merge`, `result`."""

    def __init__(self) -> None:
        self.n = 0
        self._mean: np.ndarray | float = 0.0
        self._squares: np.ndarray | float = 0.0

    def update(self, maps: np.ndarray) -> MeanMap:
        """Take in maps (M, h, w)."""
        if len(maps):
            block = MeanMap()
            block.n = len(maps)
            block._mean = maps.mean(axis=0, dtype=np.float64)
            block._squares = ((maps - block._mean) ** 2).sum(axis=0, dtype=np.float64)
            self.merge(block)
        return self

    def merge(self, second: MeanMap) -> MeanMap:
        """Take in what another has seen; the order does not matter beyond rounding."""
        if second.n:
            n = self.n + second.n
            apart = second._mean - self._mean
            self._squares = self._squares + second._squares + apart**2 * (self.n * second.n / n)
            self._mean = self._mean + apart * (second.n / n)
            self.n = n
        return self

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard error (h, w), float64 (the error is NaN of one map). Raises `LookwhereError` when empty."""
        if self.n == 0:
            raise LookwhereError("no face in this group, so there is no mean map")
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.sqrt(self._squares / (self.n - 1) / self.n) if self.n > 1 else np.full_like(self._mean, np.nan)
        return np.asarray(self._mean), np.asarray(error)


@dataclass(frozen=True)
class Group:
    """One group of an audit.

    `n` faces, `correct` of them predicted right; `map` float64 (h, w), or None under `minimum` faces (the audit's) and
    where the audit has no maps; `face` uint8 (112, 112, 3) and the `face_n` faces in it, or None where no stored cell
    lies inside the filter. `placement` says where the map's cells lie, None where they are tiles.
    """

    filter: Filter
    n: int
    correct: int
    map: np.ndarray | None
    face: np.ndarray | None
    face_n: int
    minimum: int = MINIMUM_FACES
    placement: Placement | None = None

    @property
    def name(self) -> str:
        """The group in words."""
        return self.filter.describe()

    @property
    def too_small(self) -> bool:
        """True where the group has under `minimum` faces (the audit's), so that nothing averaged is shown."""
        return self.n < self.minimum


def group(audit: Audit, filter: Filter, target: str = "true", normalisation: str = "raw") -> Group:
    """Mean map and average face of the faces that pass a filter."""
    table = _rows(audit, filter)
    return _group(audit, filter, table, filter.mask(table), target, normalisation)


def _rows(audit: Audit, filter: Filter) -> pd.DataFrame:
    """The audit's faces, or its cells where these can tell what the filter asks."""
    return audit.cells.table if audit.cells is not None and audit.cells.tells(filter) else audit.faces


def _group(
    audit: Audit, filter: Filter, table: pd.DataFrame, mask: np.ndarray, target: str, normalisation: str
) -> Group:
    """`group` where the rows (N,) of `table` that pass the filter are known."""
    each = np.ones(len(table), dtype=np.int64) if table is audit.faces else table["n"].to_numpy()
    n, correct = int(each[mask].sum()), int(each[mask & table["correct"].to_numpy(dtype=bool)].sum())
    mean, face, face_n = None, None, 0
    if n >= audit.minimum_faces and audit.has_maps:
        mean = _mean_map(audit, table, mask, n, target, normalisation)
    if n >= audit.minimum_faces:
        face, face_n = audit.averages.mean(filter)
    return Group(filter, n, correct, mean, face, face_n, audit.minimum_faces, audit.placement)


def _mean_map(
    audit: Audit, table: pd.DataFrame, mask: np.ndarray, n: int, target: str, normalisation: str
) -> np.ndarray:
    """The mean display map (h, w) of the n faces of `mask`: rows of `table`, which are the audit's faces or cells.

    Sums are exact (`core.explain.maps.added_up`), so both ways give the same.
    """
    task = audit.task
    check_display(target, normalisation, task)
    positive = {
        "true": task.is_positive(table),
        "predicted": (table["predicted"] == task.positive).to_numpy(dtype=bool),
    }.get(target)
    if positive is None:
        parts = [("margin" if target == "margin" else str(task.index(target)), mask)]
    else:
        parts = [("0", mask & ~positive), ("1", mask & positive)]
    total = np.zeros(audit.map_shape)
    for which, inside in parts:
        kind, rows = f"{which}, {normalisation}", np.flatnonzero(inside)
        if table is not audit.faces:
            total += audit.cells.sums[rows, SUMMED_AS.index(kind)].sum(axis=0)
            continue
        for start in range(0, len(rows), BLOCK):
            maps = audit.evidence[rows[start : start + BLOCK]].astype(np.float32)
            total += added_up(maps, kind, np.zeros(1, dtype=np.int64))[0]
    return mean_of(total, n, normalisation)


def intersectional(audit: Audit, filter: Filter) -> list[tuple[str, str]]:
    """The (gender, ethnicity) pairs present inside a filter: ethnicities by falling count, women before men.

    Where no gender is recorded it is empty, and where nothing is, so is the one pair of all faces; without a face there
    is no pair.
    """
    faces = audit.counted(filter.narrowed(outcome="all"))
    if not len(faces):
        return []
    order = most_first(faces["ethnicity"], counts_of(faces))
    if not gender_known(faces):
        return [("", e) for e in order] if ethnicity_known(faces) else [("", "")]
    present = set(map(tuple, faces[["gender", "ethnicity"]].drop_duplicates().to_numpy()))
    return [(g, e) for e in order for g in GENDERS if (g, e) in present]


def study_grid(audit: Audit, filter: Filter, target: str = "true", normalisation: str = "raw") -> pd.DataFrame:
    """The original study's grid: each gender over all ethnicities (`ethnicity` is then empty), then each gender ×
    ethnicity; a row's correct and incorrect `Group`. With two ethnicities these are the study's twelve pairs."""
    crossed = intersectional(audit, filter)
    several = len({ethnicity for _, ethnicity in crossed}) > 1
    genders = (*GENDERS, "")
    whole = [(gender, "") for gender in genders if several and any(g == gender for g, _ in crossed)]
    every = filter.narrowed(outcome="all")
    table = _rows(audit, every)
    # Texts are compared once for each name, not once for each group.
    passes, right = every.mask(table), table["correct"].to_numpy(dtype=bool)
    of_name = {
        column: {
            name: (table[column] == name).to_numpy(dtype=bool) for name in {pair[place] for pair in crossed} - {""}
        }
        for place, column in enumerate(("gender", "ethnicity"))
    }
    rows = []
    for gender, ethnicity in whole + crossed:
        narrow = filter.narrowed(
            gender=(gender,) if gender else filter.gender, ethnicity=(ethnicity,) if ethnicity else filter.ethnicity
        )
        inside = passes & of_name["gender"].get(gender, True) & of_name["ethnicity"].get(ethnicity, True)
        pair = {
            outcome: _group(audit, narrow.narrowed(outcome=outcome), table, inside & called, target, normalisation)
            for outcome, called in (("correct", right), ("incorrect", ~right))
        }
        rows.append({"gender": gender, "ethnicity": ethnicity, **pair})
    return pd.DataFrame(rows, columns=["gender", "ethnicity", "correct", "incorrect"])
