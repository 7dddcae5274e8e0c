"""The study's claims put to an open audit: each with a test, the numbers, a figure's data and a verdict by rule."""

from core.findings.base import Finding
from core.findings.report import all_findings, findings_report, findings_sentence

__all__ = [
    "Finding",
    "all_findings",
    "findings_report",
    "findings_sentence",
]
