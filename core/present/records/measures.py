"""What was measured from images, as plain values."""

from __future__ import annotations

from pathlib import Path

from core.data.store import AlignedStore
from core.present.text.measures import measure_table


def measured_record(store: AlignedStore, lost: int | None, beside: Path | None) -> dict:
    """The measures of a store, and where they were laid."""
    return {
        "path": store.path,
        "dataset": store.manifest.dataset,
        "faces": len(store.faces),
        "measures": measure_table(store),
        "not_found_again": lost,
        "beside": beside,
    }
