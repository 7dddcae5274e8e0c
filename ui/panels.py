"""The heatmap page's pictures: a group's three panels, and all of them on one sheet."""

from __future__ import annotations

import streamlit as st

from core.differences import MapDifference
from core.faces import MINIMUM_FACES
from core.figures import pictures
from core.figures.differences import painted
from core.groups import Group
from core.sentences import capital, percent
from core.statistics import wilson
from ui import parts
from ui.differences import Found, limit_of

SIDE = 336


def group_panel(letter: str, group: Group, limit: float, signed: bool, opacity: float, kind: str) -> None:
    """Average face, average map and overlay of one group, with n; or why there is nothing to show. `kind` names the
    map (`Audit.map_words`)."""
    st.markdown(f"**{letter}: {capital(group.name)}**")
    if group.too_small:
        why = "No face" if group.n == 0 else f"Only {group.n} faces"
        st.info(f"{why} in this group: averages need {MINIMUM_FACES}, or a single face could be seen through them.")
        return
    low, high = wilson(group.correct, group.n)
    right = f"; {percent(group.correct / group.n)} right [{100 * low:.1f}–{100 * high:.1f}]"
    st.caption(f"n = {group.n:,}" + (right if group.filter.outcome == "all" else ""))
    name = capital(group.name)
    panels = [(pictures.paint(group.map, limit, signed, SIDE), kind, f"Average {kind}: {name}")]
    if group.face is not None:
        over = pictures.overlay(group.face, group.map, limit, opacity, signed, SIDE)
        panels.insert(0, (pictures.show_face(group.face, SIDE), f"mean of {group.face_n:,}", f"Average face: {name}"))
        panels.append((over, "overlay", f"Overlay: {name}"))
    st.html(parts.STYLE + parts.figures(panels))
    if group.face is None:
        st.caption("No average face is stored of exactly these faces: small cells are merged over ages.")
        return
    if group.face_n < group.n:
        st.caption(f"The average face is of {group.face_n:,} of {group.n:,}: cells under {MINIMUM_FACES} are left out.")


def comparison_sheet(
    shown: list[tuple[str, Group]],
    found: dict[str, Found],
    limit: float,
    signed: bool,
    opacity: float,
    note: str,
    kind: str,
) -> pictures.Sheet:
    """All groups to take away: face, map (called `kind`), overlay, and the tested difference to the first."""
    side, rows = pictures.PANEL, []
    span = limit_of([d for d in found.values() if isinstance(d, MapDifference)])
    for letter, group in shown:
        cam = pictures.paint(group.map, limit, signed, side)
        none = "no average face of these"
        panels = [
            (none if group.face is None else pictures.show_face(group.face, side), f"average of {group.face_n:,}"),
            (cam, f"average {kind}, n = {group.n:,}"),
            (
                none if group.face is None else pictures.overlay(group.face, group.map, limit, opacity, signed),
                "overlay",
            ),
        ]
        if isinstance(d := found.get(letter), MapDifference):
            cells = "not tested" if d.abstained else f"{int(d.significant.sum())} cells beyond chance"
            panels.append((painted(d, span, side), f"{shown[0][0]} − {letter}, {cells}"))
        rows.append((f"{letter}: {capital(group.name)}", panels))
    scales, first = [parts.ends(signed, limit)], shown[0][0]
    if any(isinstance(d, MapDifference) for d in found.values()):
        scales.append((True, f"−{span:.3g} less in {first}", f"{span:.3g} more in {first}"))
        note += " Differences have the second scale; outlined cells are beyond chance."
    return pictures.Sheet(rows, scales, note)
