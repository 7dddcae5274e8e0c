"""Arms over seeds, and contrasts between arms: effects with two kinds of interval, and a verdict by rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from core.analysis.accuracy.by_group import LARGE_GROUP
from core.analysis.bootstrap import Resampling, resampled_sums
from core.analysis.comparison.experiment import Claim, Expectation, Experiment, Measure, parse_group
from core.analysis.comparison.paired import SMALLEST_TESTED, Paired, group_mask, groups_by, mcnemar, named
from core.analysis.comparison.ranking import rank_measures, resampled_ranking
from core.data.faces import people
from core.data.filters import Filter
from core.errors import LookwhereError
from core.estimate import Estimate
from core.task import task_of
from core.verdicts import Verdict

#: An effect that matters: 2 points of accuracy. «Not supported» needs intervals that exclude it.
MATTERS = 0.02
SAMPLES = 2000
DEFAULT_RESAMPLING = Resampling(SAMPLES)
#: Pairs of seeds under which nothing is decided: of two, an interval is as good as none.
FEWEST_PAIRS = 3
#: Two networks are one and the same where no face's logits differ by more.
SAME = 1e-4
_TABLE = ["arm", "seed", "model", "measure", "gender", "ethnicity", "n", "accuracy"]
_ESTIMATES = ["arm", "measure", "gender", "ethnicity", "seeds", "mean", "low", "high", "both_low", "both_high"]


@dataclass(frozen=True)
class Effect:
    """One measure: its value by seed, the mean with a t interval over seeds, and one that resamples seeds and faces.

    The first takes the test faces as given, and is wide because seeds are few. The second draws seeds and faces (or
    people), each as a whole: Owen 2007, Ann Appl Stat 1:386; of few seeds it is somewhat too narrow in their share.
    Of a contrast, mean and intervals are of the pairs in which the treatment was given, `by_seed` has all; `levels` are
    the means of «from» and «to» over those pairs, and `p`, two-sided, is the larger of the two intervals'.
    """

    by_seed: tuple[float, ...]
    seeds: Estimate
    both: Estimate
    verdict: Verdict | None = None
    levels: tuple[float, float] = (np.nan, np.nan)
    p: float = np.nan


@dataclass(frozen=True)
class Contrast:
    """`effects` by measure of «to» less «from» (accuracies; the gap is best less worst group), `group` of `n` faces.

    `paired`: McNemar's comparison of the group's faces seed by seed. `given` says of each pair of seeds whether its two
    networks differ at all: where the arms' settings led to one and the same network, the treatment was not given and
    the pair's 0 is built in. `verdict` is that of the chosen `measure`.
    """

    group: str
    n: int
    measure: Measure
    expect: Expectation
    effects: Mapping[Measure, Effect]
    paired: tuple[Paired, ...]
    given: tuple[bool, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict of the chosen measure."""
        return self.effects[self.measure].verdict


def verdict(seeds: Estimate, both: Estimate, expect: Expectation = Expectation.CHANGE) -> Verdict:
    """A claim's verdict from its effect's two intervals. Supported: both lie wholly on the expected side of 0.

    Not supported: neither holds an effect of 2 points (`MATTERS`) or more on that side. Cannot tell here: anything
    else, and always of a single seed.
    """
    low, high = min(seeds.low, both.low), max(seeds.high, both.high)
    if not np.isfinite([seeds.low, seeds.high, both.low, both.high]).all():
        return Verdict.CANNOT_TELL
    sign = expect.sign
    if (sign >= 0 and low > 0) or (sign <= 0 and high < 0):
        return Verdict.SUPPORTED
    harmless = (sign < 0 or high < MATTERS) and (sign > 0 or low > -MATTERS)
    return Verdict.NOT_SUPPORTED if harmless else Verdict.CANNOT_TELL


