"""The button that hands out an audit's report; what it costs is paid at the click, and once."""

from __future__ import annotations

import streamlit as st

from core.audit.folder import Audit
from core.card.failures import main_filter
from core.experiments import experiment_for
from core.noise import same_face_audits
from core.report import report_of
from ui import opened as opening
from ui.opened import Opened

HELP = "One HTML file that opens offline: all figures, tests, checks and the model card; no single face is in it."


@st.cache_data(max_entries=8, show_spinner=False)
def _report(_audit: Audit, _opened: Opened, key: tuple, all_ages: bool) -> bytes:
    return report_of(_opened.folder, _audit, all_ages).encode()


def report_bytes(opened: Opened, audit: Audit, all_ages: bool = False) -> bytes:
    """The report as bytes, kept by the files it reads; its date is that of the first time."""
    experiment = experiment_for(opening.MODELS, audit)
    files = [audit.path / "audit.json", audit.path / "checks.json", opened.folder / "model.json"]
    files += [experiment.path / "experiment.json"] if experiment else []
    files += [path / "audit.json" for path in same_face_audits(opening.MODELS, audit)]
    key = tuple((str(file), file.stat().st_mtime) for file in files if file.is_file())
    return _report(audit, opened, key, all_ages)


def report_button(opened: Opened, all_ages: bool = False) -> None:
    """A download of the open audit's report: adults where ages are known, unless `all_ages`."""
    audit = opened.load()
    if not main_filter(audit, all_ages).mask(audit.faces).any():
        st.caption("None of the audited faces is an adult: `python -m core report … --ages all` reports on all.")
        return
    st.download_button(
        "Download the report",
        lambda: report_bytes(opened, audit, all_ages),
        f"{audit.manifest['model']}-{audit.name}.html",
        "text/html",
        icon=":material/description:",
        on_click="ignore",
        help=HELP,
    )
