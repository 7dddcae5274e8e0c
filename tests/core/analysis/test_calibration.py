"""Some simulations of `benchmarks.calibration`, small: levels are kept, plants are found, and a miss is told."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibration import cases, contrast, paired, two_groups
from benchmarks.simulation import Case, Rate, simulate
from core.verdicts import Verdict

#: By name and what is counted: runs of seconds.
SMALL = {
    ("abstention, people of 5 faces", "all ten shares' intervals hold"): 15,
    ("abstention, people of 5 faces", "all ten accuracies' do"): 15,
    ("worst group, as they are, tiny ones too, all equal", "a worst group is named"): 30,
    ("worst group, equal ages, 42 faces at 57 %", "another is named as surely the lowest"): 10,
    ("maps: paired, 30 faces, skewed", "a cell is found where there is none"): 100,
    ("maps: 30 v 300, normal, spread 3", "a cell is found where there is none"): 60,
    ("2, 30 faces, all alike", "«not supported» falls"): 20,
    ("3, 30 v 300, skewed, random labels", "«not supported» falls"): 40,
    ("4 and 5, three pairs, no effect", "«supported» falls"): 300,
    ("4 and 5, three pairs, 2 points", "«not supported» falls"): 300,
    ("people: 20 a group, 8 faces, 0.4", "all ten groups' intervals hold"): 40,
    ("slices: 600 faces, 20 % wrong", "a slice holds where none is worse"): 100,
    ("slices: 300 people, 5 faces each", "a slice holds where none is worse"): 6,
    ("parts of a gap: four groups of 300", "the interval holds the truth"): 40,
}


@pytest.mark.parametrize("case", [case for case in cases() if (case.name, case.counted) in SMALL], ids=lambda c: c.name)
def test_a_level_or_coverage_is_kept(case: Case) -> None:
    rate = simulate(case, SMALL[case.name, case.counted], seed=1)
    assert rate.kept, str(rate)


def test_all_small_cases_are_there_and_no_two_cases_are_one() -> None:
    names = [(case.name, case.counted) for case in cases()]
    assert set(SMALL) <= set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "once", [paired("normal", 60, 1.5), two_groups("skewed", (60, 100), 1.0, 1.5), contrast(0.1, Verdict.SUPPORTED)]
)
def test_a_plant_is_found(once) -> None:
    assert simulate(Case("power", "found", once), 20).count >= 18


def test_built_in_zeros_would_say_not_supported_and_do_not() -> None:
    """As the rule was, a built-in 0 narrows the interval; now two pairs are too few for a verdict."""
    as_it_was = Case("5 as it was", "", contrast(0, Verdict.NOT_SUPPORTED, 3, 1, True))
    now = Case("5 now", "", contrast(0, Verdict.NOT_SUPPORTED, 3, 1))
    assert simulate(as_it_was, 300).count > 150
    assert simulate(now, 300).count == 0


def test_a_rate_that_misses_its_level_is_told_and_runs_repeat() -> None:
    often = Case("often", "it happens", lambda draw: bool(draw.random() < 0.2), at_most=0.05)
    rate = simulate(often, 400)
    assert rate.kept is False and "NOT KEPT" in str(rate)
    assert simulate(often, 400) == rate
    seldom = Rate(Case("seldom", "covered", lambda _: True, at_least=0.95), 80, 100)
    assert seldom.kept is False
    assert Rate(Case("power", "found", lambda _: True), 80, 100).kept is None
    low, high = rate.interval
    assert low < 0.2 < high
    assert np.isclose(Rate(often, 0, 100).interval[0], 0)
