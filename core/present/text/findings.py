"""Findings in words: one sentence for the page, the whole report for the command."""

from __future__ import annotations

import textwrap

import pandas as pd

from core.analysis.comparison import Experiment
from core.analysis.comparison.contrasts import LARGE_GROUP
from core.analysis.comparison.recipe import recipe_of
from core.analysis.findings.base import Finding
from core.audit.folder import Audit
from core.data.filters import Filter, group_name
from core.present.text.method import method_words
from core.present.text.plain_findings import plain_words
from core.task import GENDER, GENDERS, Task
from core.verdicts import Verdict
from core.wording import signed_points, trimmed


def findings_sentence(findings: list[Finding], task: Task = GENDER) -> str:
    """«Of the original study's 6 claims, 2 are supported here, …»; or what all of them say alike.

    Of another `task` than gender, that they are of gender.
    """
    if not task.is_gender:
        return f"This audit is of another attribute, {task.name}; the study's claims are of gender."
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


def seeds_words(experiment: Experiment | None, filter: Filter, audit: Audit | None = None) -> str | None:
    """How far networks of one recipe, a seed each, differ in what the claims on accuracy say; None without two.

    Of the audit's own recipe where it has further networks, with intervals over networks and faces; else of the
    experiment's first arm.
    """
    if audit is not None and (recipe := recipe_of(audit)) is not None:
        return method_words(recipe, filter)
    if experiment is None or len(experiment.arms[0].models) < 2:
        return None
    gaps, worst = [], []
    for audit in experiment.audits(experiment.arms[0].name):
        faces = audit.passing(filter)
        rates = faces.groupby("gender", observed=True)["correct"].mean()
        groups = faces.groupby(["gender", "ethnicity"], observed=True)["correct"].agg(["mean", "size"])
        groups = groups[groups["size"] >= LARGE_GROUP]
        if len(rates) < 2 or groups.empty:
            return None
        gaps.append(signed_points(float(rates[GENDERS[0]] - rates[GENDERS[1]])))
        worst.append(group_name(*groups["mean"].idxmin()))
    return (
        f"Of {len(gaps)} networks of one recipe that differ by their seed alone (experiment {experiment.name}, "
        f"{experiment.arms[0].name}) women less men is {', '.join(gaps[:-1])} and {gaps[-1]} points, and least often "
        f"right are {', '.join(worst[:-1])} and {worst[-1]}: what is said of one network is not said of its recipe."
    )


def findings_report(findings: list[Finding], title: str, beside: str | None = None, task: Task = GENDER) -> str:
    """Every number of the findings page as plain text; `beside` stands under the first sentence."""
    lines = [title, "", *textwrap.wrap(findings_sentence(findings, task), 110)]
    lines += ["", *textwrap.wrap(beside, 110)] if beside else []
    for f in findings:
        lines += ["", f"{f.key}  {f.claim}  → {f.verdict.upper()}"]
        if (plain := plain_words(f)) is not None:
            lines += [*textwrap.wrap(plain, 110, initial_indent="    ", subsequent_indent="    "), ""]
        lines += textwrap.wrap(f.sentence, 110, initial_indent="    ", subsequent_indent="    ")
        if len(f.numbers):
            lines += ["", textwrap.indent(_text(f.numbers), "    ")]
        lines += ["", *textwrap.wrap(f"Rule: {f.rule}", 110, initial_indent="    ", subsequent_indent="    ")]
    return "\n".join(lines)


def _text(table: pd.DataFrame) -> str:
    frame = table.copy()
    for name in frame.select_dtypes("number"):
        if frame[name].dtype.kind == "f":
            frame[name] = [trimmed(x) for x in frame[name]]
    return frame.to_string(index=False)
