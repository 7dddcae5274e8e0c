"""What was measured from a store's images, as text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.data.measured import third_column
from core.data.measures import BY_NAME, MEASURES
from core.data.store import AlignedStore


def measure_table(store: AlignedStore) -> pd.DataFrame:
    """A measure a row: name, words, unit, by_face, known, missing, median, edges (of thirds; none of what is alike)."""
    table = store.measured if store.measured is not None else pd.DataFrame()
    rows = []
    for name in table:
        measure, values = BY_NAME[name], table[name]
        column = third_column(measure, values.to_numpy())
        rows.append(
            {
                "name": name,
                "words": measure.words,
                "unit": measure.unit,
                "by_face": measure.by_face,
                "known": int(values.notna().sum()),
                "missing": int(values.isna().sum()),
                "median": float(values.median()),
                "edges": list(column.edges) if column else [],
            }
        )
    return pd.DataFrame(rows)


def measured_report(store: AlignedStore, lost: int | None, beside: Path | None, untold: str | None = None) -> str:
    """The measures of a store, those it lacks, where they were laid, and why skin tone is `untold` there."""
    table = measure_table(store)
    lines = [f"{store.path}: {len(store.faces):,} faces measured"]
    for row in table.to_dict("records"):
        edges = " and ".join(f"{edge:g}" for edge in row["edges"]) or "none: all alike"
        missing = f", {row['missing']:,} not known" if row["missing"] else ""
        privacy = "" if row["by_face"] else "; never published by face"
        lines.append(f"  {row['words']} ({row['unit']}): median {row['median']:.4g}, cut at {edges}{missing}{privacy}")
    if lacking := [measure.words for measure in MEASURES if measure.name not in set(table["name"])]:
        lines.append(f"  not measured: {', '.join(lacking)}; what only the source images say needs --source DATA_SET")
    if lost:
        lines.append(f"  {lost:,} faces were not found again where the store has them: no measures of the source")
    if beside is not None:
        tone = f"without apparent skin tone: {untold}" if untold else "apparent skin tone as counts by group"
        lines.append(f"  laid beside {beside}: by face, and {tone}")
    return "\n".join(lines)
