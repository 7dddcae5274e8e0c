"""Simulated studies of claims 2 and 3, for `benchmarks.calibration`.

Claim 3: maps of a network that has one map in common; errors are drawn without regard to the maps, or have a pattern of
their own of a stated strength. Claim 2: what hiding patches and regions costs, evenly or more at some regions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.simulation import Case, Draw
from core.analysis.comparison.paired import one_sample
from core.analysis.findings.maps import SLIGHT, hiding_verdict, matched, pattern_verdict
from core.analysis.maps.own_pattern import OwnPattern, own_pattern
from core.analysis.maps.shapes import oriented_shapes
from core.analysis.maps.sides import Resampling, Sides
from core.audit.folder import Audit, open_audit
from core.checks.hidden_costs import PLACES, RIVALS, TOGETHER, contrasts
from core.checks.sample import Means, Sample, SampleGroup
from core.data.faces import age_band
from core.data.filters import Filter
from core.explain import regions
from core.verdicts import Verdict

#: Own patterns from so much of the common map's strength on are not to be called none.
MATTERS_OF_MAP = SLIGHT
SIDE = 7
#: Bootstrap samples and splits in a simulated test.
SAMPLES = 199

Counted = Callable[[OwnPattern], bool]


def refuted(pattern: OwnPattern) -> bool:
    """«Not supported», before the correction over all claims."""
    return pattern_verdict(pattern) == Verdict.NOT_SUPPORTED


def borne_out(pattern: OwnPattern) -> bool:
    return pattern_verdict(pattern) == Verdict.SUPPORTED


def held(strength: float) -> Counted:
    """Whether the interval holds the strength that was planted."""
    return lambda found: found.strength.low <= strength <= found.strength.high


def spot(row: float, column: float, width: float) -> np.ndarray:
    """A bump on the grid, float64 (7, 7), of mean 0 and standard deviation 1."""
    y, x = np.mgrid[:SIDE, :SIDE]
    bump = np.exp(-((y - row) ** 2 + (x - column) ** 2) / width)
    return (bump - bump.mean()) / bump.std()


def maps_about_one(kind: str, n: int, draw: Draw) -> np.ndarray:
    """Maps (n, 7, 7): a common bump and as strong smooth noise, Gaussian or skewed."""
    shape = (n, SIDE + 2, SIDE + 2)
    noise = draw.normal(size=shape) if kind == "normal" else draw.exponential(size=shape) - 1
    beside = noise[:, :-2, 1:-1] + noise[:, 2:, 1:-1] + noise[:, 1:-1, :-2] + noise[:, 1:-1, 2:]
    return spot(3, 3, 4) + (noise[:, 1:-1, 1:-1] + beside / 2) / np.sqrt(2)


@cache
def planted(kind: str, strength: float) -> float:
    """How much of a bump must be added for an own pattern of `strength`, after maps are standardised; by bisection."""
    maps = maps_about_one(kind, 4000, np.random.default_rng(0))
    wrong, low, high = np.arange(len(maps)) < len(maps) // 2, 0.0, 4.0
    for _ in range(12):
        middle = (low + high) / 2
        pattern = own_pattern(
            maps + middle * wrong[:, None, None] * spot(1, 1, 2), Sides(wrong, ~wrong), Resampling(1), splits=1
        )
        low, high = (middle, high) if pattern.strength.value < strength else (low, middle)
    return low


def errors(kind: str, sizes: tuple[int, int], strata: int, strength: float, counts: Counted) -> Callable[[Draw], bool]:
    """`sizes` wrong and right predictions, in strata at random; wrong ones have an own pattern of `strength`."""

    def once(draw: Draw) -> bool:
        maps = maps_about_one(kind, sum(sizes), draw)
        wrong = np.arange(len(maps)) < sizes[0]
        if strength:
            maps[wrong] += planted(kind, strength) * spot(1, 1, 2)
        strata_at_random = draw.integers(0, strata, len(maps))
        seed = int(draw.integers(1 << 31))
        return counts(
            own_pattern(
                maps,
                Sides(wrong, ~wrong, strata=strata_at_random),
                Resampling(SAMPLES, seed=seed),
                splits=SAMPLES,
                limit=SLIGHT,
            )
        )

    return once


def other_than_flat(draw: Draw) -> bool:
    """Claim 3 as it was tested until 2026-11-26: is the mean of 30 wrong ones' maps other than flat?"""
    maps = maps_about_one("normal", 30, draw)
    deviation = maps - maps.mean(axis=(1, 2), keepdims=True)
    return bool((one_sample(deviation.reshape(len(maps), -1), SAMPLES) <= 0.05).any())


@cache
def shipped(path: Path) -> tuple[Audit, np.ndarray, np.ndarray]:
    """The shipped adults' audit, their shapes, and each one's share of errors by decision, age and |margin|."""
    audit = open_audit(path)
    faces = audit.faces
    inside = Filter.of_ages(faces).mask(faces)
    margin = np.abs(faces["logit_female"] - faces["logit_male"])
    # Bins of equally many errors: the rate falls steeply with the margin.
    edges = np.quantile(margin[inside & ~faces["correct"].to_numpy(dtype=bool)], np.linspace(0, 1, 9)[1:-1])
    cell = [faces["predicted"].astype(str), age_band(faces["age"]), np.searchsorted(edges, margin)]
    table = pd.DataFrame({"wrong": ~faces["correct"].to_numpy(dtype=bool), "a": cell[0], "b": cell[1], "c": cell[2]})
    rate = table[inside].groupby(["a", "b", "c"])["wrong"].transform("mean")
    return audit, oriented_shapes(audit), rate.reindex(table.index, fill_value=0.0).to_numpy(dtype=float)


