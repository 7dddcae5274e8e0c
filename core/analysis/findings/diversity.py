"""Does diversity of training close the gap, for whom, and where does the network look then? (docs/rules.md)"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.analysis.comparison import (
    MATTERS,
    Contrast,
    Effect,
    Experiment,
    arm_estimates,
    arm_measure,
    claim_contrast,
    group_changes,
    open_experiment,
)
from core.analysis.comparison.contrasts import FEWEST_PAIRS
from core.analysis.comparison.experiment import FOLDER, Claim, Measure, parse_group
from core.analysis.findings.accuracy import points
from core.analysis.findings.base import CauseContrasts, Finding, as_family, unable
from core.analysis.findings.causes import cause_findings
from core.data.filters import Filter, group_name
from core.errors import LookwhereError
from core.verdicts import Verdict
from core.wording import percent

#: The experiment's folder under `models/experiments`, and its arms that the questions name.
NAME = "diversity"
ONE, ALL, FEW = "lfw", "everyone", "as-few-as-lfw"
CLAIMS = {
    "D1": "Diversity of training narrows the gap.",
    "D2": "A group that is missing from training is the cause of its gap, tested across data sets.",
}
RULES = {
    "D1": (
        "Networks trained on LFW alone and on all data sets at hand, equally many images and the seed alike, tested on "
        "a data set that neither saw. Supported: the group's accuracy, less that of all others, rises in both "
        "intervals, over seeds (Student's t) and over seeds and faces (two-level bootstrap), with p under 5 % after "
        "Holm's correction over D1 and D2. Not supported: neither interval holds a rise of 2 points. Cannot tell: "
        "else, and under 3 pairs of seeds. «Closes» is said where what is left of the gap surely lies within 2 points."
    ),
}
MAKE = (
    "nobody has run it yet. `python -m core align` the data sets, then `python -m train.experiments --experiment "
    "train/plans/diversity.yaml --data lfw=STORE utkface=STORE aaf=STORE kaggle=STORE fairface=STORE` trains, audits "
    "and publishes its networks (docs/reproduce.md has the commands and how long they take)"
)


@dataclass(frozen=True)
class RiseContrasts(CauseContrasts):
    """What D1 rests on: the contrasts, the sentence of the `rise` alone, and whether the gap is surely `closed`,
    that is, to within 2 points."""

    rise: str
    closed: bool


@dataclass(frozen=True)
class Diversity:
    """The experiment, opened."""

    experiment: Experiment

    @property
    def path(self) -> Path:
        """The experiment's folder."""
        return self.experiment.path

    @property
    def tests(self) -> tuple[str, ...]:
        """The audits that every network has, the one that decides first."""
        return self.experiment.tests

    @property
    def seeds(self) -> int:
        """Networks an arm: the fewest of any."""
        return min(len(arm.models) for arm in self.experiment.arms)

    @property
    def group(self) -> str:
        """The group that the questions are of, as contrasts name it; empty where no contrast names one."""
        return next((claim.group for claim in self.experiment.claims if claim.group), "")

    def adults(self, test: str) -> Filter:
        """Adults, or all faces of a data set that knows no ages."""
        return Filter.of_ages(self.experiment.on(test).audits(ALL)[0].faces, "adults")


def open_diversity(models: str | Path) -> Diversity:
    """Raises `LookwhereError`, in one line, where there is none under a folder of models, or it is damaged."""
    path = Path(models) / FOLDER / NAME
    if not (path / "experiment.json").is_file():
        raise LookwhereError(f"{path}: no experiment on diversity of training here; {MAKE}")
    experiment = open_experiment(path)
    for arm in (ONE, ALL):
        experiment.arm(arm)
    return Diversity(experiment)


def questions(study: Diversity, test: str, filter: Filter | None = None) -> list[Finding]:
    """D1 and D2 put to the networks on a data set, their p corrected as a family of two."""
    experiment = study.experiment.on(test)
    filter = study.adults(test) if filter is None else filter
    missing = replace(cause_findings(experiment, filter)[0], key="D2", claim=CLAIMS["D2"])
    return as_family([_closes(experiment, filter), missing])


def by_arm(study: Diversity, test: str, filter: Filter | None = None) -> pd.DataFrame:
    """Accuracy of each arm by gender × ethnicity, of all, and the extremes, means over seeds with both intervals:
    columns as `arm_estimates` has them."""
    return arm_estimates(study.experiment.on(test), study.adults(test) if filter is None else filter)


def for_whom(study: Diversity, test: str, filter: Filter | None = None) -> pd.DataFrame:
    """Each group's change from LFW to all data sets, exploratory: columns as `group_changes` has them."""
    filter = study.adults(test) if filter is None else filter
    return group_changes(study.experiment.on(test), ONE, ALL, filter)


def mean_map(study: Diversity, test: str, arm: str, seed: int, filter: Filter) -> np.ndarray | None:
    """The mean evidence map, male less female, float64 (h, w), of one network over the faces of a filter; None of fewer
    faces than an average may be of, or without maps."""
    audit = study.experiment.on(test).audits(arm)[seed]
    keep = filter.mask(audit.faces)
    if not audit.has_maps or keep.sum() < audit.minimum_faces:
        return None
    evidence = np.asarray(audit.evidence[keep], dtype=np.float64)
    return (evidence[:, 1] - evidence[:, 0]).mean(axis=0)


