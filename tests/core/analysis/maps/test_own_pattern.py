"""What wrong predictions' maps have of their own: against slow arithmetic, planted patterns, and random labels."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.maps.own_pattern import own_pattern
from core.analysis.maps.sides import Resampling, Sides
from core.errors import LookwhereError

Y, X = np.mgrid[:5, :6]
COMMON = np.exp(-((Y - 2) ** 2 + (X - 2) ** 2) / 3.0)
OTHER = np.exp(-(Y**2 + (X - 5) ** 2) / 2.0)


def maps_of(n: int, seed: int, noise: float = 0.4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Maps about one, who is wrong (one in six), and strata."""
    draw = np.random.default_rng(seed)
    return COMMON + noise * draw.normal(size=(n, 5, 6)), draw.random(n) < 1 / 6, draw.integers(0, 4, n)


def plain(shapes: np.ndarray, wrong: np.ndarray, strata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """W and C, cell by cell and stratum by stratum."""
    z = np.array([(shape - shape.mean()) / shape.std() for shape in shapes])
    total, w, c = 0.0, 0.0, 0.0
    for s in np.unique(strata):
        a, b = z[wrong & (strata == s)], z[~wrong & (strata == s)]
        weight = len(a) * len(b) / (len(a) + len(b))
        total, w, c = total + weight, w + weight * a.mean(axis=0), c + weight * b.mean(axis=0)
    return w / total, c / total


def test_the_parts_are_those_of_slow_arithmetic() -> None:
    shapes, wrong, strata = maps_of(300, 1)
    shapes[wrong] += 0.5 * OTHER
    pattern = own_pattern(shapes, Sides(wrong, ~wrong, strata=strata), Resampling(99), splits=50)
    w, c = plain(shapes, wrong, strata)
    share_shown = (w * c).sum() / (c**2).sum()
    assert pattern.wrong == pytest.approx(w) and pattern.common == pytest.approx(c)
    assert pattern.shown.value == pytest.approx(share_shown)
    assert pattern.own.difference == pytest.approx(w - share_shown * c, abs=1e-9)
    assert abs((pattern.own.difference * c).sum()) < 1e-9
    # Without the part of chance: less than the length of the difference.
    assert 0 < pattern.strength.value < np.sqrt(((w - share_shown * c) ** 2).sum() / (c**2).sum())


def test_a_planted_pattern_is_found_and_halves_agree_on_it() -> None:
    shapes, wrong, strata = maps_of(900, 2)
    shapes[wrong] += 0.4 * OTHER
    pattern = own_pattern(shapes, Sides(wrong, ~wrong, strata=strata), Resampling(199), splits=99)
    assert pattern.own.differs and pattern.halves.low > 0.5
    assert pattern.own.significant[0, 5]
    assert pattern.strength.low > 0


@pytest.mark.parametrize("share", [1.0, 0.4, 0.0])
def test_the_common_map_shown_in_part_or_not_at_all_is_no_pattern_of_their_own(share: float) -> None:
    shapes, wrong, strata = maps_of(3000, 3)
    shapes[wrong] -= (1 - share) * COMMON
    pattern = own_pattern(shapes, Sides(wrong, ~wrong, strata=strata), Resampling(199), splits=99)
    assert not pattern.own.differs or pattern.halves.low < 0
    assert pattern.strength.high < 0.25 and pattern.reach > 0.9
    assert pattern.shown.high > share


def test_labels_at_random_seldom_refute_where_every_map_shows_one_pattern() -> None:
    alarms = 0
    for seed in range(30):
        shapes, wrong, strata = maps_of(330, 10 + seed)
        pattern = own_pattern(shapes, Sides(wrong, ~wrong, strata=strata), Resampling(99, seed=seed), splits=49)
        alarms += pattern.own.differs and pattern.halves.low > 0
    assert alarms <= 5


def test_people_are_halved_and_drawn_as_a_whole() -> None:
    shapes, wrong, strata = maps_of(300, 4)
    again = [np.repeat(x, 3, axis=0) for x in (shapes, wrong, strata)]
    people = np.repeat(np.arange(300), 3).astype(str).astype(object)
    once = own_pattern(shapes, Sides(wrong, ~wrong, strata=strata), Resampling(99), splits=99)
    thrice = own_pattern(
        again[0],
        Sides(again[1], ~again[1], strata=again[2], people=people),
        Resampling(99),
        splits=99,
    )
    assert thrice.strength.high == pytest.approx(once.strength.high, rel=1e-6)
    assert thrice.halves.value == pytest.approx(once.halves.value, abs=1e-9)
    assert thrice.own.people_a == once.own.n_a


def test_under_thirty_with_a_like_one_nothing_is_said() -> None:
    shapes, wrong, strata = maps_of(120, 5)
    with pytest.raises(LookwhereError, match="incorrect predictions have correct ones like them: a test needs 30"):
        own_pattern(shapes, Sides(wrong, ~wrong, strata=strata))
