"""What every check of the maps has: a name, a category, which way is better, and what it says of a group.

Needs no torch: the app reads what a run has stored. The run itself is a function beside it, see `core.checks.run`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from core.checks.results import Checks
from core.checks.stored_words import Fill, Score
from core.verdicts import CheckVerdict


class Category(StrEnum):
    """What a check asks. SANITY: does the map depend on what was learnt? FAITHFULNESS: is what it marks what is used?
    AGREEMENT: would another method mark the same?"""

    SANITY = "sanity"
    FAITHFULNESS = "faithfulness"
    AGREEMENT = "agreement"


class Direction(StrEnum):
    """Which way the measured number of a good map lies, against what it is compared with."""

    LOWER = "lower is better"
    HIGHER = "higher is better"

    @property
    def sign(self) -> int:
        """Times this, a better number is the lower one."""
        return 1 if self is Direction.LOWER else -1


@dataclass(frozen=True)
class View:
    """Of which of the stored numbers a check speaks: a group's, by one score, with regions hidden by one fill."""

    group: str
    score: Score = Score.MARGIN
    fill: Fill = Fill.BLUR


@dataclass(frozen=True)
class CheckResult:
    """What a check found for a view: its title, its verdict (None where it only describes), and a whole sentence."""

    title: str
    verdict: CheckVerdict | None
    sentence: str


class Check(ABC):
    """A check of an audit's maps: one question with one verdict.

    `part` names what a run stores it in (several checks may read one part), `tables` its tables there, `curves` whether
    it stores curves too. `sample_share` is the share of the sample that a run of the part gets, by what a face costs.
    `opens_network`: whether a run opens the layers of a ResNet-50 of ours, explained in closed form; else it asks any
    model that gives logits.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    category: ClassVar[Category]
    direction: ClassVar[Direction]
    part: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    curves: ClassVar[bool] = False
    sample_share: ClassVar[float]
    opens_network: ClassVar[bool] = False

    @abstractmethod
    def result(self, checks: Checks, view: View) -> CheckResult | None:
        """Verdict and sentence; None where the part was not run, or the group is too small to be published."""

    def clause(self, checks: Checks, view: View) -> str | None:
        """The check's part of the page's first sentence, without a full stop; None where it has none."""
        return None
