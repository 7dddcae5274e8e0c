"""Which of gender and ethnicity an audit's faces have, without the table of faces being read."""

from __future__ import annotations

from pathlib import Path

from core.data.faces import UNRECORDED

LABELS = ("gender", "ethnicity")


def recorded_labels(audit: Path) -> tuple[str, ...]:
    """Of gender and ethnicity those that any face of an audit's folder is labelled with.

    By the least and the greatest word that Parquet keeps of each column: where both are «not recorded», so is every
    face's. A label of which none is kept counts as recorded, and so do all where the file cannot be read: what opens
    the audit says that.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(audit / "faces.parquet")
    except (OSError, pa.ArrowException):
        return LABELS
    recorded = []
    for label in LABELS:
        place = metadata.schema.names.index(label) if label in metadata.schema.names else None
        if place is None:
            continue
        parts = [metadata.row_group(n).column(place).statistics for n in range(metadata.num_row_groups)]
        bounds = [(part.min, part.max) if part is not None and part.has_min_max else None for part in parts]
        if any(pair != (UNRECORDED, UNRECORDED) for pair in bounds):
            recorded.append(label)
    return tuple(recorded)
