"""What all checks together say, good or bad, in words and numbers. Needs no torch."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.checks.definitions import CHECKS, CheckResult, MethodAgreement, View
from core.checks.results import HIDING, Checks
from core.verdicts import CheckVerdict
from core.wording import number


def sentence(checks: Checks, view: View) -> str:
    """The page's first sentence: what the checks found for a group, whatever it is."""
    parts = [clause for check in CHECKS if (clause := check.clause(checks, view)) is not None]
    if not parts:
        return f"Nothing is published for {view.group}: too few faces of the sample are in it."
    return f"For {view.group}, {'; '.join(parts)}."


def plain_answer(checks: Checks, view: View) -> str:
    """Do the maps follow the model? In plain words, no further than the checks go; empty without a judged one."""
    judged = [(result.title, result.verdict) for result in results(checks, view) if result.verdict is not None]
    if not judged:
        return ""

    def named(verdict: CheckVerdict) -> list[str]:
        return [title for title, judgement in judged if judgement is verdict]

    passed, in_part = named(CheckVerdict.PASSES), named(CheckVerdict.PASSES_IN_PART)
    failed, open_ones = named(CheckVerdict.FAILS), named(CheckVerdict.CANNOT_TELL)
    if len(passed) == len(judged):
        answer = f"Yes, as far as these {len(judged)} checks go: all are passed"
    elif len(open_ones) == len(judged):
        answer = f"These {len(judged)} checks cannot tell"
    elif len(failed) == len(judged):
        answer = f"Not by these {len(judged)} checks: none is passed"
    else:
        begins = "In part" if passed or in_part else "No check is passed"
        answer = f"{begins}: of {len(judged)} checks {len(passed)} {'is' if len(passed) == 1 else 'are'} passed"
        answer += f", {len(in_part)} in part ({', '.join(in_part)})" if in_part else ""
        answer += f", {len(failed)} not ({', '.join(failed)})" if failed else ""
        answer += f", {len(open_ones)} cannot tell ({', '.join(open_ones)})" if open_ones else ""
    return f"Do the maps follow the model? {answer}. That they follow it does not show that the model is right."


def results(checks: Checks, view: View) -> list[CheckResult]:
    """What each check found that the group has, in order."""
    all_results = (check.result(checks, view) for check in CHECKS)
    return [result for result in all_results if result is not None]


def result_words(result: CheckResult) -> str:
    """«Deletion: fails. Deleting what it marks does not …», without a verdict where the check only describes."""
    verdict = "" if result.verdict is None else f"{result.verdict}. "
    return f"{result.title}: {verdict}{result.sentence}"


def verdicts_sentence(checks: Checks, view: View) -> str:
    """«Checks of the maps, all faces: Randomised weights: passes; Deletion: fails …»."""
    judged = [f"{r.title}: {r.verdict}" for r in results(checks, view) if r.verdict is not None]
    unfinished = "" if checks.manifest.finished else " (not finished)"
    return f"Checks of the maps, {view.group}{unfinished}: {'; '.join(judged) or 'none'}."


def checks_report(checks: Checks, group: str | None = None) -> str:
    """Every number that the page shows, of one group or of all, as text."""
    manifest = checks.manifest
    lines = [
        f"Checks of {checks.path.name} ({manifest.model}), sample {manifest.sample}, seed {manifest.seed}, "
        f"{manifest.precision}, {manifest.seconds:.0f} s" + ("" if manifest.finished else "; NOT FINISHED")
    ]
    for name in checks.groups if group is None else [group]:
        view = View(name)
        lines += ["", f"== {name} ==", sentence(checks, view), ""]
        lines += map(result_words, results(checks, view))
        lines += _tables(checks, name)
        rows = checks.table("methods", name)
        if len(rows):
            lines += ["", "-- methods --", _text(rows)]
    part = checks.parts.get(HIDING) if group is None else None
    for name, n in part.groups if part else ():
        for table in part.tables:
            lines += ["", f"-- {HIDING}: {table}, {name}, n = {n} --", _text(part.rows(table, name))]
    return "\n".join(lines)


def _tables(checks: Checks, group: str) -> list[str]:
    """Each part's tables, and its curves where its checks have some; the methods' are told as one."""
    lines: list[str] = []
    single = [check for check in CHECKS if check.part != MethodAgreement.part]
    for part, table, curves in dict.fromkeys((check.part, t, check.curves) for check in single for t in check.tables):
        rows = checks.rows(part, table, group)
        if not len(rows):
            continue
        lines += ["", f"-- {part}: {table}, n = {checks.parts[part].n(group)} --", _text(rows)]
        if curves:
            lines += ["", f"-- {part}: curves, mean by order --", _curves(checks, part, group)]
    return lines


def _text(rows: pd.DataFrame) -> str:
    return rows.drop(columns="group").to_string(index=False, float_format=lambda x: number(x, ".4f"), na_rep="–")


def _curves(checks: Checks, part: str, group: str) -> str:
    """The points of the page's curves: a line a score, kind and order."""
    results_of_part = checks.parts[part]
    curves, x = results_of_part.array("curves", group), results_of_part.array("x", group)
    areas = results_of_part.rows("areas", group)
    names = [list(dict.fromkeys(areas[column])) for column in ("score", "kind", "order")]
    rows = {
        " · ".join(axis[i] for axis, i in zip(names, place, strict=True)): curves[place[0], 0, place[1], place[2]]
        for place in np.ndindex(*(len(axis) for axis in names))
    }
    table = pd.DataFrame(rows, index=[f"{share:.1f}" for share in x]).T
    return table.to_string(float_format=lambda v: number(v, ".3f"))
