"""The worst and the best group that pages, report, card and commands name: one function, whatever shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.accuracy.age_model import AgeModel, age_model
from core.analysis.accuracy.counts import group_counts
from core.analysis.accuracy.equal_ages import equal_ages
from core.analysis.accuracy.simultaneous import LargestGap, gap_of
from core.analysis.accuracy.surest import surest
from core.data.columns import Column
from core.data.faces import UNRECORDED
from core.errors import LookwhereError
from core.estimate import Estimate

CROSSED = ("gender", "ethnicity")


@dataclass(frozen=True)
class Extremes:
    """The surely worst and best of `groups` groups of any size, at equal ages where `at_equal_ages`; shares of 0–1.

    `worst`, `best`: group, gender, ethnicity, n, accuracy, low, high (for all groups at once). `difference`: best less
    worst, for all `pairs` at once. `as_low`: groups that may be as low as the worst. `told_apart` is False where
    no two groups are: then nothing is sure, and the two are the pair whose difference is surest. `as_they_are`: the
    gap of the same two whatever their ages.
    """

    worst: pd.Series
    best: pd.Series
    difference: Estimate
    as_low: tuple[str, ...]
    told_apart: bool
    groups: int
    pairs: int
    at_equal_ages: bool
    as_they_are: LargestGap


def extremes(
    faces: pd.DataFrame,
    threshold: float = 0.5,
    by: tuple[str, ...] = CROSSED,
    draws: int = 2000,
    seed: int = 0,
    columns: Sequence[Column] = (),
) -> Extremes | None:
    """Of gender × ethnicity at equal ages where ages are known, else of the faces as they are; by `surest`.

    None where there are not two groups. By other columns, of the audit's `columns` too, the faces are as they are.
    """
    recorded = set(faces["ethnicity"].unique()) != {UNRECORDED}
    grouped = list(by if recorded or by != CROSSED else by[:1])
    groups = group_counts(faces, grouped, threshold, smallest=1, columns=columns)
    plain = gap_of(groups, draws, seed)
    if plain is None:
        return None
    model = _model(faces, threshold) if by == CROSSED else None
    if model is None:
        gap = (plain.worst, plain.best, plain.difference, plain.as_low, plain.distinguishable)
        return Extremes(*gap, plain.groups, plain.pairs, False, plain)
    fitted = equal_ages(model.codes, model.fit, model.row, model.counts, model.groups)
    table = fitted.groups
    place = {name: row for row, name in enumerate(table["group"])}
    best, worst = (fitted.pairs[side].map(place).to_numpy() for side in ("best", "worst"))
    apart = np.full((len(table), len(table)), -np.inf)
    apart[best, worst] = fitted.pairs["low"]
    extremes = surest(*(table[name].to_numpy() for name in ("accuracy", "low", "high")), apart)
    pair = fitted.pairs[(best == extremes.best) & (worst == extremes.worst)].iloc[0]
    names = (str(table["group"][extremes.best]), str(table["group"][extremes.worst]))
    if names != (plain.best["group"], plain.worst["group"]):
        plain = gap_of(groups, draws, seed, between=names) or plain
    return Extremes(
        table.iloc[extremes.worst],
        table.iloc[extremes.best],
        Estimate(*(float(pair[name]) for name in ("difference", "low", "high"))),
        tuple(table["group"][extremes.as_low]),
        extremes.told_apart,
        len(table),
        len(fitted.pairs),
        True,
        plain,
    )


def _model(faces: pd.DataFrame, threshold: float) -> AgeModel | None:
    try:
        return age_model(faces, threshold, smallest=1)
    except LookwhereError:
        return None
