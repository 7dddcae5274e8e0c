"""What a finding is: a claim, a test with a rule set before looking, the numbers, and one of three verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from core.analysis.accuracy.pairwise import ALPHA
from core.analysis.comparison import MATTERS, Claim, Contrast
from core.analysis.intervals import holm
from core.analysis.maps.dispersion import Dispersions
from core.analysis.maps.own_pattern import OwnPattern
from core.estimate import Estimate
from core.verdicts import Verdict
from core.wording import p_words

__all__ = [
    "MATTERS",
    "SCOPE",
    "CauseContrasts",
    "ErrorPattern",
    "EthnicityGap",
    "EvidenceDensity",
    "Finding",
    "FindingResult",
    "GenderGap",
    "unable",
]

SCOPE = (
    "Verdicts are of this model, these faces and their annotators' labels. The original study's claims were of another "
    "model and other photographs; a verdict here neither proves nor refutes them there. Claims 1a to 3 are of this one "
    "network: one trained again by the same recipe may get other verdicts."
)


@dataclass(frozen=True)
class GenderGap:
    """Finding 1a: women's accuracy less men's at equal ages and ethnicities (as it is where ages cannot be equalled).

    `by_age`: band, women, men (faces), difference, low, high, each age by itself. `reversed_at`: the bands at which the
    difference is furthest above and below 0, where it depends on age and changes its sign; else None.
    """

    difference: Estimate
    by_age: pd.DataFrame
    reversed_at: tuple[str, str] | None


@dataclass(frozen=True)
class EthnicityGap:
    """Finding 1b: differences of all `pairs` of groups at equal ages, at once (`EqualAges.pairs`).

    `power`: the least and the most, over ethnicities, of seeing one that fares 2 points worse. `reach`: how often «not
    supported» would fall if nothing differed. `ages_equal`: whether ages could be equalled.
    """

    pairs: pd.DataFrame
    power: tuple[float, float]
    reach: float
    ages_equal: bool = True


@dataclass(frozen=True)
class EvidenceDensity:
    """Finding 2: `density` of nose and mouth together in the maps of `n` correct predictions, its least and largest
    where regions are `moved`; `hidden` counts the faces whose regions were hidden, 0 where none were."""

    n: int
    density: Estimate
    moved: tuple[float, float]
    hidden: int


@dataclass(frozen=True)
class ErrorPattern:
    """Finding 3: the own pattern of incorrect predictions' maps beside correct ones like them, and how much both
    scatter. Both sides hold 30 faces and more."""

    pattern: OwnPattern
    dispersion: Dispersions


@dataclass(frozen=True)
class CauseContrasts:
    """Findings 4 and 5: an experiment's claims, each with its contrast over the seeds."""

    contrasts: tuple[tuple[Claim, Contrast], ...]


FindingResult = GenderGap | EthnicityGap | EvidenceDensity | ErrorPattern | CauseContrasts


@dataclass(frozen=True)
class Finding:
    """`claim` in the study's sense; `sentence` says the numbers; `rule` how it is tested and when which verdict falls.

    `numbers`: the table behind the figure, shares as 0–1. `result`: what was computed; its type decides the figure. It
    is None where this audit has too little for the claim. `p`: of the claim's test, NaN where intervals decide;
    `by_test`: the verdict is one that the test has to bear out; `p_holm`: corrected over the claims put together.
    """

    key: str
    claim: str
    verdict: Verdict
    sentence: str
    rule: str
    numbers: pd.DataFrame = field(default_factory=pd.DataFrame)
    result: FindingResult | None = None
    p: float = float("nan")
    by_test: bool = False
    p_holm: float = float("nan")


def unable(key: str, claim: str, why: str, rule: str) -> Finding:
    """A finding that this audit has too little for; `why` is one line."""
    return Finding(key, claim, Verdict.CANNOT_TELL, why, rule)


def as_family(findings: list[Finding]) -> list[Finding]:
    """The findings with Holm's p over all of them; a verdict by a test that does not outlast it becomes CANNOT_TELL.

    A claim without a p keeps its place in the family as if its p were 1.
    """
    corrected = holm(np.nan_to_num(np.array([finding.p for finding in findings]), nan=1.0))
    return [_corrected(finding, float(p), len(findings)) for finding, p in zip(findings, corrected, strict=True)]


def _corrected(finding: Finding, p: float, claims: int) -> Finding:
    if np.isnan(finding.p):
        return finding
    verdict = Verdict.CANNOT_TELL if finding.by_test and p >= ALPHA else finding.verdict
    sentence = f"{finding.sentence} Corrected over the {claims} claims: {p_words(p)}."
    return replace(finding, verdict=verdict, sentence=sentence, p_holm=p)
