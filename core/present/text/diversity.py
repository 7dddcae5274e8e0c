"""Diversity of training, in words: what the arms are, what became of the two questions, for whom, and the maps."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Any

import pandas as pd

from core.analysis.comparison.experiment import Measure, parse_group
from core.analysis.comparison.paired import named
from core.analysis.findings.base import Finding
from core.analysis.findings.diversity import (
    ALL,
    ONE,
    Diversity,
    RiseContrasts,
    by_arm,
    for_whom,
    map_agreement,
    questions,
)
from core.classifiers.info import model_info
from core.data.filters import Filter
from core.present.text.credits import data_set_title
from core.verdicts import Verdict
from core.wording import bounds, capital, counted, lower_first, number, percent, signed_points

QUESTION = "Does diversity of training close the gap, for whom, and where does the network look then?"
CAUTION = (
    "Data sets differ in cameras, ages, crops and labels beside the people in them, so «all data sets» is more than "
    "more diverse people. The schedule is short: it compares arms and is no measure of what a data set could give. "
    "Labels are perceived gender and ethnicity."
)
FOR_WHOM = (
    "Each group's change from LFW alone to all data sets. Exploratory: not corrected for the number of groups, and no "
    "group is named the most helped."
)
MAPS = (
    "How alike two networks' mean maps are (male less female evidence, r over the cells): between the arm of all data "
    "sets and each other arm, and between seeds of one arm. Of so few seeds nothing is decided, and no region is "
    "named, since it is smaller than a cell."
)
INTERVALS = (
    "The first interval is Student's over seeds, the second of seeds and faces resampled together, both 95 %. An "
    "extreme of several groups is biased outward, in each arm alike."
)
VERDICTS = {
    Verdict.SUPPORTED: "Diversity of training narrows the gap",
    Verdict.IN_PART: "Diversity of training narrows the gap in part",
    Verdict.NOT_SUPPORTED: "Diversity of training does not narrow the gap by 2 points or more",
    Verdict.CANNOT_TELL: "Whether diversity of training narrows the gap cannot be told from these networks",
}


def headline(study: Diversity, test: str, findings: list[Finding]) -> str:
    """The answer to the first question, with its numbers."""
    first = findings[0]
    answer = VERDICTS[first.verdict]
    result = first.result if isinstance(first.result, RiseContrasts) else None
    if first.verdict == Verdict.SUPPORTED and result is not None and result.closed:
        answer = "Diversity of training closes the gap to within 2 points"
    if first.verdict == Verdict.NOT_SUPPORTED and _widened(first):
        answer = "Diversity of training does not narrow the gap: with these networks it is wider, in both intervals"
    sentence = first.sentence if result is None else result.rise  # the rest stands with the question
    return f"{answer}. {test_title(study, test)}: {lower_first(sentence)}"


def _widened(first: Finding) -> bool:
    """Whether the group's accuracy, less that of all others, falls in both intervals."""
    row = first.numbers[first.numbers["measure"] == Measure.EXTRA].iloc[0]
    return bool(max(row["high"], row["both_high"]) < 0)


def test_title(study: Diversity, test: str) -> str:
    """«Adult faces of FairFace»."""
    title = data_set_title(study.experiment.on(test).audits(ALL)[0].manifest.dataset)
    faces = f"{'all' if study.adults(test).any_age else 'adult'} faces of {title}"
    own = "" if test == study.tests[0] else ", of which other faces are trained on: beside the question"
    return capital(faces) + own


def arms_table(study: Diversity) -> pd.DataFrame:
    """What each arm was trained on: columns arm, title, faces, data, epochs, images (seen in all), networks."""
    rows = []
    for arm in study.experiment.arms:
        info = model_info(study.experiment.path / arm.models[0])
        data, training = info.data, info.training
        faces = data.faces.get("train") if data else None
        names = data_set_title(data.dataset) if data and data.dataset else ""
        epochs = sum(stage.epochs or 0 for stage in training.stages) if training else 0
        each = (training.epoch_images if training else None) or faces or 0
        rows.append((arm.name, arm.title, faces, names, epochs, epochs * each, len(arm.models)))
    return pd.DataFrame(rows, columns=["arm", "title", "faces", "data", "epochs", "images", "networks"])


