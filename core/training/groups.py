"""Which groups a training balances, watches and records: the classes of its task, crossed with columns of the faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.columns import MOST_CROSSED, Column, find_column, loose
from core.data.faces import AGE_BANDS, UNRECORDED, age_band, gender_known
from core.data.filters import group_name
from core.errors import LookwhereError
from core.task import GENDER, Task

#: The columns that groups are made by unless others are asked for.
GROUPS = ("gender", "ethnicity")
AGE = "age_band"
ALWAYS = (*GROUPS, AGE)


@dataclass(frozen=True)
class TrainingGroup:
    """A group: `key` is its name in `metrics.csv` and settings, `words` what a person calls it.

    `gender` and `ethnicity` are empty where groups are not made by them.
    """

    key: str
    words: str
    gender: str = ""
    ethnicity: str = ""

    @property
    def column(self) -> str:
        """Its column in `metrics.csv`."""
        return "val_" + (f"{self.gender}_{self.ethnicity}" if self.plain else self.key)

    @property
    def plain(self) -> bool:
        """Whether gender and ethnicity say all of it."""
        return self.key == f"{self.gender} {self.ethnicity}"


def asked_groups(columns: Sequence[Column], names: Sequence[str]) -> tuple[str, ...]:
    """The columns of the faces that are asked for, each once. Raises `LookwhereError` naming what there is."""
    chosen_columns = []
    for name in names:
        always = [column for column in ALWAYS if loose(column) == loose(name)]
        chosen_columns += always or [find_column(columns, name, purpose="--groups", also=ALWAYS).name]
    chosen_columns = list(dict.fromkeys(chosen_columns))
    if not 1 <= len(chosen_columns) <= MOST_CROSSED:
        raise LookwhereError(
            f"--groups {' '.join(names)}: one to {MOST_CROSSED} columns are crossed, not {len(chosen_columns)}"
        )
    return tuple(chosen_columns)


def crossed(task: Task, groups: Sequence[str]) -> list[str]:
    """The columns whose crossing makes the groups: what is classified, then the chosen ones."""
    return list(dict.fromkeys([task.attribute, *groups]))


def level_codes(faces: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """A number for each face's crossing of levels, int64 (N,), equal for equal ones; unknown is a level too."""
    code = np.zeros(len(faces), dtype=np.int64)
    for column in columns:
        part, names = _levels(faces, column)
        code = code * len(names) + part
    return np.unique(code, return_inverse=True)[1]


def balance_codes(
    faces: pd.DataFrame, balance: str, task: Task = GENDER, groups: Sequence[str] = GROUPS
) -> np.ndarray | None:
    """The part of the faces that each belongs to where parts are to be equally frequent, int64 (N,); None of «none».

    «class»: by what is classified; «gender»: by gender, whatever is classified; «group»: by `crossed`. Raises
    `LookwhereError` where that is gender and none is recorded.
    """
    if balance == "gender" and not gender_known(faces):
        raise LookwhereError(f"--balance gender: the gender of these faces is {UNRECORDED}")
    if balance == "none":
        return None
    return level_codes(faces, {"class": [task.attribute], "gender": ["gender"]}.get(balance, crossed(task, groups)))


def balance_words(balance: str, task: Task = GENDER, groups: Sequence[str] = GROUPS, each: bool = False) -> str:
    """What «balance» makes equally frequent: «genders × ethnicities», «classes of glasses × genders»; `each` one of
    them is a «gender × ethnicity»."""
    if balance == "none":
        return ""
    columns = {"class": [task.attribute], "gender": ["gender"]}.get(balance, crossed(task, groups))
    plural = {"gender": "genders", "ethnicity": "ethnicities", AGE: "age bands"}
    singular = {AGE: "age band"}
    if not task.is_gender:
        plural[task.attribute], singular[task.attribute] = f"classes of {task.name}", f"class of {task.name}"
    return " × ".join(singular.get(name, name) if each else plural.get(name, f"levels of {name}") for name in columns)


def training_groups(
    faces: pd.DataFrame, task: Task = GENDER, groups: Sequence[str] = GROUPS
) -> tuple[np.ndarray, list[TrainingGroup]]:
    """Each face's place (N,) in the list of the groups that occur.

    Of gender by gender and ethnicity a group's key is «female Black», as settings and metrics have had it; of others it
    is its words: «Black women with glasses, camera: front».
    """
    columns, known = crossed(task, groups), gender_known(faces)
    code, levels = np.zeros(len(faces), dtype=np.int64), []
    for column in columns:
        part, names = _levels(faces, column)
        levels.append(names)
        code = code * len(names) + part
    present, member = np.unique(code, return_inverse=True)
    groups_present = []
    for code_of_group in present:
        place = np.unravel_index(code_of_group, [len(names) for names in levels])
        level = {c: names[n] for c, names, n in zip(columns, levels, place, strict=True)}
        groups_present.append(_group(task, level, known))
    return member, groups_present


def _group(task: Task, level: dict[str, str], any_gender: bool) -> TrainingGroup:
    """The group of these levels by column; where no face has a gender, its name says nothing of it."""
    gender, ethnicity = level.get("gender", ""), level.get("ethnicity", "")
    if gender == UNRECORDED and not any_gender:
        gender, ethnicity = "", "" if ethnicity == UNRECORDED else ethnicity
    if level.keys() == {*GROUPS} and task.is_gender:
        return TrainingGroup(f"{gender} {ethnicity}", group_name(gender, ethnicity), gender, ethnicity)
    name = group_name(gender or (), ethnicity or ()) if gender or ethnicity else ""
    if (classified := task.words_of(level)) is not None:
        name = classified.of(name)
    rest = [f"{column}: {value}" for column, value in level.items() if column not in (*GROUPS, task.attribute)]
    words = ", ".join([name, *rest])
    return TrainingGroup(words, words, gender, ethnicity)


def _levels(faces: pd.DataFrame, column: str) -> tuple[np.ndarray, list[str]]:
    """The level of each face as a number int64 (N,), and the levels' names; the last is that of unknown ones."""
    if column == AGE:
        code, names = age_band(faces["age"]).astype(np.int64), list(AGE_BANDS)
    elif column not in faces:
        raise LookwhereError(f"--groups {column}: the faces have no such column; align them again with it")
    elif isinstance(faces[column].dtype, pd.CategoricalDtype):
        code = faces[column].cat.codes.to_numpy(dtype=np.int64)
        names = [str(name) for name in faces[column].cat.categories]
    else:
        code, values = pd.factorize(faces[column], sort=True)
        names = [str(name) for name in values]
    return np.where(code < 0, len(names), code), [*names, UNRECORDED]
