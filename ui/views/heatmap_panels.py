"""The heatmap page's images: a group's three panels, and all of them on one sheet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analysis.intervals import wilson
from core.analysis.maps.differences import MapDifference
from core.analysis.maps.group_means import Group
from core.analysis.maps.group_means import group as group_averages
from core.audit.folder import Audit
from core.audit.images import AuditImages, average_by_columns
from core.data.filters import Filter
from core.explain.maps import NORMALISATIONS
from core.present.figures import raster
from core.present.figures.differences import painted
from core.present.text import escape
from core.present.text.placement import sides_words
from core.present.text.sentences import LARGER_CELLS, target_words
from core.task import Task
from core.wording import bounds, capital, percent
from ui.shell import downloads
from ui.shell.cache import kept
from ui.views.faces import audit_images_of
from ui.views.map_differences import Found, MapControls, limit_of
from ui.widgets import controls, help_texts, layout, terms
from ui.widgets.group_picker import ChosenGroup
from ui.widgets.map_target import choose_target

SIDE = 336
NO_FACE_BY_COLUMNS = (
    "No average face of these: the audit stores none by these columns (`audit --cells` does), and the aligned images "
    "are not at hand, or have too few people of each level side by side. The audit's first columns are told apart "
    "first."
)
CELLS_TOO_SMALL = (
    "No average face of these: the audit stores averages by these columns too, and none of their cells with {n} faces "
    "is there. " + LARGER_CELLS
)


@dataclass(frozen=True)
class AveragedGroup:
    """A chosen group with its averages; `column` is where it is drawn."""

    letter: str
    column: DeltaGenerator
    group: Group


def choose_maps(task: Task) -> MapControls:
    """Draw the choice of how many groups, of which maps, and how they are drawn."""
    columns = st.columns([1, 1.1, 1.1, 1.4])
    count = controls.segments("Groups", [2, 3, 4], default=2, key="groups", place=columns[0])
    target = choose_target(task, place=columns[1])
    normalisation = controls.selectbox(
        "Normalisation", NORMALISATIONS, key="norm", place=columns[2], help=help_texts.NORMALISATIONS
    )
    opacity = controls.slider("Overlay opacity", 0.0, 1.0, 0.5, 0.05, key="opacity", place=columns[3])
    return MapControls(count, target, normalisation, opacity)


def average_groups(audit: Audit, chosen_groups: list[ChosenGroup], controls: MapControls) -> list[AveragedGroup]:
    """The chosen groups with their averages."""
    maps = controls.target, controls.normalisation
    averaged = [(chosen_group, group_averages(audit, chosen_group.filter, *maps)) for chosen_group in chosen_groups]
    return [
        AveragedGroup(chosen_group.letter, chosen_group.column, _with_face(audit, group))
        for chosen_group, group in averaged
    ]


def _with_face(audit: Audit, group: Group) -> Group:
    """A group of columns that the audit stores no average face by gets it from the aligned images, where at hand."""
    if group.face is not None or group.too_small or not group.filter.columns:
        return group
    face, face_n = _average(audit, audit_images_of(audit)[0], group.filter)
    return group if face is None else replace(group, face=face, face_n=face_n)


def _average(audit: Audit, images: AuditImages | None, filter: Filter) -> tuple[np.ndarray | None, int]:
    return (None, 0) if images is None else _kept_average(audit, images.path / "store.json", filter)


@kept(entries=64)
def _kept_average(audit: Audit, store: Path, filter: Filter) -> tuple[np.ndarray | None, int]:
    images, _ = audit_images_of(audit)
    return (None, 0) if images is None else average_by_columns(audit, images, filter)


def show_groups(audit: Audit, groups: list[AveragedGroup], controls: MapControls) -> None:
    """Each group's panels in its column, with one colour scale for all."""
    limit = raster.shared_limit([averaged.group.map for averaged in groups])
    for averaged in groups:
        with averaged.column:
            group_panel(averaged.letter, averaged.group, limit, controls.signed, controls.opacity, audit)
    st.html(layout.STYLE + layout.colour_scale(controls.signed, limit, _note(audit, controls), audit.task))


