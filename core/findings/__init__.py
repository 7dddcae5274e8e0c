"""The study's claims put to an open audit: each with a test, the numbers, a figure's data and a verdict by rule."""

from core.findings.base import CANNOT_TELL, NOT_SUPPORTED, SUPPORTED, Finding
from core.findings.report import all_findings, findings_report, findings_sentence

__all__ = [
    "CANNOT_TELL",
    "NOT_SUPPORTED",
    "SUPPORTED",
    "Finding",
    "all_findings",
    "findings_report",
    "findings_sentence",
]
