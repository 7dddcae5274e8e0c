"""Differences of two groups' mean maps: family-wise bootstrap tests over the cells, effect sizes, adjustment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.analysis.bootstrap import highest_t
from core.analysis.maps.shapes import oriented_shapes
from core.analysis.maps.sides import USUAL, Resampling, Sides
from core.analysis.permutation import (
    family_wise,
    layers_of,
    stratified_contrast,
    studentised,
    sums_by,
    units_of,
)
from core.analysis.strata import crossed, equal_ages, strata_of
from core.audit.drawn import drawn
from core.audit.folder import Audit
from core.data.filters import Filter
from core.explain.placement import Placement
from core.privacy import MINIMUM_FACES
from core.task import GENDERS
from core.wording import capital

#: With fewer faces (people, where they are known) on a side nothing is tested.
ABSTAIN_UNDER = 30


@dataclass(frozen=True)
class MapDifference:
    """Mean map of A less mean map of B, tested over its own cells. All arrays are (h, w).

    `difference` and its standard `error` in the maps' units (NaN where a side has under 11 faces), the studentised
    `statistic`, the family-wise adjusted `p`, `significant` = p ≤ `level`, `effect` = Hedges' g. `n_a`, `n_b` faces
    took part, of `people_a`, `people_b` people (None where identities are unknown); `left_out` faces of A and B have
    no counterpart in their stratum; `adjusted_for` names what the strata are of. Where `abstained` says why, nothing
    was tested: `error`, `statistic`, `p` are NaN. `placement` says where cells lie, None where they are tiles.
    `drawn_from`: how many faces the sides have, where those of A and B were drawn from them at random.
    """

    names: tuple[str, str]
    difference: np.ndarray
    error: np.ndarray
    statistic: np.ndarray
    p: np.ndarray
    significant: np.ndarray
    effect: np.ndarray
    n_a: int
    n_b: int
    people_a: int | None
    people_b: int | None
    left_out: tuple[int, int]
    permutations: int
    level: float
    seed: int
    abstained: str | None = None
    adjusted_for: tuple[str, ...] = ()
    placement: Placement | None = None
    drawn_from: tuple[int, int] | None = None

    @property
    def p_map(self) -> float:
        """p of «the two maps differ anywhere»: the smallest adjusted p; NaN where nothing was tested."""
        return float(np.nan if self.abstained else self.p.min())

    @property
    def differs(self) -> bool:
        """True where at least one cell survives."""
        return bool(self.significant.any())

    @property
    def largest(self) -> tuple[int, int]:
        """Row and column of the largest |effect|, among the surviving cells where there are any."""
        size = np.where(self.significant if self.differs else True, np.nan_to_num(np.abs(self.effect)), -1.0)
        return tuple(map(int, np.unravel_index(size.argmax(), size.shape)))

    @property
    def p_words(self) -> str:
        """«p = 0.012», or «p ≤ 0.0005» where no sample reached the statistic: smaller cannot be told."""
        smallest = 1 / (1 + self.permutations)
        if self.p_map <= smallest * (1 + 1e-9):
            return f"p ≤ {smallest:.1g}"
        return f"p = {self.p_map:.2g}"

    @property
    def verdict(self) -> str:
        """One sentence: do the maps differ beyond chance, in how many cells, how strongly."""
        if self.abstained:
            return f"Not tested: {self.abstained}."
        return f"{self._tested}{self._drawn}"

    @property
    def _drawn(self) -> str:
        """What is said of a random sample, and of its error in the units of g; nothing where all faces were tested."""
        if self.drawn_from is None:
            return ""
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.nanmax(np.abs(self.effect * self.error / self.difference))
        return (
            f" Tested on faces drawn at random, {self.n_a:,} and {self.n_b:,} of {self.drawn_from[0]:,} and "
            f"{self.drawn_from[1]:,}: the sample's own error of g is up to ±{1.96 * error:.2f}."
        )

    @property
    def _tested(self) -> str:
        after = f"Adjusted for {' and '.join(self.adjusted_for)}, " if self.adjusted_for else ""
        g = f"g = {self.effect[self.largest]:+.2f}".replace("-", "−")
        if not self.differs:
            return (
                f"{after}{'no' if after else 'No'} cell differs beyond chance between {_said(self.names[0])} and "
                f"{_said(self.names[1])} (smallest family-wise {self.p_words}; largest {g})."
            )
        first = self.names[0] if after else capital(self.names[0])
        return (
            f"{after}{_said(first)} and {_said(self.names[1])} differ beyond chance in "
            f"{int(self.significant.sum())} of {self.significant.size} cells (family-wise {self.p_words}; largest {g})."
        )


def difference(
    maps: np.ndarray,
    sides: Sides,
    resampling: Resampling = USUAL,
    *,
    minimum: int = MINIMUM_FACES,
    placement: Placement | None = None,
) -> MapDifference:
    """Mean of maps (N, h, w) over side A less that over side B.

    Family-wise p by single-step max |t| over the cells (Westfall & Young 1993), p = (1 + count) / (1 + permutations),
    from so many bootstrap samples of either side (`highest_t`). t is studentised by side (HC2, MacKinnon & White 1985:
    Welch's without strata). Labels drawn at random would be exact for sides of one distribution, but 30 scattered maps
    against 300 others then pass for a difference of means in 1 of 10 cases. g: Hedges 1981.

    A person's faces are drawn as a whole. A person with faces on both sides (correct and incorrect ones) is a unit on
    each; the two are then drawn apart, which errs towards «no difference».

    With strata the difference is Σ_s w_s (mean_A,s − mean_B,s) with w_s ∝ n_A,s n_B,s / (n_A,s + n_B,s), which is the
    regression coefficient of «A» with an intercept a stratum. A unit counts in the stratum of most of its faces. Strata
    without a face on one side drop out. Nothing is averaged where a side has under `minimum` faces.
    """
    a, b = sides.a, sides.b
    unit, unit_side, unit_stratum = units_of(a, a | b, sides.people, sides.strata)
    used = unit >= 0
    place, side = unit[used], unit_side[unit[used]]
    n_a, n_b = int(side.sum()), int((~side).sum())
    shape = maps.shape[1:]
    nothing = np.full(shape, np.nan)
    untested = MapDifference(
        names=sides.names,
        difference=nothing,
        error=nothing,
        statistic=nothing,
        p=nothing,
        significant=nothing > 0,
        effect=nothing,
        n_a=n_a,
        n_b=n_b,
        people_a=None if sides.people is None else int(unit_side.sum()),
        people_b=None if sides.people is None else int((~unit_side).sum()),
        left_out=(int(a.sum()) - n_a, int(b.sum()) - n_b),
        permutations=resampling.permutations,
        level=resampling.level,
        seed=resampling.seed,
        adjusted_for=sides.adjusted_for,
        placement=placement,
    )
    too_few = _too_few(untested)
    if min(n_a, n_b) < minimum:
        return replace(untested, abstained=too_few or f"averages need {minimum} faces on each side")
    x, scale, strata_left = _standardised(maps[used], unit_stratum[place])
    delta, variance, weight, shares = stratified_contrast(layers_of(x, place, unit_side, unit_stratum))
    effect = _hedges_g(x, delta, weight, freedom=len(x) - strata_left - 1)
    described = replace(untested, difference=(delta * scale).reshape(shape), effect=effect.reshape(shape))
    if too_few:
        return replace(described, abstained=too_few)
    statistic = studentised(delta, variance, weight)
    p = family_wise(statistic, highest_t(shares, resampling.permutations, resampling.seed)[:, 0])
    return replace(
        described,
        error=(np.sqrt(variance) * scale).reshape(shape),
        statistic=statistic.reshape(shape),
        p=p.reshape(shape),
        significant=(p <= resampling.level).reshape(shape),
    )


def _standardised(maps: np.ndarray, stratum: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Maps (N, h, w) less their stratum's mean, float64 (N, h·w), over the cells' scale (h·w,); and how many strata.

    A cell that does not vary within strata is 0, and its scale 1: rounding errors would be taken for a difference.
    """
    x = maps.reshape(len(maps), -1).astype(np.float64)
    counts = np.bincount(stratum)
    x -= (sums_by(stratum, x, len(counts)) / counts[:, None])[stratum]
    scale = np.sqrt((x**2).mean(axis=0))
    flat = scale <= 1e-9 * np.abs(maps).reshape(len(x), -1).max(axis=0)
    x[:, flat], scale[flat] = 0.0, 1.0
    x /= scale
    return x, scale, len(counts)


def _hedges_g(x: np.ndarray, delta: np.ndarray, weight: float, freedom: int) -> np.ndarray:
    """Hedges' g (C,) of contrasts `delta` (C,) of `x` (N, C), whose strata have mean 0; 0 where there is none."""
    spread = np.sqrt(np.maximum((x**2).sum(axis=0) - delta**2 * weight, 0) / freedom)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(spread > 0, delta / spread, np.sign(delta) * np.inf) * (1 - 3 / (4 * freedom - 1))
    effect[delta == 0] = 0.0
    return effect


def _said(name: str) -> str:
    """A name that holds a comma, told apart from the sentence it stands in."""
    return f"«{name}»" if "," in name else name


def _too_few(sides: MapDifference) -> str | None:
    """«Black men, incorrect: 8 faces; a test needs 30, so 22 more» of each side that has too few; None of neither."""
    sentences = []
    for name, faces, people, out in zip(
        sides.names, (sides.n_a, sides.n_b), (sides.people_a, sides.people_b), sides.left_out, strict=True
    ):
        count = faces if people is None else people
        if count >= ABSTAIN_UNDER:
            continue
        noun = "face" if faces == 1 else "faces"
        text = f"{name}: {faces} {noun}" + (" with a counterpart" if out else "")
        if people is not None:
            text += f" of {people} {'person' if people == 1 else 'people'}"
        needs = f"{ABSTAIN_UNDER}" if people is None else f"{ABSTAIN_UNDER} people"
        sentences.append(f"{text}; a test needs {needs}, so {ABSTAIN_UNDER - count} more")
    return "; ".join(sentences) or None


def people_of(faces: pd.DataFrame) -> np.ndarray | None:
    """Identities object (N,), missing where unknown; None where the data set names nobody."""
    return faces["identity"].to_numpy(dtype=object) if faces["identity"].notna().any() else None


def incorrect_less_correct(
    audit: Audit,
    filter: Filter,
    match_margin: bool = True,
    same_decision: bool = False,
    adjust: tuple[str, ...] = (),
    resampling: Resampling = USUAL,
) -> MapDifference:
    """The difference of a group's incorrect less its correct predictions, in `oriented_shapes` of their maps.

    The outcome of `filter` does not count. Predictions are matched on |margin|, since incorrect ones are less certain:
    `n_b` correct faces remain as matches, and `left_out` says how many have none.

    Faces of one labelled class were given opposite classes on the two sides, so the difference also holds whatever
    tells evidence for one class from evidence for the other. With `same_decision` the incorrect predictions stand
    beside correct ones of the same class instead: those of the other labelled class, or, where the group has both, by
    strata of the predicted class.
    """
    wrong, right = (filter.narrowed(outcome=outcome) for outcome in ("incorrect", "correct"))
    whole = audit
    by = [*(("margin",) if match_margin else ()), *adjust]
    if same_decision and audit.task.is_gender and len(filter.gender) == 1:
        right = right.narrowed(gender=tuple(g for g in GENDERS if g not in filter.gender))
    elif same_decision:
        by.append("predicted")
    audit = drawn(audit, wrong, right, seed=resampling.seed)
    masks = wrong.mask(audit.faces), right.mask(audit.faces)
    contrast = difference(
        oriented_shapes(audit),
        Sides(
            *masks,
            people=people_of(audit.faces),
            strata=crossed([strata_of(audit.faces, column, *masks) for column in by]),
            names=(wrong.describe(), right.describe()),
            adjusted_for=tuple(
                {"margin": "|margin|", "predicted": f"predicted {audit.task.name}"}.get(column, column) for column in by
            ),
        ),
        resampling,
        minimum=audit.minimum_faces,
        placement=audit.placement,
    )
    return _with_sample(contrast, whole, audit, wrong, right)


def _with_sample(contrast: MapDifference, whole: Audit, audit: Audit, a: Filter, b: Filter) -> MapDifference:
    """The difference, with how many faces its sides were drawn from where they were."""
    if whole is audit:
        return contrast
    return replace(contrast, drawn_from=tuple(int(side.mask(whole.faces).sum()) for side in (a, b)))


def difference_of(
    audit: Audit,
    a: Filter,
    b: Filter,
    target: str,
    normalisation: str,
    adjust: tuple[str, ...] | None = None,
    resampling: Resampling = USUAL,
) -> MapDifference:
    """`difference` of two filters' maps. `adjust` names the columns to adjust for, such as «age» or «age band».

    By default ages are made equal where they are known (`equal_ages`); with `()` the faces stay as they are. Raises
    `LookwhereError` where a face is in both filters.
    """
    whole, audit = audit, drawn(audit, a, b, seed=resampling.seed)
    masks = a.mask(audit.faces), b.mask(audit.faces)
    adjust = equal_ages(audit.faces, *masks) if adjust is None else adjust
    contrast = difference(
        audit.maps(target, normalisation),
        Sides(
            *masks,
            people=people_of(audit.faces),
            strata=crossed([strata_of(audit.faces, by, *masks) for by in adjust]),
            names=(a.describe(), b.describe()),
            adjusted_for=adjust,
        ),
        resampling,
        minimum=audit.minimum_faces,
        placement=audit.placement,
    )
    return _with_sample(contrast, whole, audit, a, b)
