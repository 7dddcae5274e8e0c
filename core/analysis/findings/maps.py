"""Claims 2 and 3: right predictions rest on nose and mouth; wrong ones show no pattern."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.analysis.bootstrap import DRAWS, bootstrap_interval, bootstrap_means
from core.analysis.findings.base import ErrorPattern, EvidenceDensity, Finding, unable
from core.analysis.maps.differences import ABSTAIN_UNDER, people_of
from core.analysis.maps.dispersion import compare_dispersion
from core.analysis.maps.own_pattern import OwnPattern, own_pattern
from core.analysis.maps.shapes import oriented_shapes
from core.analysis.strata import crossed, strata_of
from core.audit.folder import Audit
from core.checks.results import Checks, uncheckable
from core.data.faces import person_codes
from core.data.filters import Filter
from core.errors import LookwhereError
from core.estimate import Estimate
from core.explain.maps import target_maps
from core.explain.regions import REGIONS, by_region, even_shares
from core.verdicts import Verdict
from core.wording import bounds, capital, number, p_words, percent, times

#: The own pattern of incorrect predictions is next to nothing under so much of the common map's strength.
SLIGHT = 0.25
#: Incorrect predictions in a bin of |margin|, and the share of them that is to have correct ones like them.
A_BIN, MOST = 15, 2 / 3
PLACES = ("nose", "mouth")
FILL = "blur"
#: Groups of the checks, the wanted one first.
GROUPS = ("all faces, predicted correctly", "all faces")
NO_MAPS = "Only predictions were audited, so there are no maps to look at."
CLAIMS = {
    "2": "Correct predictions rest on nose and mouth.",
    "3": "Incorrect predictions show no pattern of their own in their maps.",
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
        "Maps of evidence for the chosen class over the other, without level and strength; incorrect predictions "
        "beside correct ones of the same decision, ethnicity, age and |margin|. From the incorrect ones' mean map the "
        "multiple of the correct ones' is taken away; what is left is their own pattern, its strength a share of the "
        "correct ones' map. Not supported: an own pattern by max |t| over the cells, p under 5 % after Holm's "
        "correction over all claims, on which random halves agree (r above 0 in 97.5 % of splits). Supported: else, "
        "where the 95 % interval of its strength lies under a quarter and the correct ones' map is not reversed. "
        "Cannot tell: else, and under 30 incorrect ones that have such correct ones. Dispersion is 1 − mean "
        "correlation of two maps."
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
    energy = by_region(np.maximum(maps, 0), audit.placement)
    some = energy.sum(axis=1) > 0
    shares, areas = energy[some] / energy[some].sum(axis=1, keepdims=True), even_shares(maps.shape, audit.placement)
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


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def whether_wrong_has_a_pattern(audit: Audit, within: Filter) -> Finding:
    """Finding 3 on the faces in a filter."""
    key = "3"
    if not audit.has_maps:
        return unable(key, CLAIMS[key], NO_MAPS, RULES[key])
    shapes = oriented_shapes(audit)
    shaped = shapes.std(axis=(1, 2)) > 0
    wrong, right = (within.narrowed(outcome=o).mask(audit.faces) & shaped for o in ("incorrect", "correct"))
    alike, matches = matched(audit, wrong, right)
    try:
        found = own_pattern(
            shapes,
            wrong,
            right,
            matches,
            people=people_of(audit.faces),
            limit=SLIGHT,
            minimum=audit.minimum_faces,
            placement=audit.placement,
        )
        used = (wrong | right) & (matches >= 0)
        spread = compare_dispersion(shapes[used], wrong[used], matches[used])
    except LookwhereError as error:
        return unable(key, CLAIMS[key], f"{capital(str(error))}.", RULES[key])
    own, verdict = found.own, pattern_verdict(found)
    alone = own.left_out[0]
    sentence = (
        f"{own.n_a:,} incorrect predictions stand beside {own.n_b:,} correct ones of the same {alike}"
        + (f" ({alone:,} {'have' if alone > 1 else 'has'} none)" if alone else "")
        + f". Their mean map is {_within(found.shown)} times that of the correct ones; beyond it "
        f"{int(own.significant.sum())} of {own.significant.size} cells differ beyond chance ({own.p_words}), what is "
        f"left is {_within(found.strength)} times as strong as the correct ones' map, and random halves agree on it at "
        f"r = {_within(found.halves)}. With nothing of their own, «supported» would fall in {percent(found.reach, 0)} "
        f"of audits of such faces. Two incorrect maps differ {times(spread.ratio)} as much as two of the correct ones "
        f"({p_words(spread.p)})."
    )
    cells = Estimate(float(own.significant.sum()), np.nan, np.nan)
    measures = {
        "correct ones' map in the incorrect ones'": found.shown,
        "strength of the own pattern": found.strength,
        "halves' r on the own pattern": found.halves,
        f"cells of {own.significant.size} beyond chance": cells,
        "dispersion of the incorrect ones": spread.wrong,
        "dispersion of the correct ones": spread.right,
    }
    table = pd.DataFrame(
        [(name, x.value, x.low, x.high) for name, x in measures.items()], columns=["measure", "value", "low", "high"]
    )
    result, by_test = ErrorPattern(found, spread), verdict == Verdict.NOT_SUPPORTED
    return Finding(key, CLAIMS[key], verdict, sentence, RULES[key], table, result, own.p_map, by_test)


def pattern_verdict(found: OwnPattern) -> Verdict:
    """By the rule of finding 3, before the correction over all claims."""
    if found.own.differs and found.halves.low > 0:
        return Verdict.NOT_SUPPORTED
    slight = found.strength.high < found.limit and found.shown.high > 0
    return Verdict.SUPPORTED if slight else Verdict.CANNOT_TELL


def _within(value: Estimate) -> str:
    return f"{number(value.value)} [{bounds(value.low, value.high, '.2f')}]"


def matched(audit: Audit, wrong: np.ndarray, right: np.ndarray) -> tuple[str, np.ndarray]:
    """What wrong and right predictions are matched on, in words, and the strata, int64 (N,), −1 for no counterpart."""
    faces = audit.faces
    by = {
        "decision": strata_of(faces, "predicted"),
        "ethnicity": strata_of(faces, "ethnicity"),
        # Unknown ages are an age band of their own.
        "age": strata_of(faces, "age band") + 1,
        "|margin|": strata_of(faces, "margin", wrong, right, per_bin=A_BIN),
    }
    for names in (tuple(by), ("decision", "|margin|")):
        strata = crossed([by[name] for name in names])
        both = np.intersect1d(strata[wrong], strata[right])
        strata = np.where(np.isin(strata, both), strata, -1)
        n = int((wrong & (strata >= 0)).sum())
        if n >= ABSTAIN_UNDER and n >= MOST * wrong.sum():
            break
    return _listed(names), strata