def errors_anew(path: Path, counts: Counted) -> Callable[[Draw], bool]:
    """The shipped audit's maps; who is wrong is drawn by decision, age and |margin|, whatever the maps."""

    def once(draw: Draw) -> bool:
        audit, shapes, rate = shipped(path)
        wrong = draw.random(len(rate)) < rate
        right = (rate > 0) & ~wrong
        _, strata = matched(audit, wrong, right)
        seed = int(draw.integers(1 << 31))
        return counts(
            own_pattern(
                shapes, Sides(wrong, right, strata=strata), Resampling(SAMPLES, seed=seed), splits=SAMPLES, limit=SLIGHT
            )
        )

    return once


GRID = 28
FILLS = 3


@cache
def region_masks() -> np.ndarray:
    """Each place's sets as means over the pixels of a coarse image, float64 (places · sets, GRID²)."""
    rows = []
    for down, across in PLACES:
        labels = regions.moved(down * GRID // regions.SIDE, across * GRID // regions.SIDE, GRID).ravel()
        region_of_cell = np.array(regions.REGIONS)[labels]
        sets = [np.isin(region_of_cell, TOGETHER), *(region_of_cell == name for name in RIVALS)]
        rows += [mask / mask.sum() for mask in sets]
    return np.stack(rows).astype(np.float64)


def hidden(faces: int, excess: dict[str, float], verdict: Verdict) -> Callable[[Draw], bool]:
    """`faces` whose every pixel costs 1 on average, some regions more by `excess`.

    Pixels' costs hang together in spots that each face has elsewhere; ways and fills see them with noise of their own.
    """

    def once(draw: Draw) -> bool:
        region_of_cell = np.array(regions.REGIONS)[regions.label_image(GRID).ravel()]
        mean = 1 + sum(
            (share * (region_of_cell == name) for name, share in excess.items()), np.zeros(region_of_cell.shape)
        )
        spots = draw.exponential(size=(faces, 7, 7)) - 1
        fine = np.kron(spots, np.ones((1, GRID // 7, GRID // 7))).reshape(faces, -1)
        shape = (faces, 2, FILLS, GRID, GRID)
        pixels = mean + fine[:, None, None] + draw.normal(size=shape).reshape(*shape[:3], -1)
        costs = (pixels @ region_masks().T).reshape(*shape[:3], len(PLACES), -1)
        sample = Sample(np.arange(faces), np.ones(faces), np.zeros(faces, dtype=np.int64), pd.DataFrame())
        group = Means(sample, SampleGroup("all", np.ones(faces, dtype=bool)), int(draw.integers(1 << 31)), 500)
        _, low, high = contrasts(group.mean(costs), group.replicates(costs))
        return hiding_verdict(low, high, False) == verdict

    return once


def hiding_cases() -> Iterable[Case]:
    """Verdicts of claim 2: where every place costs alike, and where nose and mouth or the eyes cost more."""
    for n in (30, 100):
        for verdict, words in ((Verdict.NOT_SUPPORTED, "«not supported»"), (Verdict.SUPPORTED, "«supported»")):
            yield Case(f"2, {n} faces, all alike", f"{words} falls", hidden(n, {}, verdict), at_most=0.05, runs=200)
    for times in (2, 4, 8):
        more = dict.fromkeys(TOGETHER, times - 1.0)
        yield Case(
            f"2, 100 faces, nose and mouth cost {times} times",
            "«supported» falls",
            hidden(100, more, Verdict.SUPPORTED),
            runs=100,
        )
    for place in ("eyes", "cheeks", "forehead"):
        yield Case(
            f"2, 100 faces, {place} cost twice",
            "«not supported» falls",
            hidden(100, {place: 1.0}, Verdict.NOT_SUPPORTED),
            runs=100,
        )


def pattern_cases(shipped_audit: Path) -> Iterable[Case]:
    """Verdicts of claim 3: where errors are drawn at random, and where they have a pattern of a stated strength."""
    falls, supported = "«not supported» falls", "«supported» falls"
    for sizes, strata, kind in (((30, 300), 5, "normal"), ((30, 300), 5, "skewed"), ((120, 1200), 50, "skewed")):
        name = f"3, {sizes[0]} v {sizes[1]}, {kind}, random labels"
        yield Case(name, falls, errors(kind, sizes, strata, 0, refuted), at_most=0.05)
        yield Case(name, supported, errors(kind, sizes, strata, 0, borne_out))
    yield Case("3 as it was: 30, normal, random labels", "a cell is other than flat", other_than_flat, runs=100)
    for sizes, strata, strength in (
        ((30, 300), 5, MATTERS_OF_MAP), ((30, 300), 5, 0.5), ((120, 1200), 50, 0.1), ((120, 1200), 50, MATTERS_OF_MAP)
    ):  # fmt: skip
        name = f"3, {sizes[0]} v {sizes[1]}, skewed, own pattern of {strength:g}"
        none = 0.025 if strength >= MATTERS_OF_MAP else None
        yield Case(name, falls, errors("skewed", sizes, strata, strength, refuted))
        yield Case(name, supported, errors("skewed", sizes, strata, strength, borne_out), at_most=none)
        yield Case(
            name,
            "the strength's interval holds",
            errors("skewed", sizes, strata, strength, held(strength)),
            at_least=0.95,
        )
    yield Case("3, shipped maps, errors drawn anew", falls, errors_anew(shipped_audit, refuted), at_most=0.05, runs=200)
    yield Case("3, shipped maps, errors drawn anew", supported, errors_anew(shipped_audit, borne_out), runs=200)
