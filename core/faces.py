"""The vocabulary: columns of the faces table, age bands, filters and group names."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.errors import LookwhereError
from core.task import GENDERS

SPLITS = ("train", "val", "test")
OUTCOMES = ("all", "correct", "incorrect")
REQUIRED = ("face_id", "path", "gender", "ethnicity", "age", "identity", "cluster", "split")
ADULT_AGE = 18
#: What `--ages` takes, the default first.
AGE_CHOICES = ("adults", "all")
#: The ethnicity of faces whose data set names none; pages then leave ethnicity out and say so.
UNRECORDED = "not recorded"

#: Lower bounds of the age bands in years; the last band is open. 18 is an edge, so «adults only» is exact.
AGE_EDGES = (0, 3, 10, 18, 30, 45, 60)
AGE_BANDS = (*tuple(f"{low}–{high - 1}" for low, high in itertools.pairwise(AGE_EDGES)), f"{AGE_EDGES[-1]}+")


def age_band(age: pd.Series | np.ndarray) -> np.ndarray:
    """Index of each age's band in `AGE_BANDS`, int8 (N,); −1 where the age is unknown."""
    years = np.asarray(pd.array(age, dtype="Float64").to_numpy(dtype=np.float64, na_value=np.nan))
    band = np.searchsorted(AGE_EDGES, years, side="right") - 1
    return np.where(np.isnan(years), -1, band).astype(np.int8)


def person_codes(faces: pd.DataFrame) -> np.ndarray:
    """A number for each face's person, int64 (N,): equal for equal `identity`, one of its own where that is unknown."""
    codes = pd.factorize(faces["identity"], use_na_sentinel=True)[0].astype(np.int64)
    unknown = codes < 0
    codes[unknown] = codes.max(initial=-1) + 1 + np.arange(unknown.sum())
    return codes


def people(faces: pd.DataFrame) -> np.ndarray | None:
    """`person_codes`, or None where no identity is known and each face stands for itself."""
    return person_codes(faces) if faces["identity"].notna().any() else None


def check_faces(faces: pd.DataFrame, origin: str) -> None:
    """Raise `LookwhereError` naming `origin` unless the table keeps the contract of a faces table."""
    missing = [column for column in REQUIRED if column not in faces.columns]
    if missing:
        raise LookwhereError(f"{origin}: no column {', '.join(missing)}; write it again with `python -m core align`")
    if not faces["face_id"].is_unique:
        twice = faces.loc[faces["face_id"].duplicated(), "face_id"].iloc[0]
        raise LookwhereError(f"{origin}: face_id {twice!r} occurs twice; every face needs an id of its own")
    strange = set(faces["gender"].dropna().unique()) - set(GENDERS)
    if strange or faces["gender"].isna().any():
        raise LookwhereError(f"{origin}: gender must be one of {GENDERS}, found {sorted(strange) or 'empty cells'}")


def fingerprint(faces: pd.DataFrame) -> str:
    """SHA-256 over ids, labels and splits in a fixed order: equal tables have it equal on every machine."""
    columns = ["face_id", "gender", "ethnicity", "age", "split"]
    text = faces[columns].sort_values("face_id").to_csv(index=False, lineterminator="\n", na_rep="")
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Filter:
    """Which faces: an empty tuple means «all», ages are years from `age_from` up to and without `age_to`."""

    gender: tuple[str, ...] = ()
    ethnicity: tuple[str, ...] = ()
    age_from: int = 0
    age_to: int | None = None
    outcome: str = "all"
    split: tuple[str, ...] = ()

    def __post_init__(self) -> None:
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
    def any_age(self) -> bool:
        """True where the filter asks nothing of the age, so faces of unknown age pass too."""
        return self.age_from == 0 and self.age_to is None

    def mask(self, faces: pd.DataFrame) -> np.ndarray:
        """Boolean (N,): the rows of `faces` that pass. `outcome` needs the audit's column `correct`."""
        keep = np.ones(len(faces), dtype=bool)
        for column in ("gender", "ethnicity", "split"):
            wanted = getattr(self, column)
            if wanted:
                keep &= faces[column].isin(wanted).to_numpy()
        if not self.any_age:
            age = pd.array(faces["age"], dtype="Float64").to_numpy(dtype=np.float64, na_value=np.nan)
            keep &= age >= self.age_from
            if self.age_to is not None:
                keep &= age < self.age_to
        if self.outcome != "all":
            keep &= faces["correct"].to_numpy(dtype=bool) == (self.outcome == "correct")
        return keep

    def narrowed(self, **changes: object) -> Filter:
        """This filter with some fields replaced."""
        return replace(self, **changes)

    def describe(self) -> str:
        """The filter in words: «Black women, 18 and older, predicted wrong»."""
        parts = [group_name(self.gender, self.ethnicity)]
        if not self.any_age:
            parts.append(age_words(self.age_from, self.age_to))
        if self.outcome != "all":
            parts.append({"correct": "predicted right", "incorrect": "predicted wrong"}[self.outcome])
        if self.split:
            parts.append(f"{' + '.join(self.split)} split")
        return ", ".join(parts)


def age_words(age_from: int, age_to: int | None) -> str:
    """«18 and older», «under 18» or «18–44 years»."""
    if age_to is None:
        return f"{age_from} and older"
    return f"under {age_to}" if age_from == 0 else f"{age_from}–{age_to - 1} years"


def group_name(gender: tuple[str, ...] | str = (), ethnicity: tuple[str, ...] | str = ()) -> str:
    """A group as a person would say it: «Black women», «men», «Asian and Indian faces», «all faces»."""
    gender = (gender,) if isinstance(gender, str) else tuple(gender)
    ethnicity = (ethnicity,) if isinstance(ethnicity, str) else tuple(ethnicity)
    noun = {"female": "women", "male": "men"}[gender[0]] if len(gender) == 1 else "faces"
    if ethnicity == (UNRECORDED,):
        return f"{noun} (ethnicity {UNRECORDED})"
    names = [{"Others": "other-ethnicity"}.get(name, name) for name in ethnicity]
    if not names:
        return noun if noun != "faces" else "all faces"
    return f"{' and '.join(names)} {noun}"