def group_table(study: Diversity, means: pd.DataFrame) -> pd.DataFrame:
    """Accuracies as «77.8 % [60.1–95.5] [70.2–84.9]»: a row a group (and all), a column an arm."""
    accuracies = means[means["measure"].isin([Measure.OVERALL, Measure.GROUP, Measure.WORST, Measure.GAP])]
    rows: dict[str, dict[str, str]] = {}
    for row in accuracies.itertuples():
        name = named(row.gender, row.ethnicity) if row.measure == Measure.GROUP else str(row.measure)
        rows.setdefault(name, {})[row.arm] = _level(row)
    table = pd.DataFrame.from_dict(rows, orient="index")[
        [arm.name for arm in study.experiment.arms if arm.name in set(means["arm"])]
    ]
    return table.rename_axis("group").reset_index()


def _level(row: Any) -> str:
    if row.low != row.low:
        return percent(row.mean)
    ends = [(max(0.0, low), min(1.0, high)) for low, high in ((row.low, row.high), (row.both_low, row.both_high))]
    return f"{percent(row.mean)} " + " ".join(f"[{bounds(100 * low, 100 * high)}]" for low, high in ends)


def change_table(changes: pd.DataFrame) -> pd.DataFrame:
    """`for_whom` in words: columns group, faces, LFW alone, all data sets, change (points), both intervals."""
    return pd.DataFrame(
        {
            "group": [capital(named(row.gender, row.ethnicity)) for row in changes.itertuples()],
            "faces": changes["n"].to_numpy(),
            ONE: [percent(value) for value in changes["start"]],
            ALL: [percent(value) for value in changes["end"]],
            "points": [signed_points(value) for value in changes["change"]],
            "over seeds": [_span(row.low, row.high) for row in changes.itertuples()],
            "seeds and faces": [_span(row.both_low, row.both_high) for row in changes.itertuples()],
        }
    )


def _span(low: float, high: float) -> str:
    return f"[{bounds(100 * low, 100 * high)}]" if low == low else "–"


def agreement_table(table: pd.DataFrame) -> pd.DataFrame:
    """`map_agreement` in words: columns arm, r with all data sets and between seeds, each with how many pairs."""
    return pd.DataFrame(
        {
            "arm": table["arm"],
            f"r with {ALL}": [number(value) for value in table["between"]],
            "pairs": table["pairs"],
            "r between seeds": [number(value) for value in table["within"]],
            "pairs of seeds": table["pairs_within"],
        }
    )


def map_sentences(table: pd.DataFrame) -> list[str]:
    """A sentence an arm: its r with the arm of all data sets, and that between seeds."""
    return [
        f"{row.arm}: r = {number(row.between)} with {ALL} ({counted(row.pairs, 'pair')} of networks)"
        + (f", {number(row.within)} between seeds ({counted(row.pairs_within, 'pair')})." if row.pairs_within else ".")
        for row in table.itertuples()
    ]


def diversity_report(study: Diversity) -> str:
    """Every number as text, by data set tested on."""
    lines = [
        f"{study.experiment.title}: {counted(study.seeds, 'network')} an arm; {study.experiment.config}",
        QUESTION,
        "",
    ]
    for row in arms_table(study).itertuples():
        trained = f"{row.faces:,} faces, " if row.faces == row.faces and row.faces else ""
        lines.append(f"  {row.arm:<24} {row.title} ({trained}{row.images:,} images seen)")
    for test in study.tests:
        lines += ["", *textwrap.wrap(headline(study, test, findings := questions(study, test)), 110), ""]
        for finding in findings:
            lines += [f"  {finding.key}  {finding.claim}  → {finding.verdict.upper()}"]
            lines += textwrap.wrap(finding.sentence, 108, initial_indent="      ", subsequent_indent="      ")
        lines += ["", f"  Accuracy by arm. {INTERVALS}", ""]
        lines += [f"  {line}" for line in group_table(study, by_arm(study, test)).to_string(index=False).split("\n")]
        lines += ["", f"  {FOR_WHOM}", ""]
        lines += [f"  {line}" for line in change_table(for_whom(study, test)).to_string(index=False).split("\n")]
        map_lines = [
            f"  {title}: {line}"
            for title, filter in map_filters(study, test).items()
            for line in map_sentences(map_agreement(study, test, filter))
        ]
        lines += ["", f"  {MAPS}", "", *map_lines] if map_lines else []
    return "\n".join([*lines, "", *textwrap.wrap(CAUTION, 110)])


def map_filters(study: Diversity, test: str) -> dict[str, Filter]:
    """Whose mean maps are compared: all, and the group that the questions are of."""
    adults, (gender, ethnicity) = study.adults(test), parse_group(study.group)
    group = replace(adults, gender=(gender,) if gender else (), ethnicity=(ethnicity,) if ethnicity else ())
    return {"All faces": adults, capital(named(gender, ethnicity)): group}
