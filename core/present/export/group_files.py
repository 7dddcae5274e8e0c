"""A table of groups written to a file: LaTeX, PDF or CSV, as its name ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from core.analysis.accuracy.groupings import grouping_words
from core.audit.folder import Audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.files import write_bytes
from core.present.export import table_pages, tables
from core.present.export.provenance import SIZES, Provenance, Source, slug
from core.present.text.group_tables import group_frame

#: What a file may end with.
SUFFIXES = (".tex", ".pdf", ".csv")


def write_groups(audit: Audit, by: list[str], filter: Filter, file: Path, timestamp: datetime | None = None) -> Path:
    """Write the accuracies of the groups by `by`, of the faces in the filter; returns the file.

    Raises `LookwhereError` where its name ends otherwise than with one of `SUFFIXES`, or it cannot be written.
    """
    kind = file.suffix.lower()
    if kind not in SUFFIXES:
        raise LookwhereError(f"--out {file}: end it with {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    frame = group_frame(audit.passing(filter), by, audit.columns)
    words = grouping_words(by, audit.columns)
    about = Provenance(
        (Source.from_manifest(audit.manifest, audit.name),),
        "accuracy",
        f"python -m core show --model {audit.manifest.model} --audit {audit.name} --by {' '.join(map(slug, by))}",
        filter.describe(audit.columns),
        f"{timestamp or datetime.now(UTC):%Y-%m-%d}",
    )
    write: dict[str, Callable[[pd.DataFrame], bytes]] = {
        ".tex": lambda table: tables.latex(table, f"accuracy by {words}", f"by {words}", about),
        ".pdf": lambda table: table_pages.pdf(
            table, f"Accuracy by {words} ({about.who}; {about.scope})", about, SIZES["two columns"]
        ),
        ".csv": tables.csv,
    }
    try:
        write_bytes(file, write[kind](frame))
    except OSError as error:
        raise LookwhereError(f"--out {file}: cannot be written ({error.strerror or error}); choose another") from error
    return file
