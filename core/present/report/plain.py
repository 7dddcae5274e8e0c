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
from core.present.text.checks import plain_answer
from core.present.text.glossary import glossary
from core.present.text.sentences import hottest_place, scope
from core.present.text.settings import kept_words
from core.present.text.training_copies import training_copies_words
from core.wording import capital, percent

GRAD_CAM = "Grad-CAM"
WHAT_NOT = (
    "This is of these faces, these labels and these models; other photographs can give other numbers. It does not say "
    "why a model is wrong, nor that it would be right to decide about a person by a guess from a face."
)
AGES = "Ages may be part of it: the first sentence of «Accuracy by group» is at equal ages."
WORDS_ARE = "The sections below give the numbers. «Words» says what their words mean."


def plain_headline(audit: Audit, faces: pd.DataFrame, filter: Filter) -> list[str]:
    """What the model is asked and how often it is right; for whom least. `faces` are those of the filter."""
    negative, positive = audit.task.labels
    question = (
        f"The model looks at a photograph of a face and answers with one of two words, {negative} or {positive}. "
        "It is counted as right where that is the word on the photograph's label."
    )
    return [f"{question} {_accuracy(faces, filter)}", _gap(faces)]


def summary_section(audit: Audit, filter: Filter, checks: Checks | None) -> Section:
    """Where the model looks, how far that can be trusted, and what else bears on the numbers."""
    sentences = _looks(audit, filter, checks)
    if (words := training_copies_words(audit.manifest)) is not None:
        sentences.append(words)
    if (words := kept_words(audit)) is not None:
        sentences.append(words)
    items = Items(tuple(sentences)) if sentences else None
    return section("plain", "In plain words", [items, Text(WHAT_NOT), Text(WORDS_ARE)])


def _accuracy(faces: pd.DataFrame, filter: Filter) -> str:
    row = accuracy_by(faces, []).iloc[0]
    return (
        f"{scope(filter)} it is right for {percent(row['accuracy'])} of {len(faces):,} faces. They are a sample: of "
        f"all such faces it may be right for {percent(row['low'])} to {percent(row['high'])}."
    )


def _gap(faces: pd.DataFrame) -> str:
    gap = largest_gap(faces, ["gender", "ethnicity"])
    if gap is None:
        return "There are no two groups to compare, so it cannot be said for whom it is right less often."
    worst, best = gap.worst, gap.best
    shares = (
        f"{worst['group']} ({percent(worst['accuracy'])} of {worst['n']:,}) than for {best['group']} "
        f"({percent(best['accuracy'])} of {best['n']:,})"
    )
    if gap.distinguishable:
        text = f"It is surely right less often for {shares}. So large a difference is not chance alone."
        return f"{text} {AGES}" if faces["age"].notna().any() else text
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
        "A heatmap says which places of an image speak for the model's answer. On average that is strongest around "
        f"the {place}. It does not show that the answer rests on that place: what hiding it costs would."
    ]
    answer = plain_answer(checks, View(checks.groups[0])) if checks is not None and checks.groups else ""
    return [*looks, answer or "Nobody has checked yet whether the heatmaps follow what the model does."]


def words_section(audits: Sequence[Audit]) -> Section:
    """The words that a reader may not know, each in a sentence; Grad-CAM where the audits' maps are such."""
    maps = {audit.map_words for audit in audits if audit.has_maps}
    meanings = glossary(audits[0].task)
    terms = [term for term in meanings if term != GRAD_CAM or GRAD_CAM in maps]
    return section("words", "Words", [Items(tuple(f"{capital(term)}: {meanings[term]}" for term in terms))])
