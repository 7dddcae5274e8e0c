"""What a finding is: a claim, a test with a rule set before looking, the numbers, and one of three verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from core.experiments import CANNOT_TELL, MATTERS, NOT_SUPPORTED, SUPPORTED

__all__ = ["CANNOT_TELL", "MATTERS", "NOT_SUPPORTED", "SUPPORTED", "Finding", "unable"]


@dataclass(frozen=True)
class Finding:
    """`claim` in the study's sense; `sentence` says the numbers; `rule` how it is tested and when which verdict falls.

    `numbers`: the table behind the figure, shares as 0–1. `data`: what the figure of this `key` needs besides.
    """

    key: str
    claim: str
    verdict: str
    sentence: str
    rule: str
    numbers: pd.DataFrame = field(default_factory=pd.DataFrame)
    data: dict = field(default_factory=dict)


def unable(key: str, claim: str, why: str, rule: str) -> Finding:
    """A finding that this audit has too little for; `why` is one line."""
    return Finding(key, claim, CANNOT_TELL, why, rule)
