"""Identity-level gender labels: a table keyed by the integer identity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.data.faces import UNRECORDED
from core.data.readers.labels import GENDER_WORDS
from core.errors import LookwhereError


def read_identities(file: Path) -> pd.DataFrame:
    """`gender`, `ethnicity` by integer identity. Raises `LookwhereError` naming the file and what is wrong in it."""
    if not file.is_file():
        raise LookwhereError(
            f"{file}: missing; a pack names no gender: give a CSV of identity,gender[,ethnicity] with --labels"
        )
    try:
        table = pd.read_csv(file, skipinitialspace=True)
    except (ValueError, OSError) as error:
        raise LookwhereError(f"{file}: not a readable CSV ({error})") from error
    table.columns = [str(column).strip().lower() for column in table.columns]
    missing = {"identity", "gender"} - set(table.columns)
    if missing:
        raise LookwhereError(f"{file}: no column {', '.join(sorted(missing))}; it needs identity,gender[,ethnicity]")
    identity = pd.to_numeric(table["identity"], errors="coerce")
    gender = table["gender"].astype("string").str.strip().str.lower().map(GENDER_WORDS)
    for column, bad in (("identity", identity.isna()), ("gender", gender.isna())):
        if bad.any():
            line = int(np.flatnonzero(bad.to_numpy())[0]) + 2
            raise LookwhereError(
                f"{file}, line {line}: {column} {table[column].iloc[line - 2]!r} is not one that is known"
            )
    twice = identity.duplicated()
    if twice.any():
        raise LookwhereError(f"{file}: identity {int(identity[twice].iloc[0])} occurs twice")
    ethnicity = (
        table["ethnicity"].astype("string").str.strip().fillna(UNRECORDED).to_numpy()
        if "ethnicity" in table
        else UNRECORDED
    )
    return pd.DataFrame({"gender": gender.to_numpy(), "ethnicity": ethnicity}, index=identity.astype(np.int64))
