"""Every number of the page «Gaps and tests» as plain text."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.analysis.accuracy.counts import columns_of, group_counts
from core.analysis.accuracy.fairness import Fairness, fairness
from core.analysis.accuracy.groupings import grouping_words
from core.analysis.accuracy.pairwise import pairs_of
from core.analysis.accuracy.power import power_table
from core.analysis.accuracy.regression import Regression, regression
from core.analysis.accuracy.simultaneous import gap_of, simultaneous_intervals
from core.audit.folder import Audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.estimate import Estimate
from core.present.text.gap_tables import too_few_classes
from core.present.text.gaps import differ_words, gap_sentence, left_out_words, measure_words
from core.present.text.sentences import NOT_DECLARED, no_groups_words
from core.task import Task, task_of
from core.wording import bounds, in_points, number, p_words, percent, points, span

#: Pairs of groups that are told one by one, those with the smallest p first.
MOST_PAIRS = 100


def gaps_report(audit: Audit, filter: Filter, threshold: float = 0.5, by: list[str] | None = None) -> str:
    """Simultaneous intervals, largest gap, tests with Holm's correction, regression, faces needed and fairness.

    Of groups by other columns, `by`, without regression and fairness, which are of gender and ethnicity.
    """
    filter = filter.narrowed(outcome="all")
    faces = audit.passing(filter)
    exploratory, by = by is not None, by if by is not None else columns_of(faces)
    lines = [f"{audit.name}, {filter.describe()}: {len(faces):,} faces"]
    if exploratory:
        lines.append(f"By {grouping_words(by, audit.columns)} {NOT_DECLARED}")
    if not by:
        return "\n".join([*lines, no_groups_words(faces)])
    groups = group_counts(faces, by, threshold, columns=audit.columns)
    every = group_counts(faces, by, threshold, smallest=1, columns=audit.columns)
    gap = gap_of(every)
    lines.append(gap_sentence(gap, f"Among {filter.describe()}", len(faces)))
    if gap is not None:
        lines.append(
            f"  interval of a pair named beforehand {span(gap.plain.low, gap.plain.high)}; bias of choosing "
            f"{in_points(gap.bias)} points; critical z {number(gap.critical)} over {gap.pairs} pairs"
        )
    bands = simultaneous_intervals(every)
    how = f"simultaneous 95 % interval (z = {number(bands.critical)}; {bands.resampled} resampled), Wilson"
    lines += ["", f"Accuracy, {how}" if len(bands.table) else "Accuracy: no group"]
    width = max([26, *(len(group) for table in (bands.table, bands.left_out) for group in table["group"])])
    for row in bands.table.to_dict("records"):
        both = f"[{span(row['low'], row['high'])}]  [{span(row['wilson_low'], row['wilson_high'])}]"
        lines.append(f"  {row['group']:{width}}{row['n']:6,}  {percent(row['accuracy'])}  {both}")
    lines += [
        f"  {row['group']:{width}}{row['n']:6,}  left out: {row['why']}" for row in bands.left_out.to_dict("records")
    ]
    if len(groups.left_out):
        lines += ["", f"Of tests and of faces needed: {left_out_words(groups.left_out)}"]
    for family, title in (("pairs", "All pairs"), ("rest", "Each group against all others")):
        lines += _pairs(pairs_of(groups, family), title)
    if not exploratory:
        try:
            lines += _regression(regression(faces, threshold))
        except LookwhereError as error:
            lines += ["", f"Age against ethnicity: {error}"]
    lines += ["", "Faces needed in each of two groups to see 2 points with 80 % power; smallest difference seen"]
    pairs = len(groups.table) * (len(groups.table) - 1) // 2
    lines += [_power(row, pairs) for row in power_table(groups.table, tests=pairs).to_dict("records")]
    return "\n".join(lines if exploratory else lines + _fairness(fairness(faces, threshold), task_of(faces)))


def _power(row: dict, pairs: int) -> str:
    """A row of `power_table`: an accuracy of under 2 % cannot fall by 2 points, and a few faces may show none."""
    needed, smallest = "2 points less cannot be seen at this accuracy", "no difference can be seen"
    if not pd.isna(row["needed"]):
        needed = f"needed {row['needed']:,}, {row['needed, all tests']:,} in a family of {pairs} tests"
    if not np.isnan(row["smallest difference seen"]):
        smallest = f"sees {in_points(row['smallest difference seen'])} points"
    return f"  {row['group']:26}{row['n']:6,}  {needed}; {smallest}"


def _pairs(table: pd.DataFrame, title: str) -> list[str]:
    lines = ["", f"{title}: {differ_words(table)}"]
    few = len(table) > MOST_PAIRS
    for row in (table.sort_values("p", kind="stable").head(MOST_PAIRS) if few else table).to_dict("records"):
        d = Estimate(row["difference"], row["low"], row["high"])
        lines.append(
            f"  {row['first']} − {row['second']}: {points(d).replace('-', '−')}, {p_words(row['p'])}, "
            f"Holm {p_words(row['p_holm'])} ({row['test']}): {row['verdict']}"
        )
    return [*lines, f"  … and {len(table) - MOST_PAIRS:,} pairs of larger p"] if few else lines


def _regression(fit: Regression) -> list[str]:
    lines = ["", f"Logistic regression of being correct, {fit.n:,} faces, {fit.estimator}, {fit.errors}"]
    if fit.separated:
        lines.append(f"  all correct or all incorrect: {', '.join(fit.separated)}")
    for row in fit.tests.to_dict("records"):
        statistic = f"χ² = {number(row['statistic'], '.1f')}, df {row['df']}"
        lines.append(
            f"  {row['term']:20}{row['test']}: {statistic}, {p_words(row['p'])}, Holm {p_words(row['p_holm'])}"
        )
    lines += [
        f"  odds ratio {row['comparison']}: {number(row['odds_ratio'])} [{bounds(row['low'], row['high'], '.2f')}], "
        f"{p_words(row['p'])}"
        for row in fit.odds_ratios.to_dict("records")
    ]
    lines.append("  accuracy as it is, and at the ages of all faces")
    for row in fit.standardised.to_dict("records"):
        lines.append(
            f"  {row['group']:26}{percent(row['accuracy'])} [{span(row['low'], row['high'])}]  "
            f"{percent(row['standardised'])} [{span(row['standardised_low'], row['standardised_high'])}]"
            + (f"  no face of it at {percent(row['unseen'])} of the ages" if row["unseen"] else "")
        )
    return lines


def _fairness(fairness: Fairness | None, task: Task) -> list[str]:
    if fairness is None:
        return ["", f"Fairness: no two {too_few_classes(task)}"]
    label = task.label(task.positive)
    lines = ["", f"Fairness as fairlearn defines it, «{label}» the positive class, 95 % bootstrap intervals"]
    for row in fairness.measures.to_dict("records"):
        lines.append(f"  {row['measure']:30}{measure_words(row)}  {row['groups']}")
    for row in fairness.groups.to_dict("records"):
        lines.append(
            f"  {row[fairness.by]:12}{row['n']:6,}  selection rate {percent(row['selection_rate'])}  "
            f"TPR {percent(row['tpr'])}  FPR {percent(row['fpr'])}"
        )
    return lines
