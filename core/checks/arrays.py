"""What the arrays of `checks.npz` must be like, and how they agree with the tables of `checks.json`.

A digest tells that a file was changed, and whoever changes it can make the digest anew.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

#: The arrays that a part with a table must have, and their number of axes; the first is that of the groups.
AXES = {"similarity": {"maps": 4}, "areas": {"curves": 6, "x": 2}, "methods": {"maps": 3}}
#: Those of a part that need not have them.
OTHER_AXES = {"patches": 4}
#: How far what was rounded to single precision, and in a table to some digits, may be off.
ROUNDED = 1e-3


def check_arrays(
    part: str, arrays: Mapping[str, np.ndarray], tables: Collection[str], groups: Sequence[tuple[str, int]]
) -> None:
    """Raises `ValueError` naming the first array of a part with these tables that is none, or not of its groups.

    Maps of a method that no face has one by are NaN.
    """
    needed = {name: axes for table in tables for name, axes in AXES.get(table, {}).items()}
    of_method = "methods" in tables
    if lacking := sorted(set(needed) - set(arrays)):
        raise ValueError(f"{part}: no array {', '.join(lacking)}")
    for name, array in arrays.items():
        where = f"{part}, array {name}"
        if array.dtype.kind != "f" or array.ndim != (needed | OTHER_AXES).get(name, max(1, array.ndim)):
            raise ValueError(f"{where}: {array.dtype} of {array.ndim} axes")
        if len(array) != len(groups) or 0 in array.shape:
            raise ValueError(f"{where}: {len(array)} groups where {len(groups)} are named")
        if np.isinf(array).any() or (not of_method and np.isnan(array).any()):
            raise ValueError(f"{where}: numbers that are not finite")
    if of_method and not np.isfinite(arrays["maps"]).all(axis=(1, 2)).any() and len(groups):
        raise ValueError(f"{part}, array maps: no number")
    if of_method and not (_within(arrays["maps"], 0, 1) | np.isnan(arrays["maps"])).all():
        raise ValueError(f"{part}, array maps: values beyond 0 to 1, to which each is scaled")


def check_curves(
    part: str, arrays: Mapping[str, np.ndarray], areas: pd.DataFrame, groups: Sequence[tuple[str, int]]
) -> None:
    """Raises `ValueError` unless a part's curves run within their intervals, and have the areas that its table has."""
    curves, x = arrays["curves"].astype(np.float64), arrays["x"].astype(np.float64)
    axes = [list(dict.fromkeys(areas[column])) for column in ("score", "kind", "order")]
    if curves.shape != (len(groups), len(axes[0]), 3, len(axes[1]), len(axes[2]), x.shape[1]):
        raise ValueError(f"{part}, array curves: of shape {curves.shape}, which its table is not of")
    if not (np.diff(x, axis=1) > 0).all() or not _within(x, 0, 1).all() or (x != x[0]).any():
        raise ValueError(f"{part}, array x: no shares that rise from 0 to 1")
    mean, low, high = (curves[:, :, n] for n in range(3))
    if (low > mean + ROUNDED).any() or (mean > high + ROUNDED).any():
        raise ValueError(f"{part}, array curves: a mean beyond its interval")
    with np.errstate(invalid="ignore"):  # one share alone has no area
        under = np.trapezoid(mean, x[0], axis=-1) / (x[0, -1] - x[0, 0])
    places = [areas["group"].map({name: n for n, (name, _) in enumerate(groups)}).to_numpy()]
    places += [
        areas[name].map(axis.index).to_numpy() for name, axis in zip(("score", "kind", "order"), axes, strict=True)
    ]
    stated = areas["area"].to_numpy(dtype=np.float64)
    near = np.abs(under[tuple(places)] - stated) <= ROUNDED * (1 + np.abs(stated))
    if not (near | (np.isnan(under[tuple(places)]) & np.isnan(stated))).all():
        raise ValueError(f"{part}, array curves: other areas than its table has")


def _within(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return (values >= low - ROUNDED) & (values <= high + ROUNDED)
