"""Claims 2 and 3: right predictions rest on nose and mouth; wrong ones show no pattern."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.bootstrap import DRAWS, bootstrap_interval, bootstrap_means
from core.analysis.findings.base import ErrorPattern, EvidenceDensity, Finding, unable
from core.analysis.maps.differences import ABSTAIN_UNDER, PERMUTATIONS
from core.analysis.maps.dispersion import Dispersions, compare_dispersion, pattern_test, split_half
from core.analysis.maps.shapes import oriented_shapes
from core.analysis.strata import crossed, strata_of
from core.audit.folder import Audit
from core.checks.results import Checks, uncheckable
from core.data.faces import person_codes
from core.data.filters import Filter
from core.errors import LookwhereError
from core.estimate import Estimate
from core.explain.maps import target_maps
from core.explain.regions import REGIONS, area_shares, by_region
from core.verdicts import Verdict
from core.wording import p_words, percent

PLACES = ("nose", "mouth")
FILL = "blur"
#: Groups of the checks, the wanted one first.
GROUPS = ("all faces, predicted correctly", "all faces")
NO_MAPS = "Only predictions were audited, so there are no maps to look at."
CLAIMS = {
    "2": "Correct predictions rest on nose and mouth.",
    "3": "Incorrect predictions show no pattern in their maps.",
}
RULES = {
    "2": (
        "Density is a region's share of the positive evidence for the chosen gender over its share of the image:"
        " 1 is what a uniform map has. Supported: the density of nose and mouth together lies above 1, no other "
        "region's lies above theirs, and hiding either lowers the margin more than the same hole elsewhere does "
        "(where the checks were run). Not supported: that density lies below 1, or another region's lies above it,"
        " or hiding either costs no more than the hole elsewhere. Cannot tell: else. «Lies» is of 95 % intervals."
    ),
    "3": (
        "Maps of evidence for the chosen class over the other, without their strength. Not supported: the mean map"
        " of the incorrect ones is other than flat (max |t| over cells, family-wise, p under 5 % after Holm's "
        "correction over all claims) and halves of them agree on it. Supported: it is not, while that of as many "
        "correct ones is. Cannot tell: else, and under 30 incorrect ones. Dispersion is 1 − mean correlation of two "
        "maps, incorrect against correct ones with the same decision and |margin|."
    ),
}


def where_right_looks(audit: Audit, within: Filter, checks: Checks | None) -> Finding:
    """Finding 2 on the right predictions in a filter, with the causal check where it was run."""
    key = "2"
    if not audit.has_maps:
        return unable(key, CLAIMS[key], NO_MAPS, RULES[key])
    mask = within.narrowed(outcome="correct").mask(audit.faces)
    if mask.sum() < ABSTAIN_UNDER:
        return unable(key, CLAIMS[key], f"Only {int(mask.sum())} correct predictions here.", RULES[key])
    predicted = audit.class_index("predicted")[mask]
    maps = target_maps(audit.evidence[mask].astype(np.float64), "predicted", predicted, predicted)
    energy = by_region(np.maximum(maps, 0))
    some = energy.sum(axis=1) > 0
    shares, areas = energy[some] / energy[some].sum(axis=1, keepdims=True), area_shares()
    inside = np.isin(REGIONS, PLACES)
    values = np.column_stack([shares / areas, shares[:, inside].sum(axis=1) / areas[inside].sum()])
    means = values.mean(axis=0)
    drawn = bootstrap_means(values, person_codes(audit.faces)[mask][some], DRAWS, 0)
    low, high = bootstrap_interval(drawn)
    rivals = {}
    for r in np.flatnonzero(~inside):
        below, above = bootstrap_interval(drawn[:, [r]] - drawn[:, [-1]])
        rivals[REGIONS[r]] = Estimate(float(means[r] - means[-1]), float(below[0]), float(above[0]))
    both = Estimate(float(means[-1]), float(low[-1]), float(high[-1]))
    stronger = [name for name, d in rivals.items() if d.low > 0]
    doubtful = [name for name, d in rivals.items() if d.low <= 0 < d.high]
    hidden = _hidden(checks)
    costs = [row for row in hidden if row["region"] in PLACES]
    if both.high < 1 or stronger or any(row["excess_high"] <= 0 for row in costs):
        verdict = Verdict.NOT_SUPPORTED
    elif both.low > 1 and not doubtful and all(row["excess_low"] > 0 for row in costs):
        verdict = Verdict.SUPPORTED
    else:
        verdict = Verdict.CANNOT_TELL
    table = pd.DataFrame(
        {"region": REGIONS, "share": shares.mean(axis=0), "area": areas, "density": means[:-1], "low": low[:-1],
         "high": high[:-1]}
    )  # fmt: skip
    table = table.merge(
        pd.DataFrame(hidden, columns=["region", "drop", "excess", "excess_low", "excess_high"]), how="left"
    )
    order = np.argsort(-means[:-1])
    sentence = (
        f"Nose and mouth hold {percent(float(shares[:, inside].sum(axis=1).mean()))} of the positive evidence on "
        f"{percent(float(areas[inside].sum()))} of the image: density {both.value:.2f} "
        f"[{both.low:.2f}–{both.high:.2f}]. "
        f"Densest are {', '.join(f'{REGIONS[r]} ({means[r]:.2f})' for r in order[:3])}."
    )
    if stronger:
        sentence += f" Above nose and mouth lie {_listed(stronger)}."
    if hidden:
        sentence += " Hiding " + ", ".join(
            f"the {row['region']} costs {row['excess']:.2f} [{row['excess_low']:.2f} to {row['excess_high']:.2f}]"
            for row in costs
        )
        top = max(hidden, key=lambda row: row["excess"] if row["excess"] == row["excess"] else -np.inf)
        sentence += f" logits more than the same hole elsewhere; most costs the {top['region']} ({top['excess']:.2f})."
    elif uncheckable(audit) is None:
        sentence += " The causal check (`python -m core check`) has not been run for this audit."
    else:
        where = "on an imported model" if not audit.manifest.trained_here else f"on maps by {audit.map_method}"
        sentence += f" The causal check cannot be run {where}."
    result = EvidenceDensity(int(some.sum()), both, rivals, causal=bool(hidden))
    return Finding(key, CLAIMS[key], verdict, sentence, RULES[key], table, result)


def _hidden(checks: Checks | None) -> list[dict]:
    """Rows of the occlusion check, of right predictions where it has enough: each region's drop of the margin, and that
    above a hole elsewhere."""
    if checks is None or "occlusion" not in checks.parts:
        return []
    part = checks.parts["occlusion"]
    name = next(name for name in (*GROUPS, part.groups[0][0]) if part.n(name))
    rows = part.rows("regions", name)
    return rows[rows["fill"] == FILL].to_dict("records")


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def whether_wrong_has_a_pattern(audit: Audit, within: Filter) -> Finding:
    """Finding 3 on the faces in a filter."""
    key = "3"
    if not audit.has_maps:
        return unable(key, CLAIMS[key], NO_MAPS, RULES[key])
    wrong, right = (within.narrowed(outcome=o).mask(audit.faces) for o in ("incorrect", "correct"))
    shapes = oriented_shapes(audit)
    shaped = shapes.std(axis=(1, 2)) > 0
    wrong, right = wrong & shaped, right & shaped
    n = int(wrong.sum())
    if n < ABSTAIN_UNDER:
        needed = f"Only {n} incorrect predictions here: a test needs {ABSTAIN_UNDER}."
        return unable(key, CLAIMS[key], needed, RULES[key])
    try:
        spread, matched = _spread(audit, shapes, wrong, right)
    except LookwhereError as error:
        return unable(key, CLAIMS[key], f"{error}.", RULES[key])
    few = np.random.default_rng(0).permutation(np.flatnonzero(right))[:n]
    found, beside = pattern_test(shapes[wrong]), pattern_test(shapes[few])
    halves, halves_right = split_half(shapes[wrong]), split_half(shapes[right], size=n)
    pattern = bool(found.significant.any() and halves.low > 0)
    if pattern:
        verdict = Verdict.NOT_SUPPORTED
    elif not found.significant.any() and beside.significant.any():
        verdict = Verdict.SUPPORTED
    else:
        verdict = Verdict.CANNOT_TELL
    mean_wrong, mean_right = shapes[wrong].mean(axis=0), shapes[right].mean(axis=0)
    alike = float(np.corrcoef(mean_wrong.ravel(), mean_right.ravel())[0, 1])
    smallest = 1 / (1 + PERMUTATIONS)
    chance = f"p ≤ {smallest:.1g}" if found.p_map <= smallest * (1 + 1e-9) else p_words(found.p_map)
    sentence = (
        f"The mean map of {n:,} incorrect predictions is {'' if found.significant.any() else 'not '}other than flat "
        f"beyond chance in {int(found.significant.sum())} of {found.significant.size} cells ({chance}); random halves "
        f"of them agree at r = {halves.value:.2f}, as many correct ones at {halves_right.value:.2f}. Two incorrect "
        "maps differ "
        f"{spread.ratio.value:.2f} × [{spread.ratio.low:.2f}–{spread.ratio.high:.2f}] as much as two correct ones of "
        f"{matched} ({p_words(spread.p)}). Mean maps of incorrect and correct correlate at r = {alike:.2f}."
    )
    rows = [
        ("incorrect predictions", n, spread.wrong, halves, int(found.significant.sum())),
        ("as many correct ones", n, spread.right, halves_right, int(beside.significant.sum())),
    ]
    table = pd.DataFrame(
        [(name, k, d.value, d.low, d.high, h.value, h.low, h.high, cells) for name, k, d, h, cells in rows],
        columns=["predictions", "n", "dispersion", "low", "high", "split_half", "half_low", "half_high", "cells"],
    )
    result = ErrorPattern(
        mean_wrong, mean_right, found.significant, n, int(right.sum()), spread, alike, audit.minimum_faces
    )
    return Finding(key, CLAIMS[key], verdict, sentence, RULES[key], table, result, found.p_map, pattern)


def _spread(audit: Audit, shapes: np.ndarray, wrong: np.ndarray, right: np.ndarray) -> tuple[Dispersions, str]:
    """Dispersions of wrong and right ones of the same decision and |margin|, of the decision alone where no margin of
    a right one is like a wrong one's; and the words for it."""
    words = "the same decision and |margin|"
    matches = crossed([strata_of(audit.faces, column, wrong, right) for column in ("margin", "predicted")])
    if not set(matches[wrong & (matches >= 0)]) & set(matches[right]):
        words, matches = "the same decision", strata_of(audit.faces, "predicted")
    used = (wrong | right) & (matches >= 0)
    return compare_dispersion(shapes[used], wrong[used], matches[used]), words
