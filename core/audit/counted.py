"""Faces of a large audit counted together: what accuracies of groups, their intervals and tests are made of.

A row stands for the faces of one person that are alike in split, gender, ethnicity, age band and true class, and that
are called alike; `core.data.faces.COUNT` says how many these are. Of millions of faces some hundred thousand rows are
left, and functions that take such counts give the numbers that they give of the faces. There are no scores in it, so
what needs these fails instead of counting wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.faces import AGE_EDGES, COUNT, REQUIRED, age_band
from core.data.filters import Filter
from core.task import CARRIED, Task


@dataclass(frozen=True)
class Kinds:
    """`place` int32 (N,): each face's kind; `first` int64 (K,): a face of each, rising. Kinds come in the order of
    their first faces, so that people do too."""

    place: np.ndarray
    first: np.ndarray

    @classmethod
    def from_faces(cls, faces: pd.DataFrame, task: Task) -> Kinds:
        """The kinds of faces that there are. Who is not known is a person of their own where anybody is known."""
        code = np.zeros(len(faces), dtype=np.int64)
        person = pd.factorize(faces["identity"], use_na_sentinel=True)[0].astype(np.int64)
        unknown = person < 0
        if not unknown.all():
            person[unknown] = person.max() + 1 + np.arange(int(unknown.sum()))
        levels = [person + 1, age_band(faces["age"]).astype(np.int64) + 1]
        levels += [
            pd.factorize(faces[key], use_na_sentinel=False)[0].astype(np.int64)
            for key in dict.fromkeys(("split", "gender", "ethnicity", task.attribute))
        ]
        for level in levels:
            code = code * (int(level.max(initial=0)) + 1) + level
        _, first, place = np.unique(code, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty(len(first), dtype=np.int32)
        rank[order] = np.arange(len(first), dtype=np.int32)
        return cls(rank[place], first[order])

    def table(self, faces: pd.DataFrame, task: Task) -> pd.DataFrame:
        """A row a kind; its age is the lower edge of its band."""
        names = dict.fromkeys((*(set(REQUIRED) - {"face_id", "path", "cluster"}), task.attribute))
        table = faces[[name for name in faces if name in names]].iloc[self.first].reset_index(drop=True)
        band = age_band(table["age"])
        age = pd.array(np.array(AGE_EDGES)[np.maximum(band, 0)], dtype="Int16")
        age[band < 0] = pd.NA
        return table.assign(age=age)


def tells(filter: Filter) -> bool:
    """Whether a filter's ages are edges of age bands, which kinds are told apart by."""
    return filter.age_from in AGE_EDGES and (filter.age_to is None or filter.age_to in AGE_EDGES)


def counted_faces(
    faces: pd.DataFrame, kinds: Kinds, table: pd.DataFrame, task: Task, filter: Filter, threshold: float
) -> pd.DataFrame:
    """The faces that pass the filter, counted; called positive from `threshold` on. `table` is `kinds.table`."""
    called = task.called(faces, threshold)
    code = kinds.place * np.int32(2) + called
    rest = Filter(outcome=filter.outcome, columns=filter.columns)
    if rest != Filter():
        some = np.flatnonzero(rest.mask(faces))
        code = code[some]
        first = np.full(len(kinds.first), len(faces))
        first[kinds.place[some[::-1]]] = some[::-1]  # of one kind the first face is written last
    n = np.bincount(code, minlength=2 * len(kinds.first))
    inside = np.repeat(filter.narrowed(outcome="all", columns=()).mask(table), 2)
    rows = np.flatnonzero(inside & (n > 0))
    if rest != Filter():
        rows = rows[np.argsort(first[rows // 2], kind="stable")]
    positive = rows % 2 == 1
    counts = table.iloc[rows // 2].reset_index(drop=True)
    predicted = pd.Categorical.from_codes(positive.astype(np.int8), pd.Index(task.classes, dtype="str"))
    right = task.is_positive(counts) == positive
    # Below any threshold, and at or above any: a threshold of 0 or 1 is one too.
    counts = counts.assign(
        **{task.probability: np.where(positive, np.inf, -np.inf)}, predicted=predicted, correct=right
    )
    counts = counts.assign(**{COUNT: n[rows]})
    if CARRIED in faces.attrs:
        counts.attrs = {CARRIED: faces.attrs[CARRIED]}
    return counts
