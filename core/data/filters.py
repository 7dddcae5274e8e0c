"""Which faces are looked at: the filter, and the words for it and for groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from core.data.columns import Column
from core.data.faces import ADULT_AGE, AGE_CHOICES, UNRECORDED, years_of
from core.data.measures import BY_NAME
from core.errors import LookwhereError
from core.task import gender_noun
from core.wording import ETHNICITY_WORDS

OUTCOMES = ("all", "correct", "incorrect")
#: What a filter that asks for no group is called.
ALL_FACES = "all faces"


@dataclass(frozen=True)
class Filter:
    """Which faces: an empty tuple means «all», ages are years from `age_from` up to and without `age_to`.

    `columns` has the wanted levels of further columns (`core.data.columns`) by name, sorted by it. `column_words` is
    how a person says such columns (`spoken`); it asks for no face, so filters that differ in it alone are equal.
    """

    gender: tuple[str, ...] = ()
    ethnicity: tuple[str, ...] = ()
    age_from: int = 0
    age_to: int | None = None
    outcome: str = "all"
    split: tuple[str, ...] = ()
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    column_words: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        chosen_levels = sorted((name, tuple(levels)) for name, levels in self.columns if levels)
        object.__setattr__(self, "columns", tuple(chosen_levels))  # one order, so that equal filters are equal
        if self.outcome not in OUTCOMES:
            raise LookwhereError(f"outcome must be one of {OUTCOMES}, not {self.outcome!r}")
        if self.age_to is not None and self.age_to <= self.age_from:
            raise LookwhereError(f"age_to ({self.age_to}) must lie above age_from ({self.age_from})")

    @classmethod
    def of_ages(cls, faces: pd.DataFrame, ages: str = "adults") -> Filter:
        """Which faces a result is about: `adults` where any face's age is known, else all; or `all`.

        Small children's perceived gender is close to a guess for anyone, and their share differs between ethnicities.
        Faces of unknown age are not among the adults. Raises `LookwhereError` for other `ages`.
        """
        if ages not in AGE_CHOICES:
            raise LookwhereError(f"ages must be one of {', '.join(AGE_CHOICES)}, not {ages!r}")
        return cls(age_from=ADULT_AGE) if ages == "adults" and faces["age"].notna().any() else cls()

    @property
    def primary(self) -> bool:
        """True for the faces of the declared primary analysis, all adults; any other choice is exploratory."""
        return self == Filter(age_from=ADULT_AGE)

    @property
    def any_age(self) -> bool:
        """True where the filter asks nothing of the age, so faces of unknown age pass too."""
        return self.age_from == 0 and self.age_to is None

    def mask(self, faces: pd.DataFrame) -> np.ndarray:
        """Boolean (N,): the rows of `faces` that pass. `outcome` needs the audit's column `correct`.

        Raises `LookwhereError` for a column that the faces do not have.
        """
        keep = np.ones(len(faces), dtype=bool)
        for column in ("gender", "ethnicity", "split"):
            choice = getattr(self, column)
            if choice:
                keep &= faces[column].isin(choice).to_numpy()
        for name, levels in self.columns:
            if name not in faces:
                raise LookwhereError(f"no column {name!r} among these faces, so they cannot be filtered by it")
            keep &= faces[name].isin(levels).to_numpy()
        if not self.any_age:
            age = years_of(faces["age"])
            keep &= age >= self.age_from
            if self.age_to is not None:
                keep &= age < self.age_to
        if self.outcome != "all":
            keep &= faces["correct"].to_numpy(dtype=bool) == (self.outcome == "correct")
        return keep

    def applies_to(self, faces: pd.DataFrame) -> bool:
        """Whether the faces have every column that is asked of."""
        return all(name in faces for name, _ in self.columns)

    def narrowed(self, **changes: object) -> Filter:
        """This filter with some fields replaced."""
        return replace(self, **changes)

    def spoken(self, columns: Sequence[Column]) -> Filter:
        """The same filter, which calls these columns as a person says them."""
        return replace(self, column_words=tuple((column.name, column.said) for column in columns))

    def describe(self, columns: Sequence[Column] = ()) -> str:
        """The filter in words: «Black women with glasses: yes, 18 and older, predicted incorrectly».

        `columns` are the audit's, where they are at hand: then they are called as a person says them, as measures of
        the image always are.
        """
        children = self.age_to is not None and self.age_to <= ADULT_AGE
        parts = [self.of_levels(group_name(self.gender, self.ethnicity, children), columns)]
        if not self.any_age:
            parts.append(age_words(self.age_from, self.age_to))
        if self.outcome != "all":
            parts.append({"correct": "predicted correctly", "incorrect": "predicted incorrectly"}[self.outcome])
        if self.split:
            parts.append(f"{' + '.join(self.split)} split")
        return ", ".join(parts)

    def of_levels(self, who: str, columns: Sequence[Column] = ()) -> str:
        """Whose faces pass, with the levels that are asked for: of adults «adults with glasses: yes»."""
        if not self.columns:
            return who
        words_of = {name: measure.words for name, measure in BY_NAME.items()} | dict(self.column_words)
        words_of |= {column.name: column.said for column in columns}
        levels = [f"{words_of.get(name, name)}: {' or '.join(levels)}" for name, levels in self.columns]
        return f"{'faces' if who == ALL_FACES else who} with {' and '.join(levels)}"


def age_words(age_from: int, age_to: int | None) -> str:
    """«18 and older», «under 18» or «18–44 years»."""
    if age_to is None:
        return f"{age_from} and older"
    return f"under {age_to}" if age_from == 0 else f"{age_from}–{age_to - 1} years"


def group_name(
    gender: tuple[str, ...] | str = (), ethnicity: tuple[str, ...] | str = (), children: bool = False
) -> str:
    """A group as a person would say it: «Black women», «men», «Asian and Indian faces», «all faces»; of children
    «Black girls», «boys»."""
    gender = (gender,) if isinstance(gender, str) else tuple(gender)
    ethnicity = (ethnicity,) if isinstance(ethnicity, str) else tuple(ethnicity)
    recorded = [name for name in gender if name != UNRECORDED]
    # «Women and men» are not all faces where the gender of some is not recorded.
    noun = " and ".join(gender_noun(name, children) for name in recorded) or gender_noun("")
    unknown = "gender " if gender and not recorded else ""
    if ethnicity == (UNRECORDED,):
        return f"{noun} ({f'{unknown}and ' if unknown else ''}ethnicity {UNRECORDED})"
    names = [ETHNICITY_WORDS.get(name, name) for name in ethnicity]
    noun = " ".join([*([" and ".join(names)] if names else []), noun])
    if unknown:
        return f"{noun} ({unknown}{UNRECORDED})"
    if recorded and len(gender) > len(recorded):
        return f"{noun} and faces (gender {UNRECORDED})"
    return noun if names or recorded else ALL_FACES
