"""The findings page: cached findings, and a card with a figure for each."""

from __future__ import annotations

import streamlit as st

from core.analysis.comparison import experiment_for
from core.analysis.findings import Finding, all_findings
from core.analysis.findings.base import CauseContrasts, ErrorPattern, EthnicityGap, EvidenceDensity, GenderGap
from core.analysis.findings.maps import PLACES
from core.audit.folder import Audit
from core.checks.results import open_checks
from core.data.filters import Filter
from core.present.figures import findings as figures
from core.present.figures import gaps
from core.present.figures.differences import map_sheet, panel_images
from core.present.text import escape
from core.present.text.findings import seeds_words
from core.present.text.plain_findings import numbers_table, plain_words
from core.verdicts import Verdict
from core.wording import capital
from ui.shell import downloads
from ui.shell import open_audit as open_audit_shell
from ui.shell.cache import kept
from ui.widgets import controls, help_texts, layout, terms

ICONS = {
    Verdict.SUPPORTED: ":material/check_circle:",
    Verdict.IN_PART: ":material/adjust:",
    Verdict.NOT_SUPPORTED: ":material/cancel:",
    Verdict.CANNOT_TELL: ":material/help:",
}


_all_findings = kept(entries=16, spinner="Putting the claims to the test …")(all_findings)
_seeds = kept(entries=16)(seeds_words)


def choose_ages(audit: Audit) -> Filter:
    """Draw the choice of adults only, on at first; all ages, with a line that says so, where none is recorded."""
    has_age = bool(audit.faces["age"].notna().any())
    adults = controls.toggle(
        "Adults only",
        value=has_age,
        key="grown",
        disabled=not has_age,
        help="Small children's perceived gender is close to a guess for anyone, so a gap over all ages is mixed with "
        "it.",
    )
    if not has_age:
        st.info(help_texts.NO_AGE)
    return Filter.of_ages(audit.faces, "adults" if adults else "all")


def audit_findings(audit: Audit, ages: Filter) -> list[Finding]:
    """`all_findings` of an audit, its checks and the experiment on its data, where there are any."""
    return _all_findings(audit, ages, open_checks(audit), experiment_for(open_audit_shell.MODELS, audit))


def seeds_caption(audit: Audit, ages: Filter) -> None:
    """How far networks of one recipe differ, where an experiment has some."""
    if (words := _seeds(experiment_for(open_audit_shell.MODELS, audit), ages, audit)) is not None:
        terms.caption(escape.markdown(words))


def show_command(audit: Audit, ages: Filter) -> None:
    """The command that prints the page's numbers."""
    command = f"python -m core findings --model {audit.manifest.model} --audit {audit.name}"
    terms.caption("Every number of this page, as text:")
    st.code(command + (" --ages all" if ages.any_age else ""), language="bash", wrap_lines=True)


def show_finding(finding: Finding) -> None:
    """A claim with its verdict, what was measured, a figure, the rule and the numbers."""
    with st.container(border=True, key=f"claim-{finding.key}"):
        text, figure = st.columns([1, 1.15], gap="medium") if len(finding.numbers) else (st.container(), None)
        with text:
            terms.subheader(escape.markdown(f"{finding.key} · {finding.claim}"))
            st.badge(finding.verdict, icon=ICONS[finding.verdict], color=layout.COLOURS[finding.verdict.tone])
            plain = plain_words(finding)
            if plain is None:
                layout.sentence(finding.sentence)
            else:
                layout.sentence(plain)
                if finding.result is not None:
                    terms.caption(escape.sentence(finding.sentence))
        if figure is not None:
            with figure:
                _figure(finding)
        with st.expander("How it is tested, and all numbers"):
            layout.sentence(finding.rule)
            if len(finding.numbers):
                layout.share_table(*numbers_table(finding))
                downloads.table(finding.numbers, f"finding-{finding.key}", f"finding {finding.key}: {finding.claim}")


def _figure(finding: Finding) -> None:
    name, title = f"finding-{finding.key}", f"finding {finding.key}: {finding.claim}"
    result = finding.result
    if isinstance(result, GenderGap | EthnicityGap):
        downloads.chart(gaps.simultaneous_dots(finding.numbers), name, title, key=name)
        terms.caption(
            "Thick: Wilson 95 % interval of a group by itself. Thin: intervals that hold for all groups at once."
        )
    elif isinstance(result, EvidenceDensity):
        downloads.chart(figures.density_dots(finding.numbers, PLACES), name, title, key=name)
        terms.caption(
            "Share of the positive evidence over share of the image, mean over faces. Evidence is centred on a "
            "region: cells see more of the face than their square."
        )
    elif isinstance(result, ErrorPattern):
        shapes = figures.mean_shapes(result.pattern)
        drawings = zip(panel_images(shapes), shapes.panels, strict=True)
        panels = [(image, panel.caption, panel.alt) for image, panel in drawings]
        st.html(layout.STYLE + layout.image_row(panels, widest="16rem"))
        downloads.image_sheet(lambda: map_sheet(shapes), name, title)
        terms.caption(escape.markdown(shapes.note))
    elif isinstance(result, CauseContrasts):
        for claim, _ in result.contrasts:
            rows = finding.numbers[finding.numbers["contrast"] == claim.name]
            terms.markdown(f"**{escape.markdown(capital(claim.name))}** · {escape.markdown(claim.question)}")
            key = f"{name}-{claim.name}"
            downloads.chart(figures.effect_dots(rows), key, f"{title}, {claim.name}", key=key)
