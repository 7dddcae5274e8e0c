"""An audit in a card: accuracy by group, and where the model fails, in sentences made from its numbers."""

from __future__ import annotations

import pandas as pd

from core.analysis.accuracy import group_statistics
from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.counts import columns_of, group_counts
from core.analysis.accuracy.extremes import extremes
from core.analysis.accuracy.group_statistics import statistic_table
from core.analysis.accuracy.label_noise import MISLABELS, NEAR_COPIES, label_noise
from core.analysis.accuracy.pairwise import pairs_of
from core.analysis.accuracy.simultaneous import largest_gap
from core.analysis.comparison.recipe import recipe_of
from core.audit.folder import Audit
from core.audit.notes import note_sentence
from core.checks.definitions import View
from core.checks.results import closed_to_layers, open_checks
from core.data.faces import labels_known
from core.data.filters import Filter, group_name
from core.errors import LookwhereError
from core.present.card.blocks import Items, Table, Text
from core.present.text.checks import verdicts_sentence
from core.present.text.gaps import differ_words, gap_sentence, gap_words
from core.present.text.group_statistics import statistic_sentence
from core.present.text.method import method_words
from core.present.text.sentences import accuracy_sentence, no_groups_words, pair_rate, scope
from core.verdicts import TestVerdict
from core.wording import capital, percent, with_interval

#: Differing pairs named one by one, groups told in a table; more would not be read.
PAIRS, ROWS = 5, 60
COPIES, BY_HASHES = "near-copies of another audited face", " (by image hashes alone, which also join different people)"


def main_filter(audit: Audit, all_ages: bool = False) -> Filter:
    """Adults where ages are known, unless all ages are asked for."""
    return Filter.of_ages(audit.faces, "all" if all_ages else "adults")


def accuracy_table(audit: Audit) -> Table:
    """Accuracy with Wilson 95 % intervals of all, each gender and each gender × ethnicity; adults beside all ages."""
    filters = list(dict.fromkeys([Filter(), main_filter(audit)]))
    rates: list[dict[tuple[str, str], pd.Series]] = []
    for filter in filters:
        faces = audit.passing(filter)
        rows = {("", ""): accuracy_by(faces, []).iloc[0]} if len(faces) else {}
        recorded = labels_known(faces)
        for by in (recorded[:1], recorded) if recorded else ():
            rows |= {
                (row.get("gender", ""), row.get("ethnicity", "")): row for _, row in accuracy_by(faces, by).iterrows()
            }
        rates.append(rows)
    heads = ("all ages", "adults") if len(filters) > 1 else ("accuracy",)
    lines = []
    for gender, ethnicity in rates[0]:
        cells = [capital(group_name(gender or (), ethnicity or ()))]
        for rows in rates:
            cells += _rate(rows.get((gender, ethnicity)), audit.minimum_faces)
        lines.append(tuple(cells))
    caption = "Share of predictions that are correct, with Wilson 95 % intervals."
    if len(lines) > ROWS:
        caption += f" The first {ROWS} of {len(lines)} groups."
    columns = ("group", *(name for head in heads for name in (head, "faces")))
    return Table(columns, tuple(lines[:ROWS]), "l" + "rr" * len(heads), caption)


def _rate(row: pd.Series | None, minimum: int) -> tuple[str, str]:
    n = 0 if row is None else int(row["n"])
    if n < minimum:
        return (f"under {minimum}" if n else "–", f"{n:,}")
    return with_interval(row["accuracy"], row["low"], row["high"]), f"{n:,}"


def known_failures(audit: Audit) -> list[Text | Items]:
    """Worst groups, gaps beyond chance, ages, label noise and what the checks of the maps said."""
    filter = main_filter(audit)
    faces = audit.passing(filter)
    sentences = warning_sentences(audit)
    if len(faces):
        sentences += [accuracy_sentence(faces, filter), *_statistics(faces, filter), *_gaps(faces, filter)]
    sentences += [*_ages(audit), *_noise(audit, filter), *_checks(audit), *_method(audit, filter)]
    return [Items(tuple(sentences))]


