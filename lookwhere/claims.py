"""The original study's claims, and checks of the maps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.analysis.comparison import experiment_for
from core.analysis.findings import Finding, all_findings
from core.analysis.findings.base import CauseContrasts, ErrorPattern, EthnicityGap, EvidenceDensity, GenderGap
from core.analysis.findings.maps import PLACES
from core.audit.folder import Audit
from core.checks.definitions import View
from core.checks.results import Checks, open_checks
from core.classifiers.folder import Model, load_model
from core.data.filters import Filter
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.present.figures.checks import similarity_dots
from core.present.figures.findings import density_dots, effect_dots, mean_shapes
from core.present.figures.gaps import simultaneous_dots
from core.present.figures.plotly_charts import figure_of
from core.present.figures.plotly_maps import map_figure
from core.present.text.checks import results, sentence
from core.present.text.findings import findings_sentence
from core.progress import Progress
from core.task import GENDER, Task
from lookwhere.results import Result


@dataclass(frozen=True, repr=False, eq=False)
class Findings(Result):
    """The study's claims put to an audit; `findings[n].numbers` has the table behind each."""

    findings: tuple[Finding, ...]
    task: Task = GENDER

    @property
    def sentence(self) -> str:
        return findings_sentence(list(self.findings), self.task)

    def to_frame(self) -> pd.DataFrame:
        """A row a claim: key, claim, verdict, sentence."""
        rows = [(f.key, f.claim, str(f.verdict), f.sentence) for f in self.findings]
        return pd.DataFrame(rows, columns=["key", "claim", "verdict", "sentence"])

    def plot(self, key: str | None = None) -> go.Figure:
        """The figure of one claim, by default of the first that has one. Raises `LookwhereError` where it has none."""
        for finding in self.findings:
            figure = _figure(finding) if key in (None, finding.key) else None
            if figure is not None:
                return figure
        keys = ", ".join(f.key for f in self.findings if f.result is not None)
        raise LookwhereError(f"no figure of claim {key or 'any'}; there are figures of {keys or 'none'}")


def _figure(finding: Finding) -> go.Figure | None:
    result = finding.result
    if isinstance(result, GenderGap | EthnicityGap):
        return figure_of(simultaneous_dots(finding.numbers))
    if isinstance(result, EvidenceDensity):
        return figure_of(density_dots(finding.numbers, PLACES))
    if isinstance(result, ErrorPattern):
        return map_figure(mean_shapes(result.pattern))
    if isinstance(result, CauseContrasts):
        first = result.contrasts[0][0].name
        return figure_of(effect_dots(finding.numbers[finding.numbers["contrast"] == first]))
    return None


def findings(audit: Audit, within: Filter | None = None) -> Findings:
    """The original study's claims put to an audit, by default to its adults, or to all where no age is known.

    Checks in the audit's folder and the experiment on its faces beside the model are taken into account.
    """
    filter = within or Filter.of_ages(audit.faces)
    experiment = experiment_for(audit.path.parent.parent.parent, audit)
    return Findings(tuple(all_findings(audit, filter, open_checks(audit), experiment)), audit.task)


@dataclass(frozen=True, repr=False, eq=False)
class MapChecks(Result):
    """Checks of an audit's maps, of one group of its faces; everything stored is in `checks`."""

    checks: Checks
    group: str

    @property
    def sentence(self) -> str:
        return sentence(self.checks, View(self.group))

    def to_frame(self) -> pd.DataFrame:
        """A row a check: check, verdict (empty where it only describes), sentence."""
        checks = results(self.checks, View(self.group))
        rows = [(r.title, "" if r.verdict is None else str(r.verdict), r.sentence) for r in checks]
        return pd.DataFrame(rows, columns=["check", "verdict", "sentence"])

    def plot(self) -> go.Figure:
        """How the map changes as weights are made random. Raises `LookwhereError` where that check was not made."""
        if "randomised" not in self.checks.parts:
            raise LookwhereError(f"{self.checks.path}: no check with random weights; make it with run_checks")
        return figure_of(similarity_dots(self.checks.rows("randomised", "similarity", self.group)))


def run_checks(
    audit: Audit,
    model: Model | str | Path,
    store: AlignedStore,
    *,
    sample: int = 600,
    seed: int = 0,
    parts: tuple[str, ...] | None = None,
    methods: tuple[str, ...] | None = None,
    progress: Progress | None = None,
) -> MapChecks:
    """Check whether an audit's maps can be trusted; finished parts are kept, so a stopped run goes on.

    Needs torch. Raises `LookwhereError` where model or store are not the audit's, or a name is unknown.
    """
    from core.checks import run

    selection: dict[str, Any] = {"parts": parts, "methods": methods}
    selection = {name: tuple(value) for name, value in selection.items() if value is not None}
    opened = model if isinstance(model, Model) else load_model(model)
    done = run.run_checks(audit, opened, store, sample=sample, seed=seed, progress=progress, **selection)
    if not done.groups:
        raise LookwhereError(f"{audit.path}: no group of the sample has 11 faces; give a larger sample")
    return MapChecks(done, done.groups[0] if done.groups else Filter().describe())
