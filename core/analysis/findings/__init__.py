"""The study's claims put to an open audit: each with a test, the numbers, a figure's data and a verdict by rule."""

from core.analysis.findings.all import all_findings
from core.analysis.findings.base import Finding

__all__ = [
    "Finding",
    "all_findings",
]
