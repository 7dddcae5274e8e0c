"""Claims 4 and 5, which only experiments can answer: a missing group, and the measure that training chose by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.comparison import Claim, Contrast, Experiment, claim_contrast
from core.analysis.comparison.contrasts import FEWEST_PAIRS, t_interval
from core.analysis.comparison.experiment import Measure, parse_group
from core.analysis.findings.accuracy import points
from core.analysis.findings.base import CauseContrasts, Finding, unable
from core.classifiers.info import model_info
from core.data.faces import UNRECORDED
from core.data.filters import Filter, group_name
from core.errors import LookwhereError
from core.verdicts import Verdict
from core.wording import capital, counted, percent

CLAIMS = {
    "4": "A group that is missing from training is the cause of its gap.",
    "5": "Choosing by overall validation accuracy, the learning rate above all, is the cause of the gap.",
}
RULES = {
    "4": (
        "Networks trained with and without Black women, everything else and the seed alike. Supported: their "
        "accuracy, less that of all other faces, falls in both intervals, over seeds (Student's t) and over seeds "
        "and faces (two-level bootstrap), with p under 5 % after Holm's correction over all claims; so does their "
        "ethnicity's accuracy at a threshold of its own, where women and men are right equally often; and it falls "
        "further than in each control arm (both genders of the ethnicity left out, as many random faces of the gender, "
        "another group). Supported in part: the first holds, of the others not all do or were tried. Not supported: "
        "neither interval of the first holds a fall of 2 points. Cannot tell: else, and under 3 pairs of seeds."
    ),
    "5": (
        "Learning rate and epoch by worst-group instead of overall accuracy, everything else and the seed alike; pairs "
        "whose two networks are one and the same were given no treatment and do not count. Supported: the worst "
        "group's accuracy rises in both intervals, as above, with p under 5 % after Holm's correction. Not supported: "
        "neither interval holds a rise of 2 points. Cannot tell: else, and under 3 pairs that were given it."
    ),
}
NONE = "No experiment is at hand, and no audit alone tells a cause: `python -m train.experiments` trains the arms."


def cause_findings(experiment: Experiment | None, filter: Filter) -> list[Finding]:
    """Findings 4 and 5 from the experiment's contrasts that name them, before the correction over all claims."""
    return [_finding(key, experiment, filter) for key in CLAIMS]


def _finding(key: str, experiment: Experiment | None, filter: Filter) -> Finding:
    claims = [claim for claim in experiment.claims if claim.finding == key] if experiment else []
    claims.sort(key=lambda claim: claim.control)
    if not claims or claims[0].control:
        return unable(key, CLAIMS[key], NONE, RULES[key])
    try:
        contrasts = [(claim, claim_contrast(experiment, claim, filter)) for claim in claims]
    except LookwhereError as error:
        return unable(key, CLAIMS[key], f"{error}.", RULES[key])
    first, controls = contrasts[0][1], [contrast for claim, contrast in contrasts if claim.control]
    verdict = first.verdict
    sentences = [whose(experiment.name), *(_sentence(claim, result) for claim, result in contrasts)]
    if Measure.EXTRA in first.effects:
        sentences += _beside(contrasts[0][0], first, controls)
        if verdict == Verdict.SUPPORTED and not (_ranks_worse(first) and controls and _beyond(first, controls)):
            verdict = Verdict.IN_PART
    if stayed := unrecorded(experiment, contrasts[0][0]):
        sentences.append(_stayed(contrasts[0][0], stayed))
        verdict = Verdict.CANNOT_TELL if verdict == Verdict.NOT_SUPPORTED else verdict
    rows = [
        {"contrast": claim.name, "measure": measure, "mean": e.seeds.value, "low": e.seeds.low, "high": e.seeds.high,
         "both_low": e.both.low, "both_high": e.both.high, "pairs": sum(result.given),
         **{f"seed {n}": value for n, value in enumerate(e.by_seed)}}
        for claim, result in contrasts for measure, e in result.effects.items()
    ]  # fmt: skip
    result = CauseContrasts(tuple(contrasts))
    by_test = verdict in (Verdict.SUPPORTED, Verdict.IN_PART)
    p = first.effects[first.measure].p if sum(first.given) >= FEWEST_PAIRS else float("nan")
    return Finding(key, CLAIMS[key], verdict, " ".join(sentences), RULES[key], pd.DataFrame(rows), result, p, by_test)


def whose(experiment: str) -> str:
    """Whose networks a claim of causes is answered by: the audited model is none of them, and nothing is said of it."""
    return (
        f"Of other networks than the audited one: pairs of the experiment «{experiment}», trained for this question, a "
        "pair a seed, alike in all that is not said to differ."
    )


