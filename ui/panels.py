"""The heatmap page's pictures: a group's three panels, the differences of maps, all on one sheet."""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from core.faces import MINIMUM_FACES
from core.figures import pictures
from core.groups import Group
from core.sentences import capital, percent
from core.statistics import wilson
from ui import parts

SIDE = 336


def group_panel(letter: str, group: Group, limit: float, signed: bool, opacity: float) -> None:
    """Average face, average Grad-CAM and overlay of one group, with n; or why there is nothing to show."""
    st.markdown(f"**{letter}: {capital(group.name)}**")
    if group.too_small:
        why = "No face" if group.n == 0 else f"Only {group.n} faces"
        st.info(f"{why} in this group: averages need {MINIMUM_FACES}, or a single face could be seen through them.")
        return
    low, high = wilson(group.correct, group.n)
    right = f"; {percent(group.correct / group.n)} right [{100 * low:.1f}–{100 * high:.1f}]"
    st.caption(f"n = {group.n:,}" + (right if group.filter.outcome == "all" else ""))
    name = capital(group.name)
    panels = [(pictures.paint(group.map, limit, signed, SIDE), "Grad-CAM", f"Average Grad-CAM: {name}")]
    if group.face is not None:
        over = pictures.overlay(group.face, group.map, limit, opacity, signed, SIDE)
        panels.insert(0, (pictures.show_face(group.face, SIDE), f"mean of {group.face_n:,}", f"Average face: {name}"))
        panels.append((over, "overlay", f"Overlay: {name}"))
    st.html(parts.STYLE + parts.figures(panels))
    if group.face is None:
        st.caption("No average face is stored for exactly these ages: small cells are merged over ages.")
        return
    if group.face_n < group.n:
        st.caption(f"The average face is of {group.face_n:,} of {group.n:,}: cells under {MINIMUM_FACES} are left out.")


def differences(shown: list[tuple[str, Group]]) -> None:
    """A − B and so on, against the first group, on one diverging scale."""
    st.subheader("Difference of the average maps")
    letter, first = shown[0]
    maps = [(other, group, first.map - group.map) for other, group in shown[1:]]
    limit = pictures.shared_limit([m for _, _, m in maps])
    panels = [
        (
            pictures.paint(difference, limit, True, SIDE),
            f"{letter} − {other}: red where {first.name} have more, blue where {group.name} have",
            f"Difference of average Grad-CAM, {first.name} less {group.name}",
        )
        for other, group, difference in maps
    ]
    st.html(parts.STYLE + parts.figures(panels, widest="20rem"))
    largest = max(float(np.abs(m).max()) for _, _, m in maps)
    strongest = max(float(np.abs(group.map).max()) for _, group in shown)
    st.caption(
        f"Scale ±{limit:.3g}, shared. The largest difference is {percent(largest / strongest, 0)} of the strongest "
        "cell of the maps above; whether it is more than chance is not tested here."
    )


def comparison_sheet(
    shown: list[tuple[str, Group]], limit: float, signed: bool, opacity: float, note: str
) -> Image.Image:
    """All groups as one picture: face, Grad-CAM, overlay, and the difference to the first."""
    side, rows = pictures.PANEL, []
    span = pictures.shared_limit([shown[0][1].map - group.map for _, group in shown[1:]])
    for letter, group in shown:
        cam = pictures.paint(group.map, limit, signed, side)
        none = pictures.placeholder("no average face\nfor these ages", side)
        panels = [
            (none if group.face is None else pictures.show_face(group.face, side), f"average of {group.face_n:,}"),
            (cam, f"average Grad-CAM, n = {group.n:,}"),
            (
                none if group.face is None else pictures.overlay(group.face, group.map, limit, opacity, signed),
                "overlay",
            ),
        ]
        if letter != shown[0][0]:
            difference = pictures.paint(shown[0][1].map - group.map, span, True, side)
            panels.append((difference, f"{shown[0][0]} − {letter}, scale ±{span:.3g}"))
        words = capital(group.name).replace(", ", "\n").split(" ")
        rows.append((f"{letter}\n" + "\n".join(words), panels))
    return pictures.sheet("Average face and average Grad-CAM", rows, note, signed)
