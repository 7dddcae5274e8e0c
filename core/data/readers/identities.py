"""Genders by identity: the table that goes with `--labels`, or lies beside a pack or in a tree of people's folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.data.columns import OWN
from core.data.faces import UNRECORDED
from core.data.readers.label_table import Columns, header_of, read_table
from core.data.readers.labels import GENDER_WORDS
from core.data.readers.read_log import ReadLog
from core.data.sources.base import MAXIMUM_TABLE_BYTES
from core.errors import LookwhereError
from core.files import read_bounded

COLUMNS: Columns = {
    "identity": ("person", "person_id", "identity_id", "subject", "subject_id", "class_id", "label"),
    "gender": ("sex",),
    "ethnicity": ("race", "ethnic_group"),
}


def identity_table(data: bytes, origin: str, log: ReadLog) -> pd.DataFrame:
    """`identity`, `gender`, perhaps `ethnicity`, and further columns as strings, a row a person; rows without an
    identity are rejected.

    Raises `LookwhereError` where the table cannot be read, or lacks a column.
    """
    table = read_table(data, origin, COLUMNS, log, own=True)
    missing = [column for column in ("identity", "gender") if column not in table]
    if missing:
        has = ", ".join(header_of(data, origin)[1])
        raise LookwhereError(
            f"{origin}: no column {', '.join(missing)}; it needs identity,gender[,ethnicity] and has {has}"
        )
    nobody = table["identity"].isna()
    log.reject(f"{origin}, row " + (table.index[nobody] + 2).astype("str"), "names no identity")
    table = table[~nobody]
    person = "identity " + table["identity"]
    for column in {"identity", "ethnicity"} & set(table):
        table = table.assign(**{column: log.one_spelling(table[column], person, column)})
    return table


def read_identities(file: Path, log: ReadLog | None = None) -> pd.DataFrame:
    """`gender`, `ethnicity` and further columns by integer identity.

    Raises `LookwhereError` naming the file and what is wrong in it.
    """
    log = ReadLog() if log is None else log
    try:
        data = read_bounded(file, MAXIMUM_TABLE_BYTES)
    except FileNotFoundError as error:
        raise LookwhereError(
            f"{file}: missing; a pack names no gender: give a CSV of identity,gender[,ethnicity] with --labels"
        ) from error
    except OSError as error:
        raise LookwhereError(
            f"{file}: cannot be read ({error.strerror or error}); --labels takes a CSV of identity,gender[,ethnicity]"
        ) from error
    table = identity_table(data, str(file), log)
    identity = pd.to_numeric(table["identity"], errors="coerce")
    identity = identity.where(identity.between(0, 2**53) & (identity % 1 == 0))
    gender = table["gender"].str.lower().map(GENDER_WORDS)
    for column, bad, accepted in (
        ("identity", identity.isna(), "a pack numbers people 0, 1, 2 …"),
        ("gender", gender.isna(), "write female or male"),
    ):
        if bad.any():
            row = int(np.flatnonzero(bad.to_numpy())[0])
            value = table[column].iloc[row]
            fault = "is empty" if pd.isna(value) else f"{value!r} is not one that is known"
            raise LookwhereError(f"{file}, line {table.index[row] + 2}: {column} {fault}; {accepted}")
    twice = identity.duplicated()
    if twice.any():
        raise LookwhereError(f"{file}: identity {int(identity[twice].iloc[0])} occurs twice")
    ethnicity = table["ethnicity"].fillna(UNRECORDED).to_numpy() if "ethnicity" in table else UNRECORDED
    own = {column: table[column].to_numpy() for column in table if column.startswith(OWN)}
    return pd.DataFrame({"gender": gender.to_numpy(), "ethnicity": ethnicity, **own}, index=identity.astype(np.int64))