def unrecorded(experiment: Experiment, claim: Claim) -> int:
    """Training faces of the claim's gender whose ethnicity is not recorded and that stayed in its arm «to», where that
    arm leaves out a group by its ethnicity; 0 where it leaves out none, or all ethnicities are recorded."""
    info = model_info(experiment.path / experiment.arm(claim.end).models[0])
    gender, ethnicity = parse_group(claim.group)
    if not ethnicity or info.training is None or claim.group not in info.training.exclude or info.data is None:
        return 0
    return sum(
        part.faces
        for part in info.data.train_groups
        if part.ethnicity in ("", UNRECORDED) and part.gender in ("", gender) and not part.group
    )


def _stayed(claim: Claim, faces: int) -> str:
    gender, _ = parse_group(claim.group)
    group, who = group_name(*parse_group(claim.group)), group_name(gender or (), ())
    return (
        f"Left out were those who are recorded as {group}: {faces:,} training faces of {who} whose ethnicity is not "
        f"recorded stayed, and there may be {group} among them. So a fall is a lower bound, and «not supported» is not "
        "offered."
    )


def _ranks_worse(contrast: Contrast) -> bool:
    """Whether accuracy falls at the ethnicity's own threshold too, in both intervals."""
    own = contrast.effects.get(Measure.OWN)
    return own is not None and max(own.seeds.high, own.both.high) < 0


def _beyond(contrast: Contrast, controls: list[Contrast]) -> bool:
    """Whether the group falls further behind the others than it does in each control, seed by seed."""
    own = np.array(contrast.effects[Measure.EXTRA].by_seed)
    control_changes = [
        np.array(control.effects[Measure.EXTRA].by_seed) for control in controls if Measure.EXTRA in control.effects
    ]
    return len(control_changes) == len(controls) and all(
        len(control_change) == len(own) and t_interval(own - control_change).high < 0
        for control_change in control_changes
    )


def _sentence(claim: Claim, contrast: Contrast) -> str:
    seeds = _pairs(contrast)
    if Measure.EXTRA in contrast.effects:
        own, rest, extra = (contrast.effects[k].seeds for k in (Measure.GROUP, Measure.OTHERS, Measure.EXTRA))
        return (
            f"{capital(claim.name)} changes the accuracy of {contrast.group} ({contrast.n:,} faces) by "
            f"{points(own.value, own.low, own.high)} {seeds}, of all others by "
            f"{points(rest.value, rest.low, rest.high)}: {points(extra.value, extra.low, extra.high)} apart."
        )
    if not any(contrast.given):
        return f"{capital(claim.name)} led to one and the same network in every pair: nothing was tried."
    parts = [
        f"the {name} by {points(e.seeds.value, e.seeds.low, e.seeds.high)}"
        for name, e in contrast.effects.items()
        if name in (Measure.WORST, Measure.GAP)
    ]
    return f"{capital(claim.name)} changes {' and '.join(parts)} {seeds}."


def _pairs(contrast: Contrast) -> str:
    """«over 3 seeds», or that in some of them both arms are one network."""
    treated, pairs = sum(contrast.given), len(contrast.given)
    if treated == pairs:
        return f"over {counted(pairs, 'seed')}"
    same = [str(seed) for seed, differs in enumerate(contrast.given) if not differs]
    where = f"seed {same[0]}" if len(same) == 1 else f"seeds {' and '.join(same)}"
    few = f", fewer than the {FEWEST_PAIRS} that a verdict needs" if treated < FEWEST_PAIRS else ""
    return f"over the {treated} of {pairs} pairs that differ at all{few} (in {where} both arms are one network)"


def _beside(claim: Claim, contrast: Contrast, controls: list[Contrast]) -> list[str]:
    """What the fall of accuracy leaves open: the ranking, the own threshold, and controls."""
    gender, ethnicity = parse_group(claim.group)
    faces = group_name((), ethnicity or ())
    sentences = []
    if Measure.AREA in contrast.effects:
        area, own = (contrast.effects[kind] for kind in (Measure.AREA, Measure.OWN))
        sentences.append(
            f"Among {faces} of both genders the area under the ROC curve goes from {area.levels[0]:.3f} to "
            f"{area.levels[1]:.3f}; at a threshold of their own, where women and men are right equally often, accuracy "
            f"goes from {percent(own.levels[0])} to {percent(own.levels[1])}, "
            f"{points(own.seeds.value, own.seeds.low, own.seeds.high)}."
        )
    if not controls:
        who = group_name(gender or (), ())
        sentences.append(
            f"No control arm was trained (both genders of {faces} left out; as many {who}, drawn at random; another "
            f"group). So it stays open whether the fall is of the group's absence as such, of {faces} having come to "
            f"mean the other gender in training, or of fewer {who}. The plan claims-with-controls.yaml trains them."
        )
    elif not _beyond(contrast, controls):
        sentences.append("It does not fall further than in each control arm.")
    return sentences
