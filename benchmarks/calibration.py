"""Whether each rule keeps its level, covers what it says, and finds what is planted: simulated, with its own interval.

python -m benchmarks.calibration                       all cases, some minutes
python -m benchmarks.calibration --only maps --runs 200

Truths of claims 1a and 1b are the shipped audit's adults (gender, ethnicity and age as they are, correctness drawn
anew); everything else is made. Seeds are fixed: a run is repeated word for word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import tyro
from scipy.special import expit

from benchmarks.abstention import abstention_cases
from benchmarks.age_alone import age_alone
from benchmarks.image_slices import slice_cases
from benchmarks.map_claims import hiding_cases, pattern_cases
from benchmarks.simulation import Case, Draw, simulate
from benchmarks.worst_group import worst_group_cases
from core.analysis.accuracy.counts import tally
from core.analysis.accuracy.group_rule import GroupRule
from core.analysis.accuracy.pairwise import ALPHA
from core.analysis.accuracy.regression import Regression, Together, regression
from core.analysis.accuracy.simultaneous import simultaneous_intervals
from core.analysis.clustering import DRAWS, FOUND, structure
from core.analysis.comparison.contrasts import FEWEST_PAIRS, MATTERS, t_interval, verdict
from core.analysis.comparison.experiment import Expectation
from core.analysis.comparison.paired import one_sample
from core.analysis.maps.differences import difference
from core.analysis.maps.sides import Resampling, Sides
from core.audit.folder import open_audit
from core.data.faces import age_band
from core.data.filters import Filter
from core.estimate import Estimate
from core.verdicts import Verdict

ROOT = Path(__file__).parents[1]
AUDIT = ROOT / "models/resnet50-utkface/audits/utkface-test"
CELLS = (7, 7)
#: Bootstrap samples in a simulated test; pages take 2,000, which only makes p finer.
SAMPLES = 199
# Claims 1a and 1b: the shipped adults, whose correctness is drawn from rates by gender, ethnicity and age.


@cache
def adults() -> tuple[pd.DataFrame, np.ndarray, Regression]:
    """The shipped audit's adults, the fitted rate of each, and the fit."""
    faces = open_audit(AUDIT).faces
    faces = faces[Filter.of_ages(faces).mask(faces)].reset_index(drop=True)
    fit = regression(faces)
    band = age_band(faces["age"])
    cell = faces.assign(band=band).groupby(["gender", "ethnicity", "band"])["correct"]
    # Smoothed towards the margin of gender and age, so that a cell without an error can have one.
    margin = faces.assign(band=band).groupby(["gender", "band"])["correct"].transform("mean")
    n, k = cell.transform("size"), cell.transform("sum")
    return faces, ((k + 10 * margin) / (n + 10)).to_numpy(dtype=float), fit


def of_truth(rate: np.ndarray, draw: Draw) -> Regression:
    """The regression of the shipped adults whose correctness is drawn anew at `rate` (N,)."""
    faces, _, _ = adults()
    right = draw.random(len(faces)) < rate
    male = (faces["gender"] == "male").to_numpy()
    return regression(faces.assign(correct=right, p_male=np.where(right == male, 0.9, 0.1)))


def by_age(of: str) -> np.ndarray:
    """Rates (N,) of the shipped adults by age and the column `of` alone: without the other's effect."""
    faces, rate, _ = adults()
    return (
        faces.assign(band=age_band(faces["age"]), rate=rate).groupby(["band", of])["rate"].transform("mean").to_numpy()
    )


def shifted(rate: np.ndarray, inside: np.ndarray, by: float) -> np.ndarray:
    return np.clip(rate + by * inside, 0.001, 0.999)


def one_a(women_less: float, counts: Callable[[Regression], bool]) -> Callable[[Draw], bool]:
    """Women `women_less` (a share) below men at each age and ethnicity."""

    def once(draw: Draw) -> bool:
        faces, _, _ = adults()
        inside = (faces["gender"] == "female").to_numpy()
        return counts(of_truth(shifted(by_age("ethnicity"), inside, -women_less), draw))

    return once


