"""The findings page: cached findings, and a card with a figure for each."""

from __future__ import annotations

import streamlit as st

from core.audit.folder import Audit
from core.experiments import Experiment, experiment_for
from core.faces import Filter
from core.figures import findings as figures
from core.figures import gaps
from core.figures.pictures import Sheet
from core.findings import Finding, all_findings
from core.findings.base import CauseContrasts, ErrorPattern, EthnicityGap, EvidenceDensity, GenderGap
from core.findings.maps import PLACES
from core.sentences import capital
from core.trust.folder import Checks, open_checks
from core.verdicts import Verdict
from ui import opened, parts, takeaway

ICONS = {
    Verdict.SUPPORTED: ":material/check_circle:",
    Verdict.NOT_SUPPORTED: ":material/cancel:",
    Verdict.CANNOT_TELL: ":material/help:",
}


@st.cache_data(max_entries=16, show_spinner="Putting the claims to the test …")
def _findings(
    _audit: Audit, _checks: Checks | None, _experiment: Experiment | None, key: tuple, within: Filter
) -> list[Finding]:
    return all_findings(_audit, within, _checks, _experiment)


def cached_findings(audit: Audit, within: Filter) -> list[Finding]:
    """`core.findings.all_findings`, kept by the files it reads and the filter."""
    experiment = experiment_for(opened.MODELS, audit)
    files = [audit.path / name for name in ("audit.json", "checks.json")]
    files += [experiment.path / "experiment.json"] if experiment else []
    key = tuple((str(file), file.stat().st_mtime) for file in files if file.is_file())
    return _findings(audit, open_checks(audit), experiment, key, within)


def card(found: Finding) -> None:
    """A claim with its verdict, what was measured, a figure, the rule and the numbers."""
    with st.container(border=True):
        words, figure = st.columns([1, 1.15], gap="medium") if len(found.numbers) else (st.container(), None)
        with words:
            st.subheader(f"{found.key} · {found.claim}")
            st.badge(found.verdict, icon=ICONS[found.verdict], color=parts.COLOURS[found.verdict.tone])
            st.markdown(found.sentence)
        if figure is not None:
            with figure:
                _figure(found)
        with st.expander("How it is tested, and all numbers"):
            st.markdown(found.rule)
            if len(found.numbers):
                st.dataframe(found.numbers, hide_index=True)
                takeaway.table(found.numbers, f"finding-{found.key}", f"finding {found.key}: {found.claim}")


def _figure(found: Finding) -> None:
    name, title = f"finding-{found.key}", f"finding {found.key}: {found.claim}"
    result = found.result
    if isinstance(result, GenderGap | EthnicityGap):
        takeaway.chart(gaps.simultaneous_dots(found.numbers), name, title, key=name)
        st.caption(
            "Thick: Wilson 95 % interval of a group by itself. Thin: intervals that hold for all groups at once."
        )
    elif isinstance(result, EvidenceDensity):
        takeaway.chart(figures.density_dots(found.numbers, PLACES), name, title, key=name)
        st.caption(
            "Share of the positive evidence over share of the picture, mean over faces. Evidence is centred on a "
            "region: cells see more of the face than their square."
        )
    elif isinstance(result, ErrorPattern):
        right, wrong = figures.shape_panels(result.correct, result.incorrect, result.significant)
        n, others = result.n_incorrect, result.n_correct
        panels = [(right, f"right, mean of {others:,}", "Mean shape of right predictions"),
                  (wrong, f"wrong, mean of {n:,}; outlined: not flat", "Mean shape of wrong predictions")]  # fmt: skip
        st.html(parts.STYLE + parts.figures(panels, widest="16rem"))
        note = "Evidence for the chosen gender (red) or against it (blue), each map without its strength; one scale."
        takeaway.picture(lambda: Sheet([("", [panel[:2] for panel in panels])], note=note), name, title)
        st.caption(note)
    elif isinstance(result, CauseContrasts):
        for claim, _ in result.contrasts:
            rows = found.numbers[found.numbers["contrast"] == claim.name]
            st.markdown(f"**{capital(claim.name)}** · {claim.question}")
            one = f"{name}-{claim.name}"
            takeaway.chart(figures.effect_dots(rows), one, f"{title}, {claim.name}", key=one)
