"""A simulated rate: how often something happens in studies of known truth, held against its nominal rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from tqdm import tqdm

#: A rate is held against its nominal one by an interval of this level.
SURE = 0.99

Draw = np.random.Generator


@dataclass(frozen=True)
class Case:
    """One simulated rate: with `at_most` a level, with `at_least` a coverage; a power has neither.

    `once` runs a simulated study and says whether what is counted happened.
    """

    name: str
    counted: str
    once: Callable[[Draw], bool]
    at_most: float | None = None
    at_least: float | None = None
    runs: int = 400


@dataclass(frozen=True)
class Rate:
    """How often it happened in `runs`, with the exact interval, and whether the nominal rate is kept."""

    case: Case
    count: int
    runs: int

    @property
    def interval(self) -> tuple[float, float]:
        limits = binomtest(self.count, self.runs).proportion_ci(SURE)
        return float(limits.low), float(limits.high)

    @property
    def kept(self) -> bool | None:
        """None of a power. A level is kept unless the interval lies above it, a coverage unless it lies below."""
        low, high = self.interval
        if self.case.at_most is not None:
            return low <= self.case.at_most
        return None if self.case.at_least is None else high >= self.case.at_least

    def __str__(self) -> str:
        low, high = (100 * bound for bound in self.interval)
        case, nominal = self.case, ""
        if case.at_most is not None:
            nominal = f"  at most {100 * case.at_most:g} %: {'kept' if self.kept else 'NOT KEPT'}"
        elif case.at_least is not None:
            nominal = f"  at least {100 * case.at_least:g} %: {'kept' if self.kept else 'NOT KEPT'}"
        share = f"{100 * self.count / self.runs:5.1f} % [{low:.1f}–{high:.1f}] of {self.runs}"
        return f"{case.name:<34} {case.counted:<58} {share}{nominal}"


def simulate(case: Case, runs: int, seed: int = 0, progress: bool = False) -> Rate:
    """A case's rate; its draws depend on its name and the seed alone."""
    draw = np.random.default_rng([seed, *map(ord, case.name + case.counted)])
    steps = tqdm(range(runs), desc=f"{case.name}: {case.counted}", leave=False, disable=not progress, mininterval=1)
    return Rate(case, sum(bool(case.once(draw)) for _ in steps), runs)
