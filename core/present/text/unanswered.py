"""A claim that cannot be answered, in plain words: what was asked, why it stays open, what an answer needs."""

from __future__ import annotations

import math

from core.analysis.findings.base import (
    MATTERS,
    CauseContrasts,
    ErrorPattern,
    EthnicityGap,
    EvidenceDensity,
    Finding,
    GenderGap,
)
from core.estimate import Estimate
from core.verdicts import Verdict
from core.wording import bounds

#: What each claim asks, in plain words.
ASKED = {
    "1a": "Is the model right less often for women than for men?",
    "1b": "Does it depend on people's ethnicity how often the model is right?",
    "2": "When the model is right, does that rest on nose and mouth?",
    "3": "Does the model look elsewhere when it is wrong?",
    "4": "Is a group recognised worse because it was missing in training?",
    "5": "Does choosing a network by its overall accuracy make the gap between groups?",
}
#: What an answer needs, for a claim of which nothing could be computed here.
NEEDED = {
    "1a": "An answer needs 50 and more women and 50 and more men.",
    "1b": "An answer needs faces labelled with ethnicity, 50 and more of each of two.",
    "2": "An answer needs an audit with maps and more correct predictions.",
    "3": "An answer needs an audit with maps, and of more faces, so that there are more mistakes.",
    "4": "An answer needs three pairs of networks and more, trained with and without the group.",
    "5": "An answer needs three pairs of networks and more, chosen in either way.",
}
#: More times as many faces are no plan.
MOST_TIMES = 1000


def unanswered_words(finding: Finding) -> str | None:
    """What was asked, why it cannot be answered here, and what an answer needs; None of a claim with an answer."""
    if finding.verdict is not Verdict.CANNOT_TELL or finding.key not in ASKED:
        return None
    why, needed = _why(finding)
    return f"{ASKED[finding.key]} {why} {needed}"


def _why(finding: Finding) -> tuple[str, str]:
    match finding.result:
        case GenderGap() as result:
            if result.difference.low > -MATTERS and not finding.by_test:
                return "How large the difference is depends on age.", "See each age: no one number answers it."
            return _of_gap(finding, result.difference, "women's share of right answers less men's")
        case EthnicityGap() as result:
            same = result.pairs[result.pairs["within"]]
            pairs = same if len(same) else result.pairs
            widest = pairs.loc[(pairs["high"] - pairs["low"]).idxmax()]
            between = f"{widest['best']} less {widest['worst']}"
            return _of_gap(finding, Estimate(widest["difference"], widest["low"], widest["high"]), between)
        case EvidenceDensity() as result:
            return _of_places(finding, result)
        case ErrorPattern():
            return (
                "The maps of wrong answers differ from those of right ones too little to be sure, and too much to call "
                "them alike.",
                "More wrong answers, from an audit of more faces, may answer it.",
            )
        case CauseContrasts() as result:
            return _of_networks(result)
        case _:
            return finding.sentence, NEEDED[finding.key]


def _of_gap(finding: Finding, gap: Estimate, what: str) -> tuple[str, str]:
    """Of a difference: what it may be, and how many times as many faces would narrow that to 2 points either way, as
    an interval narrows with the root of the faces."""
    if finding.by_test:
        return (
            "A difference is seen, but so large a one turns up by chance too often where several claims are asked at "
            "once.",
            "An audit of other faces of the same kind may answer it.",
        )
    may_be = f"These faces leave open what it is: {what} may be {bounds(100 * gap.low, 100 * gap.high)} points."
    times = ((gap.high - gap.low) / 2 / MATTERS) ** 2
    if not math.isfinite(times) or times > MOST_TIMES:
        return may_be, "Far more faces would be needed."
    narrow = f"would narrow that to {100 * MATTERS:g} points either way."
    return may_be, f"About {max(2, math.ceil(round(times, 6)))} times as many faces {narrow}"


def _of_places(finding: Finding, result: EvidenceDensity) -> tuple[str, str]:
    if not result.hidden:
        return (
            "Maps show what speaks for an answer, not what the answer needs: for that, nose and mouth have to be "
            "covered, which was not done for these faces.",
            "The command `python -m core check` covers them.",
        )
    return (
        f"With places covered in {result.hidden:,} of these faces, it is not sure that the model loses most by nose "
        "and mouth, nor that it loses more by one other place.",
        "Covering them in more faces (`python -m core check --sample`) may answer it.",
    )


def _of_networks(result: CauseContrasts) -> tuple[str, str]:
    first = result.contrasts[0][1]
    effect, pairs = first.effects[first.measure], sum(first.given)
    low, high = (f(getattr(e, end) for e in (effect.seeds, effect.both)) for f, end in ((min, "low"), (max, "high")))
    compared = f"{pairs} pair{'' if pairs == 1 else 's'} of networks"
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"Only {compared} can be compared.", "An answer needs three pairs and more."
    return (
        f"Networks trained alike differ by chance too: over {compared} the change may be "
        f"{bounds(100 * low, 100 * high)} points.",
        "More pairs may answer it.",
    )
