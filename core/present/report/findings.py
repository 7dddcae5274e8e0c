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
from core.present.figures import raster
from core.present.figures.findings import density_dots, effect_dots, mean_shapes
from core.present.figures.gaps import simultaneous_dots
from core.present.report.blocks import Chart, PageImages, Verdict
from core.present.text.findings import findings_sentence, seeds_words
from core.present.text.original_study import STUDY
from core.present.text.plain_findings import plain_words
from core.wording import capital, signed_points

NO_EXPERIMENT = "Claims 4 and 5 are of causes, and no experiment with these faces is at hand to answer them."


def findings_section(
    findings: list[Finding], experiment: Experiment | None, filter: Filter, audit: Audit | None = None
) -> Section:
    """What became of the claims, what study they are of, and all of them in order; of an audit of another attribute,
    that they are of gender."""
    if audit is not None and not audit.task.is_gender:
        return section("findings", "The original study's claims", [Text(findings_sentence(findings, audit.task))])
    seeds = seeds_words(experiment, filter, audit)
    conclusive = any(finding.verdict is not verdicts.Verdict.CANNOT_TELL for finding in findings)
    blocks: list = [Text(findings_sentence(findings)) if conclusive else None, Text(STUDY), Text(SCOPE)]
    blocks += [Text(seeds) if seeds else None, None if experiment else Text(NO_EXPERIMENT)]
    untold = _untold(findings)
    for finding in (f for f in findings if f.key not in {gone.key for gone in untold}):
        title = f"{finding.key} · {finding.claim}"
        plain = plain_words(finding)
        blocks += [] if plain is None else [Text(plain)]
        blocks.append(Verdict(title, finding.verdict, finding.verdict.tone, finding.sentence))
        blocks += _figure(finding)
        blocks.append(Text(f"Rule: {finding.rule}", quiet=True))
    return section("findings", "The original study's claims", [*blocks, *_told_together(untold, len(findings))])


def _untold(findings: list[Finding]) -> list[Finding]:
    """The claims of which these data tell nothing: where that is most of them all, else those without any number."""
    unanswered = [finding for finding in findings if finding.verdict is verdicts.Verdict.CANNOT_TELL]
    return (
        unanswered
        if 2 * len(unanswered) > len(findings)
        else [finding for finding in unanswered if not len(finding.numbers)]
    )


def _told_together(untold: list[Finding], count: int) -> list:
    """Why nothing can be told of these claims, a line each."""
    if not untold:
        return []
    some = f"{len(untold)} of the {count} claims cannot be answered from these data:"
    return [
        Text("No claim can be answered from these data:" if len(untold) == count else some),
        Items(tuple(f"{finding.key} · {finding.claim} {_plainly(finding)}" for finding in untold)),
    ]


def _plainly(finding: Finding) -> str:
    """What was asked and what an answer needs, and the numbers where there are any."""
    words = plain_words(finding)
    if words is None:
        return finding.sentence
    return words if finding.result is None else f"{words} In numbers: {finding.sentence}"


def _figure(finding: Finding) -> list:
    match finding.result:
        case GenderGap() | EthnicityGap():
            return [Chart.from_chart(simultaneous_dots(finding.numbers))]
        case EvidenceDensity() as result:
            note = f"Mean over {result.n:,} correct predictions; 1 (dotted) is what a uniform map has."
            return [Chart.from_chart(density_dots(finding.numbers, PLACES, note))]
        case ErrorPattern() as result:
            return [PageImages.from_chart(mean_shapes(result.pattern), raster.PANEL)]
        case CauseContrasts() as result:
            return _effects(finding, result)
        case None:
            return []


def _effects(finding: Finding, result: CauseContrasts) -> list:
    """A table and a chart for each contrast of an experiment."""
    blocks: list = []
    for claim, contrast in result.contrasts:
        rows = finding.numbers[finding.numbers["contrast"] == claim.name]
        seeds = [f"seed {n}" for n in range(len(contrast.paired))]
        cells = tuple((measure, *map(signed_points, effect.by_seed)) for measure, effect in contrast.effects.items())
        blocks += [
            Text(claim.question) if claim.question else None,
            Chart.from_chart(effect_dots(rows, capital(claim.name))),
            Table(("measure", *seeds), cells, "l" + "r" * len(seeds), "Points, seed by seed"),
        ]
    return blocks
