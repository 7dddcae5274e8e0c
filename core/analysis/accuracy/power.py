"""How many faces it takes to see a difference of accuracy, and which difference the faces at hand can show."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from core.errors import LookwhereError


def power_of(p: float, difference: float, n1: float, n2: float, alpha: float = 0.05) -> float:
    """Power of the two-sided score test to tell p from p − difference with n1 and n2 independent faces.

    The normal approximation with pooled variance under no difference (Fleiss, Levin & Paik 2003, ch. 4); the far tail
    is left out.
    """
    lower = p - difference
    pooled = (n1 * p + n2 * lower) / (n1 + n2)
    null = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    real = math.sqrt(p * (1 - p) / n1 + lower * (1 - lower) / n2)
    return float(ndtr((abs(difference) + ndtri(alpha / 2) * null) / real)) if real else 1.0


def faces_needed(p: float, difference: float = 0.02, power: float = 0.8, alpha: float = 0.05) -> int:
    """Faces needed in each of two groups to tell accuracy p from p − difference (shares of 0–1).

    Raises `LookwhereError` unless both are shares and the difference lies above 0.
    """
    if not 0 < difference <= p <= 1:
        raise LookwhereError(
            f"no accuracy lies {difference:g} under {p:g}; choose a difference above 0 and up to {p:g}"
        )
    lower, middle = p - difference, p - difference / 2
    null = math.sqrt(2 * middle * (1 - middle))
    real = math.sqrt(p * (1 - p) + lower * (1 - lower))
    root = (ndtri(power) * real - ndtri(alpha / 2) * null) / difference
    return max(1, math.ceil(root**2 - 1e-9))


def detectable(p: float, n1: float, n2: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest difference under p that these n show with this power; NaN where even p − 0 would not be seen."""
    if min(n1, n2) <= 0 or not 0 < p <= 1 or power_of(p, p, n1, n2, alpha) < power:
        return float("nan")
    from scipy.optimize import brentq  # Slow to import

    return float(brentq(lambda d: power_of(p, d, n1, n2, alpha) - power, 1e-9, p, xtol=1e-7))


def power_table(table: pd.DataFrame, difference: float = 0.02, tests: int = 1) -> pd.DataFrame:
    """For each group of a `Groups.table`: n, accuracy, faces needed in it and in another to see `difference` with 80 %
    power, and the smallest difference visible to the best group; at 5 %, and at 5 % shared by `tests` tests."""
    rows = []
    effective = (table["n"] / table["effect"]).to_numpy()
    for place, row in enumerate(table.to_dict("records")):
        p = row["accuracy"]
        possible = 0 < difference <= p
        best = int(np.argmax(table["accuracy"].to_numpy() + (np.arange(len(table)) == place) * -2))
        least_difference = detectable(float(table["accuracy"].iloc[best]), effective[best], effective[place])
        rows.append(
            {
                "group": row["group"],
                "n": row["n"],
                "accuracy": p,
                "needed": faces_needed(p, difference) if possible else None,
                "needed, all tests": faces_needed(p, difference, alpha=0.05 / max(tests, 1)) if possible else None,
                "smallest difference seen": least_difference,
            }
        )
    result = pd.DataFrame(
        rows, columns=["group", "n", "accuracy", "needed", "needed, all tests", "smallest difference seen"]
    )
    return result.astype({"needed": "Int64", "needed, all tests": "Int64"})
