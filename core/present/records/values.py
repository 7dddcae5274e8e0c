"""Values of any kind in JSON's own types."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.filters import Filter

#: Raised where a key changes its meaning or goes; new keys may come without.
FORMAT = 1


def plain(value: object) -> object:
    """A value in JSON's own types.

    A table becomes a list of rows, a dataclass an object of its fields, an array nested lists. NaN, infinities and
    pandas' missing values become null: JSON has none of them.
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str | Path):
        return str(value)
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict("records")]
    if isinstance(value, pd.Series):
        return plain(value.to_dict())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    raise TypeError(f"no JSON value for {type(value).__name__}")


def to_json(command: str, content: dict) -> str:
    """One JSON object: `command`, `format`, then the content."""
    whole = {"command": command, "format": FORMAT, **content}
    return json.dumps(plain(whole), ensure_ascii=False, allow_nan=False, indent=1)


def filter_record(filter: Filter) -> dict:
    """A filter's fields, and the filter in words; `columns` has the wanted levels by column."""
    content = dataclasses.asdict(filter) | {"columns": dict(filter.columns)}
    del content["column_words"]
    return {"words": filter.describe(), **content}
