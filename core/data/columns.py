"""Columns that faces can be grouped by beside gender, ethnicity and age: a data set's own, and measured ones.

In every faces table the column `name` holds each face's level, a pandas categorical of strings in the order of
`Column.levels`, NA where it is not known. The value of a number stands beside it in the float column `name_value`, so
`faces[name].isin(levels)` is a filter whatever the kind.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from core.data.faces import REQUIRED, UNRECORDED
from core.errors import LookwhereError
from core.json_record import JsonRecord

#: The most levels that a column may have: more make no groups that anyone could read.
MOST_LEVELS = 40
#: The most columns whose levels are crossed to groups.
MOST_CROSSED = 3
#: Bands of a number, each of about equally many faces.
BANDS = 3
#: What a number's own column is called after that of its bands.
VALUE = "_value"
#: How the names of a data set's own columns begin on their way through a reader, so that they meet no other.
OWN = "own:"
#: How names of columns that were measured from the image begin.
MEASURED = "image_"
#: Names that faces tables, or tables made of them, use themselves.
RESERVED = frozenset(
    (
        *REQUIRED, "age_band", "row", "sha256", "phash", "problem", "key", "name", "file", "stem", "folder", "outcome",
        "predicted", "correct", "evidence", "group", "groups", "years", "n", "errors", "accuracy", "low", "high",
        "people", "effect", "right", "age_from", "age_to", "all", "any", "labelled",
    )
)  # fmt: skip
RESERVED_BEGINNINGS = (MEASURED, "logit_", "p_", "wilson_", "by.", OWN)


class Kind(StrEnum):
    """What the levels of a column are."""

    CATEGORY = "category"
    YES_NO = "yes/no"
    ORDERED = "ordered"
    NUMBER = "number"


@dataclass(frozen=True, kw_only=True)
class Column(JsonRecord):
    """A column of the faces table.

    `levels` are in order, for numbers the bands' labels; `edges` are the inner edges of a number's bands, a value on an
    edge is in the band above. `words` is how a person says it, empty where that is the name. `measured` is true where
    it was measured from the image and not labelled.
    """

    name: str
    kind: Kind
    levels: tuple[str, ...]
    edges: tuple[float, ...] = ()
    words: str = ""
    measured: bool = False

    def __post_init__(self) -> None:
        if not self.levels or len(set(self.levels)) < len(self.levels):
            raise ValueError(f"column {self.name}: its levels must be different ones, and one at least")
        if self.kind is Kind.NUMBER and len(self.levels) != len(self.edges) + 1:
            raise ValueError(f"column {self.name}: {len(self.levels)} bands need {len(self.levels) - 1} inner edges")
        if any(high <= low for low, high in itertools.pairwise(self.edges)):
            raise ValueError(f"column {self.name}: its edges must rise")

    @property
    def said(self) -> str:
        """How a person says it."""
        return self.words or self.name

    @property
    def value_name(self) -> str | None:
        """The column of a number's values; None for other kinds."""
        return self.name + VALUE if self.kind is Kind.NUMBER else None

    def levelled(self, levels: Iterable[object]) -> pd.Categorical:
        """Levels as faces tables hold them; what is none of `levels` is NA."""
        ordered = self.kind in (Kind.ORDERED, Kind.NUMBER)
        place = pd.Index(self.levels, dtype="object").get_indexer(pd.Index(levels, dtype="object"))
        return pd.Categorical.from_codes(place, pd.Index(self.levels, dtype="str"), ordered=ordered)

    def banded(self, values: Iterable[float]) -> pd.Categorical:
        """The band of each value, (N,); NA for NaN. Raises `ValueError` for a column that is no number."""
        if self.kind is not Kind.NUMBER:
            raise ValueError(f"column {self.name} is no number")
        number = np.asarray(pd.array(values, dtype="Float64").to_numpy(dtype=np.float64, na_value=np.nan))
        place = np.searchsorted(self.edges, number, side="right")
        return pd.Categorical.from_codes(
            np.where(np.isnan(number), -1, place), pd.Index(self.levels, dtype="str"), ordered=True
        )


