"""The same faces under two models: paired accuracies and paired maps. Every difference is B less A."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.analysis.accuracy.counts import group_rows
from core.analysis.bootstrap import by_unit, highest_t, resampled_sums
from core.analysis.intervals import holm, newcombe_paired
from core.analysis.maps.group_means import intersectional
from core.analysis.maps.shapes import by_rms
from core.analysis.permutation import SAMPLES, family_wise, max_t
from core.audit.drawn import MOST_DRAWN
from core.audit.folder import Audit
from core.data.columns import Column
from core.data.faces import UNRECORDED, people
from core.data.filters import Filter, group_name
from core.errors import LookwhereError
from core.estimate import Estimate
from core.explain.grids import resample, same_places
from core.explain.placement import Placement, placed
from core.privacy import MINIMUM_FACES

#: A map difference of fewer faces, or people, is not tested.
SMALLEST_TESTED = 30
#: Family-wise error rate over the cells of a map, and over the rows of a table.
FAMILY_WISE = 0.05


@dataclass(frozen=True)
class Paired:
    """Correct and incorrect predictions of the same `n` faces under models A and B.

    `difference`: accuracy of B less A; `p` exact, `mid_p` less conservative, both two-sided.
    """

    n: int
    both: int
    only_a: int
    only_b: int
    difference: Estimate
    p: float
    mid_p: float


def mcnemar(
    a_correct: np.ndarray, b_correct: np.ndarray, units: np.ndarray | None = None, samples: int = SAMPLES, seed: int = 0
) -> Paired:
    """McNemar's test of two models on the same faces, boolean (N,): exact binomial and mid-p (Fagerland et al. 2013,
    BMC Med Res Methodol 13:91); no discordant face gives p = 1.

    With `units` (the faces' people) the interval is at least as wide as a bootstrap of whole people, and both p are
    of sign flips of whole people's sums.
    """
    a, b = np.asarray(a_correct, dtype=bool), np.asarray(b_correct, dtype=bool)
    both, only_a, only_b = int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum())
    discordant, fewer = only_a + only_b, min(only_a, only_b)
    difference = newcombe_paired(both, only_a, only_b, len(a) - both - discordant)
    if discordant == 0:
        p = mid = 1.0
    else:
        from scipy.stats import binom  # As slow to import as all else of a first page

        point = float(binom.pmf(fewer, discordant, 0.5))
        p = min(1.0, 2 * float(binom.cdf(fewer, discordant, 0.5)))
        mid = 1 - point / 2 if only_a == only_b else p - point
    if units is not None and len(a):
        draw = np.random.default_rng(seed)
        change = b.astype(np.int64) - a
        sums = resampled_sums(np.stack([change, np.ones_like(change)], axis=1), units, samples, draw)
        low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
        low, high = min(difference.low, float(low)), max(difference.high, float(high))
        difference = Estimate(difference.value, low, high)
        p = mid = float(max_t(by_unit(change[:, None], units), samples, seed)[0])
    return Paired(len(a), both, only_a, only_b, difference, p, mid)


def paired_by_group(
    audit_a: Audit, audit_b: Audit, by: tuple[str, ...] = ("gender", "ethnicity"), filter: Filter | None = None
) -> pd.DataFrame:
    """A row for all faces (`gender`, `ethnicity` empty), then one a group of the columns `by`, for aligned audits.

    Columns: gender, ethnicity, n, both, only_a, only_b, accuracy_a, accuracy_b, difference, low, high, p, mid_p, and
    p_holm, adjusted over the table's rows. `filter` must not ask for an outcome: which model's would it be?
    """
    filter = filter or Filter()
    if filter.outcome != "all":
        raise LookwhereError("paired models differ in their outcomes: leave the filter's outcome at all")
    faces, mask = audit_a.faces, filter.mask(audit_a.faces)
    a, b = audit_a.faces["correct"].to_numpy(dtype=bool), audit_b.faces["correct"].to_numpy(dtype=bool)
    persons = people(faces)
    rows = []
    for gender, ethnicity in [("", ""), *groups_by(audit_a, filter, by)]:
        inside = mask & group_mask(faces, gender, ethnicity)
        test = mcnemar(a[inside], b[inside], None if persons is None else persons[inside])
        n, d = max(test.n, 1), test.difference
        accuracies = ((test.both + test.only_a) / n, (test.both + test.only_b) / n)
        counts = (test.n, test.both, test.only_a, test.only_b)
        rows.append((gender, ethnicity, *counts, *accuracies, d.value, d.low, d.high, test.p, test.mid_p))
    names = "gender ethnicity n both only_a only_b accuracy_a accuracy_b difference low high p mid_p"
    table = pd.DataFrame(rows, columns=names.split())
    return table.assign(p_holm=holm(table["p"]))


def paired_across(
    audit_a: Audit, audit_b: Audit, by: Sequence[str], filter: Filter | None = None, columns: Sequence[Column] = ()
) -> pd.DataFrame:
    """As `paired_by_group`, a row a group of up to three columns of the faces, crossed: group in place of gender and
    ethnicity, which are empty. `columns` are the audit's, by which groups are called."""
    filter = filter or Filter()
    faces, mask = audit_a.faces, filter.mask(audit_a.faces)
    a, b = audit_a.faces["correct"].to_numpy(dtype=bool), audit_b.faces["correct"].to_numpy(dtype=bool)
    persons = people(faces)
    member = np.full(len(faces), -1)
    member[mask], names = group_rows(faces[mask], list(by), columns)
    rows = []
    for name, inside in [("all faces", mask), *((name, member == n) for n, name in enumerate(names["group"]))]:
        test = mcnemar(a[inside], b[inside], None if persons is None else persons[inside])
        n, d = max(test.n, 1), test.difference
        rows.append(
            (name, test.n, test.both, test.only_a, test.only_b,
             (test.both + test.only_a) / n, (test.both + test.only_b) / n,
             d.value, d.low, d.high, test.p, test.mid_p)
        )  # fmt: skip
    words = "group n both only_a only_b accuracy_a accuracy_b difference low high p mid_p"
    table = pd.DataFrame(rows, columns=words.split())
    return table.assign(p_holm=holm(table["p"]))


def groups_by(audit: Audit, filter: Filter, by: tuple[str, ...] = ("gender", "ethnicity")) -> list[tuple[str, str]]:
    """(gender, ethnicity) of the groups inside a filter; a column not in `by`, or an unrecorded one, is empty."""
    pairs = [
        (g if "gender" in by else "", e if "ethnicity" in by and e != UNRECORDED else "")
        for g, e in intersectional(audit, filter)
    ]
    return [pair for pair in dict.fromkeys(pairs) if any(pair)]


def named(gender: str, ethnicity: str) -> str:
    """A group in words, empty meaning any: «Black women», «all faces»."""
    return group_name(gender or (), ethnicity or ())


def group_mask(faces: pd.DataFrame, gender: str, ethnicity: str) -> np.ndarray:
    """Boolean (N,): the faces of a group; empty means any."""
    return Filter((gender,) if gender else (), (ethnicity,) if ethnicity else ()).mask(faces)


@dataclass(frozen=True)
class MapPair:
    """Mean maps of both models and their paired difference on one grid, float64 (h, w); `p` family-wise over cells.

    `difference` and `p` are None where there are under 30 faces or people.
    """

    a: np.ndarray
    b: np.ndarray
    difference: np.ndarray | None
    p: np.ndarray | None
    placement: Placement | None = None

    @property
    def survives(self) -> np.ndarray | None:
        """Boolean (h, w): the cells that differ at a family-wise 5 %."""
        return None if self.p is None else self.p <= FAMILY_WISE


@dataclass(frozen=True)
class PairedMapDifference:
    """`n` faces of `units` people (or faces); maps as they are, and each divided by its RMS (`shape`): two networks'
    logits have scales of their own. None under `minimum` faces. `resampled` says whose grid was made
    coarser, and of how many faces drawn at random maps and tests are; or is empty."""

    n: int
    units: int
    strength: MapPair | None
    shape: MapPair | None
    resampled: str
    minimum: int = MINIMUM_FACES


def paired_map_difference(
    audit_a: Audit, audit_b: Audit, mask: np.ndarray, target: str = "true", permutations: int = SAMPLES, seed: int = 0
) -> PairedMapDifference:
    """Mean of each face's map under B less under A, of the faces in `mask` (N,), for aligned audits.

    Tested by bootstrap samples of faces, or of people as a whole, by the largest |t| over the cells (`highest_t`). Maps
    whose cells lie elsewhere are resampled by area onto the coarser ones (of as many, onto A's), which keeps each map's
    sum.
    """
    n = int(mask.sum())
    lie = [placed(audit.map_shape, audit.placement) for audit in (audit_a, audit_b)]
    onto = Placement(*(min(lines, key=len) for lines in zip(*((p.rows, p.columns) for p in lie), strict=True)))
    grid = onto.shape
    moved = dict.fromkeys(f"{p.shape[0]}×{p.shape[1]}" for p in lie if not same_places(p, onto))
    words = f"{' and '.join(moved)} maps are averaged by area onto {grid[0]}×{grid[1]}" if moved else ""
    if words and all(p.shape == grid for p in lie):
        words = f"{moved.popitem()[0]} maps, whose cells lie elsewhere, are averaged by area onto the other's cells"
    persons = people(audit_a.faces)
    persons = None if persons is None else persons[mask]
    units = n if persons is None else len(np.unique(persons))
    minimum = max(audit_a.minimum_faces, audit_b.minimum_faces)
    if n < minimum:
        return PairedMapDifference(n, units, None, None, words, minimum)
    if n > MOST_DRAWN:
        rows = np.sort(np.random.default_rng(seed).choice(np.flatnonzero(mask), MOST_DRAWN, replace=False))
        contrast = paired_map_difference(
            audit_a.of_rows(rows), audit_b.of_rows(rows), np.ones(len(rows), dtype=bool), target, permutations, seed
        )
        of = f"maps and tests are of {MOST_DRAWN:,} of {n:,} faces, drawn at random"
        return replace(contrast, n=n, resampled="; ".join(filter(None, (contrast.resampled, of))))
    a, b = (
        resample(audit.maps(target, "raw")[mask], onto, of) for audit, of in zip((audit_a, audit_b), lie, strict=True)
    )
    pairs = [(a, b), (by_rms(a), by_rms(b))]
    if units < SMALLEST_TESTED:
        tested = [MapPair(x.mean(axis=0, dtype=float), y.mean(axis=0, dtype=float), None, None, onto) for x, y in pairs]
        return PairedMapDifference(n, units, *tested, words, minimum)
    differences = [(y.astype(np.float64) - x).reshape(n, -1) for x, y in pairs]
    sums = by_unit(np.concatenate(differences, axis=1), persons)
    p = one_sample(sums, permutations, seed, families=2)
    tested = [
        MapPair(x.mean(axis=0, dtype=float), y.mean(axis=0, dtype=float), d.mean(axis=0).reshape(grid), q, onto)
        for (x, y), d, q in zip(pairs, differences, p.reshape(2, *grid), strict=True)
    ]
    return PairedMapDifference(n, units, *tested, words, minimum)


def one_sample(sums: np.ndarray, permutations: int = SAMPLES, seed: int = 0, families: int = 1) -> np.ndarray:
    """Family-wise p (C,) of «the mean is 0» for the columns of `sums` (U, C), a row a unit, by `highest_t`."""
    least = 1e-12 * max(np.abs(sums).max() ** 2, 1e-300)
    statistic = sums.mean(axis=0) / np.sqrt(np.maximum(sums.var(axis=0, ddof=1), least) / len(sums))
    highest = highest_t([sums], permutations, seed, families=families)
    return np.concatenate([family_wise(t, h) for t, h in zip(np.split(statistic, families), highest.T, strict=True)])


def average_face(audits: Sequence[Audit], filter: Filter) -> tuple[np.ndarray | None, int]:
    """The average face of a filter, and its number of faces, from the first of the audits (of the same faces) that
    stores one: over all outcomes it does not depend on the model. None and 0 where none does."""
    if filter.outcome != "all":
        raise LookwhereError("an average face by outcome depends on the model: leave the filter's outcome at all")
    return next((average for audit in audits if (average := audit.averages.mean(filter))[1]), (None, 0))
