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


def plain_group(said: str) -> str:
    """The group that is named, whether it is left out itself or as many others are."""
    return said.removeprefix(AS_MANY)


def left_out(faces: pd.DataFrame, groups: Sequence[str], seed: int) -> np.ndarray:
    """Bool (N,): faces of the groups, and for «as many as GROUP» as many of its gender that are not of it.

    These are drawn by the seed, the group's name and the faces' order, so that they can be told again. Where there are
    fewer, all are left out.
    """
    names = group_names(faces)
    out = np.array(names.isin([one for one in groups if not one.startswith(AS_MANY)]), dtype=bool)
    for said in groups:
        if not said.startswith(AS_MANY):
            continue
        inside = np.array(names.isin([plain_group(said)]), dtype=bool)
        gender = faces.loc[inside, "gender"].iloc[0] if inside.any() else None
        others = np.flatnonzero((faces["gender"] == gender).to_numpy(dtype=bool) & ~inside & ~out)
        draw = np.random.default_rng([seed, *plain_group(said).encode()])
        out[draw.permutation(others)[: int(inside.sum())]] = True
    return out
