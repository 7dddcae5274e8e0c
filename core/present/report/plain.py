"""A report for who has never heard of the original study: what came out in plain words, and what the words mean."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.simultaneous import largest_gap
from core.analysis.maps.group_means import group
from core.audit.folder import Audit
from core.checks.definitions import View
from core.checks.results import Checks
from core.data.filters import Filter
from core.present.card import Items, Section, Text, section
from core.present.text.checks import results
from core.present.text.glossary import glossary
from core.present.text.sentences import hottest_place, scope
from core.present.text.settings import kept_words
from core.present.text.training_copies import training_copies_words
from core.verdicts import Tone
from core.wording import capital, percent

GRAD_CAM = "Grad-CAM"
WHAT_NOT = (
    "This is of these faces, these labels and these models; other photographs can give other numbers. It does not say "
    "why a model is wrong, nor that it would be right to decide about a person by a guess from a face."
)


def summary_section(audit: Audit, faces: pd.DataFrame, filter: Filter, checks: Checks | None) -> Section:
    """What the model does, how often it is right, for whom least, where it looks, and how far that can be trusted.

    `faces` are those of the filter.
    """
    negative, positive = audit.task.labels
    question = (
        f"The model looks at a photograph of a face and answers with one of two words, {negative} or {positive}. "
    )
    question += "It is counted as right where that is the word on the photograph's label."
    sentences = [question, _accuracy(faces, filter), _gap(faces), *_looks(audit, filter, checks)]
    if (words := training_copies_words(audit.manifest)) is not None:
        sentences.append(words)
    if (words := kept_words(audit)) is not None:
        sentences.append(words)
    return section("plain", "In plain words", [Items(tuple(s for s in sentences if s)), Text(WHAT_NOT)])


def _accuracy(faces: pd.DataFrame, filter: Filter) -> str:
    row = accuracy_by(faces, []).iloc[0]
    return (
        f"{scope(filter)} it is right for {percent(row['accuracy'])} of {len(faces):,} faces. So many faces leave room "
        f"for chance: it may be between {percent(row['low'])} and {percent(row['high'])} of such faces."
    )


def _gap(faces: pd.DataFrame) -> str:
    gap = largest_gap(faces, ["gender", "ethnicity"])
    if gap is None:
        return "There are no two groups to compare, so it cannot be said for whom it is right less often."
    worst, best = gap.worst, gap.best
    shares = (
        f"{worst['group']}, {percent(worst['accuracy'])} of {worst['n']:,}, than for {best['group']}, "
        f"{percent(best['accuracy'])} of {best['n']:,}"
    )
    if gap.distinguishable:
        return (
            f"It is surely right less often for {shares}. So large a difference is not chance alone; ages may be part "
            "of it."
        )
    return (
        f"Of these faces it is right less often for {shares}; but no two groups are told apart, the differences "
        "between them can be chance."
    )


def _looks(audit: Audit, filter: Filter, checks: Checks | None) -> list[str]:
    if not audit.has_maps:
        return ["Where in the face it looks cannot be said: there are no heatmaps."]
    average = group(audit, filter, "predicted", "raw")
    if average.map is None:
        return []
    place = hottest_place(average.map, average.placement)
    looks = [
        f"Its heatmap is on average strongest around the {place}. That alone does not say that its answer rests on it: "
        "what hiding a place costs does."
    ]
    judged = [] if checks is None or not checks.groups else results(checks, View(checks.groups[0]))
    judged = [result for result in judged if result.verdict is not None]
    if not judged:
        return [*looks, "Nobody has checked yet whether the heatmaps follow what the model does."]
    good = sum(result.verdict.tone is Tone.GOOD for result in judged)
    return [*looks, f"Of {len(judged)} checks whether the heatmaps follow what the model does, {good} came out well."]


def words_section(audits: Sequence[Audit]) -> Section:
    """The words that a reader may not know, each in a sentence; Grad-CAM where the audits' maps are such."""
    maps = {audit.map_words for audit in audits if audit.has_maps}
    meanings = glossary(audits[0].task)
    terms = [term for term in meanings if term != GRAD_CAM or GRAD_CAM in maps]
    return section("words", "Words", [Items(tuple(f"{capital(term)}: {meanings[term]}" for term in terms))])
