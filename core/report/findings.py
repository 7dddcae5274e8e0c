"""The report's findings: each claim with its verdict, numbers, a figure and its rule."""

from __future__ import annotations

from core.card import Section, Table, Text, section
from core.experiments import Experiment
from core.faces import MINIMUM_FACES
from core.figures import pictures
from core.figures.findings import shape_panels
from core.findings import Finding
from core.findings.base import SCOPE, CauseContrasts, ErrorPattern, EthnicityGap, EvidenceDensity, GenderGap
from core.report.blocks import Chart, Mark, Pictures, Row, Scale, Verdict, data_uri
from core.report.gaps import bands_chart
from core.sentences import capital, percent

NO_EXPERIMENT = "Claims 4 and 5 are of causes, and no experiment with these faces is at hand to answer them."


def findings_section(findings: list[Finding], experiment: Experiment | None) -> Section:
    """All claims in order."""
    blocks: list = [Text(SCOPE), None if experiment else Text(NO_EXPERIMENT)]
    for found in findings:
        title = f"{found.key} · {found.claim}"
        blocks.append(Verdict(title, found.verdict, found.verdict.tone, found.sentence))
        blocks += _figure(found)
        blocks.append(Text(f"Rule: {found.rule}", quiet=True))
    return section("findings", "The original study's claims", blocks)


def _figure(found: Finding) -> list:
    match found.result:
        case GenderGap() | EthnicityGap():
            return [bands_chart(found.numbers.to_dict("records"))]
        case EvidenceDensity() as result:
            return _densities(found, result)
        case ErrorPattern() as result:
            return _shapes(result)
        case CauseContrasts() as result:
            return _effects(result)
        case None:
            return []


def _densities(found: Finding, result: EvidenceDensity) -> list:
    rows = found.numbers.sort_values("density", ascending=False, kind="stable").to_dict("records")
    lines = tuple(
        Row(
            capital(row["region"]),
            f"{percent(row['share'])} of the evidence on {percent(row['area'])} of the picture",
            (Mark(row["density"], row["low"], row["high"]),),
            f"{row['density']:.2f} [{row['low']:.2f}–{row['high']:.2f}]",
        )
        for row in rows
    )
    note = f"Mean over {result.n:,} right predictions; 1 (dotted) is what a uniform map has."
    return [Chart("Density of positive evidence by region", lines, "", 1.0, note)]


def _shapes(result: ErrorPattern) -> list:
    if min(result.n_incorrect, result.n_correct) < MINIMUM_FACES:
        return []
    right, wrong = shape_panels(result.correct, result.incorrect, result.significant)
    limit = pictures.shared_limit([result.correct, result.incorrect])
    shown = (
        (data_uri(right), "Mean shape of right predictions", f"right, mean of {result.n_correct:,}"),
        (
            data_uri(wrong),
            "Mean shape of wrong predictions",
            f"wrong, mean of {result.n_incorrect:,}; outlined: not flat",
        ),
    )
    bar = data_uri(pictures.colour_bar(True))
    return [Pictures(shown, Scale(bar, f"−{limit:.3g} against the choice", f"{limit:.3g} for it", "without strength"))]


def _effects(result: CauseContrasts) -> list:
    """A table and a chart for each contrast of an experiment."""
    blocks: list = []
    for claim, contrast in result.contrasts:
        lines = tuple(
            Row(
                capital(measure),
                f"{len(effect.by_seed)} seeds",
                (
                    Mark(effect.seeds.value, effect.both.low, effect.both.high, "thin"),
                    Mark(effect.seeds.value, effect.seeds.low, effect.seeds.high),
                ),
                _points(effect.seeds.value, effect.seeds.low, effect.seeds.high),
            )
            for measure, effect in contrast.effects.items()
        )
        seeds = [f"seed {n}" for n in range(len(contrast.paired))]
        cells = tuple((measure, *map(_points, effect.by_seed)) for measure, effect in contrast.effects.items())
        note = "Change of accuracy in points. Thick: over seeds (Student's t); thin: over seeds and faces (bootstrap)."
        blocks += [
            Text(claim.question) if claim.question else None,
            Chart(capital(claim.name), lines, "points", 0.0, note),
            Table(("measure", *seeds), cells, "l" + "r" * len(seeds), "Points, seed by seed"),
        ]
    return blocks


def _points(*values: float) -> str:
    """«+0.7», or «+0.7 [−0.9 to +2.3]» with bounds."""
    text = [f"{round(100 * value, 1) + 0.0:+.1f}".replace("-", "−") for value in values]
    return text[0] if len(text) == 1 else f"{text[0]} [{text[1]} to {text[2]}]"
