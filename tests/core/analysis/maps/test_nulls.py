"""300 planted nulls a kind: a map without any difference raises a false alarm in 5 % of them, and no more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from core.analysis.maps.differences import difference
from core.analysis.maps.sides import Resampling, Sides
from core.analysis.strata import strata_of

NULLS = 300
#: Where the exact binomial 99 % interval of 5 % of 300 ends.
HIGH = binom.interval(0.99, NULLS, 0.05)[1]
CELLS = (5, 5)


def heavy(draw: np.random.Generator, n: int) -> np.ndarray:
    """Skewed, heavy-tailed maps, their cells correlated, many of them at zero: as Grad-CAM's are."""
    together = draw.standard_gamma(0.5, (n, 1, 1)) * draw.lognormal(0, 1, (n, *CELLS))
    return np.maximum(together - 0.1, 0)


def alarms(run) -> int:
    """How many of 300 nulls have a surviving cell. `run`: generator and seed → MapDifference."""
    draw = np.random.default_rng(2024)
    return sum(run(draw, seed).differs for seed in range(NULLS))


def kept(count: int) -> bool:
    """No more alarms than 5 % explain. Of very heavy tails the bootstrap raises fewer: it is careful there."""
    return count <= HIGH


def test_plain() -> None:
    def null(draw: np.random.Generator, seed: int):
        a = np.arange(120) < 40
        return difference(heavy(draw, 120), Sides(a, ~a), Resampling(99, seed=seed))

    assert kept(alarms(null))


def test_one_test_a_cell_would_not_keep_the_family() -> None:
    """The reason for max-T: the same p, cell by cell, alarm far too often."""
    draw, rejections = np.random.default_rng(2024), 0
    for seed in range(NULLS):
        maps, a = draw.normal(size=(120, *CELLS)), np.arange(120) < 40
        cell = difference(maps[:, :1, :1], Sides(a, ~a), Resampling(99, seed=seed))
        other_cells = [difference(maps[:, r : r + 1, :1], Sides(a, ~a), Resampling(99, seed=seed)) for r in (1, 2)]
        rejections += any(d.differs for d in (cell, *other_cells))
    assert rejections > HIGH


@pytest.mark.parametrize("people_known", [True, False])
def test_people(people_known: bool) -> None:
    """Faces of one person are alike: drawn as a whole the level is kept; ignored, false alarms abound."""

    def null(draw: np.random.Generator, seed: int):
        person = np.sort(draw.choice(90, 200, p=draw.dirichlet(np.full(90, 3.0))))
        person = np.unique(person, return_inverse=True)[1]
        side = draw.permutation(person.max() + 1) < (person.max() + 1) // 2
        maps = heavy(draw, person.max() + 1)[person] + 0.3 * heavy(draw, 200)
        who = np.array([f"p{n}" for n in person], dtype=object)
        a = side[person]
        contrast = difference(maps, Sides(a, ~a, people=who if people_known else None), Resampling(99, seed=seed))
        assert contrast.abstained is None
        return contrast

    count = alarms(null)
    assert kept(count) if people_known else count > HIGH


@pytest.mark.parametrize("adjusted", [True, False])
def test_a_confounder(adjusted: bool) -> None:
    """Age moves the maps and is not the same in both groups: within its bands there is no difference."""

    def null(draw: np.random.Generator, seed: int):
        band = draw.integers(0, 4, 160)
        a = draw.random(160) < np.array([0.25, 0.4, 0.6, 0.7])[band]
        maps = draw.gamma(2.0, size=(160, *CELLS)) * (1 + 0.5 * band)[:, None, None]
        return difference(maps, Sides(a, ~a, strata=band if adjusted else None), Resampling(99, seed=seed))

    count = alarms(null)
    assert kept(count) if adjusted else count > HIGH


@pytest.mark.parametrize("matched", [True, False])
def test_right_and_wrong_of_equal_certainty(matched: bool) -> None:
    """Wrong faces are less certain, and certainty shapes the map: matched on |margin| nothing is left."""

    def null(draw: np.random.Generator, seed: int):
        margin = draw.gamma(1.5, size=240)
        wrong = draw.random(240) < 0.5 * np.exp(-0.7 * margin)
        faces = pd.DataFrame({"logit_female": margin, "logit_male": 0.0})
        trend = np.linspace(-0.4, 0.4, CELLS[0])[:, None] * margin[:, None, None]
        maps = trend + draw.standard_t(4, (240, *CELLS))
        strata = strata_of(faces, "margin", wrong, ~wrong) if matched else None
        return difference(maps, Sides(wrong, ~wrong, strata=strata), Resampling(99, seed=seed))

    count = alarms(null)
    assert kept(count) if matched else count > HIGH


@pytest.mark.parametrize("skewed", [True, False])
def test_unequal_spreads_are_not_taken_for_a_difference(skewed: bool) -> None:
    """Equal means, but 30 faces scatter three times as much as 300 others, to one side or to both."""

    def null(draw: np.random.Generator, seed: int):
        a = np.arange(330) < 30
        apart = draw.exponential(size=(330, *CELLS)) - 1 if skewed else draw.normal(size=(330, *CELLS))
        return difference(apart * np.where(a, 3, 1)[:, None, None], Sides(a, ~a), Resampling(99, seed=seed))

    assert kept(alarms(null))