def one_b(lowered: float, counts: Callable[[Regression], bool]) -> Callable[[Draw], bool]:
    """No ethnicity differs but Black faces, `lowered` below the others at each gender and age."""

    def once(draw: Draw) -> bool:
        faces, _, _ = adults()
        inside = (faces["ethnicity"] == "Black").to_numpy()
        return counts(of_truth(shifted(by_age("gender"), inside, -lowered), draw))

    return once


def no_worse(fit: Regression) -> bool:
    return fit.equal.women_less_men.low > -MATTERS and not fit.equal.p < ALPHA


def all_close(fit: Regression) -> bool:
    same = fit.equal.pairs[fit.equal.pairs["within"]]
    return bool((same["high"] < MATTERS).all() and (same["low"] > -MATTERS).all())


def pairs_covered(draw: Draw) -> bool:
    """The fitted model as truth: do the intervals of all pairs hold the differences it has at equal ages?"""
    fit = adults()[2]
    pairs = of_truth(model_rates(), draw).equal.pairs
    true = fit.equal.groups.set_index("group")["accuracy"]
    apart = true[pairs["best"]].to_numpy() - true[pairs["worst"]].to_numpy()
    return bool(((pairs["low"] <= apart) & (apart <= pairs["high"])).all())


@cache
def model_rates() -> np.ndarray:
    """Each shipped adult's rate by a regression on gender × ethnicity and gender × age, fitted again here."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    faces, _, _ = adults()
    table = faces.assign(band=age_band(faces["age"]).astype(str))
    dummies = [pd.get_dummies(table["gender"] + "/" + table[column], dtype=float) for column in ("ethnicity", "band")]
    x = np.column_stack([dummies[0], dummies[1].drop(columns=["female/3", "male/3"])])
    done = GLM(faces["correct"].to_numpy(dtype=float), x, family=Binomial()).fit()
    return expit(x @ np.asarray(done.params))


# Maps: symmetric cells, skewed ones, and a skewed strength that all cells of a map share.


def maps_of(kind: str, n: int, draw: Draw) -> np.ndarray:
    """Maps (n, 7, 7) whose mean is 0 in each cell."""
    if kind == "normal":
        return draw.normal(size=(n, *CELLS))
    if kind == "skewed":
        return draw.exponential(size=(n, *CELLS)) - 1
    loads = np.linspace(-1, 1, CELLS[0] * CELLS[1]).reshape(CELLS)
    return (draw.exponential(size=(n, 1, 1)) - 1) * loads + 0.5 * draw.normal(size=(n, *CELLS))


def paired(kind: str, n: int, planted: float = 0.0) -> Callable[[Draw], bool]:
    """Differences of two models' maps of `n` faces."""

    def once(draw: Draw) -> bool:
        maps = maps_of(kind, n, draw)
        maps[:, 3, 3] += planted
        p = one_sample(maps.reshape(n, -1), SAMPLES, int(draw.integers(1 << 31)))
        return bool((p <= ALPHA).any())

    return once


def two_groups(kind: str, sizes: tuple[int, int], spread: float = 1.0, planted: float = 0.0) -> Callable[[Draw], bool]:
    def once(draw: Draw) -> bool:
        maps = maps_of(kind, sum(sizes), draw)
        a = np.arange(sum(sizes)) < sizes[0]
        maps[a] *= spread
        maps[a, 3, 3] += planted * spread
        return difference(maps, Sides(a, ~a), Resampling(SAMPLES, seed=int(draw.integers(1 << 31)))).differs

    return once


# Known people, whose faces hang together.


def people_covered(people: int, faces: float, correlation: float, accuracy: float) -> Callable[[Draw], bool]:
    """Ten groups of `people` with `faces` each on average, correlated by `correlation`: do all ten intervals hold?"""
    truth = np.clip(np.linspace(accuracy - 0.03, accuracy + 0.02, 10), 0, 0.995)
    names = pd.DataFrame({"group": [f"group {g}" for g in range(10)]})

    def once(draw: Draw) -> bool:
        of = np.repeat(np.arange(10), people)
        p, more = truth[of], 1 / correlation - 1
        able, count = draw.beta(p * more, (1 - p) * more), draw.geometric(1 / faces, len(of))
        unit = np.repeat(np.arange(len(of)), count)
        right = draw.random(len(unit)) < able[unit]
        intervals = simultaneous_intervals(tally(of[unit], names, right, unit, GroupRule(1, "")), 300).table
        return bool(((intervals["low"] <= truth) & (truth <= intervals["high"])).all())

    return once


