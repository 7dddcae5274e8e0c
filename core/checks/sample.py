"""A stratified sample of an audit's faces, unbiased means over it with bootstrap intervals, and its groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.faces import gender_known
from core.data.filters import Filter
from core.errors import LookwhereError
from core.privacy import MINIMUM_FACES
from core.task import GENDERS

DRAWS = 1000
ROUNDED = 5
#: Strata that a sample of any size may have; of more than these and its faces, the smaller groups are joined.
FEW_STRATA = 64


@dataclass(frozen=True)
class Sample:
    """n faces of an audit: `place` int64 (n,) rows of `audit.faces`; `weight` float64 (n,), how many faces of the audit
    each stands for (stratum size over faces drawn of it); `stratum` int64 (n,); `faces` the table of these rows."""

    place: np.ndarray
    weight: np.ndarray
    stratum: np.ndarray
    faces: pd.DataFrame
    minimum: int = MINIMUM_FACES

    def __len__(self) -> int:
        return len(self.place)


@dataclass(frozen=True)
class SampleGroup:
    """A group that may be published: its name in words and its faces, boolean (n,), in the sample."""

    name: str
    mask: np.ndarray

    @property
    def n(self) -> int:
        """Faces of the sample in it."""
        return int(self.mask.sum())


def spread(counts: np.ndarray, total: int) -> np.ndarray:
    """`total` places shared out as evenly as `counts` allow, int64; all of them where there are fewer."""
    share = np.zeros(len(counts), dtype=np.int64)
    while total > 0 and (share < counts).any():
        short = np.flatnonzero(share < counts)
        step = max(total // len(short), 1)
        for n in short:
            more = min(step, int(counts[n] - share[n]), total)
            share[n] += more
            total -= more
    return share


def draw_sample(faces: pd.DataFrame, size: int, seed: int = 0, minimum: int = MINIMUM_FACES) -> Sample:
    """About `size` faces, stratified by gender × ethnicity × outcome.

    Each gender × ethnicity gets an equal share, less where it is smaller. Incorrect predictions come first in it, up to
    half of the share, and correct ones fill the rest. Every stratum gives at least one face, so where groups are very
    many, the smaller ones of a gender are one: else a sample would be as large as they are many. Inside a stratum faces
    are drawn at random without replacement, so a mean with weights N_s / n_s is unbiased (Cochran 1977, 5.3). Raises
    `LookwhereError` where fewer than `minimum` faces can be had.
    """
    generator = np.random.default_rng([seed, size])
    correct = faces["correct"].to_numpy(dtype=bool)
    groups = _groups(faces, correct, max(size, FEW_STRATA))
    quota = spread(np.array([len(rows) for rows in groups]), size)
    place, weight, stratum, strata = [], [], [], 0
    for rows, share in zip(groups, quota, strict=True):
        right, wrong = rows[correct[rows]], rows[~correct[rows]]
        share = max(int(share), (len(right) > 0) + (len(wrong) > 0))
        errors = min(len(wrong), max(share // 2, share - len(right)))
        for members, count in ((wrong, errors), (right, min(len(right), share - errors))):
            if not count:
                continue
            place.append(np.sort(generator.choice(members, count, replace=False)))
            weight.append(np.full(count, len(members) / count))
            stratum.append(np.full(count, strata))
            strata += 1
    if sum(map(len, place)) < minimum:
        raise LookwhereError(
            f"a sample of {sum(map(len, place))} faces is too small: nothing is published of fewer than "
            f"{minimum}; ask for more with --sample, or audit more faces"
        )
    rows = np.concatenate(place)
    sampled = faces.iloc[rows].reset_index(drop=True)
    return Sample(rows, np.concatenate(weight), np.concatenate(stratum), sampled, minimum)


def _groups(faces: pd.DataFrame, correct: np.ndarray, most: int) -> list[np.ndarray]:
    """The rows of each gender × ethnicity; the smaller ones of a gender together where there are over `most` strata."""
    by_name = sorted(faces.groupby(["gender", "ethnicity"], observed=True).indices.items())
    groups = [(name, np.asarray(rows)) for name, rows in by_name]
    strata = [len(np.unique(correct[rows])) for _, rows in groups]
    if sum(strata) <= most:
        return [rows for _, rows in groups]
    left = most - 2 * len({gender for (gender, _), _ in groups})
    joined: dict[str, list[np.ndarray]] = {}
    own = []
    for place in sorted(range(len(groups)), key=lambda place: -len(groups[place][1])):
        (gender, _), rows = groups[place]
        left -= strata[place]
        if left >= 0:
            own.append(rows)
        else:
            joined.setdefault(gender, []).append(rows)
    return own + [np.sort(np.concatenate(parts)) for _, parts in sorted(joined.items())]


def published_groups(sample: Sample) -> list[SampleGroup]:
    """The groups of a sample that may be shown: all, each gender, each gender × ethnicity, right and wrong.

    Each has the sample's `minimum` and more faces, and so has what is left when one is taken from another that holds
    it, or when all the published parts of a group are taken from it.
    """
    faces, minimum = sample.faces, sample.minimum
    groups = [SampleGroup(Filter().describe(), np.ones(len(sample), dtype=bool))]
    by_gender = partition(groups[0], faces, [Filter((gender,)) for gender in GENDERS], groups, minimum)
    # Where no gender is recorded, ethnicities are parts of all faces.
    for gender, whole in (by_gender if gender_known(faces) else {Filter(): groups[0]}).items():
        names = sorted(faces.loc[whole.mask, "ethnicity"].unique())
        if len(names) > 1:
            partition(whole, faces, [Filter(gender.gender, (name,)) for name in names], groups, minimum)
    partition(groups[0], faces, [Filter(outcome="correct"), Filter(outcome="incorrect")], groups, minimum)
    return groups


def partition(
    whole: SampleGroup, faces: pd.DataFrame, parts: list[Filter], groups: list[SampleGroup], minimum: int
) -> dict[Filter, SampleGroup]:
    """Append to `groups` those parts of `whole` that may be shown; returns them."""
    members = {part: SampleGroup(part.describe(), part.mask(faces)) for part in parts}
    publishable = {part: m for part, m in members.items() if m.n >= minimum and _apart(m, groups, minimum)}
    while publishable and 0 < whole.n - sum(m.n for m in publishable.values()) < minimum:
        del publishable[min(publishable, key=lambda part: publishable[part].n)]
    publishable = {part: m for part, m in publishable.items() if m.n < whole.n}
    groups += publishable.values()
    return publishable


def _apart(member: SampleGroup, groups: list[SampleGroup], minimum: int) -> bool:
    for group in groups:
        both = int((member.mask & group.mask).sum())
        rest = abs(member.n - group.n)
        if both == min(member.n, group.n) and 0 < rest < minimum:
            return False
    return True


class Means:
    """Weighted means over one group of a sample, with percentile bootstrap intervals.

    Faces are drawn again inside their strata, the same faces for every value, so that differences are paired: n − 1 of
    a stratum's n faces, weighted up (Rao & Wu 1988, JASA 83:231), since n of n would make small strata look too sure.
    Strata of one face have no spread of their own to draw from and are pooled. A NaN takes no part in its own column.
    """

    def __init__(self, sample: Sample, member: SampleGroup, seed: int = 0, draws: int = DRAWS) -> None:
        generator = np.random.default_rng([seed, member.n])
        self.mask = member.mask
        self._weight = sample.weight[member.mask]
        stratum = pooled(sample.stratum[member.mask])
        counts = np.ones((draws, member.n))
        for n in np.unique(stratum):
            inside = np.flatnonzero(stratum == n)
            size = len(inside)
            if size > 1:
                resampled_counts = generator.multinomial(size - 1, np.full(size, 1 / size), size=draws)
                counts[:, inside] = resampled_counts * (size / (size - 1))
        self._counts = counts * self._weight

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean (…) of values (n, …) over the group, float64; NaN where no face has a value."""
        return self._ratio(self._weight[None], values)[0]

    def replicates(self, values: np.ndarray) -> np.ndarray:
        """The same of every bootstrap draw: (draws, …)."""
        return self._ratio(self._counts, values)

    def interval(self, values: np.ndarray) -> np.ndarray:
        """(3, …): mean, and the bounds of its 95 % interval."""
        return np.stack([self.mean(values), *bounds(self.replicates(values))])

    def _ratio(self, weight: np.ndarray, values: np.ndarray) -> np.ndarray:
        inside = np.asarray(values, dtype=np.float64)[self.mask]
        flat = inside.reshape(len(inside), -1)
        measured = ~np.isnan(flat)
        total = weight @ np.where(measured, flat, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = total / (weight @ measured.astype(np.float64))
        return ratio.reshape(len(weight), *inside.shape[1:])


def pooled(stratum: np.ndarray) -> np.ndarray:
    """Strata (n,) with those of a single face made one, joined to the smallest other where it is alone still."""
    names, place, counts = np.unique(stratum, return_inverse=True, return_counts=True)
    alone = np.flatnonzero(counts == 1)
    if len(alone) == 1 and len(names) > 1:
        larger_strata = np.where(counts > 1, counts, counts.max() + 1)
        alone = np.append(alone, larger_strata.argmin())
    if len(alone):
        place = np.where(np.isin(place, alone), alone[0], place)
    return place


def bounds(replicates: np.ndarray) -> np.ndarray:
    """(2, …): the 2.5 and 97.5 % points of replicates (draws, …); NaN where a column has none."""
    flat = replicates.reshape(len(replicates), -1)
    result = np.full((2, flat.shape[1]), np.nan)
    measured = ~np.isnan(flat).all(axis=0)
    result[:, measured] = np.nanpercentile(flat[:, measured], [2.5, 97.5], axis=0)
    return result.reshape(2, *replicates.shape[1:])


def rounded(row: dict) -> dict:
    """A table's row with its floats to five decimals: more would be noise."""
    return {k: round(float(v), ROUNDED) if isinstance(v, (float, np.floating)) else v for k, v in row.items()}
