"""The first sentences of a claim, for who has no statistics: what came out, or what was asked and why it is open."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from core.analysis.comparison.experiment import Measure
from core.analysis.findings.base import MATTERS, CauseContrasts, EthnicityGap, Finding, GenderGap
from core.present.text.unanswered import unanswered_words
from core.verdicts import Verdict
from core.wording import capital

#: A difference that matters, as faces of a hundred.
FEW = f"{100 * MATTERS:g} of 100"
#: What is said of a claim whose result is one of maps, by claim and verdict.
OF_MAPS = {
    ("2", Verdict.SUPPORTED): "Covering nose and mouth costs right answers more than covering any other place.",
    ("2", Verdict.NOT_SUPPORTED): (
        "Right answers do not rest on nose and mouth above all: covering another place costs more, or covering these "
        "costs nothing."
    ),
    ("3", Verdict.SUPPORTED): (
        "The heatmaps of wrong answers look like those of right answers about similar faces: nothing is seen in them "
        "that those do not have."
    ),
    ("3", Verdict.NOT_SUPPORTED): (
        "The heatmaps of wrong answers have something of their own, which those of right answers about similar faces "
        "do not have."
    ),
}


def plain_words(finding: Finding) -> str | None:
    """A claim's first sentences, in plain words; None where there are none for its result."""
    if finding.verdict is Verdict.CANNOT_TELL:
        return unanswered_words(finding)
    match finding.result:
        case GenderGap() as result:
            return _of_genders(finding.verdict, result)
        case EthnicityGap() as result:
            return _of_ethnicities(finding, result)
        case CauseContrasts() as result:
            return _of_causes(finding.verdict, result)
        case _:
            return OF_MAPS.get((finding.key, finding.verdict))


def _of_100(share: float) -> str:
    """A share as a count of a hundred: «about 3», «under 1», «over 99»; of a difference without its sign."""
    count = abs(100 * share)
    if 0 < count < 0.5:
        return "under 1"
    return "over 99" if 99.5 <= count < 100 else f"about {count:.0f}"


def _of_genders(verdict: Verdict, result: GenderGap) -> str:
    gap = result.difference
    if verdict is Verdict.NOT_SUPPORTED:
        if gap.low > 0:
            return f"The model is right more often for women than for men: {_of_100(gap.value)} more of 100."
        least = f"if it is right less often for women at all, then for fewer than {FEW}."
        return f"The model is not right clearly less often for women than for men; {least}"
    less = f"The model is right less often for women than for men: {_of_100(gap.value)} fewer of 100"
    if result.reversed_at is None:
        return f"{less}."
    ahead, behind = (result.by_age[result.by_age["band"] == band].iloc[0] for band in result.reversed_at)
    chance = "" if ahead["low"] > 0 else ", which may be chance"
    return (
        f"{less}. It is not so at every age: {_of_100(ahead['difference'])} more of 100 at {ahead['band']}{chance}; "
        f"{_of_100(behind['difference'])} fewer at {behind['band']}."
    )


def _of_ethnicities(finding: Finding, result: EthnicityGap) -> str:
    if finding.verdict is Verdict.NOT_SUPPORTED:
        return f"How often the model is right differs between ethnicities by less than {FEW}."
    depends = "How often the model is right depends on people's ethnicity"
    same = result.pairs[result.pairs["within"]]
    if not len(same) or same["low"].iloc[0] <= 0:
        return f"{depends}; between which of them, these faces do not say."
    levels = finding.numbers.set_index("group")["equal_ages"]
    best, worst = str(same["best"].iloc[0]), str(same["worst"].iloc[0])
    if not np.isfinite([levels[best], levels[worst]]).all():
        return f"{depends}: it is right more often for {best} than for {worst}."
    alike = " of the same ages" if result.ages_equal else ""
    return (
        f"{depends}: it is right for {_of_100(levels[best])} of 100 {best} and {_of_100(levels[worst])} of 100 "
        f"{worst}{alike}."
    )


def _of_causes(verdict: Verdict, result: CauseContrasts) -> str | None:
    claim, contrast = result.contrasts[0]
    if Measure.EXTRA in contrast.effects:
        return _of_absence(verdict, capital(claim.name), contrast.group, contrast.effects[Measure.GROUP].levels)
    if verdict is Verdict.NOT_SUPPORTED:
        return f"{capital(claim.name)} does not help the group for which networks are right least often by {FEW}."
    start, end = contrast.effects[contrast.measure].levels
    if not (math.isfinite(start) and math.isfinite(end)):
        return None
    return (
        f"{capital(claim.name)} helps the group for which networks are right least often: {_of_100(start)} of 100 "
        f"before, {_of_100(end)} then."
    )


def _of_absence(verdict: Verdict, without: str, group: str, levels: tuple[float, float]) -> str | None:
    if verdict is Verdict.NOT_SUPPORTED:
        return f"{without} does not make networks right less often for them by {FEW}."
    start, end = levels
    if not (math.isfinite(start) and math.isfinite(end)):
        return None
    fall = (
        f"Of 100 {group}, networks trained with {group} are right for {_of_100(start)}, networks trained without for "
        f"{_of_100(end)}."
    )
    if verdict is Verdict.SUPPORTED:
        return fall
    return f"{fall} Whether their absence alone is the cause, or something that goes with it, is not shown."


#: What columns of a claim's numbers are called on the page. Files and the command keep the analysis' own names.
HEADS = {
    "n": "faces",
    "errors": "incorrect",
    "effect": "design effect",
    "wilson_low": "group by itself, low",
    "wilson_high": "group by itself, high",
    "equal_ages": "at equal ages",
    "equal_ages_low": "equal ages, low",
    "equal_ages_high": "equal ages, high",
    "less_low": "nose and mouth less it, low",
    "less_high": "nose and mouth less it, high",
}
_ACCURACIES = {"low": "all groups at once, low", "high": "all groups at once, high"}
_SEEDS = {"low": "over seeds, low", "high": "over seeds, high", "both_low": "seeds and faces, low",
          "both_high": "seeds and faces, high"}  # fmt: skip
_SHARES = ("accuracy", "wilson_low", "wilson_high", "low", "high", "equal_ages", "equal_ages_low", "equal_ages_high")


def numbers_table(finding: Finding) -> tuple[pd.DataFrame, list[str]]:
    """A claim's numbers with columns in words, and which of them are shares that stand as percentages."""
    table = finding.numbers
    of_accuracy = "wilson_low" in table
    own = _ACCURACIES if of_accuracy else _SEEDS if "both_low" in table else {}
    heads = {**HEADS, **own}
    shares = [heads.get(name, name) for name in _SHARES if name in table] if of_accuracy else []
    return table.rename(columns=heads), shares
