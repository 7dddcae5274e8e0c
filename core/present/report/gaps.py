"""The report's gaps: simultaneous intervals, tests, age taken out, fairness measures; and label noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from core.analysis.accuracy.counts import columns_of, group_counts
from core.analysis.accuracy.fairness import fairness
from core.analysis.accuracy.label_noise import consensus, label_noise
from core.analysis.accuracy.pairwise import pairs_of
from core.analysis.accuracy.regression import Regression, regression
from core.analysis.accuracy.simultaneous import gap_of, simultaneous_intervals
from core.analysis.accuracy.tipping import tipping_points
from core.audit.folder import Audit, open_audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.card import Heading, Section, Table, Text, section
from core.present.figures.gaps import simultaneous_dots
from core.present.report.accuracy import ROWS
from core.present.report.blocks import Chart, frame_table, interval_words
from core.present.text.gap_tables import (
    comparison_table,
    measure_table,
    rate_table,
    rates_of,
    term_table,
    too_few_classes,
)
from core.present.text.gaps import differ_words, gap_sentence, gap_words, left_out_words
from core.present.text.label_noise import CIRCULAR, DECISIONS, UNSEEN, consensus_words
from core.present.text.sentences import NO_AGE, no_groups_words, scope
from core.present.text.tipping import assumes, tipping_sentence
from core.task import task_of
from core.wording import capital, in_points, percent, span, with_interval

#: Tests told one by one, the clearest first.
TESTS = 15


def gaps_section(faces: pd.DataFrame, filter: Filter) -> Section:
    """The largest gap corrected for being chosen, intervals that hold for all groups, tests, age, fairness."""
    title, by = "Gaps and tests", columns_of(faces)
    if not by:
        return section("gaps", title, [Text(no_groups_words(faces))])
    groups, every = group_counts(faces, by), group_counts(faces, by, smallest=1)
    gap, bands = gap_of(every), simultaneous_intervals(every)
    blocks: list = [Text(gap_sentence(gap, scope(filter), len(faces)))]
    if gap is not None:
        blocks.append(
            Text(
                f"For a pair named beforehand the interval is {span(gap.plain.low, gap.plain.high)} points. "
                f"Choosing them from {gap.pairs} pairs widens the gap by {in_points(gap.bias)} points.",
                quiet=True,
            )
        )
    rows = bands.table.head(ROWS).to_dict("records")
    if rows:
        blocks += [Chart.from_chart(simultaneous_dots(bands.table.head(ROWS))), _bands_table(rows, bands.resampled)]
    if len(bands.left_out):
        blocks.append(Text(left_out_words(bands.left_out), quiet=True))
    blocks += [Heading("Which groups differ"), *_tests(pairs_of(groups), "pairs of groups")]
    if len(groups.left_out) > len(bands.left_out):
        blocks.append(Text(left_out_words(groups.left_out), quiet=True))
    blocks += _tests(pairs_of(groups, "rest"), "groups against all others") if len(groups.table) > 2 else []
    blocks += [Heading("Age against ethnicity"), *_age(faces)]
    blocks += [Heading("Fairness measures"), *_fairness(faces)]
    return section("gaps", title, blocks)


def _bands_table(rows: list[dict], resampled: str) -> Table:
    cells = tuple(
        (
            capital(row["group"]), f"{row['n']:,}", percent(row["accuracy"]), interval_words(row["low"], row["high"]),
            interval_words(row["wilson_low"], row["wilson_high"]),
        )
        for row in rows
    )  # fmt: skip
    columns = ("group", "faces", "accuracy", "all at once", "alone (Wilson)")
    return Table(columns, cells, "lrrrr", f"Simultaneous 95 % intervals ({resampled} resampled) beside Wilson's")


def _tests(table: pd.DataFrame, what: str) -> list:
    if table.empty:
        return [Text("Two groups of 50 faces are needed for a test.")]
    more = f"; the {TESTS} clearest" if len(table) > TESTS else ""
    caption = f"{differ_words(table, what)}{more}"
    columns = ("comparison", "points", "95 % interval", "p (Holm)", "verdict")
    return [frame_table(comparison_table(table.head(TESTS))[[*columns]], "lrrrl", caption, {"points": ".1f"})]


def _age(faces: pd.DataFrame) -> list:
    if not faces["age"].notna().any():
        return [Text(NO_AGE)]
    try:
        fit = regression(faces)
    except LookwhereError as error:
        return [Text(capital(str(error)) + ".")]
    return _regression(fit)


def _regression(fit: Regression) -> list:
    caption = f"Logistic regression of being correct, {fit.n:,} faces, {fit.estimator}, {fit.errors}"
    groups = tuple(
        (
            capital(row["group"]),
            with_interval(row["accuracy"], row["low"], row["high"]),
            with_interval(row["standardised"], row["standardised_low"], row["standardised_high"]),
        )
        for row in fit.standardised.head(ROWS).to_dict("records")
    )
    return [
        frame_table(term_table(fit).drop(columns="test"), "lrrrr", caption, {"χ²": ".1f"}),
        Table(("group", "as it is", "at the ages of all faces"), groups, "lrr", "Accuracy with age taken out"),
    ]


def _fairness(faces: pd.DataFrame) -> list:
    measures, task = fairness(faces), task_of(faces)
    if measures is None:
        return [Text(f"No two {too_few_classes(task)}, so fairness measures are not given.")]
    sensitive = "ethnicity" if task.is_gender else "the group"
    label = task.label(task.positive)
    how = f"As fairlearn defines them: {sensitive} sensitive, «{label}» positive; bootstrap intervals"
    shares = dict.fromkeys(rates_of(task).values(), "%")
    return [
        frame_table(measure_table(measures), "lrrl", how, {"value": ".3f"}),
        frame_table(rate_table(measures, task).head(ROWS), "lrrrr", "The rates behind them", {"faces": ",", **shares}),
    ]


def noise_section(audit: Audit, filter: Filter, partners: Sequence[Path]) -> Section:
    """Errors in near-copies, children and likely mislabels, and the gap without them; `partners` for a consensus."""
    title, noise = "Label noise", label_noise(audit, filter)
    if not noise.errors:
        return section("noise", title, [Text("No prediction here is incorrect, so no error can be label noise.")])
    shares = tuple(
        (
            capital(row["where"]), f"{row['errors']:,}", with_interval(row["share_errors"], row["low"], row["high"]),
            f"{row['faces']:,}", percent(row["share_faces"]),
        )
        for row in noise.shares.to_dict("records")
    )  # fmt: skip
    variants = tuple(
        (capital(v.without), f"{v.n:,}", percent(v.correct / v.n) if v.n else "–", capital(gap_words(v.gap)))
        for v in noise.variants
    )
    tips = tipping_points(audit, filter)
    words = DECISIONS if noise.decisions else _consensus(audit, partners)
    return section(
        "noise",
        title,
        [
            Table(
                ("where", "errors", "share of the errors", "faces", "share of the faces"), shares, "lrrrr",
                f"Where {noise.errors:,} errors of {noise.n:,} faces lie",
            ) if shares else None,
            None if noise.searched else Text(UNSEEN),
            Table(("faces", "n", "accuracy", "largest gap"), variants, "lrrl", "The largest gap without them"),
            Text(words),
            *(Text(tipping_sentence(row)) for _, row in tips.tail(3).iterrows()),
            Text(assumes(audit.task) if noise.decisions else f"{assumes(audit.task)} {CIRCULAR}", quiet=True),
        ],
    )  # fmt: skip


def _consensus(audit: Audit, partners: Sequence[Path]) -> str:
    try:
        several = consensus([audit, *map(open_audit, partners)])
        # Their names are of this machine, and stay there.
        return consensus_words(several, [f"{len(partners)} other{'s' if len(partners) > 1 else ''}"])
    except LookwhereError:  # its words name files of this machine
        return "The other models' audits here cannot be compared with this one."
