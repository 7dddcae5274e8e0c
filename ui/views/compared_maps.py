"""Mean maps of groups under each of the models compared: a row a group, drawn to one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from core.analysis.comparison.paired import MapPair, PairedMapDifference, named
from core.data.filters import Filter
from core.present.figures import comparison as figures
from core.present.figures import raster
from core.present.text import escape
from core.wording import capital
from ui.shell import downloads
from ui.views import comparison_choice
from ui.widgets import layout, terms

SIDE = 288
STYLE = """
<style>
.lw-models {display: grid; gap: .6rem; max-width: calc(var(--columns) * 18rem); grid-template-columns:
 repeat(auto-fit, minmax(max(min(45%, 11rem), calc(100% / var(--columns) - .6rem)), 1fr))}
@media print {.lw-models {grid-template-columns: repeat(var(--columns), 1fr); break-inside: avoid}}
.lw-models figure {margin: 0; min-width: 0; max-width: 18rem}
.lw-models img {width: 100%; aspect-ratio: 1; border-radius: .3rem; display: block}
.lw-models figcaption {font-size: .78rem; opacity: .8; margin-top: .2rem; line-height: 1.3}
</style>
"""
#: The colour scale of differences: its bar between the words at its ends.
DIFFERENCE_SCALE = "<span>less than A −{0:.3g}</span><img src='{1}' alt='colour scale'><span>{0:.3g} more than A</span>"


@dataclass(frozen=True)
class GroupMaps:
    """A group's row: its average face, of `face_n` faces, and a paired difference of maps for each further model.

    `face` is None where no audit keeps an average of the group. `by_shape`: each map is divided by its own strength.
    """

    name: str
    differences: list[PairedMapDifference]
    by_shape: bool
    face: np.ndarray | None
    face_n: int

    @property
    def n(self) -> int:
        """Faces of the group."""
        return self.differences[0].n

    @property
    def minimum(self) -> int:
        """Faces that an average must have to be shown."""
        return max(difference.minimum for difference in self.differences)

    @property
    def pairs(self) -> list[MapPair | None]:
        """The two mean maps of each difference; None where the group is too small."""
        return [difference.shape if self.by_shape else difference.strength for difference in self.differences]


@dataclass(frozen=True)
class MapScales:
    """Ends of the colour scales of all rows: that of maps, which are `signed` or not, and that of differences."""

    signed: bool
    maps: float
    differences: float

    @classmethod
    def of(cls, rows: Sequence[GroupMaps], signed: bool) -> MapScales:
        """The scales that hold every map of the rows."""
        pairs = [pair for row in rows for pair in row.pairs if pair is not None]
        maps = raster.shared_limit([mean_map for pair in pairs for mean_map in (pair.a, pair.b)])
        return cls(signed, maps, raster.shared_limit([pair.difference for pair in pairs]))


def same_method(choice: comparison_choice.Choice) -> bool:
    """Whether maps can be compared; says why not, or what their difference then means besides."""
    methods = comparison_choice.methods(choice)
    letters = zip(comparison_choice.LETTERS, methods, strict=False)
    named_methods = escape.markdown("; ".join(f"{letter}: {method}" for letter, method in letters))
    if "none" in methods:
        st.info(f"A model here was audited without maps ({named_methods}), so they cannot be compared.")
        return False
    if len(set(methods)) > 1:
        st.warning(f"The maps were made by different methods ({named_methods}): their differences are also of these.")
    return True


def show_maps(
    choice: comparison_choice.Choice, table: pd.DataFrame, groups: list[str], filter: Filter, target: str, shape: bool
) -> None:
    """A row a group: average face, each model's mean map, differences with the cells that survive outlined."""
    by_name = {named(row.gender, row.ethnicity): row for row in table.itertuples()}
    rows = []
    for name in (name for name in groups if name in by_name):
        group_filter = _within(filter, by_name[name].gender, by_name[name].ethnicity)
        differences = comparison_choice.map_differences(choice, group_filter, target)
        rows.append(GroupMaps(name, differences, shape, *comparison_choice.face(choice, group_filter)))
    scales = MapScales.of(rows, target == "margin")
    sheet = []
    for row in rows:
        if panels := _show(row, choice, scales):
            sheet.append((f"{capital(row.name)}, n = {row.n:,}", panels))
    _show_scales(choice, scales, sheet, target, shape)
    terms.caption(_how_tested(rows))


