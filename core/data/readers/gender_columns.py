"""Genders in columns that are not called so: yes and no of one class, and what to do with a table that has neither."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from core.data.columns import OWN, loose
from core.data.readers.labels import GENDER_WORDS
from core.data.readers.read_log import ReadLog, own_columns

#: Columns that say yes or no of one class, and which that is.
FLAGS = {f"{before}{word}": GENDER_WORDS[word] for before in ("", "is_") for word in ("male", "female", "man", "woman")}
YES, NO = ("1", "1.0", "true", "yes", "y"), ("0", "0.0", "false", "no", "n")
#: CelebA's no, which is «not known» where there is another no.
MINUS = ("-1", "-1.0")
OPPOSITE = {"male": "female", "female": "male"}
#: Columns that stand beside what a model said.
CERTAINTY = (
    "confidence", "score", "probability", "prob", "gender_confidence", "gender_score", "gender_probability", "p_male",
    "p_female", "dominant_gender",
)  # fmt: skip
#: Columns of two values named one by one.
TARGETS_NAMED = 12


def flag_of(headers: Iterable[str], target: str | None = None) -> str | None:
    """The only column that says yes or no of one gender, such as `Male`; none where that is what is classified."""
    flags = [name for name in headers if loose(name) in FLAGS]
    return flags[0] if len(flags) == 1 and (target is None or loose(target) != loose(flags[0])) else None


def with_flag(table: pd.DataFrame, log: ReadLog, origin: str, target: str | None = None) -> pd.DataFrame:
    """The table with `gender` by its column `Male`, `is_female` or such, where it has no gender: a value that is no
    yes and no no is left as it is written."""
    flag = None if "gender" in table else flag_of((name.removeprefix(OWN) for name in table), target)
    if flag is None or OWN + flag not in table:
        return table
    words = table[OWN + flag].str.lower()
    no = NO if words.isin(NO).any() else (*NO, *MINUS)
    yes_class = FLAGS[loose(flag)]
    meaning = dict.fromkeys(YES, yes_class) | dict.fromkeys(no, OPPOSITE[yes_class])
    yes = next((word for word in YES if (words == word).any()), "yes")
    log.remark(f"{origin}: column {flag} is read as gender, {yes} as {yes_class}")
    gender = words.map(meaning).astype("str").fillna(table[OWN + flag])
    return table.drop(columns=OWN + flag).assign(gender=gender)


def doubt_predicted(faces: pd.DataFrame, log: ReadLog) -> None:
    """Ask about genders that stand beside a score, as those that a model gave do."""
    names = [str(name).removeprefix(OWN) for name in faces if str(name).startswith(OWN)]
    beside = [name for name in names if loose(name) in CERTAINTY]
    if "gender" in faces and beside:
        listed = ", ".join(beside)
        log.remark(f"gender stands beside {listed}: did a model give these genders? Labels are what people say")


def instead_of_gender(table: pd.DataFrame) -> str:
    """What to do with a table that has no column of genders, in words."""
    own = own_columns(table)
    genders = [column for column in own if _names_both(own[column])]
    if genders:
        return f"; {', '.join(genders)} names genders: call the labelled one gender"
    columns = [column for column in own if own[column].dropna().str.casefold().nunique() == 2]
    if not columns:
        return "; gender is what is classified, unless --target names a column of two values, and it has none"
    more = f" and {len(columns) - TARGETS_NAMED} more" if len(columns) > TARGETS_NAMED else ""
    listed = ", ".join(columns[:TARGETS_NAMED]) + more
    return f"; where it is not gender that is classified, name what is with --target, one of {listed}"


def _names_both(column: pd.Series) -> bool:
    classes = column.dropna().str.lower().map(GENDER_WORDS)
    return bool(classes.notna().all()) and classes.nunique() == 2
