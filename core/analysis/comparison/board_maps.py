"""Where each model of the board looks: average margin maps by group, kept in `maps/NAME.json` beside the declarations.

A group's map is the mean, over some of its faces, of the evidence for the labelled gender less that for the other. No
face's own map is kept, and no average of fewer people than `core.privacy` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.audit.folder import Audit
from core.data.filters import Filter
from core.data.splits import person_numbers
from core.errors import LookwhereError
from core.json_record import read_object
from core.privacy import MINIMUM_FACES, MOST_CELLS, enough_people
from core.task import GENDER

FOLDER = "maps"
#: Faces of a group that are looked at: maps by hiding take 50 runs a face.
FACES = 40
SEED, BATCH = 0, 16
#: Digits that are kept of a value.
DIGITS = 4


@dataclass(frozen=True)
class GroupMap:
    """A group's mean map float64 (h, w): what a cell speaks for the labelled gender less for the other, times h·w, over
    `n` faces."""

    gender: str
    ethnicity: str
    n: int
    mean: np.ndarray


@dataclass(frozen=True)
class ModelMaps:
    """The maps of a model by data set, and the method they are made by."""

    method: str
    groups: Mapping[str, list[GroupMap]]

    @property
    def method_words(self) -> str:
        """The method as readers know it; the file has the registry's name."""
        return "Grad-CAM" if self.method == "GradCAM" else self.method

    def of(self, data: str, gender: str, ethnicity: str | None = None) -> np.ndarray | None:
        """A group's map as `relative`, without `ethnicity` the mean of all groups of a gender, each alike; None where
        there are none."""
        means = [group.mean for group in self._chosen(data, gender, ethnicity)]
        return relative(np.mean(means, axis=0)) if means else None

    def faces(self, data: str, gender: str, ethnicity: str | None = None) -> int:
        """Over how many faces that is."""
        return sum(group.n for group in self._chosen(data, gender, ethnicity))

    def _chosen(self, data: str, gender: str, ethnicity: str | None) -> list[GroupMap]:
        groups = (group for group in self.groups.get(data, []) if group.gender == gender)
        return [group for group in groups if ethnicity in (None, group.ethnicity)]


def relative(mean: np.ndarray) -> np.ndarray:
    """A map (h, w) over the mean magnitude of its cells: 2 is twice what an average cell has, whatever the model's
    scale of logits and the number of its cells."""
    size = float(np.abs(mean).mean())
    return mean / size if size > 0 else mean


def sampled(faces: pd.DataFrame, filter: Filter, most: int = FACES) -> np.ndarray:
    """Places in `faces` of at most `most` of each gender and ethnicity within a filter, drawn with a fixed seed."""
    draw, inside = np.random.default_rng(SEED), filter.mask(faces)
    places = []
    for _, members in faces.groupby(["gender", "ethnicity"], observed=True, sort=True).indices.items():
        members = members[inside[members]]
        places.append(np.sort(draw.permutation(members)[:most]))
    return np.concatenate(places) if places else np.empty(0, dtype=np.int64)


def by_group(faces: pd.DataFrame, evidence: np.ndarray, minimum: int = MINIMUM_FACES) -> list[GroupMap]:
    """The mean maps of faces' evidence (N, 2, h, w) by gender and ethnicity, of groups of enough people alone.

    Raises `LookwhereError` where the maps are finer than may be shown.
    """
    if max(evidence.shape[-2:]) > MOST_CELLS:
        raise LookwhereError(
            f"maps of {evidence.shape[-2:]} cells show the face itself; {MOST_CELLS} a side are the most"
        )
    persons, sign = person_numbers(faces), np.where(GENDER.is_positive(faces), -1.0, 1.0)
    margin = (evidence[:, 0].astype(np.float64) - evidence[:, 1]) * sign[:, None, None]
    group_maps = []
    for (gender, ethnicity), members in faces.groupby(
        ["gender", "ethnicity"], observed=True, sort=True
    ).indices.items():
        if enough_people(persons[members], minimum):
            group_maps.append(GroupMap(gender, ethnicity, len(members), margin[members].mean(axis=0)))
    return group_maps


def look(
    classify: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    images: np.ndarray,
    faces: pd.DataFrame,
    tick: Callable[[int], object],
) -> list[GroupMap]:
    """The maps by group of faces whose images lie at `row` of `images`, through `classify`."""
    evidence = []
    for start in range(0, len(faces), BATCH):
        rows = faces["row"].to_numpy()[start : start + BATCH]
        evidence.append(classify(np.asarray(images[rows]))[1])
        tick(len(rows))
    return by_group(faces, np.concatenate(evidence)) if evidence else []


def of_audits(audits: Mapping[str, Audit], filter: Filter) -> ModelMaps | None:
    """The same of all faces of audits that have maps, as ours do; None where none does."""
    group_maps, method = {}, ""
    for data, audit in audits.items():
        if audit.has_maps:
            inside, method = filter.mask(audit.faces), audit.map_method
            group_maps[data] = by_group(audit.faces[inside].reset_index(drop=True), audit.evidence[inside])
    return ModelMaps(method, group_maps) if group_maps else None


def write_maps(file: Path, method: str, data: str, groups: list[GroupMap]) -> None:
    """Put a data set's maps into a model's file, in place of those that were there."""
    from core.files import write_json

    before = read_maps(file) if file.is_file() else None
    maps = read_object(file)["data"] if before and before.method == method else {}
    maps[data] = [
        {
            "gender": group.gender,
            "ethnicity": group.ethnicity,
            "n": group.n,
            "map": [[float(f"{value:.{DIGITS}g}") for value in row] for row in group.mean],
        }
        for group in groups
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, {"method": method, "unit": UNIT, "data": dict(sorted(maps.items()))})


#: What a value of the files is.
UNIT = "evidence for the labelled gender less that for the other; over the number of cells, a cell's part in the logit"


def read_maps(file: Path) -> ModelMaps:
    """What `write_maps` wrote. Raises `LookwhereError` where it is damaged, or has a map that may not be shown."""
    try:
        content = read_object(file)
        groups = {
            data: [
                GroupMap(row["gender"], row["ethnicity"], int(row["n"]), np.array(row["map"], dtype=np.float64))
                for row in rows
            ]
            for data, rows in content["data"].items()
        }
        method = str(content["method"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise LookwhereError(
            f"{file}: damaged ({error}); make it again with `python -m core board --files …`"
        ) from error
    for group in (group_map for group_maps in groups.values() for group_map in group_maps):
        if group.n < MINIMUM_FACES or group.mean.ndim != 2 or max(group.mean.shape) > MOST_CELLS:
            raise LookwhereError(f"{file}: has a map of too few faces or too many cells to be shown; make it again")
    return ModelMaps(method, groups)
