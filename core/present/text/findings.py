"""Findings in words: one sentence for the page, the whole report for the command."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd

from core.analysis.findings.base import Finding
from core.verdicts import Verdict


def findings_sentence(findings: list[Finding]) -> str:
    """«Of the original study's 6 claims, 2 are supported here, …»; or what all of them say alike."""
    if len(findings) > 1 and len({f.sentence for f in findings}) == 1:
        return findings[0].sentence
    parts = []
    for verdict, words in (
        (Verdict.SUPPORTED, "supported here"),
        (Verdict.IN_PART, "supported in part"),
        (Verdict.NOT_SUPPORTED, "not supported"),
        (Verdict.CANNOT_TELL, "not to be told from these data"),
    ):
        keys = [f.key for f in findings if f.verdict == verdict]
        if keys:
            verb = "is" if len(keys) == 1 else "are"
            parts.append(f"{len(keys)} {verb} {words} ({', '.join(keys)})")
    return f"Of the original study's {len(findings)} claims, {', '.join(parts)}."


def findings_report(findings: list[Finding], title: str) -> str:
    """Every number of the findings page as plain text."""
    lines = [title, "", *textwrap.wrap(findings_sentence(findings), 110)]
    for f in findings:
        lines += ["", f"{f.key}  {f.claim}  → {f.verdict.upper()}"]
        lines += textwrap.wrap(f.sentence, 110, initial_indent="    ", subsequent_indent="    ")
        if len(f.numbers):
            lines += ["", textwrap.indent(_text(f.numbers), "    ")]
        lines += ["", *textwrap.wrap(f"Rule: {f.rule}", 110, initial_indent="    ", subsequent_indent="    ")]
    return "\n".join(lines)


def _text(table: pd.DataFrame) -> str:
    shown = table.copy()
    for name in shown.select_dtypes("number"):
        if shown[name].dtype.kind == "f":
            shown[name] = [("–" if np.isnan(x) else f"{x:.4f}".rstrip("0").rstrip(".")) for x in shown[name]]
    return shown.to_string(index=False)