def number_column(
    name: str,
    values: Iterable[float],
    *,
    words: str = "",
    measured: bool = False,
    edges: Sequence[float] | None = None,
    unit: str = "",
) -> Column:
    """A number in bands: at the `edges` given, or else in three of about equally many values each.

    Edges are rounded to what tells the values apart. `unit` stands behind each number of the labels. Raises
    `LookwhereError` where all values are the same or none is there.
    """
    number = np.asarray(pd.array(values, dtype="Float64").to_numpy(dtype=np.float64, na_value=np.nan))
    number = number[np.isfinite(number)]
    inner = tuple(map(float, edges)) if edges is not None else _thirds(name, number)
    # As many digits as a float has: fewer would give two bands of large numbers one label.
    bounds = [f"{edge:.15g}".replace("-", "−") for edge in inner]
    between = [f"{low} to {high}{unit}" for low, high in itertools.pairwise(bounds)]
    levels = (f"under {bounds[0]}{unit}", *between, f"{bounds[-1]}{unit} and more")
    return Column(name=name, kind=Kind.NUMBER, levels=levels, edges=inner, words=words, measured=measured)


def _thirds(name: str, number: np.ndarray) -> tuple[float, ...]:
    """Inner edges of bands of about equally many of the values, (n,) without NaN."""
    if len(number) == 0 or number.min() == number.max():
        raise LookwhereError(f"column {name}: all its values are the same, so it makes no bands")
    spread = np.subtract(*np.quantile(number, (0.99, 0.01))) or np.ptp(number)
    digits = 2 - int(np.floor(np.log10(spread)))
    cuts = np.quantile(number, np.arange(1, BANDS) / BANDS, method="higher")
    inner = sorted({float(round(cut, digits)) + 0.0 for cut in cuts})
    inner = [edge for edge in inner if number.min() < edge <= number.max()]
    # Most values are one and the same: that one apart from the others.
    return tuple(inner) or (float(number[number > number.min()].min()),)


def loose(name: str) -> str:
    """What names of columns have in common that are the same but for case, and `_`, `-` or a blank between words."""
    return re.sub(r"[\s_-]+", "_", unicodedata.normalize("NFC", name.strip()).casefold())


def reserved(name: str) -> bool:
    """Whether a name is one that faces tables, or tables made of them, use themselves."""
    lower = loose(name)
    return lower in RESERVED or lower.startswith(RESERVED_BEGINNINGS)


def restored(faces: pd.DataFrame, columns: Sequence[Column], origin: str) -> pd.DataFrame:
    """The faces with the levels of each column in their order, whatever a file made of them.

    Raises `LookwhereError` naming `origin` where a column is not there, or has a level that it should not have.
    """
    for column in columns:
        names = [name for name in (column.name, column.value_name) if name is not None]
        if missing := [name for name in names if name not in faces]:
            raise LookwhereError(
                f"{origin}: no column {', '.join(missing)}; write it again with `python -m core align`"
            )
        stored_levels = faces[column.name].astype("object")
        strange = set(stored_levels.dropna().unique()) - set(column.levels)
        if strange:
            raise LookwhereError(f"{origin}: column {column.name} has the level {min(map(str, strange))!r}, not known")
        faces = faces.assign(**{column.name: column.levelled(stored_levels)})
    return faces


def shown_level(level: object) -> str:
    """A face's level as it is shown: «not recorded» where it is not known."""
    return UNRECORDED if pd.isna(level) else str(level)


def find_column(columns: Sequence[Column], name: str, purpose: str = "groups by", also: Sequence[str] = ()) -> Column:
    """The column of this name, as it is written or else the same but for case, and `_`, `-` or a blank between words.

    Raises `LookwhereError` naming those that there are, `also` among them.
    """
    alike = [column for column in columns if loose(column.name) == loose(name)]
    for candidates in ([column for column in columns if column.name == name], alike):
        if len(candidates) == 1:
            return candidates[0]
    there = ", ".join([*also, *(column.name for column in columns)])
    raise LookwhereError(f"{purpose} {name}: no such column; there are {there or 'none'}")
