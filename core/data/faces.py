"""The vocabulary: columns of the faces table, age bands, filters and group names."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pandas as pd

from core.errors import LookwhereError
from core.task import GENDERS

SPLITS = ("train", "val", "test")
REQUIRED = ("face_id", "path", "gender", "ethnicity", "age", "identity", "cluster", "split")
ADULT_AGE = 18
#: What `--ages` takes, the default first.
AGE_CHOICES = ("adults", "all")
#: The gender and the ethnicity of faces whose data set names none; pages then leave these out and say so.
UNRECORDED = "not recorded"

#: Lower bounds of the age bands in years; the last band is open. 18 is an edge, so «adults only» is exact.
AGE_EDGES = (0, 3, 10, 18, 30, 45, 60)
AGE_BANDS = (*tuple(f"{low}–{high - 1}" for low, high in itertools.pairwise(AGE_EDGES)), f"{AGE_EDGES[-1]}+")


#: How many faces a row stands for, in a table of faces that are counted together (`core.audit.counted`).
COUNT = "n"


def counts_of(faces: pd.DataFrame) -> np.ndarray:
    """How many faces each row stands for, int64 (N,): one, unless the table says otherwise."""
    return faces[COUNT].to_numpy(dtype=np.int64) if COUNT in faces else np.ones(len(faces), dtype=np.int64)


def most_first(values: pd.Series, each: np.ndarray) -> list[str]:
    """The levels that occur, those of most faces first, of equally many the one that comes first."""
    code, levels = pd.factorize(values)
    n = np.bincount(code[code >= 0], weights=each[code >= 0], minlength=len(levels))
    return [levels[place] for place in np.argsort(-n, kind="stable")]


def years_of(age: pd.Series | np.ndarray) -> np.ndarray:
    """Ages in years, float64 (N,); NaN where the age is unknown."""
    if isinstance(age.dtype, np.dtype) and age.dtype.kind in "iuf":
        return np.asarray(age, dtype=np.float64)
    return np.asarray(pd.array(age, dtype="Float64").to_numpy(dtype=np.float64, na_value=np.nan))


def age_band(age: pd.Series | np.ndarray) -> np.ndarray:
    """Index of each age's band in `AGE_BANDS`, int8 (N,); −1 where the age is unknown."""
    years = years_of(age)
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


def gender_known(faces: pd.DataFrame) -> bool:
    """Whether the gender of any face is labelled; a data set of another attribute may label none."""
    return bool((faces["gender"] != UNRECORDED).any())


def gender_missing(faces: pd.DataFrame) -> int:
    """Of how many faces no gender is labelled."""
    return int(counts_of(faces)[(faces["gender"] == UNRECORDED).to_numpy(dtype=bool)].sum())


def genders_in(faces: pd.DataFrame) -> list[str]:
    """The genders that any face is labelled with, in order; of faces without one nothing is said."""
    there = set(faces["gender"].unique())
    return [gender for gender in GENDERS if gender in there]


def ethnicity_known(faces: pd.DataFrame) -> bool:
    """Whether the ethnicity of any face is labelled."""
    return bool((faces["ethnicity"] != UNRECORDED).any())


def labels_known(faces: pd.DataFrame) -> list[str]:
    """What groups are made by where nothing was asked for: of gender and ethnicity those that any face has."""
    has_any = {"gender": gender_known(faces), "ethnicity": ethnicity_known(faces)}
    return [column for column, there in has_any.items() if there]


def check_faces(faces: pd.DataFrame, origin: str) -> None:
    """Raise `LookwhereError` naming `origin` unless the table keeps the contract of a faces table."""
    missing = [column for column in REQUIRED if column not in faces.columns]
    if missing:
        raise LookwhereError(f"{origin}: no column {', '.join(missing)}; write it again with `python -m core align`")
    if not faces["face_id"].is_unique:
        twice = faces.loc[faces["face_id"].duplicated(), "face_id"].iloc[0]
        raise LookwhereError(f"{origin}: face_id {twice!r} occurs twice; every face needs an id of its own")
    strange = set(faces["gender"].dropna().unique()) - {*GENDERS, UNRECORDED}
    if strange or faces["gender"].isna().any():
        raise LookwhereError(
            f"{origin}: gender must be one of {GENDERS}, or {UNRECORDED!r}; found {sorted(strange) or 'empty cells'}"
        )


def fingerprint(faces: pd.DataFrame) -> str:
    """SHA-256 over ids, labels and splits in a fixed order: equal tables have it equal on every machine."""
    columns = ["face_id", "gender", "ethnicity", "age", "split"]
    text = faces[columns].sort_values("face_id").to_csv(index=False, lineterminator="\n", na_rep="")
    return hashlib.sha256(text.encode()).hexdigest()
