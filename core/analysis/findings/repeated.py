"""The original study put beside its repetition: its seven figures, and claims 1 to 3, over the seeds of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd

from core.analysis.comparison import Experiment, arm_groups, open_experiment
from core.analysis.comparison.experiment import FOLDER
from core.analysis.findings.all import all_findings
from core.analysis.findings.base import Finding
from core.analysis.intervals import wilson
from core.analysis.original_study import MORPH_ACCURACY, NEAREST, figure_name
from core.checks.results import HIDING, open_checks
from core.classifiers.info import ModelInfo, model_info
from core.data.filters import Filter
from core.errors import LookwhereError

#: The experiment's folder under `models/experiments`.
NAME = "repeated"
#: The claims that audits alone answer; 4 and 5 are of causes, and need other networks.
CLAIMS = ("1a", "1b", "2", "3")


class Repeats(StrEnum):
    """Whether a figure of the original study comes back: inside our interval, or on which side of it."""

    YES = "within our interval"
    LOWER = "ours is lower"
    HIGHER = "ours is higher"
    UNKNOWN = "no such group"


@dataclass(frozen=True)
class Repeated:
    """The repetition: one arm of an experiment, `seeds` networks, and what the first one's `model.json` says."""

    experiment: Experiment
    info: ModelInfo

    @property
    def path(self) -> Path:
        """The experiment's folder."""
        return self.experiment.path

    @property
    def arm(self) -> str:
        """The arm's name."""
        return self.experiment.arms[0].name

    @property
    def seeds(self) -> int:
        """How many networks there are."""
        return len(self.experiment.arms[0].models)

    @property
    def tests(self) -> tuple[str, ...]:
        """The audits that every network has, each on another data set."""
        return self.experiment.tests

    def adults(self, test: str) -> Filter:
        """Adults, or all faces of a data set that knows no ages."""
        return Filter.of_ages(self.experiment.on(test).audits(self.arm)[0].faces, "adults")


def open_repeated(models: str | Path) -> Repeated:
    """Raises `LookwhereError`, in one line, where there is none under a folder of models, or it is damaged."""
    path = Path(models) / FOLDER / NAME
    if not (path / "experiment.json").is_file():
        raise LookwhereError(
            f"{path}: no repetition of the study here; `python -m core align` the data sets, then `python -m "
            "train.experiments --experiment train/plans/repeated.yaml` makes it (docs/reproduce.md)"
        )
    experiment = open_experiment(path)
    return Repeated(experiment, model_info(path / experiment.arms[0].models[0]))


def seven_figures(study: Repeated, test: str, filter: Filter | None = None) -> pd.DataFrame:
    """A row for each figure of the original: columns figure, group (as our data set names it), n, original, by_seed
    (tuple), mean, spread (SD over seeds), low, high, repeats (`Repeats`).

    The interval is the hull of Student's over seeds and of seeds and faces resampled together
    (`core.analysis.comparison.Effect`); of a single network it is Wilson's, of faces alone. All are shares of 0–1.
    """
    experiment = study.experiment.on(test)
    filter = study.adults(test) if filter is None else filter
    ethnicities = set(experiment.audits(study.arm)[0].faces["ethnicity"].astype(str))
    pairs = [(row.gender, _named(row.ethnicity, ethnicities)) for row in MORPH_ACCURACY.itertuples()]
    groups = [pair for pair in pairs if pair[1] is not None]
    effects = dict(zip(groups, arm_groups(experiment, study.arm, groups, filter), strict=True))
    rows = []
    for row, pair in zip(MORPH_ACCURACY.itertuples(), pairs, strict=True):
        n, effect = effects.get(pair, (0, None))
        figure = figure_name(row.gender, row.ethnicity)
        if effect is None or n == 0:
            rows.append((figure, "", 0, row.accuracy, (), np.nan, np.nan, np.nan, np.nan, Repeats.UNKNOWN))
            continue
        seeds = np.array(effect.by_seed)
        mean, spread = float(seeds.mean()), float(seeds.std(ddof=1)) if len(seeds) > 1 else np.nan
        if len(seeds) > 1:
            low, high = min(effect.seeds.low, effect.both.low), max(effect.seeds.high, effect.both.high)
        else:
            low, high = wilson(round(mean * n), n)
        low, high = max(0.0, float(low)), min(1.0, float(high))
        rows.append(
            (figure, figure_name(*pair), n, row.accuracy, effect.by_seed, mean, spread, low, high,
             _repeats(row.accuracy, low, high))
        )  # fmt: skip
    columns = ["figure", "group", "n", "original", "by_seed", "mean", "spread", "low", "high", "repeats"]
    return pd.DataFrame(rows, columns=columns)


def claims_by_seed(study: Repeated, test: str, filter: Filter | None = None) -> pd.DataFrame:
    """Claims 1 to 3 put to each network's audit: columns key, claim, seed (its place), model, verdict, sentence."""
    return claims_table(findings_by_seed(study, test, filter))


def claims_table(findings: Sequence[tuple[int, str, Finding]]) -> pd.DataFrame:
    """The table of `claims_by_seed`, of what `findings_by_seed` gives."""
    rows = [
        (finding.key, finding.claim, place, model, finding.verdict, finding.sentence)
        for place, model, finding in findings
    ]
    return pd.DataFrame(rows, columns=["key", "claim", "seed", "model", "verdict", "sentence"])


def findings_by_seed(study: Repeated, test: str, filter: Filter | None = None) -> list[tuple[int, str, Finding]]:
    """Claims 1 to 3 put to each network's audit: its place, its name and the finding, by claim and then by network."""
    experiment = study.experiment.on(test)
    filter = study.adults(test) if filter is None else filter
    findings = []
    for place, (model, audit) in enumerate(
        zip(experiment.arm(study.arm).models, experiment.audits(study.arm), strict=True)
    ):
        for finding in all_findings(audit, filter, open_checks(audit)):
            if finding.key in CLAIMS:
                findings.append((place, model, finding))
    return sorted(findings, key=lambda entry: (entry[2].key, entry[0]))


def hiding_by_model(study: Repeated, test: str) -> dict[str, bool]:
    """By network, in the arm's order, whether what hiding regions costs was measured on this data set (claim 2)."""
    experiment = study.experiment.on(test)
    checks = [open_checks(audit) for audit in experiment.audits(study.arm)]
    measured = [part is not None and HIDING in part.parts for part in checks]
    return dict(zip(experiment.arm(study.arm).models, measured, strict=True))


def _named(ethnicity: str, ethnicities: set[str]) -> str | None:
    """Our data set's name for an ethnicity of the original's; None where it has none that is near."""
    return next((name for name in NEAREST[ethnicity] if name in ethnicities), None) if ethnicity else ""


def _repeats(original: float, low: float, high: float) -> Repeats:
    if np.isnan(low):
        return Repeats.UNKNOWN
    if original < low:
        return Repeats.HIGHER
    return Repeats.LOWER if original > high else Repeats.YES