# Experiments: effects of pairs of seeds that scatter by seed and by face.


def contrast(effect: float, expected: Verdict, pairs: int = 3, built_in: int = 0, count_all: bool = False) -> Callable:
    """`built_in` of the pairs are one network in both arms: their 0 counts only where `count_all` says so."""

    def once(draw: Draw) -> bool:
        values = effect + 0.008 * draw.normal(size=pairs)
        values[:built_in] = 0.0
        used = values if count_all else values[built_in:]
        if len(used) < FEWEST_PAIRS:
            return expected == Verdict.CANNOT_TELL
        picks = draw.integers(0, len(used), (400, len(used)))
        both = used[picks].mean(axis=1) + 0.005 * draw.normal(size=400)
        seeds = t_interval(used)
        bounds = Estimate(seeds.value, *np.quantile(both, [0.025, 0.975]))
        return verdict(seeds, bounds, Expectation.HIGHER) == expected

    return once


# Clusters of maps.


def clustered(kind: str, n: int) -> Callable[[Draw], bool]:
    """One cloud about a common map (Gaussian or skewed along its longest axis), or two clouds."""

    def once(draw: Draw) -> bool:
        axes = draw.normal(size=(6, 25))
        z = draw.normal(size=(n, 6))
        if kind == "skewed":
            z[:, 0] = 2 * (draw.exponential(size=n) - 1)
        elif kind == "two":
            z[:, 0] += np.where(draw.random(n) < 0.5, 6.0, -6.0)
        maps = 0.8 * draw.normal(size=25) + z @ axes + 0.5 * draw.normal(size=(n, 25))
        maps /= np.sqrt((maps**2).mean(axis=1, keepdims=True))
        return structure(maps, int(draw.integers(1 << 31)), draws=DRAWS)[1] <= FOUND + 1e-9

    return once


def cases() -> Iterable[Case]:
    """All cases, by rule."""
    yield from worst_group_cases()
    yield from abstention_cases()
    yield from accuracy_cases()
    yield from map_cases()
    yield from hiding_cases()
    yield from pattern_cases(AUDIT)
    yield from slice_cases()
    for people, faces, correlation, accuracy in (
        (20, 3, 0.1, 0.97),
        (20, 8, 0.4, 0.9),
        (50, 8, 0.4, 0.97),
        (100, 5, 0.3, 0.95),
    ):
        yield Case(f"people: {people} a group, {faces} faces, {correlation}", "all ten groups' intervals hold",
                   people_covered(people, faces, correlation, accuracy), at_least=0.95, runs=300)  # fmt: skip
    yield from contrast_cases()
    for kind, limit in (("gaussian", 0.05), ("skewed", 0.05), ("two", None)):
        yield Case(f"clusters: 100 maps, {kind}", "clusters are found", clustered(kind, 100), at_most=limit, runs=60)


def accuracy_cases() -> Iterable[Case]:
    """Claims 1a and 1b: women against men, and ethnicities."""
    tested = "the test rejects"
    yield Case("1a, women as men", tested, one_a(0.0, lambda fit: fit.equal.p < ALPHA), at_most=0.05)
    yield Case("1a, women 2 points below", tested, one_a(MATTERS, lambda fit: fit.equal.p < ALPHA))
    yield Case("1a, women 2 points below", "«not supported» falls", one_a(MATTERS, no_worse), at_most=0.025)
    by_ethnicity = "the joint test rejects"
    yield Case("1b, ethnicities alike", by_ethnicity, one_b(0, lambda f: f.p(Together.ETHNICITY) < ALPHA), at_most=0.05)
    yield Case(
        "1b, Black faces 2 points below", by_ethnicity, one_b(MATTERS, lambda f: f.p(Together.ETHNICITY) < ALPHA)
    )
    yield Case("1b, ethnicities alike", "«not supported» falls", one_b(0, all_close))
    yield Case("1b, the fitted model is true", "the test of the fit rejects",
               lambda draw: of_truth(model_rates(), draw).p(Together.FIT) < ALPHA, at_most=0.05)  # fmt: skip
    yield Case("1b, the fitted model is true", "all 45 pairs' intervals hold", pairs_covered, at_least=0.95)


