"""What came of the rows of a table that was audited without images."""

from __future__ import annotations

import pandas as pd

from core.data.readers.base import Reading

#: Said of every audit of a table.
NO_IMAGES = (
    "audited from a table of labels and predictions, without any image: no maps, no average faces, and which rows "
    "are of one photograph is not known"
)
#: Reasons told one by one.
REASONS = 10


def row_lines(reading: Reading) -> list[str]:
    """Rows left out and labels mended, a line a reason with an example; and remarks on the table as a whole."""
    lines = [f"rows left out: {len(reading.rejects):,}"] if len(reading.rejects) else []
    for entries, column in ((reading.rejects, "reason"), (reading.repaired, "repair"), (reading.disagreements, "what")):
        lines += _by_reason(entries, column)
    return [*lines, *reading.remarks]


def _by_reason(entries: pd.DataFrame, column: str) -> list[str]:
    counts = entries[column].value_counts()
    lines = [
        f"  {count:,} × {reason} ({entries.loc[entries[column] == reason, 'file'].iloc[0]})"
        for reason, count in counts[:REASONS].items()
    ]
    rest = counts[REASONS:]
    return [*lines, f"  {rest.sum():,} × {len(rest):,} more reasons"] if len(rest) else lines
