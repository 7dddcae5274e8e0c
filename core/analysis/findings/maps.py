"""Claims 2 and 3: correct predictions rest on nose and mouth; incorrect ones show no pattern."""

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
from core.analysis.maps.sides import Sides
from core.analysis.strata import crossed, strata_of
from core.audit.drawn import drawn, drawn_words
from core.audit.folder import Audit
from core.checks.hidden_costs import CLAIMED, MOVE, Way
from core.checks.hidden_costs import PLACES as MOVES
from core.checks.results import HIDING, Checks, Part
from core.data.faces import UNRECORDED, person_codes
from core.data.filters import Filter
from core.errors import LookwhereError
from core.estimate import Estimate
from core.explain.maps import target_maps
from core.explain.placement import Placement
from core.explain.regions import REGIONS, by_region, even_shares, weights
from core.verdicts import Verdict
from core.wording import bounds, capital, number, p_words, percent, share_of_audits, times

#: The own pattern of incorrect predictions is next to nothing under so much of the common map's strength.
SLIGHT = 0.25
#: Incorrect predictions in a bin of |margin|, and the share of them that is to have correct ones like them.
A_BIN, MOST = 15, 2 / 3
PLACES = ("nose", "mouth")
WAYS = {Way.AT_ONCE: "hidden as one", Way.PATCHES: "by patches"}
NO_MAPS = "Only predictions were audited, so there are no maps to look at."
CLAIMS = {
    "2": "Correct predictions rest on nose and mouth.",
    "3": "Incorrect predictions show no pattern of their own in their maps.",
}
RULES = {
    "2": (
        "What correct predictions lose, in logits per percent of the image hidden, where nose and mouth are hidden, "
        "less the same of each other region; all of it at once and by patches of 14 pixels, under every fill, with the "
        "regions as they are and moved by 8 pixels. Bounds hold for all of these at once at 1 − 5 %/6. Not supported: "
        "one other region costs more in every way, under every fill, wherever the regions are moved, or hiding nose "
        "and mouth costs nothing in any way. Supported: nose and mouth so cost more than each other region. Cannot "
        "tell: else, without the check, and under 30 faces in it. Density is a region's share of the maps' positive "
        "evidence for the chosen gender over its share of the image; it decides nothing."
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


def where_right_looks(audit: Audit, filter: Filter, checks: Checks | None) -> Finding:
    """Finding 2 on the correct predictions in a filter: what hiding each region costs, and the maps beside it."""
    key = "2"
    if not audit.has_maps:
        return unable(key, CLAIMS[key], NO_MAPS, RULES[key])
    right = filter.narrowed(outcome="correct")
    sample = drawn_words(audit, right)
    audit = drawn(audit, right)
    mask = right.mask(audit.faces)
    if mask.sum() < ABSTAIN_UNDER:
        return unable(key, CLAIMS[key], f"Only {int(mask.sum())} correct predictions here.", RULES[key])
    predicted = audit.called[mask]
    positive = np.maximum(target_maps(audit.evidence[mask].astype(np.float64), "predicted", predicted, predicted), 0)
    energy = by_region(positive, audit.placement)
    some = energy.sum(axis=1) > 0
    shares, areas = energy[some] / energy[some].sum(axis=1, keepdims=True), even_shares(positive.shape, audit.placement)
    inside = np.isin(REGIONS, PLACES)
    values = np.column_stack([shares / areas, shares[:, inside].sum(axis=1) / areas[inside].sum()])
    means = values.mean(axis=0)
    low, high = bootstrap_interval(bootstrap_means(values, person_codes(audit.faces)[mask][some], DRAWS, 0))
    moved = [_density(positive[some], move, inside, audit.placement) for move in MOVES]
    table = pd.DataFrame(
        {"region": REGIONS, "share": shares.mean(axis=0), "area": areas, "density": means[:-1], "low": low[:-1],
         "high": high[:-1]}
    )  # fmt: skip
    order = np.argsort(-means[:-1])
    beside = (
        f"Of the maps' positive evidence they hold {percent(float(shares[:, inside].sum(axis=1).mean()))} on "
        f"{percent(float(areas[inside].sum()))} of the image: density {number(means[-1])}, "
        f"{number(min(moved))} to {number(max(moved))} where the regions are moved; densest are "
        f"{', '.join(f'{REGIONS[r]} ({means[r]:.2f})' for r in order[:3])}."
    )
    part = None if checks is None else checks.parts.get(HIDING)
    n = 0 if part is None else part.n(right.describe())
    if part is None or n < ABSTAIN_UNDER:
        verdict, sentence = Verdict.CANNOT_TELL, _not_hidden(audit, part, n)
    else:
        costs, less = part.rows("costs", right.describe()), part.rows("less", right.describe())
        table = table.merge(_costs(costs, less), on="region", how="left")
        verdict, sentence = _by_costs(costs, less, n)
    result = EvidenceDensity(int(some.sum()), Estimate(means[-1], low[-1], high[-1]), (min(moved), max(moved)), n)
    words = " ".join(part for part in (sentence, beside, sample) if part)
    return Finding(key, CLAIMS[key], verdict, words, RULES[key], table, result)


def _density(positive: np.ndarray, move: tuple[int, int], inside: np.ndarray, placement: Placement | None) -> float:
    """Density of nose and mouth in maps (N, h, w) of positive evidence, with regions moved by so many pixels."""
    cells = weights(positive.shape[1:], placement, move)[inside].sum(axis=0)
    share = (positive * cells).sum(axis=(1, 2)) / positive.sum(axis=(1, 2))
    return float(share.mean() / cells.mean())


def hiding_verdict(low: np.ndarray, high: np.ndarray, none: bool) -> Verdict:
    """The rule of finding 2.

    `low`, `high` (ways, fills, rivals): bounds of nose and mouth less a rival. `none`: hiding them costs nothing.
    """
    above, below = (low > 0).all(axis=(0, 1)), (high < 0).all(axis=(0, 1))
    if below.any() or none:
        return Verdict.NOT_SUPPORTED
    return Verdict.SUPPORTED if above.all() else Verdict.CANNOT_TELL


def _by_costs(costs: pd.DataFrame, less: pd.DataFrame, n: int) -> tuple[Verdict, str]:
    """The verdict by the part's rows of one group of `n` faces, and what is said."""
    own = costs[costs["hidden"] == CLAIMED]
    ways, fills, rivals = (list(dict.fromkeys(less[column])) for column in ("way", "fill", "rival"))
    low, high = (less[column].to_numpy().reshape(len(ways), len(fills), len(rivals)) for column in ("low", "high"))
    verdict = hiding_verdict(low, high, bool((own["high"] <= 0).all()))
    spans = " and ".join(
        f"{bounds(rows.min(), rows.max(), '.3f')} {WAYS[Way(way)]}"
        for way, rows in own.groupby("way", sort=False)["cost"]
    )
    first = costs[costs["way"] == ways[0]].groupby("hidden")["cost"]
    most = first.mean().idxmax()
    dearest = first.get_group(most)
    return verdict, (
        f"Hidden in {n:,} of these faces, nose and mouth cost {spans} (logits per percent of the image, by fill: "
        f"{_listed(fills)}); the dearest region, {WAYS[Way(ways[0])]}, is «{most}» "
        f"({bounds(dearest.min(), dearest.max(), '.3f')}). {_told_apart(rivals, low, high)}"
    )


def _told_apart(rivals: list[str], low: np.ndarray, high: np.ndarray) -> str:
    """In how many of its intervals (ways, fills, rivals) each rival costs less or more than nose and mouth."""
    every = low.shape[0] * low.shape[1]
    parts, apart = [], np.zeros(len(rivals), dtype=bool)
    for words, sure in (("more", low > 0), ("less", high < 0)):
        counts = sure.sum(axis=(0, 1))
        apart |= counts > 0
        parts += [
            f"cost {words} than {_listed([name for r, name in enumerate(rivals) if counts[r] == count])} in "
            f"{'all' if count == every else f'{count} of them'}"
            for count in sorted({*counts} - {0}, reverse=True)
        ]
    if not apart.all():
        parts.append(f"are not told apart from {_listed([rivals[r] for r in np.flatnonzero(~apart)])} in any")
    return (
        f"Of the {every} intervals beside each other region (by way and fill, each the widest with the regions moved "
        f"by {MOVE} pixels) nose and mouth {'; '.join(parts)}."
    )


def _costs(costs: pd.DataFrame, less: pd.DataFrame) -> pd.DataFrame:
    """A row a rival: its cost where hidden at once, by fill, and the widest bounds of nose and mouth less it."""
    whole = costs[costs["way"] == costs["way"].iloc[0]].pivot_table("cost", "hidden", "fill")
    whole = whole[list(dict.fromkeys(costs["fill"]))].add_prefix("cost, ")
    ends = less.groupby("rival").agg(less_low=("low", "min"), less_high=("high", "max"))
    return whole.join(ends, how="inner").rename_axis("region").reset_index()


def _not_hidden(audit: Audit, part: Part | None, n: int) -> str:
    if part is None:
        return "What hiding nose and mouth costs has not been measured (`python -m core check`, part «hiding»)."
    if n:
        return f"Regions were hidden in {n} of these faces only: a verdict needs {ABSTAIN_UNDER}."
    return (
        f"Regions were hidden in no group of these faces, but of {_listed([f'«{name}»' for name, _ in part.groups])}."
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def whether_wrong_has_a_pattern(audit: Audit, filter: Filter) -> Finding:
    """Finding 3 on the faces in a filter."""
    key = "3"
    if not audit.has_maps:
        return unable(key, CLAIMS[key], NO_MAPS, RULES[key])
    sides = [filter.narrowed(outcome=outcome) for outcome in ("incorrect", "correct")]
    sample, audit = drawn_words(audit, *sides), drawn(audit, *sides)
    shapes = oriented_shapes(audit)
    shaped = shapes.std(axis=(1, 2)) > 0
    wrong, right = (filter.narrowed(outcome=o).mask(audit.faces) & shaped for o in ("incorrect", "correct"))
    alike, matches = matched(audit, wrong, right)
    try:
        pattern = own_pattern(
            shapes,
            Sides(wrong, right, people=people_of(audit.faces), strata=matches),
            limit=SLIGHT,
            minimum=audit.minimum_faces,
            placement=audit.placement,
        )
        used = (wrong | right) & (matches >= 0)
        spread = compare_dispersion(shapes[used], wrong[used], matches[used])
    except LookwhereError as error:
        return unable(key, CLAIMS[key], f"{capital(str(error))}.", RULES[key])
    own, verdict = pattern.own, pattern_verdict(pattern)
    alone = own.left_out[0]
    sentence = (
        f"{own.n_a:,} incorrect predictions stand beside {own.n_b:,} correct ones of the same {alike}"
        + (f" ({alone:,} {'have' if alone > 1 else 'has'} none)" if alone else "")
        + f". Their mean map is {_within(pattern.shown)} times that of the correct ones; beyond it "
        f"{int(own.significant.sum())} of {own.significant.size} cells differ beyond chance ({own.p_words}), what is "
        f"left is {_within(pattern.strength)} times as strong as the correct ones' map, and random halves agree on it "
        f"at r = {_within(pattern.halves)}. Had they nothing of their own, the verdict would be «supported» in "
        f"{share_of_audits(pattern.reach)} of audits of such faces. "
        f"Two incorrect maps differ {times(spread.ratio)} as much as two of the correct ones "
        f"({p_words(spread.p)})." + (f" {sample}" if sample else "")
    )
    cells = Estimate(float(own.significant.sum()), np.nan, np.nan)
    measures = {
        "correct ones' map in the incorrect ones'": pattern.shown,
        "strength of the own pattern": pattern.strength,
        "halves' r on the own pattern": pattern.halves,
        f"cells of {own.significant.size} beyond chance": cells,
        "dispersion of the incorrect ones": spread.wrong,
        "dispersion of the correct ones": spread.right,
    }
    table = pd.DataFrame(
        [(name, x.value, x.low, x.high) for name, x in measures.items()], columns=["measure", "value", "low", "high"]
    )
    result, by_test = ErrorPattern(pattern, spread), verdict == Verdict.NOT_SUPPORTED
    return Finding(key, CLAIMS[key], verdict, sentence, RULES[key], table, result, own.p_map, by_test)


def pattern_verdict(pattern: OwnPattern) -> Verdict:
    """By the rule of finding 3, before the correction over all claims."""
    if pattern.own.differs and pattern.halves.low > 0:
        return Verdict.NOT_SUPPORTED
    slight = pattern.strength.high < pattern.limit and pattern.shown.high > 0
    return Verdict.SUPPORTED if slight else Verdict.CANNOT_TELL


def _within(value: Estimate) -> str:
    return f"{number(value.value)} [{bounds(value.low, value.high, '.2f')}]"


def matched(audit: Audit, wrong: np.ndarray, right: np.ndarray) -> tuple[str, np.ndarray]:
    """What incorrect and correct predictions are matched on, in words; strata int64 (N,), −1 for no counterpart."""
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
    unknown = {"ethnicity": (faces["ethnicity"] == UNRECORDED).all(), "age": faces["age"].isna().all()}
    return _listed([name for name in names if not unknown.get(name, False)]), strata
