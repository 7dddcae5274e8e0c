"""Claims 4 and 5, which only experiments can answer: a missing group, and the measure that training chose by."""

from __future__ import annotations

import pandas as pd

from core.analysis.comparison import Claim, Contrast, Experiment, claim_contrast
from core.analysis.comparison.experiment import Measure
from core.analysis.findings.accuracy import points
from core.analysis.findings.base import CauseContrasts, Finding, unable
from core.data.filters import Filter
from core.errors import LookwhereError
from core.wording import capital

CLAIMS = {
    "4": "A group that is missing from training is the cause of its gap.",
    "5": "Choosing by overall validation accuracy, the learning rate above all, is the cause of the gap.",
}
RULES = {
    "4": (
        "Networks trained with and without Black women, everything else and the seed alike. Supported: their "
        "accuracy, less that of all other faces, falls in both intervals, over seeds (Student's t) and over seeds "
        "and faces (two-level bootstrap). Not supported: neither interval holds a fall of 2 points. Cannot tell: "
        "else."
    ),
    "5": (
        "Learning rate and epoch by worst-group instead of overall accuracy, everything else and the seed alike. "
        "Supported: the worst group's accuracy rises in both intervals, as above. Not supported: neither interval "
        "holds a rise of 2 points. Cannot tell: else. Where only the epoch is chosen so, one run serves both arms."
    ),
}
NONE = "No experiment is at hand, and no audit alone tells a cause: `python -m train.experiments` trains the arms."


def cause_findings(experiment: Experiment | None, within: Filter) -> list[Finding]:
    """Findings 4 and 5 from the experiment's contrasts that name them."""
    return [_finding(key, experiment, within) for key in CLAIMS]


def _finding(key: str, experiment: Experiment | None, within: Filter) -> Finding:
    claims = [claim for claim in experiment.claims if claim.finding == key] if experiment else []
    if not claims:
        return unable(key, CLAIMS[key], NONE, RULES[key])
    try:
        found = [(claim, claim_contrast(experiment, claim, within)) for claim in claims]
    except LookwhereError as error:
        return unable(key, CLAIMS[key], f"{error}.", RULES[key])
    sentence = " ".join(_sentence(claim, result) for claim, result in found)
    rows = [
        {"contrast": claim.name, "measure": measure, "mean": e.seeds.value, "low": e.seeds.low, "high": e.seeds.high,
         "both_low": e.both.low, "both_high": e.both.high, "seeds": len(e.by_seed),
         **{f"seed {n}": value for n, value in enumerate(e.by_seed)}}
        for claim, result in found for measure, e in result.effects.items()
    ]  # fmt: skip
    result = CauseContrasts(tuple(found))
    return Finding(key, CLAIMS[key], found[0][1].verdict, sentence, RULES[key], pd.DataFrame(rows), result)


def _sentence(claim: Claim, found: Contrast) -> str:
    seeds = len(found.paired)
    if Measure.GROUP in found.effects and Measure.EXTRA in found.effects:
        own, others, extra = (found.effects[k].seeds for k in (Measure.GROUP, Measure.OTHERS, Measure.EXTRA))
        return (
            f"{capital(claim.name)} changes the accuracy of {found.group} ({found.n:,} faces) by "
            f"{points(own.value, own.low, own.high)} over {seeds} seeds, of all others by "
            f"{points(others.value, others.low, others.high)}: {points(extra.value, extra.low, extra.high)} apart."
        )
    parts = [
        f"the {name} by {points(e.seeds.value, e.seeds.low, e.seeds.high)}"
        for name, e in found.effects.items()
        if name in (Measure.WORST, Measure.GAP)
    ]
    return f"{capital(claim.name)} changes {' and '.join(parts)} over {seeds} seeds."
