"""What `python -m core verify` prints."""

from __future__ import annotations

from core.checks.verification import VerifiedFile


def verified_report(results: list[VerifiedFile]) -> str:
    """How many files are as recorded, and which have no record."""
    unknown = [result.file for result in results if not result.recorded]
    lines = [f"{len(results) - len(unknown):,} files are as they were written"]
    if unknown:
        lines.append(f"{len(unknown):,} files have no record, for an earlier version wrote them (--record makes one):")
        lines += [f"  {file}" for file in unknown]
    return "\n".join(lines)