def t_interval(values: np.ndarray) -> Estimate:
    """Mean and Student's 95 % interval of values (S,); NaN bounds of one value, and all NaN of none."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        return Estimate(float(values.mean()) if len(values) else np.nan, np.nan, np.nan)
    half = stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values))
    return Estimate(float(values.mean()), float(values.mean() - half), float(values.mean() + half))


def two_sided(values: np.ndarray, replicates: np.ndarray) -> float:
    """p of «no effect», the larger of Student's over values by seed (S,) and the share of resampled means (R,) beyond
    0, doubled; NaN of one value."""
    if len(values) < 2:
        return float("nan")
    spread = values.std(ddof=1) / np.sqrt(len(values))
    p = float(2 * stdtr(len(values) - 1, -abs(values.mean()) / spread)) if spread else float(values.mean() == 0)
    beyond = min((replicates <= 0).sum(), (replicates >= 0).sum())
    return max(p, min(1.0, 2 * (1 + float(beyond)) / (1 + len(replicates))))


class _Counts:
    """Faces and correct predictions by group and model of arms, for the faces in a filter, and their resamples."""

    def __init__(self, experiment: Experiment, arms: tuple[str, ...], filter: Filter, samples: int, seed: int) -> None:
        if filter.outcome != "all":
            raise LookwhereError("models differ in their outcomes: leave the filter's outcome at all")
        self.arms = {arm: experiment.audits(arm) for arm in arms}
        first = self.arms[arms[0]][0]
        keep = filter.mask(first.faces)
        if not keep.any():
            raise LookwhereError(f"{experiment.name}: no face passes the filter «{filter.describe()}»; widen it")
        self.faces = first.faces[keep]
        self.groups = groups_by(first, filter)
        flags = [audit.faces["correct"].to_numpy(dtype=bool)[keep] for arm in arms for audit in self.arms[arm]]
        self.correct = np.stack(flags, axis=1)
        logits = [audit.faces[list(audit.task.logits)].to_numpy(float) for arm in arms for audit in self.arms[arm]]
        self.logits = logits
        self.scores = [both[keep, 1] - both[keep, 0] for both in logits]
        self.seeds = [len(self.arms[arm]) for arm in arms]
        members = np.stack([group_mask(self.faces, *group) for group in self.groups], axis=1)
        ones = np.column_stack([np.ones(len(self.faces), dtype=bool), self.correct])
        values = (members[:, :, None] & ones[:, None]).reshape(len(self.faces), -1)
        shape = (len(self.groups), ones.shape[1])
        self.seen = values.sum(axis=0, dtype=np.float64).reshape(1, *shape)
        self.draw = np.random.default_rng(seed)
        self.drawn = resampled_sums(values, people(self.faces), samples, self.draw).reshape(samples, *shape)

    def measures(self, counts: np.ndarray, group: tuple[str, str] | None = None) -> dict[str, list[np.ndarray]]:
        """From counts (R, G, 1 + models), each measure's values (R, S) by arm."""
        n, right = counts[..., :1], counts[..., 1:]
        with np.errstate(invalid="ignore", divide="ignore"):
            accuracy = right / n
            ranked = np.where(self.seen[:1, :, :1] >= LARGE_GROUP, accuracy, np.nan)
            measures = {Measure.OVERALL: right.sum(axis=1) / n.sum(axis=1)}
            if (self.seen[0, :, 0] >= LARGE_GROUP).sum() >= 2:
                measures[Measure.WORST] = np.nanmin(ranked, axis=1)
                measures[Measure.GAP] = np.nanmax(ranked, axis=1) - measures[Measure.WORST]
            if group is not None:
                inside = [all(a in ("", b) for a, b in zip(group, own, strict=True)) for own in self.groups]
                measures[Measure.GROUP] = right[:, inside].sum(axis=1) / n[:, inside].sum(axis=1)
                if not all(inside):
                    rest = ~np.array(inside)
                    measures[Measure.OTHERS] = right[:, rest].sum(axis=1) / n[:, rest].sum(axis=1)
                    measures[Measure.EXTRA] = measures[Measure.GROUP] - measures[Measure.OTHERS]
            measures |= {pair: accuracy[:, g] for g, pair in enumerate(self.groups)}
        ends = np.cumsum(self.seeds)[:-1]
        return {name: np.split(values, ends, axis=1) for name, values in measures.items()}

    def ranking(self, ethnicity: str, samples: int) -> tuple[dict, dict]:
        """`Measure.AREA` and `Measure.OWN` of the faces of an ethnicity (of all where it is empty), as `measures` has
        them: seen (1, S) and resampled (R, S) by arm; empty where only one class is there."""
        inside = group_mask(self.faces, "", ethnicity)
        positive = task_of(self.faces).is_positive(self.faces)[inside]
        if positive.all() or not positive.any():
            return {}, {}
        scores = np.stack([score[inside] for score in self.scores], axis=1)
        unweighted = np.ones((1, len(positive)))
        observed = np.stack(
            [np.stack(rank_measures(scores[:, m], positive, unweighted)) for m in range(scores.shape[1])], axis=2
        )
        resampled = resampled_ranking(scores, positive, people(self.faces[inside]), samples, self.draw.spawn(1)[0])
        ends = np.cumsum(self.seeds)[:-1]
        kinds = (Measure.AREA, Measure.OWN)
        return tuple(
            {kind: np.split(values[place], ends, axis=1) for place, kind in enumerate(kinds)}
            for values in (observed, resampled)
        )

    def resampled_mean(self, values: np.ndarray) -> np.ndarray:
        """Means over seeds (R,) of `values` (R, S), the seeds drawn with replacement too."""
        samples, seeds = values.shape
        picked = self.draw.integers(0, seeds, (samples, seeds))
        return np.take_along_axis(values, picked, axis=1).mean(axis=1)

    def effect(
        self,
        observed: np.ndarray,
        resampled: np.ndarray,
        expect: Expectation | None = None,
        judge: bool = True,
        treated: np.ndarray | None = None,
    ) -> Effect:
        """From values by seed (S,) and their resamples (R, S); of the seeds `treated`, bool (S,), where it is named."""
        used = np.ones(len(observed), dtype=bool) if treated is None else treated
        mean = t_interval(observed[used])
        means = self.resampled_mean(resampled[:, used]) if used.sum() > 1 else np.array([np.nan])
        low, high = np.nanquantile(means, [0.025, 0.975]) if np.isfinite(means).any() else (np.nan, np.nan)
        both = Estimate(mean.value, float(low), float(high))
        judge = judge and used.sum() >= FEWEST_PAIRS
        judged = None if expect is None else verdict(mean, both, expect) if judge else Verdict.CANNOT_TELL
        return Effect(tuple(map(float, observed)), mean, both, judged, p=two_sided(observed[used], means))


