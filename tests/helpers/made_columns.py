"""Columns of a made audit's faces: one of each kind, with names and levels as people's data have them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.data.columns import Column, Kind

#: The columns of `with_made_columns`: yes/no, a category with odd names, ordered levels, and a number in bands.
MADE_COLUMNS = (
    Column(name="glasses", kind=Kind.YES_NO, levels=("no", "yes")),
    Column(
        name="camera",
        kind=Kind.CATEGORY,
        levels=("Nikon D750 / 85 mm", "📱 phone", "a camera whose name is so long that no axis and no pill awaits it"),
    ),
    Column(name="skin_tone", kind=Kind.ORDERED, levels=("I", "II", "III", "IV", "V", "VI"), words="skin tone"),
    Column(
        name="distance", kind=Kind.NUMBER, levels=("under 1.5", "1.5 to 3", "3 and more"), edges=(1.5, 3.0), words=""
    ),
)


def with_made_columns(faces: pd.DataFrame, seed: int = 0, missing: float = 0.05) -> pd.DataFrame:
    """The faces with a level drawn for each of `MADE_COLUMNS`, all equally likely; the share `missing` has none."""
    draw = np.random.default_rng([seed, 2])
    n = len(faces)
    for column in MADE_COLUMNS:
        recorded = draw.random(n) >= missing
        if column.kind is Kind.NUMBER:
            value = np.where(recorded, draw.uniform(0, 4.5, n).round(2), np.nan)
            faces = faces.assign(**{column.name: column.banded(value), column.value_name: value})
        else:
            level = np.array(column.levels, dtype=object)[draw.integers(0, len(column.levels), n)]
            faces = faces.assign(**{column.name: column.levelled(np.where(recorded, level, None))})
    return faces
