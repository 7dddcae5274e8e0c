"""The report's findings: each claim with its verdict, numbers, a figure and its rule."""

from __future__ import annotations

from core.card import Section, Table, Text, section
from core.experiments import Experiment
from core.faces import MINIMUM_FACES
from core.figures import pictures
from core.figures.findings import shape_panels
from core.findings import CANNOT_TELL, NOT_SUPPORTED, SUPPORTED, Finding
from core.report.blocks import Chart, Mark, Pictures, Row, Scale, Verdict, data_uri
from core.report.gaps import bands_chart
from core.sentences import capital, percent

TONES = {SUPPORTED: "good", NOT_SUPPORTED: "bad", CANNOT_TELL: "open"}
SCOPE = (
    "Verdicts are of this model, these faces and their annotators' labels. The original study's claims were of another "
    "model, trained on MS1MV2 and tested on MORPH; a verdict here neither proves nor refutes them there."
)
NO_EXPERIMENT = "Claims 4 and 5 are of causes, and no experiment with these faces is at hand to answer them."


def findings_section(findings: list[Finding], experiment: Experiment | None) -> Section:
    """All claims in order."""
    blocks: list = [Text(SCOPE), None if experiment else Text(NO_EXPERIMENT)]
    for found in findings:
        title = f"{found.key} · {found.claim}"
        blocks.append(Verdict(title, found.verdict, TONES.get(found.verdict, "open"), found.sentence))
        if len(found.numbers):
            blocks += _figure(found)
        blocks.append(Text(f"Rule: {found.rule}", quiet=True))
    return section("findings", "The original study's claims", blocks)


def _figure(found: Finding) -> list:
    if found.key in ("1a", "1b"):
        return [bands_chart(found.numbers.to_dict("records"))]
    if found.key == "2":
        return _densities(found)
    if found.key == "3":
        return _shapes(found)
    return _effects(found)


def _densities(found: Finding) -> list:
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
    note = f"Mean over {found.data['n']:,} right predictions; 1 (dotted) is what a uniform map has."
    return [Chart("Density of positive evidence by region", lines, "", 1.0, note)]


def _shapes(found: Finding) -> list:
    data = found.data
    if min(data["n"], data["n_right"]) < MINIMUM_FACES:
        return []
    right, wrong = shape_panels(data["right"], data["wrong"], data["significant"])
    limit = pictures.shared_limit([data["right"], data["wrong"]])
    shown = (
        (data_uri(right), "Mean shape of right predictions", f"right, mean of {data['n_right']:,}"),
        (data_uri(wrong), "Mean shape of wrong predictions", f"wrong, mean of {data['n']:,}; outlined: not flat"),
    )
    bar = data_uri(pictures.colour_bar(True))
    return [Pictures(shown, Scale(bar, f"−{limit:.3g} against the choice", f"{limit:.3g} for it", "without strength"))]


def _effects(found: Finding) -> list:
    """A table and a chart for each contrast of an experiment."""
    blocks: list = []
    for claim in found.data["claims"]:
        rows = found.numbers[found.numbers["contrast"] == claim.name].to_dict("records")
        lines = tuple(
            Row(
                capital(row["measure"]),
                f"{int(row['seeds'])} seeds",
                (
                    Mark(row["mean"], row["both_low"], row["both_high"], "thin"),
                    Mark(row["mean"], row["low"], row["high"]),
                ),
                _points(row["mean"], row["low"], row["high"]),
            )
            for row in rows
        )
        seeds = [name for name in found.numbers if name.startswith("seed ")]
        cells = tuple((row["measure"], *(_points(row[name]) for name in seeds)) for row in rows)
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
