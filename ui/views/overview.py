"""The page «Overview»: its four figures, the original study's grid of groups, what the model is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st
from PIL import Image

from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.comparison.recipe import Recipe, experiment_files, recipe_of
from core.analysis.maps.group_means import Group, study_grid
from core.audit.folder import Audit
from core.data.faces import gender_known, labels_known
from core.data.filters import Filter
from core.explain.maps import NORMALISATIONS
from core.present.figures import raster
from core.present.text import escape
from core.present.text.method import method_words
from core.present.text.sentences import as_low_words, pair_names, pair_rate, target_words
from core.task import GENDER, Task
from core.template import SIDE
from core.wording import bounds, capital, in_points, percent, span
from ui.shell import downloads
from ui.shell.cache import kept
from ui.shell.extremes import extremes_of
from ui.shell.open_audit import OpenAudit
from ui.shell.page import Page
from ui.widgets import controls, help_texts, layout, terms
from ui.widgets.map_target import choose_target
from ui.widgets.threshold import OWN, not_moved

#: The cards' accuracies stand on one page with the worst group's, which is at equal ages where ages are known.
COUNTED = "Accuracies on these cards are as counted among the faces shown, not at equal ages."

#: What the picture beside an average face is, for who sees one for the first time.
BRIGHT = (
    "Beside each average face lies its average heatmap: bright where what the network saw spoke for the gender that "
    "the map explains; *About* says how to read it, and how not to."
)


def what_this_is(audit: Audit) -> str:
    """What a first visitor is looking at, in Markdown."""
    negative, positive = map(escape.markdown, audit.task.labels)
    model, kind = escape.markdown(audit.manifest.model), escape.markdown(audit.task.name)
    looks = ", and where in the face it looks" if audit.has_maps else ""
    guesses = f"**{model}** guesses the {kind} label of a face, {negative} or {positive}."
    return f"{guesses} Here is for whom it is wrong{looks}."


def show_what_this_is(p: Page) -> None:
    """Over the headline, what a first visitor is looking at: a result says little to who does not know of what."""
    with p.above:
        terms.markdown(what_this_is(p.audit))


def method_caption(p: Page) -> None:
    """What holds of the recipe over its networks, where it has several; nothing of one network."""
    if p.threshold == OWN and (words := _method(p.audit, p.filter)) is not None:
        p.caption(escape.markdown(words))


@kept(entries=8)
def _method(audit: Audit, filter: Filter) -> str | None:
    return method_words(_recipe(audit, experiment_files(audit)), filter) if filter.outcome == "all" else None


# Apart, since it reads what all experiments say of their networks, whatever the filter.
@kept(entries=8, shared=True)
def _recipe(audit: Audit, _files: tuple[Path, ...]) -> Recipe | None:
    return recipe_of(audit)


def show_numbers(p: Page) -> None:
    """Under the headline: accuracy, number of faces, the surely worst group, its gap to the best."""
    overall = accuracy_by(p.counted(), [], p.threshold).iloc[0]
    extremes = extremes_of(p.audit, p.filter, p.threshold)
    with p.above:
        places = layout.metric_row()
    interval = f"95 % interval {bounds(100 * overall['low'], 100 * overall['high'])}"
    layout.metric(places[0], "Accuracy", percent(overall["accuracy"]), interval)
    layout.metric(places[1], "Faces", f"{p.number:,}", p.audit.split_words)
    if extremes is None:
        return
    worst, difference = extremes.worst, extremes.difference
    if not extremes.told_apart:
        layout.metric(places[2], "Worst group", "not sure", f"of {extremes.groups} groups", help=_SUREST)
        layout.metric(places[3], "Gap", "not sure", "no two groups are told apart", help=_SUREST)
        return
    ages = "at equal ages, " if extremes.at_equal_ages else ""
    rate = f"{ages}{bounds(100 * worst['low'], 100 * worst['high'])}, n = {worst['n']:,}"
    layout.metric(places[2], f"Worst group: {worst['group']}", percent(worst["accuracy"]), rate, help=_SUREST)
    layout.metric(
        places[3],
        "Gap at equal ages" if ages else "Gap to the best group",
        f"{in_points(difference.value)} points",
        f"{span(difference.low, difference.high)}, best: {extremes.best['group']}",
        help=f"{_SUREST} {capital(as_low_words(extremes))}. {_AS_COUNTED if ages else ''}",
    )


_SUREST = (
    "By what is sure: the group with the lowest upper bound is called the worst, the one with the highest lower bound "
    "the best, of intervals that hold for all groups, of any size, at once."
)

_AS_COUNTED = "*Gaps and tests* has gaps as counted too, whatever the ages in a group; there they are other numbers."


def show_study_grid(audit: Audit, filter: Filter, threshold: float = OWN) -> None:
    """The original study's grid of average faces and maps, with the choice of what the maps explain.

    It is of the model's own decisions, by which average faces are stored; another `threshold` is said not to move it.

    Nothing where an audit keeps neither; why is said beside the audit's name.
    """
    if not audit.has_maps and not len(audit.averages.cells):
        return
    heading = help_texts.grid_title(audit)
    terms.subheader(heading)
    terms.caption(f"{BRIGHT} {COUNTED}" if audit.has_maps else COUNTED)
    if threshold != OWN:
        terms.caption(not_moved(threshold, "This grid shows"))
    target, normalisation = "predicted", "raw"
    if audit.has_maps:
        left, right = st.columns(2)
        target = choose_target(audit.task, "The map explains", place=left)
        normalisation = controls.selectbox(
            "Averaging", NORMALISATIONS, key="norm", place=right, help=help_texts.NORMALISATIONS
        )
    grid = _grid(audit, filter, target, normalisation)
    names = [capital(name) for name in pair_names(grid, filter.ethnicity)]
    facts = [pair_rate(row.correct.n, row.incorrect.n) for row in grid.itertuples()]
    signed = target == "margin"
    limit = raster.shared_limit([g.map for column in ("correct", "incorrect") for g in grid[column]])
    note = (
        f"{capital(target_words(target, audit.map_words, audit.task))}; one scale for all panels."
        if audit.has_maps
        else ""
    )
    _study_cards(grid, names, facts, limit, signed, note, audit.task)
    downloads.image_sheet(
        lambda: study_sheet(grid, names, limit, signed, note, audit.task), "study-grid", heading.lower()
    )


_grid = kept(entries=16)(study_grid)


def offer_accuracy(p: Page) -> None:
    """The accuracy of every group, to download."""
    faces, threshold = p.counted(), p.threshold
    by = ["gender", "ethnicity"] if gender_known(faces) else labels_known(faces)
    groups = f"by {' and '.join(by)}" if by else "over all faces"
    title = f"accuracy {groups}, with Wilson 95 % intervals"
    downloads.table(lambda: accuracy_by(faces, by, threshold), "accuracy", title)


def show_model(opened: OpenAudit, audit: Audit) -> None:
    """What the model and its audit are, in a few lines."""
    terms.subheader("What this model is")
    terms.markdown(help_texts.model_summary(opened.info(), audit.manifest, labels_known(audit.faces)))


def _pair_html(group: Group, tag: str, limit: float, signed: bool, faces: bool = True) -> str:
    """Average face beside average map, or why there is none; no word of faces where an audit keeps none at all."""
    head = f"<div class='lw-tag'>{tag} · n = {group.n:,}</div>"
    if group.too_small:
        why = "none" if group.n == 0 else f"{group.n} too few: averages need {group.minimum}"
        return f"<div class='lw-pair'>{head}<div class='lw-few'>{why}</div></div>"
    name = escape.in_html(capital(group.name))
    cam = ""  # predictions alone give no map
    if group.map is not None:
        source = raster.data_uri(raster.paint(group.map, limit, signed, SIDE, group.placement))
        cam = f"<img src='{source}' alt='Average map: {name}'>"
    face = "<div class='lw-few one'>no average face for these ages</div>" if faces else ""
    if group.face is not None:
        source = raster.data_uri(Image.fromarray(group.face))
        face = f"<img src='{source}' alt='Average face: {name}' title='average of {group.face_n:,} faces'>"
    return f"<div class='lw-pair'>{head}{face}{cam}</div>"


def _study_cards(
    grid: pd.DataFrame, names: list[str], facts: list[str], limit: float, signed: bool, note: str, task: Task
) -> None:
    """The original study's grid: a card a group, correct and incorrect side by side; one scale for all.

    Without maps there is no `note` on them, and no scale.
    """
    faces = any(g.face is not None for column in ("correct", "incorrect") for g in grid[column])
    cards = [
        f"<div class='lw-card'><h4>{escape.in_html(name)}</h4><p>{escape.in_html(fact)}</p><div class='lw-pairs'>"
        + _pair_html(row.correct, "correct", limit, signed, faces)
        + _pair_html(row.incorrect, "incorrect", limit, signed, faces)
        + "</div></div>"
        for name, fact, row in zip(names, facts, grid.itertuples(), strict=True)
    ]
    scale = layout.colour_scale(signed, limit, note, task) if note else ""
    st.html(f"{layout.STYLE}<div class='lw-grid'>{''.join(cards)}</div>{scale}")


def study_sheet(
    grid: pd.DataFrame, names: list[str], limit: float, signed: bool, note: str, task: Task = GENDER
) -> raster.Sheet:
    """The same grid to take away, for a paper or a slide; without maps where there is no `note` on them."""
    rows = []
    for name, row in zip(names, grid.itertuples(), strict=True):
        panels = []
        for group, tag in ((row.correct, "correct"), (row.incorrect, "incorrect")):
            none = f"under {group.minimum} faces" if group.too_small else "none for these ages"
            face = none if group.face is None else raster.show_face(group.face)
            cam = none if group.map is None else raster.paint(group.map, limit, signed, placement=group.placement)
            panels += [(face, f"{tag}, n = {group.n:,}"), *([(cam, "average map")] if note else [])]
        rows.append((name, panels))
    return raster.Sheet(rows, [layout.scale_ends(signed, limit, task)] if note else [], note)
