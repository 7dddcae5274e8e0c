"""How often a group is named worst that is not: equal groups, planted ones, tiny ones; for `benchmarks.calibration`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from benchmarks.simulation import Case, Draw
from core.analysis.accuracy.extremes import Extremes, extremes

#: Women and men of five ethnicities: all large, and from many faces to one.
EVEN, UNEVEN = (300,) * 10, (800, 400, 300, 150, 80, 42, 20, 8, 3, 1)
DRAWS = 200


def faces_of(sizes: tuple[int, ...], rates: np.ndarray, draw: Draw, ages: bool) -> pd.DataFrame:
    """Faces of ten groups with these true accuracies (10,); with `ages` they fall by 6 points with age in each."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    years = draw.integers(18, 80, len(group))
    slope = 0.06 * (0.5 - (years - 18) / 62) if ages else 0.0
    right = draw.random(len(group)) < np.clip(rates[group] + slope, 0, 1)
    male = group % 2 == 1
    return pd.DataFrame(
        {
            "gender": np.where(male, "male", "female"),
            "ethnicity": np.array(list("ABCDE"))[group // 2],
            "age": pd.array(years if ages else [pd.NA] * len(group), dtype="Int16"),
            "identity": pd.array([None] * len(group), dtype="string"),
            "p_male": np.where(male == right, 0.9, 0.1),
        }
    )


def named(
    sizes: tuple[int, ...], lowered: dict[int, float], ages: bool, counts: Callable[[Extremes, str], bool]
) -> Callable[[Draw], bool]:
    """Ten groups right in 92 %, those in `lowered` less; `counts` is given what was named and the truly worst group."""
    rates = np.full(len(sizes), 0.92)
    for place, rate in lowered.items():
        rates[place] = rate
    truth = int(rates.argmin())
    name = f"{'ABCDE'[truth // 2]} {'men' if truth % 2 else 'women'}"

    def once(draw: Draw) -> bool:
        extreme_groups = extremes(faces_of(sizes, rates, draw, ages), draws=DRAWS)
        return extreme_groups is not None and counts(extreme_groups, name)

    return once


def told_apart(extreme_groups: Extremes, _worst: str) -> bool:
    return extreme_groups.told_apart


def wrongly(extreme_groups: Extremes, worst: str) -> bool:
    return extreme_groups.told_apart and extreme_groups.worst["group"] != worst


def rightly(extreme_groups: Extremes, worst: str) -> bool:
    return extreme_groups.told_apart and extreme_groups.worst["group"] == worst


def surely_wrong(extreme_groups: Extremes, worst: str) -> bool:
    return wrongly(extreme_groups, worst) and not extreme_groups.as_low


def worst_group_cases() -> Iterable[Case]:
    """Equal groups: nothing may be named. One is worse: how often it is named, another is, or another is for sure."""
    for ages, how in ((False, "as they are"), (True, "equal ages")):
        for sizes, kind in ((EVEN, "even"), (UNEVEN, "tiny ones too")):
            yield Case(f"worst group, {how}, {kind}, all equal", "a worst group is named",
                       named(sizes, {}, ages, told_apart), at_most=0.05, runs=200)  # fmt: skip
        for sizes, place, rate, kind in (
            (EVEN, 3, 0.84, "even, 1 of 300 at 84 %"),
            (UNEVEN, 5, 0.57, "42 faces at 57 %"),
            (UNEVEN, 7, 0.4, "8 faces at 40 %"),
        ):
            case = f"worst group, {how}, {kind}"
            yield Case(case, "it is named", named(sizes, {place: rate}, ages, rightly), runs=200)
            yield Case(case, "another is named", named(sizes, {place: rate}, ages, wrongly), runs=200)
            yield Case(case, "another is named as surely the lowest", named(sizes, {place: rate}, ages, surely_wrong),
                       at_most=0.05, runs=200)  # fmt: skip
