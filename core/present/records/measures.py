"""What was measured from images, as plain values."""

from __future__ import annotations

from pathlib import Path

from core.analysis.accuracy.person_or_image import PersonOrImage
from core.analysis.accuracy.slices import Slices
from core.audit.folder import Audit
from core.data.filters import Filter
from core.data.store import AlignedStore
from core.present.records.audits import audit_head
from core.present.records.values import filter_record
from core.present.text.image import CAUTION, image_sentence, slices_sentence
from core.present.text.measures import measure_table


def measured_record(store: AlignedStore, lost: int | None, beside: Path | None, untold: str | None = None) -> dict:
    """The measures of a store, where they were laid, and why skin tone is `untold` there."""
    return {
        "path": store.path,
        "dataset": store.manifest.dataset,
        "faces": len(store.faces),
        "measures": measure_table(store),
        "not_found_again": lost,
        "beside": beside,
        "untold": untold,
    }


def image_record(audit: Audit, filter: Filter, decomposition: PersonOrImage) -> dict:
    """How much of each group's gap goes with each measure, and the thirds of each group."""
    return {
        **audit_head(audit),
        "filter": filter_record(filter),
        "sentence": image_sentence(decomposition, filter),
        "caution": CAUTION,
        "skin_tone": decomposition.skin_tone or None,
        "groups": decomposition.explained.groups,
        "left_out": decomposition.explained.left_out,
        "critical": decomposition.explained.critical,
        "parts": decomposition.explained.table,
        "terms": decomposition.explained.terms,
        "thirds": decomposition.thirds,
    }


def slices_record(audit: Audit, filter: Filter, slices: Slices) -> dict:
    """What was searched, what was tested, and what holds."""
    return {
        **audit_head(audit),
        "filter": filter_record(filter),
        "sentence": slices_sentence(slices, filter),
        "columns": slices.columns,
        "searched": slices.searched,
        "first": slices.first,
        "second": slices.second,
        "by_person": slices.by_person,
        "critical": slices.critical,
        "slices": slices.taken.assign(columns=[list(names) for names in slices.taken["columns"]]),
    }