def _within(filter: Filter, gender: str, ethnicity: str) -> Filter:
    """The filter narrowed to a group's gender and ethnicity; empty where the group has all."""
    return filter.narrowed(
        **({"gender": (gender,)} if gender else {}), **({"ethnicity": (ethnicity,)} if ethnicity else {})
    )


def _show(row: GroupMaps, choice: comparison_choice.Choice, scales: MapScales) -> list[tuple[Image.Image, str]]:
    """Draw a group's row; its images and captions, none where the group is too small to be shown."""
    terms.markdown(f"**{escape.markdown(capital(row.name))}**, n = {row.n:,}")
    if row.n < row.minimum:
        st.info(f"Averages need {row.minimum} faces, or a single face could be seen through them.")
        return []
    images = figures.paired_panels(row.face, row.pairs, (scales.maps, scales.differences), scales.signed, SIDE)
    panels = list(zip(images, _captions(row, choice), strict=True))
    st.html(_grid(panels, row.name))
    return panels


def _captions(row: GroupMaps, choice: comparison_choice.Choice) -> list[str]:
    """A caption an image of `figures.paired_panels`."""
    first, *partners = choice.models
    share = f" of {row.n:,}" if row.face_n < row.n else ""
    captions = [f"average of {row.face_n:,}{share}" if row.face_n else "no average face", f"A: {first.label}"]
    letters = comparison_choice.LETTERS[1 : len(row.pairs) + 1]
    for letter, partner, pair in zip(letters, partners, row.pairs, strict=True):
        tested = pair is not None and pair.survives is not None
        cells = f": {pair.survives.sum()} of {pair.survives.size} cells differ" if tested else ""
        captions += [f"{letter}: {partner.label}", f"{letter} − A{cells}"]
    return captions


def _grid(panels: list[tuple[Image.Image, str]], name: str) -> str:
    items = "".join(
        f"<figure><img src='{raster.data_uri(image)}' alt='{escape.in_html(f'{capital(name)}, {caption}')}'>"
        f"<figcaption>{escape.in_html(caption)}</figcaption></figure>"
        for image, caption in panels
    )
    columns = 3 if len(panels) % 3 == 0 else 4
    return f"{STYLE}<div class='lw-models' style='--columns: {columns}'>{items}</div>"


def _show_scales(
    choice: comparison_choice.Choice,
    scales: MapScales,
    sheet: list[tuple[str, list[tuple[Image.Image, str]]]],
    target: str,
    shape: bool,
) -> None:
    """The colour scales of maps and of differences, and the rows of images to take away, where there are any."""
    task = choice.models[0].open().task
    note = f"mean maps, {'each map divided by its own strength (RMS)' if shape else 'as they are'}; one scale for all"
    st.html(layout.colour_scale(scales.signed, scales.maps, note, task))
    ends = [
        layout.scale_ends(scales.signed, scales.maps, task),
        (True, f"−{scales.differences:.3g} less than A", f"{scales.differences:.3g} more than A"),
    ]
    if sheet:
        downloads.image_sheet(
            lambda: raster.Sheet(sheet, ends, f"{capital(note)}. Outlined: cells that differ beyond chance."),
            "maps", f"mean maps of the models compared, {target}",
        )  # fmt: skip
    bar = raster.data_uri(raster.colour_bar(True), quality=95)
    st.html(f"{layout.STYLE}<div class='lw-scale'>{DIFFERENCE_SCALE.format(scales.differences, bar)}</div>")


def _how_tested(rows: Sequence[GroupMaps]) -> str:
    """What the outlines mean: the test, what is kept whole in it, and maps that were brought to one grid."""
    differences = [difference for row in rows for difference in row.differences]
    people = " People are kept whole." if any(d.units < d.n for d in differences) else ""
    resampled = dict.fromkeys(d.resampled for d in differences if d.resampled)
    return (
        f"Outlined: cells that differ at a family-wise 5 % over each map (bootstrap samples of the same faces' "
        f"differences, largest |t|).{people} The correction is for one map's cells, not for the number of maps."
        + "".join(f" {capital(text)}, so that both have one grid." for text in resampled)
    )
