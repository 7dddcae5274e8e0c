"""Which faces an experiment leaves out of training: groups, or as many random faces of a group's gender."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

#: Before a group («female Black»): not its own faces, but as many others of its gender, drawn at random.
AS_MANY = "as many as "


def group_names(faces: pd.DataFrame) -> pd.Series:
    """«female Black», a name a face."""
    return faces["gender"].astype("string") + " " + faces["ethnicity"].astype("string")


def plain_group(setting: str) -> str:
    """The group that is named, whether it is left out itself or as many others are."""
    return setting.removeprefix(AS_MANY)


def left_out(faces: pd.DataFrame, groups: Sequence[str], seed: int) -> np.ndarray:
    """Bool (N,): faces of the groups, and for «as many as GROUP» as many of its gender that are not of it.

    These are drawn by the seed, the group's name and the faces' order, so that they can be told again. Where there are
    fewer, all are left out.
    """
    names = group_names(faces)
    out = np.array(names.isin([name for name in groups if not name.startswith(AS_MANY)]), dtype=bool)
    for group in groups:
        if not group.startswith(AS_MANY):
            continue
        inside = np.array(names.isin([plain_group(group)]), dtype=bool)
        gender = faces.loc[inside, "gender"].iloc[0] if inside.any() else None
        candidates = np.flatnonzero((faces["gender"] == gender).to_numpy(dtype=bool) & ~inside & ~out)
        draw = np.random.default_rng([seed, *plain_group(group).encode()])
        out[draw.permutation(candidates)[: int(inside.sum())]] = True
    return out
