"""The button that hands out an audit's report; what it costs is paid at the click, and once."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.analysis.comparison import experiment_for
from core.analysis.comparison.catalogue import same_face_audits
from core.audit.folder import Audit
from core.present.card.failures import main_filter
from core.present.report import report_of
from ui.shell import open_audit as opening
from ui.shell.cache import kept
from ui.shell.open_audit import OpenAudit

HELP = "One HTML file that opens offline: all figures, tests, checks and the model card; no single face is in it."


@kept(entries=8)
def _report(opened: OpenAudit, audit: Audit, all_ages: bool, read: tuple[Path, ...]) -> bytes:
    return report_of(opened.folder, audit, all_ages).encode()


def report_bytes(opened: OpenAudit, audit: Audit, all_ages: bool = False) -> bytes:
    """The report as bytes, kept by the files it reads; its date is that of the first time."""
    experiment = experiment_for(opening.MODELS, audit)
    files = [audit.path / "audit.json", audit.path / "checks.json", opened.folder / "model.json"]
    files += [experiment.path / "experiment.json"] if experiment else []
    files += [path / "audit.json" for path in same_face_audits(opening.MODELS, audit)]
    return _report(opened, audit, all_ages, tuple(files))


def report_button(opened: OpenAudit, all_ages: bool = False) -> None:
    """A download of the open audit's report: adults where ages are known, unless `all_ages`."""
    audit = opened.load()
    if not main_filter(audit, all_ages).mask(audit.faces).any():
        st.caption("None of the audited faces is an adult: `python -m core report … --ages all` reports on all.")
        return
    st.download_button(
        "Download the report",
        lambda: report_bytes(opened, audit, all_ages),
        f"{audit.manifest.model}-{audit.name}.html",
        "text/html",
        icon=":material/description:",
        on_click="ignore",
        help=HELP,
    )