def offer_sheet(
    audit: Audit, groups: list[AveragedGroup], differences: dict[str, Found], controls: MapControls
) -> None:
    """The panels and differences as one sheet to download, and how maps are to be read."""
    with_map = [(averaged.letter, averaged.group) for averaged in groups if averaged.group.map is not None]
    limit = raster.shared_limit([averaged.group.map for averaged in groups])
    if with_map:
        downloads.image_sheet(
            lambda: comparison_sheet(
                with_map, differences, limit, controls.signed, controls.opacity, _note(audit, controls), audit
            ),
            "heatmaps",
            f"{'average face and ' if len(audit.averages.cells) else ''}average {audit.map_words} of each group, and "
            "their differences",
        )
    terms.caption(f"{help_texts.reading([audit.map_method])} {sides_words(audit)}")


def _note(audit: Audit, controls: MapControls) -> str:
    what = capital(target_words(controls.target, audit.map_words, audit.task))
    scale = "one scale for all panels, fitted to these: other groups and filters may change it"
    return f"{what}, {controls.normalisation}; {scale}."


def group_panel(letter: str, group: Group, limit: float, signed: bool, opacity: float, audit: Audit) -> None:
    """Average face, average map and overlay of one group of an audit, with n; or why there is nothing to show."""
    kind = audit.map_words
    terms.markdown(f"**{letter}: {escape.markdown(capital(group.name))}**")
    if group.too_small:
        why = "No face" if group.n == 0 else f"Only {group.n} faces"
        st.info(f"{why} in this group: averages need {group.minimum}, or a single face could be seen through them.")
        return
    low, high = wilson(group.correct, group.n)
    right = f"; {percent(group.correct / group.n)} correct [{bounds(100 * low, 100 * high)}]"
    terms.caption(f"n = {group.n:,}" + (right if group.filter.outcome == "all" else ""))
    name = capital(group.name)
    panels = [(raster.paint(group.map, limit, signed, SIDE, group.placement), kind, f"Average {kind}: {name}")]
    if group.face is not None:
        over = raster.overlay(group.face, group.map, limit, opacity, signed, SIDE, group.placement)
        panels.insert(0, (raster.show_face(group.face, SIDE), f"mean of {group.face_n:,}", f"Average face: {name}"))
        panels.append((over, "overlay", f"Overlay: {name}"))
    st.html(layout.STYLE + layout.image_row(panels))
    if group.face is None:
        if group.filter.columns:
            stored = {name for name, _ in group.filter.columns} <= set(audit.manifest.cells)
            terms.caption(CELLS_TOO_SMALL.format(n=group.minimum) if stored else NO_FACE_BY_COLUMNS)
        elif len(audit.averages.cells):  # else it is said beside the audit's name
            terms.caption("No average face is stored of exactly these faces: small cells are merged over ages.")
        return
    if group.face_n < group.n:
        terms.caption(
            f"The average face is of {group.face_n:,} of {group.n:,}: cells under {group.minimum} are left out."
        )


def comparison_sheet(
    groups: list[tuple[str, Group]],
    differences: dict[str, Found],
    limit: float,
    signed: bool,
    opacity: float,
    note: str,
    audit: Audit,
) -> raster.Sheet:
    """All groups to take away: face, map, overlay, and the tested difference to the first.

    Neither face nor overlay where the audit keeps no average face.
    """
    side, rows = raster.PANEL, []
    kind, faces = audit.map_words, len(audit.averages.cells) > 0
    span = limit_of([d for d in differences.values() if isinstance(d, MapDifference)])
    for letter, group in groups:
        cam = raster.paint(group.map, limit, signed, side, group.placement)
        none = "no average face of these"
        panels = [
            (none if group.face is None else raster.show_face(group.face, side), f"average of {group.face_n:,}"),
            (cam, f"average {kind}, n = {group.n:,}"),
            (
                none
                if group.face is None
                else raster.overlay(group.face, group.map, limit, opacity, signed, placement=group.placement),
                "overlay",
            ),
        ]
        panels = panels if faces else panels[1:2]
        if isinstance(d := differences.get(letter), MapDifference):
            cells = "not tested" if d.abstained else f"{int(d.significant.sum())} cells beyond chance"
            panels.append((painted(d, span, side), f"{groups[0][0]} − {letter}, {cells}"))
        rows.append((f"{letter}: {capital(group.name)}", panels))
    scales, first = [layout.scale_ends(signed, limit, audit.task)], groups[0][0]
    if any(isinstance(d, MapDifference) for d in differences.values()):
        scales.append((True, f"−{span:.3g} less in {first}", f"{span:.3g} more in {first}"))
        note += " Differences have the second scale; outlined cells are beyond chance."
    return raster.Sheet(rows, scales, note)
