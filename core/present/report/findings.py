"""The report's findings: each claim with its verdict, numbers, a figure and its rule."""

from __future__ import annotations

from core import verdicts
from core.analysis.comparison import Experiment
from core.analysis.findings import Finding
from core.analysis.findings.base import SCOPE, CauseContrasts, ErrorPattern, EthnicityGap, EvidenceDensity, GenderGap
from core.analysis.findings.maps import PLACES
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.card import Items, Section, Table, Text, section
from core.present.figures import pictures
from core.present.figures.findings import density_dots, effect_dots, mean_shapes
from core.present.figures.gaps import simultaneous_dots
from core.present.report.blocks import Chart, Pictures, Verdict
from core.present.text.findings import seeds_words
from core.wording import capital, signed_points

NO_EXPERIMENT = "Claims 4 and 5 are of causes, and no experiment with these faces is at hand to answer them."


def findings_section(
    findings: list[Finding], experiment: Experiment | None, within: Filter, audit: Audit | None = None
) -> Section:
    """All claims in order."""
    seeds = seeds_words(experiment, within, audit)
    blocks: list = [Text(SCOPE), Text(seeds) if seeds else None, None if experiment else Text(NO_EXPERIMENT)]
    untold = _untold(findings)
    for found in (one for one in findings if one.key not in {gone.key for gone in untold}):
        title = f"{found.key} · {found.claim}"
        blocks.append(Verdict(title, found.verdict, found.verdict.tone, found.sentence))
        blocks += _figure(found)
        blocks.append(Text(f"Rule: {found.rule}", quiet=True))
    return section("findings", "The original study's claims", [*blocks, *_told_together(untold, len(findings))])


def _untold(findings: list[Finding]) -> list[Finding]:
    """The claims of which these data tell nothing: where that is most of them all, else those without any number."""
    found = [one for one in findings if one.verdict is verdicts.Verdict.CANNOT_TELL]
    return found if 2 * len(found) > len(findings) else [one for one in found if not len(one.numbers)]


def _told_together(untold: list[Finding], count: int) -> list:
    """Why nothing can be told of these claims, a line each."""
    if not untold:
        return []
    some = f"{len(untold)} of the {count} claims cannot be answered from these data:"
    return [
        Text("No claim can be answered from these data:" if len(untold) == count else some),
        Items(tuple(f"{one.key} · {one.claim}. {one.sentence}" for one in untold)),
    ]


def _figure(found: Finding) -> list:
    match found.result:
        case GenderGap() | EthnicityGap():
            return [Chart.from_chart(simultaneous_dots(found.numbers))]
        case EvidenceDensity() as result:
            note = f"Mean over {result.n:,} correct predictions; 1 (dotted) is what a uniform map has."
            return [Chart.from_chart(density_dots(found.numbers, PLACES, note))]
        case ErrorPattern() as result:
            return [Pictures.from_chart(mean_shapes(result.pattern), pictures.PANEL)]
        case CauseContrasts() as result:
            return _effects(found, result)
        case None:
            return []


def _effects(found: Finding, result: CauseContrasts) -> list:
    """A table and a chart for each contrast of an experiment."""
    blocks: list = []
    for claim, contrast in result.contrasts:
        rows = found.numbers[found.numbers["contrast"] == claim.name]
        seeds = [f"seed {n}" for n in range(len(contrast.paired))]
        cells = tuple((measure, *map(signed_points, effect.by_seed)) for measure, effect in contrast.effects.items())
        blocks += [
            Text(claim.question) if claim.question else None,
            Chart.from_chart(effect_dots(rows, capital(claim.name))),
            Table(("measure", *seeds), cells, "l" + "r" * len(seeds), "Points, seed by seed"),
        ]
    return blocks
