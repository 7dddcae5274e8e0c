"""Whether the intervals of shares answered and of accuracies among the answered hold; for `benchmarks.calibration`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from benchmarks.simulation import Case, Draw
from core.analysis.accuracy.abstention import AbstentionRule, abstention
from core.analysis.bootstrap import Resampling

#: Groups of women and men of five ethnicities, and how far their margins lie from 0 on average.
SIZES = np.array([600, 500, 300, 250, 200, 150, 100, 60, 30, 12])
MEANS = np.array([3.0, 2.6, 3.4, 2.2, 2.8, 3.0, 2.0, 3.6, 2.4, 3.0])
SPREAD, ABSTAINED, DRAWS = 2.0, 0.1, 200


def margins_of(group: np.ndarray, shared_variance: float, persons: int, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    """Margins (N,), above 0 where right, and people (N,) of `persons` faces, who share this part of the variance."""
    owner = np.arange(len(group)) // persons if persons else np.arange(len(group))
    shared = draw.normal(size=owner.max() + 1)[owner]
    noise = np.sqrt(shared_variance) * shared + np.sqrt(1 - shared_variance) * draw.normal(size=len(group))
    return MEANS[group] + SPREAD * noise, owner


def faces_of(draw: Draw, persons: int, shared_variance: float, times: int = 1) -> pd.DataFrame:
    """Faces of the ten groups; people, of one group each, are known where they have several faces."""
    group = np.repeat(np.arange(len(SIZES)), SIZES * times)
    margin, owner = margins_of(group, shared_variance, persons, draw)
    if persons:  # a person's faces are of one group
        owner = owner + group * len(group)
    male = group % 2 == 1
    sure = 1 / (1 + np.exp(-np.where(male, margin, -margin)))
    identity = [f"p{n}" for n in owner] if persons else [None] * len(group)
    return pd.DataFrame(
        {
            "gender": np.where(male, "male", "female"),
            "ethnicity": np.array(list("ABCDE"))[group // 2],
            "age": pd.array([pd.NA] * len(group), dtype="Int16"),
            "identity": pd.array(identity, dtype="string"),
            "p_male": sure,
        }
    )


def truths() -> tuple[pd.Series, pd.Series]:
    """Share answered and accuracy of the answered of each group, from very many faces."""
    faces = faces_of(np.random.default_rng(1), 0, 0.0, 400)
    table = abstention(faces, AbstentionRule(ABSTAINED), resampling=Resampling(2)).table.set_index("group")
    return table["share"], table["accuracy"]


def covered(column: str, persons: int, shared_variance: float) -> Callable[[Draw], bool]:
    """Do all ten groups' intervals hold the truth of the population's own cutoff?"""
    true_values: dict[str, pd.Series] = {}

    def once(draw: Draw) -> bool:
        if not true_values:
            true_values["share"], true_values["accuracy"] = truths()
        faces = faces_of(draw, persons, shared_variance)
        table = abstention(faces, AbstentionRule(ABSTAINED), resampling=Resampling(DRAWS)).table.set_index("group")
        low, high = ("share_low", "share_high") if column == "share" else ("low", "high")
        true = true_values[column].reindex(table.index)
        inside = (table[low] <= true) & (true <= table[high])
        return bool(inside[table["answered"] > 0].all())

    return once


def abstention_cases() -> Iterable[Case]:
    """Shares answered and accuracies of the answered, of faces and of people with several faces each."""
    for persons, shared_variance, words in ((0, 0.0, "faces"), (5, 0.4, "people of 5 faces")):
        for column, what in (("share", "all ten shares' intervals hold"), ("accuracy", "all ten accuracies' do")):
            yield Case(f"abstention, {words}", what, covered(column, persons, shared_variance), at_least=0.95, runs=200)
