"""What the page that compares models offers besides: all models on all audits in one table, and the report."""

from __future__ import annotations

import shlex
from pathlib import Path

import pandas as pd
import streamlit as st

from core.analysis.comparison.matrix import audit_places, audits_table
from core.audit.folder import Audit
from core.present.text.comparison import AUDITS_ARE, audit_label, shown_audits
from ui.shell import downloads
from ui.shell import open_audit as open_audit_shell
from ui.shell.cache import kept
from ui.shell.open_audit import audit_of
from ui.views.comparison_choice import Choice
from ui.widgets import layout, terms

REPORT_HELP = (
    "One HTML file that opens offline: what differs and for whom, in plain words first; no single face is in it."
)
#: More audits would be slow to open and long to read; the command prints all.
MOST = 24


@kept(entries=64)
def _row(audit: Audit) -> pd.DataFrame:
    return audits_table([audit])


@kept(entries=4)
def _report(audits: list[Audit], all_ages: bool) -> bytes:
    from core.present.report.comparison import comparison_of  # it imports every part of the report

    return comparison_of(audits, all_ages).encode()


def show_all_models() -> None:
    """Every audit of every model: accuracy, worst group and gap, of adults where ages are known."""
    places: list[Path] = audit_places(open_audit_shell.MODELS)
    terms.subheader("Every model on every audit")
    audits = [audit_of(place / "audit.json") for place in places[:MOST]]
    table = pd.concat([_row(audit) for audit in audits], ignore_index=True)
    layout.table(shown_audits(table))
    downloads.table(table, "audits", "every model on every audit")
    more = f" The first {MOST} of {len(places)}; `python -m core compare` prints all." if len(places) > MOST else ""
    terms.caption(
        f"Adults where ages are known, whatever the filter. Wilson 95 % intervals. {AUDITS_ARE} "
        f"Accuracies on different faces do not tell models apart: compare those of one audit.{more}"
    )


def report_button(choice: Choice, all_ages: bool) -> None:
    """A download of the comparison's report; what it costs is paid at the click, and once."""
    audits = [candidate.open() for candidate in choice.models]
    names = "-".join(dict.fromkeys(audit.manifest.model for audit in audits))
    st.download_button(
        "Download the comparison",
        lambda: _report(audits, all_ages),
        f"comparison-{names}.html"[:120],
        "text/html",
        icon=":material/description:",
        on_click="ignore",
        help=REPORT_HELP,
    )
    terms.caption("The same from a shell:")
    words = " ".join(shlex.quote(audit_label(audit)) for audit in audits)
    st.code(f"python -m core compare {words} --out comparison.html", language="bash", wrap_lines=True)
