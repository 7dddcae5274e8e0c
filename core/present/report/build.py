"""A report put together: sections from an audit, drawn by one template into one file that asks for nothing else.

Charts are SVG of our own, not plotly's: no script runs in the page, so that its Content-Security-Policy forbids all of
them, names from data are text wherever they stand, print is sharp, and 4.8 MB are saved.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from core.analysis.comparison import Experiment, experiment_for
from core.analysis.comparison.catalogue import same_face_audits
from core.analysis.findings import all_findings
from core.audit.folder import Audit
from core.checks.results import Checks, open_checks
from core.classifiers.info import ModelInfo, model_info
from core.data.filters import Filter, age_words
from core.errors import LookwhereError
from core.files import write_text
from core.present.card import Section, card_sections
from core.present.card.failures import main_filter, warning_sentences
from core.present.report.accuracy import accuracy_section
from core.present.report.findings import findings_section
from core.present.report.gaps import gaps_section, noise_section
from core.present.report.maps import checks_section, differences_section, evidence_section, grid_section
from core.present.report.plain import plain_headline, summary_section, words_section
from core.present.report.reproduction import check_command, code_state, data_section, reproduction_section
from core.present.text import escape

FOLDER = Path(__file__).parent


def report_of(
    model: Path, audit: Audit, all_ages: bool = False, timestamp: datetime | None = None, by: Sequence[str] = ()
) -> str:
    """`build_report` of an opened audit of the model folder `model`, with the checks and experiments beside it.

    Adults where ages are known, unless `all_ages`. Raises `LookwhereError` where a file is missing or damaged, or no
    face is an adult.
    """
    return build_report(
        audit,
        main_filter(audit, all_ages),
        model_info(model),
        Beside(open_checks(audit), experiment_for(model.parent, audit), same_face_audits(model.parent, audit)),
        timestamp=timestamp or datetime.now(UTC),
        by=by,
    )


@dataclass(frozen=True)
class Beside:
    """What lies beside an audit and is told with it: its checks, the experiment of its model, and `partners`, which are
    the folders of audits of the same faces."""

    checks: Checks | None = None
    experiment: Experiment | None = None
    partners: Sequence[Path] = ()


ALONE = Beside()


def build_report(
    audit: Audit,
    filter: Filter,
    info: ModelInfo,
    beside: Beside = ALONE,
    *,
    timestamp: datetime,
    by: Sequence[str] = (),
) -> str:
    """The report of the faces in a filter as one HTML text; `info` is `model.json`.

    `by` are columns of the audit, of whose groups there is a table too.

    The same inputs give the same text, but for `timestamp`. Raises `LookwhereError` where no face passes the filter.
    """
    faces = audit.passing(filter)
    if not len(faces):
        raise LookwhereError(f"{audit.path}: none of its faces is among «{filter.describe()}»; give --ages all")
    checks, experiment = beside.checks, beside.experiment
    findings = all_findings(audit, filter, checks, experiment)
    all_ages = filter.any_age
    card = card_sections(audit.manifest.model, info, [audit])
    sections = [
        summary_section(audit, filter, checks),
        grid_section(audit, filter),
        accuracy_section(faces, filter, audit.minimum_faces, by, audit.columns),
        gaps_section(faces, filter),
        differences_section(audit, filter),
        evidence_section(audit, filter),
        checks_section(audit, checks, check_command(audit)),
        noise_section(audit, filter, beside.partners),
        findings_section(findings, experiment, filter, audit),
        Section("card", "Model card", card),
        words_section([audit]),
        data_section(audit, filter, len(faces)),
        reproduction_section(audit, info, checks, experiment, all_ages, code_state()),
    ]
    ages = "all ages" if audit.faces["age"].notna().any() else "ages are not known"
    age_range = ages if all_ages else age_words(filter.age_from, filter.age_to)
    facts = [
        ("Model", audit.manifest.model),
        ("Audit", audit.name),
        ("Data", f"{audit.manifest.dataset}, {audit.split_words}"),
        ("Faces", f"{len(faces):,} of {len(audit.faces):,}: {age_range}"),
        ("Made", f"{timestamp.astimezone(UTC):%Y-%m-%d %H:%M} UTC"),
    ]
    return render(
        title=f"{audit.manifest.model} on {audit.name}",
        facts=facts,
        headline=plain_headline(audit, faces, filter),
        warnings=warning_sentences(audit),
        sections=sections,
    )


def render(**content: object) -> str:
    """A report's page: `title`, `facts` as pairs, `headline`, `warnings` and `sections`."""
    style = (FOLDER / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        finalize=_seen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["held"] = held
    page = environment.get_template("report.html.j2").render(style=Markup(style), style_hash=digest, **content)
    # A lone surrogate from damaged data has no UTF-8.
    return page.encode("utf-8", "replace").decode("utf-8")


def _seen(value: object) -> object:
    """What a template shows: a text without the signs that nobody sees (`escape.seen`), markup still markup."""
    if isinstance(value, Markup):
        return Markup(escape.seen(value))
    return escape.seen(value) if isinstance(value, str) else value


def held(text: str) -> str:
    """Text whose numbers stay on the line of their unit; still plain, so the template escapes it."""
    return text.replace(" %", "\u00a0%").replace(" ×", "\u00a0×")


def write_report(file: Path, content: str) -> int:
    """Write whole or not at all; its bytes. Raises `LookwhereError` where the place cannot be written."""
    try:
        write_text(file, content)
    except OSError as error:
        raise LookwhereError(f"{file}: cannot be written ({error.strerror or error}); choose another --out") from error
    return len(content.encode())
