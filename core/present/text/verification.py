"""What `python -m core verify` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.audit.disclosure import StoredAverages
from core.checks.verification import VerifiedFile


def verified_report(
    results: list[VerifiedFile], stored: Sequence[StoredAverages] = (), shared: Sequence[tuple[Path, Path]] = ()
) -> str:
    """How many files are as recorded, which have no record, and what the stored average faces give away."""
    unknown = [result.file for result in results if not result.recorded]
    lines = [f"{len(results) - len(unknown):,} files are as they were written"]
    if unknown:
        lines.append(f"{len(unknown):,} files have no record, for an earlier version wrote them (--record makes one):")
        lines += [f"  {file}" for file in unknown]
    if stored:
        audits = f"{len(stored):,} audit{'s' if len(stored) > 1 else ''}"
        fewest = min(averages.fewest_people for averages in stored)
        most = max(averages.most_of_one for averages in stored)
        lines.append(
            f"{sum(averages.count for averages in stored):,} average faces in {audits}: the smallest, and the smallest "
            f"difference of any sums of them, is of {fewest:,} people; at most {100 * most:.1f} % of one is of one "
            "person"
        )
    for first, second in shared:
        lines.append(f"{first} and {second} keep averages of some of the same faces: publish those of one only")
    return "\n".join(lines)