def warning_sentences(audit: Audit) -> list[str]:
    """What makes the audit doubtful, as sentences."""
    return [text for text in map(note_sentence, audit.manifest.notes) if text]


def _statistics(faces: pd.DataFrame, filter: Filter) -> list[str]:
    sentences = (statistic_sentence(s, statistic_table(s, faces), filter) for s in group_statistics.GROUP_STATISTICS)
    return [sentence for sentence in sentences if sentence]


def _gaps(faces: pd.DataFrame, filter: Filter) -> list[str]:
    by = columns_of(faces)
    if not by:
        return [no_groups_words(faces)]
    groups = group_counts(faces, by)
    sentences = [gap_sentence(largest_gap(faces, by), scope(filter), len(faces))]
    pairs = pairs_of(groups)
    if len(pairs):
        differ = pairs[pairs["verdict"] == TestVerdict.DIFFER]
        names = [f"{capital(a)} and {b}" for a, b in zip(differ["first"], differ["second"], strict=True)]
        more = f" and {len(names) - PAIRS} more" if len(names) > PAIRS else ""
        clear = f": {'; '.join(names[:PAIRS])}{more}" if names else ""
        sentences.append(f"{differ_words(pairs, 'pairs of groups')}{clear}.")
    return sentences


def _ages(audit: Audit) -> list[str]:
    if not audit.faces["age"].notna().any():
        return ["No ages are known, so nothing can be said by age, and children cannot be left out."]
    pair = extremes(audit.faces, by=("age band",))
    if pair is None:
        return []
    if not pair.told_apart:
        return [f"By age, no two of {pair.groups} bands are told apart beyond chance."]
    parts = [f"{row['group']}, {pair_rate(int(row['correct']), int(row['errors']))}" for row in (pair.worst, pair.best)]
    return [f"By age, the surely weakest band is {parts[0]}; the surely strongest {parts[1]}."]


def _noise(audit: Audit, filter: Filter) -> list[str]:
    noise = label_noise(audit, filter)
    if not noise.errors:
        return []
    rows = {row["where"]: row for row in noise.shares.to_dict("records")}
    copies = COPIES + ("" if audit.manifest.copies_by else BY_HASHES)
    suspects = [
        (word, rows[name]) for name, word in ((MISLABELS, "likely mislabels"), (NEAR_COPIES, copies)) if name in rows
    ]
    if not suspects:
        return ["Neither likely mislabels nor near-copies can be told from the decisions of a table."]
    shares = " and ".join(f"{_share(row)} {'' if n else 'are '}{word}" for n, (word, row) in enumerate(suspects))
    parts = " and ".join(percent(row["share_faces"]) for _, row in suspects)
    without = " and ".join(v.removed for v in noise.variants[1:-1])
    doubtful = " Mislabels are judged by the model's own confidence, so their share is an upper bound."
    return [
        f"Of {noise.errors:,} errors {scope(filter, begins=False)}, {shares}, which make up {parts} of the faces. The "
        f"largest gap without {without}: {gap_words(noise.variants[-1].gap)}.{doubtful if MISLABELS in rows else ''}"
    ]


def _method(audit: Audit, filter: Filter) -> list[str]:
    """What holds of the recipe, over its networks, where there are several with these faces."""
    words = method_words(recipe_of(audit), filter) if filter.mask(audit.faces).any() else None
    return [words] if words else []


def _share(row: dict) -> str:
    return f"{row['errors']:,} ({with_interval(row['share_errors'], row['low'], row['high'])})"


def _checks(audit: Audit) -> list[str]:
    if not audit.has_maps:
        return ["There are no maps: where this model looks cannot be said."]
    try:
        checks = open_checks(audit)
    except LookwhereError:
        return ["The checks of its maps are damaged; run `python -m core check` again."]
    if checks is None or not checks.groups:
        return ["Its maps have not been checked (`python -m core check`)."]
    return [verdicts_sentence(checks, View(checks.groups[0])), *([why] if (why := closed_to_layers(audit)) else [])]
