"""Faces labelled otherwise than with one of the two classes: kept beside the others, and apart from them.

A data set may say `nonbinary` or `other` of a face. Such a face is neither a woman nor a man to a classifier of two
classes: it is in no accuracy, gap or average, and what the model calls it is told by itself.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.data.columns import Column, restored
from core.data.faces import UNRECORDED
from core.errors import LookwhereError
from core.files import write_parquet
from core.task import GENDERS

#: Beside `faces.parquet` of a store or an audit, where there are any such faces.
FILE = "otherwise.parquet"
#: Labels that are known to be of a gender beyond the two, and how they are written here.
LABELS = {
    **dict.fromkeys(("nonbinary", "non-binary", "nb", "enby"), "nonbinary"),
    **dict.fromkeys(("other", "others", "another"), "other"),
    **dict.fromkeys(("genderqueer", "gender-queer"), "genderqueer"),
    **dict.fromkeys(("genderfluid", "gender-fluid"), "genderfluid"),
    **dict.fromkeys(("agender", "bigender", "intersex", "pangender"), ""),
    **dict.fromkeys(("third-gender", "thirdgender"), "third gender"),
    **dict.fromkeys(("two-spirit", "twospirit"), "two-spirit"),
    **dict.fromkeys(("gender-diverse", "diverse", "divers"), "diverse"),
}
OTHER_WORDS = {
    word.replace("-", between): name or word for word, name in LABELS.items() for between in ("-", " ", "_", "")
}


def two_classes(faces: pd.DataFrame) -> pd.Series:
    """Boolean (N,): the faces that are labelled with one of the two classes, or whose gender nobody labelled."""
    return faces["gender"].isin((*GENDERS, UNRECORDED))


def label_counts(faces: pd.DataFrame) -> dict[str, int]:
    """How many faces have each label, most first; of labels in categories, those that occur."""
    return {str(label): int(n) for label, n in faces["gender"].value_counts().items() if n}


def write_otherwise(folder: Path, faces: pd.DataFrame) -> dict[str, int]:
    """Write the faces beside the others, where there are any; returns how many have each label."""
    if len(faces):
        write_parquet(folder / FILE, faces)
    return label_counts(faces)


def read_otherwise(folder: Path, columns: tuple[Column, ...]) -> pd.DataFrame:
    """The faces that were written. Raises `LookwhereError` where the file is missing or damaged."""
    try:
        faces = pd.read_parquet(folder / FILE)
    except (OSError, ValueError) as error:
        raise LookwhereError(
            f"{folder / FILE}: damaged or missing ({error}); delete the folder and make it again"
        ) from error
    return restored(faces, columns, str(folder / FILE))