def map_cases() -> Iterable[Case]:
    """Differences of mean maps, tested over all cells at once."""
    for kind in ("normal", "skewed", "shared"):
        yield Case(f"maps: paired, 30 faces, {kind}", "a cell is found where there is none", paired(kind, 30), 0.05)
    for adjust, words, limit in ((None, "ages as they are", None), ("age band", "bands", None), ("age", "steps", 0.05)):
        for pair in (("Black", "White"), ("Asian", "White")):
            yield Case(
                f"maps of age alone: {' v '.join(pair)}, {words}",
                "a cell is found where there is none",
                age_alone(AUDIT, *pair, adjust),
                limit,
                runs=100,
            )
    yield Case("maps: paired, 30 faces, skewed", "a cell is found, 1 planted at 1 SD", paired("skewed", 30, 1.0))
    yield Case("maps: paired, 100 faces, skewed", "a cell is found, 1 planted at 0.5 SD", paired("skewed", 100, 0.5))
    for kind in ("normal", "skewed"):
        for sizes, spread in (((30, 30), 1.0), ((30, 300), 1.0), ((30, 300), 3.0), ((30, 300), 1 / 3)):
            name = f"maps: {sizes[0]} v {sizes[1]}, {kind}, spread {spread:.2g}"
            yield Case(
                name, "a cell is found where there is none", two_groups(kind, sizes, spread), at_most=0.05, runs=3000
            )
    yield Case("maps: 30 v 300, skewed", "a cell is found, 1 planted at 1 SD", two_groups("skewed", (30, 300), 1, 1.0))
    yield Case(
        "maps: 100 v 300, skewed", "a cell is found, 1 planted at 0.5 SD", two_groups("skewed", (100, 300), 1, 0.5)
    )


def contrast_cases() -> Iterable[Case]:
    """Claims 4 and 5: contrasts of arms over pairs of seeds."""
    rise, none = Verdict.SUPPORTED, Verdict.NOT_SUPPORTED
    yield Case("4 and 5, three pairs, no effect", "«supported» falls", contrast(0, rise), at_most=0.025, runs=4000)
    yield Case(
        "4 and 5, three pairs, 2 points", "«not supported» falls", contrast(MATTERS, none), at_most=0.025, runs=4000
    )
    yield Case("4 and 5, three pairs, 2 points", "«supported» falls", contrast(MATTERS, rise), runs=4000)
    yield Case("4 and 5, three pairs, 10 points", "«supported» falls", contrast(0.1, rise), runs=4000)
    yield Case("4 and 5, three pairs, no effect", "«not supported» falls", contrast(0, none), runs=4000)
    yield Case("5 as it was: 1 of 3 built in, 0", "«not supported» falls", contrast(0, none, 3, 1, True), runs=4000)
    yield Case("5, 1 of 3 built in, no effect", "«not supported» falls", contrast(0, none, 3, 1), runs=4000)


def main(only: Annotated[str, tyro.conf.arg(metavar="WORDS")] = "", runs: int | None = None, seed: int = 0) -> None:
    """Print each case's rate with its 99 % interval.

    only: cases whose name holds this. runs: simulated studies a case, by default the case's own number. seed: of all
    draws.
    """
    began, failures = time.perf_counter(), 0
    for case in cases():
        if only in case.name:
            rate = simulate(case, runs or case.runs, seed, progress=True)
            failures += rate.kept is False
            print(rate, flush=True)
    print(f"{failures} not kept; {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    tyro.cli(main)