def arm_table(experiment: Experiment, filter: Filter | None = None) -> pd.DataFrame:
    """Accuracy by arm and seed: columns arm, seed, model, measure, gender, ethnicity, n, accuracy.

    `measure` is overall, group (a row a gender × ethnicity), worst group (its gender and ethnicity named) or largest
    gap, the last two among groups of 50 and more faces.
    """
    names = tuple(arm.name for arm in experiment.arms)
    counts = _Counts(experiment, names, filter or Filter(), 1, 0)
    measures, rows = counts.measures(counts.seen), []
    sizes = dict(zip(counts.groups, counts.seen[0, :, 0].astype(int), strict=True))
    for a, arm in enumerate(experiment.arms):
        for seed, model in enumerate(arm.models):
            value = {name: float(values[a][0, seed]) for name, values in measures.items()}
            head = (arm.name, seed, model)
            rows.append((*head, Measure.OVERALL, "", "", len(counts.faces), value[Measure.OVERALL]))
            rows += [(*head, Measure.GROUP, *pair, n, value[pair]) for pair, n in sizes.items()]
            if Measure.WORST in value:
                ranked = [pair for pair, n in sizes.items() if n >= LARGE_GROUP]
                worst = min(ranked, key=value.get)
                rows.append((*head, Measure.WORST, *worst, sizes[worst], value[Measure.WORST]))
                rows.append((*head, Measure.GAP, "", "", len(counts.faces), value[Measure.GAP]))
    return pd.DataFrame(rows, columns=_TABLE)


