"""What a finding is: a claim, a test with a rule set before looking, the numbers, and one of three verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.analysis.accuracy.simultaneous import LargestGap
from core.analysis.comparison import MATTERS, Claim, Contrast
from core.analysis.maps.dispersion import Dispersions
from core.estimate import Estimate
from core.privacy import MINIMUM_FACES
from core.verdicts import Verdict

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
    "model, trained on MS1MV2 and tested on MORPH; a verdict here neither proves nor refutes them there."
)


@dataclass(frozen=True)
class GenderGap:
    """Finding 1a: women's accuracy less men's, and Holm's p of gender's term at equal ages and ethnicities."""

    difference: Estimate
    p: float


@dataclass(frozen=True)
class EthnicityGap:
    """Finding 1b: the largest gap between ethnicities, and Holm's p of ethnicity's term at equal ages."""

    gap: LargestGap
    p: float


@dataclass(frozen=True)
class EvidenceDensity:
    """Finding 2: `density` of nose and mouth together over `n` correct predictions; `rivals`: each other region's
    density less theirs; `causal` says whether the occlusion check took part."""

    n: int
    density: Estimate
    rivals: dict[str, Estimate]
    causal: bool


@dataclass(frozen=True)
class ErrorPattern:
    """Finding 3: mean shapes float64 (h, w) of `n_incorrect` incorrect and `n_correct` correct predictions.

    `significant` bool (h, w): where the incorrect ones' mean is other than flat. `correlation` is Pearson's r of the
    two mean shapes. Neither is shown of under `minimum` faces.
    """

    incorrect: np.ndarray
    correct: np.ndarray
    significant: np.ndarray
    n_incorrect: int
    n_correct: int
    dispersion: Dispersions
    correlation: float
    minimum: int = MINIMUM_FACES


@dataclass(frozen=True)
class CauseContrasts:
    """Findings 4 and 5: an experiment's claims, each with its contrast over the seeds."""

    contrasts: tuple[tuple[Claim, Contrast], ...]


FindingResult = GenderGap | EthnicityGap | EvidenceDensity | ErrorPattern | CauseContrasts


@dataclass(frozen=True)
class Finding:
    """`claim` in the study's sense; `sentence` says the numbers; `rule` how it is tested and when which verdict falls.

    `numbers`: the table behind the figure, shares as 0–1. `result`: what was computed; its type decides the figure. It
    is None where this audit has too little for the claim.
    """

    key: str
    claim: str
    verdict: Verdict
    sentence: str
    rule: str
    numbers: pd.DataFrame = field(default_factory=pd.DataFrame)
    result: FindingResult | None = None


def unable(key: str, claim: str, why: str, rule: str) -> Finding:
    """A finding that this audit has too little for; `why` is one line."""
    return Finding(key, claim, Verdict.CANNOT_TELL, why, rule)