def map_agreement(study: Diversity, test: str, filter: Filter | None = None) -> pd.DataFrame:
    """How alike arms' mean maps are, over cells: a row for each arm beside `ALL` with columns arm, between (mean r of
    networks of the two arms, every seed with every seed), within (mean r of seeds of one arm, both arms), pairs and
    pairs_within (how many). Descriptive: of three seeds against three nothing is decided."""
    filter = study.adults(test) if filter is None else filter
    maps = {
        arm.name: [mean_map(study, test, arm.name, seed, filter) for seed in range(len(arm.models))]
        for arm in study.experiment.on(test).arms
    }
    rows = []
    for arm, theirs in maps.items():
        if arm == ALL or any(mean is None for mean in (*theirs, *maps[ALL])):
            continue
        between = [_agreement(a, b) for a, b in itertools.product(maps[ALL], theirs)]
        inside = [_agreement(a, b) for some in (maps[ALL], theirs) for a, b in itertools.combinations(some, 2)]
        rows.append((arm, np.mean(between), np.mean(inside) if inside else np.nan, len(between), len(inside)))
    return pd.DataFrame(rows, columns=["arm", "between", "within", "pairs", "pairs_within"])


def _agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's r over cells; NaN of a map that is constant."""
    a, b = first.ravel() - first.mean(), second.ravel() - second.mean()
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / length) if length > 0 else float("nan")


def _closes(experiment: Experiment, filter: Filter) -> Finding:
    """D1, before the correction."""
    claims = {(claim.start, claim.end): claim for claim in experiment.claims}
    claim = claims.get((ONE, ALL))
    if claim is None:
        return unable("D1", CLAIMS["D1"], "The experiment has no contrast from one data set to all.", RULES["D1"])
    try:
        primary = claim_contrast(experiment, claim, filter)
        few = claims.get((ONE, FEW))
        control = None if few is None else claim_contrast(experiment, few, filter)
        remaining = arm_measure(experiment, ALL, claim.group, Measure.EXTRA, filter)
    except LookwhereError as error:
        return unable("D1", CLAIMS["D1"], f"{error}.", RULES["D1"])
    contrasts = [(claim, primary), *([(few, control)] if few is not None and control is not None else [])]
    rise, closed = _rise(claim, primary), _closed(remaining)
    sentences = [rise, _left(claim, remaining, closed), *_beside(primary), _control(control)]
    enough = sum(primary.given) >= FEWEST_PAIRS
    rows = [
        {"contrast": claimed.name, "measure": measure, "mean": e.seeds.value, "low": e.seeds.low, "high": e.seeds.high,
         "both_low": e.both.low, "both_high": e.both.high, "pairs": sum(contrast.given),
         **{f"seed {n}": value for n, value in enumerate(e.by_seed)}}
        for claimed, contrast in contrasts for measure, e in contrast.effects.items()
    ]  # fmt: skip
    return Finding(
        "D1",
        CLAIMS["D1"],
        primary.verdict,
        " ".join(sentence for sentence in sentences if sentence),
        RULES["D1"],
        pd.DataFrame(rows),
        RiseContrasts(tuple(contrasts), rise, closed),
        primary.effects[primary.measure].p if enough else float("nan"),
        primary.verdict == Verdict.SUPPORTED,
    )


def _rise(claim: Claim, contrast: Contrast) -> str:
    own, rest, extra = (contrast.effects[kind] for kind in (Measure.GROUP, Measure.OTHERS, Measure.EXTRA))
    return (
        f"From LFW alone to all data sets at hand the accuracy of {contrast.group} ({contrast.n:,} faces) goes from "
        f"{percent(own.levels[0])} to {percent(own.levels[1])}, that of all others from {percent(rest.levels[0])} to "
        f"{percent(rest.levels[1])}: {points(extra.seeds.value, extra.seeds.low, extra.seeds.high)} apart over "
        f"{len(contrast.given)} seeds, {points(extra.seeds.value, extra.both.low, extra.both.high)} over seeds "
        "and faces."
    )


def _closed(left: Effect) -> bool:
    """Whether what is left of the gap surely lies within 2 points."""
    low = min(left.seeds.low, left.both.low)
    return bool(np.isfinite(low) and low > -MATTERS)


def _left(claim: Claim, remaining: Effect, closed: bool) -> str:
    """What is left of the gap in the arm of all data sets, and that it is `closed`."""
    low, high = min(remaining.seeds.low, remaining.both.low), max(remaining.seeds.high, remaining.both.high)
    gender, ethnicity = parse_group(claim.group)
    apart = points(remaining.seeds.value, low, high)
    end = ", so that the gap is closed to within 2 points" if closed else ": what is left of the gap"
    return f"With all data sets {group_name(gender or (), ethnicity or ())} are at {apart} from all others{end}."


def _beside(contrast: Contrast) -> list[str]:
    if Measure.AREA not in contrast.effects:
        return []
    area, own = (contrast.effects[kind] for kind in (Measure.AREA, Measure.OWN))
    return [
        f"Among faces of that ethnicity, women and men, the area under the ROC curve goes from {area.levels[0]:.3f} to "
        f"{area.levels[1]:.3f}; at a threshold of their own, where women and men are right equally often, accuracy "
        f"goes from {percent(own.levels[0])} to {percent(own.levels[1])}, "
        f"{points(own.seeds.value, own.seeds.low, own.seeds.high)}."
    ]


def _control(control: Contrast | None) -> str:
    """Whether as few faces as LFW has, of all data sets, do it too."""
    if control is None:
        return (
            "No arm of as few faces from all data sets was tested on these faces: «diversity» cannot be told from "
            "«more faces»."
        )
    extra = control.effects[Measure.EXTRA]
    low, high = min(extra.seeds.low, extra.both.low), max(extra.seeds.high, extra.both.high)
    sentence = f"With as few faces as LFW has, of all data sets, it is {points(extra.seeds.value, low, high)}"
    if low > 0:
        return f"{sentence}: it is not for want of faces that LFW alone falls behind."
    return f"{sentence}, not surely above 0: «diversity» cannot be told from «more faces»."