def arm_estimates(
    experiment: Experiment, filter: Filter | None = None, *, samples: int = SAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Means over seeds by arm: columns arm, measure, gender, ethnicity, seeds, mean, low, high (t over seeds),
    both_low, both_high (seeds and faces resampled). A maximum or minimum over groups is biased outward."""
    rows = []
    for arm in experiment.arms:
        counts = _Counts(experiment, (arm.name,), filter or Filter(), samples, seed)
        observed, resampled = counts.measures(counts.seen), counts.measures(counts.drawn)
        for name, values in observed.items():
            effect = counts.effect(values[0][0], resampled[name][0])
            measure, pair = (Measure.GROUP, name) if isinstance(name, tuple) else (name, ("", ""))
            bounds = (effect.seeds.value, effect.seeds.low, effect.seeds.high, effect.both.low, effect.both.high)
            rows.append((arm.name, measure, *pair, len(arm.models), *bounds))
    return pd.DataFrame(rows, columns=_ESTIMATES)


def arm_groups(
    experiment: Experiment,
    arm: str,
    groups: Sequence[tuple[str, str]],
    filter: Filter | None = None,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> list[tuple[int, Effect]]:
    """Faces and accuracy over an arm's seeds of each group (gender, ethnicity), empty where it is of all of them.

    A group without a face has n = 0 and NaN for all numbers.
    """
    counts, effects = _Counts(experiment, (arm,), filter or Filter(), samples, seed), []
    for pair in groups:
        n = int(group_mask(counts.faces, *pair).sum())
        observed, resampled = (counts.measures(sums, pair)[Measure.GROUP][0] for sums in (counts.seen, counts.drawn))
        effects.append((n, counts.effect(observed[0], resampled)))
    return effects


def arm_measure(
    experiment: Experiment,
    arm: str,
    group: str,
    measure: Measure,
    filter: Filter | None = None,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Effect:
    """One measure of an arm by itself: its level by seed, and over seeds and faces. `group` as "female Black".

    Raises `LookwhereError` where the faces that pass the filter do not give it.
    """
    counts, pair = _Counts(experiment, (arm,), filter or Filter(), samples, seed), parse_group(group)
    observed, resampled = (counts.measures(sums, pair) for sums in (counts.seen, counts.drawn))
    if measure not in observed:
        raise LookwhereError(f"{experiment.name}: no «{measure}» among the faces that pass the filter; widen it")
    return counts.effect(observed[measure][0][0], resampled[measure][0])


def group_changes(
    experiment: Experiment,
    start: str,
    end: str,
    filter: Filter | None = None,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Each group's accuracy in arm `start` and `end`, and its change over paired seeds: columns gender, ethnicity, n,
    start, end, change, low, high (Student's over seeds), both_low, both_high (seeds and faces resampled); shares of
    0–1. Not corrected for the number of groups."""
    counts, rows = _Counts(experiment, (start, end), filter or Filter(), samples, seed), []
    observed, resampled = counts.measures(counts.seen), counts.measures(counts.drawn)
    for place, pair in enumerate(counts.groups):
        (a,), (b,) = observed[pair]
        effect = counts.effect(b - a, resampled[pair][1] - resampled[pair][0])
        n = int(counts.seen[0, place, 0])
        rows.append((*pair, n, float(a.mean()), float(b.mean()), effect.seeds.value, effect.seeds.low,
                     effect.seeds.high, effect.both.low, effect.both.high))  # fmt: skip
    columns = ["gender", "ethnicity", "n", "start", "end", "change", "low", "high", "both_low", "both_high"]
    return pd.DataFrame(rows, columns=columns)


def arm_contrast(
    experiment: Experiment,
    arms: tuple[str, str],
    group: str = "",
    filter: Filter | None = None,
    *,
    expect: Expectation = Expectation.CHANGE,
    measure: Measure | None = None,
    resampling: Resampling = DEFAULT_RESAMPLING,
) -> Contrast:
    """The second of two arms less the first, seed k paired with seed k, on the same faces.

    `group` as "female Black", or empty; `measure` (by default the group, else the worst group) is what
    `expect` speaks of, and has the verdict; the others are judged by a change either way. A group of under 30 faces
    gives none. Raises `LookwhereError` where no face of the group, or too few groups, pass the filter.
    """
    measure = measure or (Measure.GROUP if group else Measure.WORST)
    counts = _Counts(experiment, arms, filter or Filter(), resampling.draws, resampling.seed)
    pair = parse_group(group) if group else None
    inside = group_mask(counts.faces, *(pair or ("", "")))
    n, name = int(inside.sum()), named(*(pair or ("", "")))
    if n == 0:
        raise LookwhereError(f"{experiment.name}: none of {name} passes the filter; widen it")
    observed, resampled = counts.measures(counts.seen, pair), counts.measures(counts.drawn, pair)
    if measure not in observed:
        raise LookwhereError(f"{experiment.name}: no «{measure}» among the faces that pass the filter; widen it")
    if counts.seeds[0] != counts.seeds[1]:
        names = " and ".join(arms)
        raise LookwhereError(f"{experiment.name}: {names} have unequal numbers of seeds; they are paired")
    if pair is not None:
        for measures, more in zip((observed, resampled), counts.ranking(pair[1], resampling.draws), strict=True):
            measures |= more
    treated = np.array(
        [
            not np.allclose(a, b, atol=SAME)
            for a, b in zip(counts.logits[: counts.seeds[0]], counts.logits[counts.seeds[0] :], strict=True)
        ]
    )
    effects = {}
    for kind in (kind for kind in Measure if kind in observed):
        a, b = observed[kind][0][0], observed[kind][1][0]
        change, expectation = resampled[kind][1] - resampled[kind][0], expect if kind == measure else Expectation.CHANGE
        effect = counts.effect(b - a, change, expectation, n >= SMALLEST_TESTED, treated)
        levels = (float(a[treated].mean()), float(b[treated].mean())) if treated.any() else (np.nan, np.nan)
        effects[kind] = replace(effect, levels=levels)
    seeds, persons = counts.seeds[0], people(counts.faces[inside])
    a, b = counts.correct[inside, :seeds], counts.correct[inside, seeds:]
    paired = tuple(mcnemar(a[:, k], b[:, k], persons) for k in range(seeds))
    return Contrast(name, n, measure, expect, effects, paired, tuple(map(bool, treated)))


def claim_contrast(
    experiment: Experiment, claim: Claim, filter: Filter | None = None, resampling: Resampling = DEFAULT_RESAMPLING
) -> Contrast:
    """The contrast that a claim of `experiment.json` names."""
    arms = claim.start, claim.end
    return arm_contrast(
        experiment, arms, claim.group, filter, expect=claim.expect, measure=claim.measure, resampling=resampling
    )
