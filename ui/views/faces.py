"""The page «Faces»: the browser of single faces, one face's record, how to attach the data."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import wording
from core.analysis import single_faces
from core.analysis.accuracy.counts import group_rows
from core.analysis.maps.error_clusters import ErrorClusters
from core.analysis.single_faces import FaceOrder, FaceRecord
from core.audit import images as audit_images
from core.audit.folder import Audit
from core.audit.images import AuditImages
from core.classifiers.info import ModelInfo
from core.data.filters import Filter
from core.data.store_names import OF_ANYBODY
from core.present.figures import raster
from core.present.figures.plotly_charts import figure_of
from core.present.figures.single_faces import region_bars
from core.present.text import escape
from core.present.text import faces as faces_text
from core.task import Task
from ui.shell.cache import kept
from ui.shell.page import Page
from ui.shell.visitor import at_this_machine
from ui.widgets import controls, layout, terms
from ui.widgets.filter_query import quoted
from ui.widgets.group_columns import choose_columns
from ui.widgets.map_target import choose_target, targets_help

#: Where aligned stores are looked for; another folder can be named, for tests and for a user who keeps them elsewhere.
STORES = Path(os.environ.get("LOOKWHERE_STORES", Path(__file__).parent.parent.parent / "data/aligned"))
BESIDE, OVER, ALONE = "side by side", "overlay", "face only"
ANY = "any"
OPACITY, SIDE = 0.6, 168
STYLE = """
<style>
.lw-face {font-size: .8rem; line-height: 1.35}
.lw-face > div {display: flex; gap: .25rem; margin-bottom: .3rem}
.lw-face img {flex: 1 1 0; min-width: 0; width: 100%; aspect-ratio: 1; border-radius: .3rem; display: block}
.lw-face .wrong {color: #D1293D; font-weight: 600}
.lw-face span {opacity: .75; white-space: nowrap}
.lw-facts {display: grid; grid-template-columns: auto 1fr; gap: .15rem .9rem; font-size: .88rem; margin: .3rem 0}
.lw-facts b {opacity: .7; font-weight: 400} .lw-facts span {overflow-wrap: anywhere}
.lw-link a {color: inherit}
</style>
"""
ONE_SCALE = "One scale for all maps of a page."
ORDER_HELP = (
    "**Most confidently incorrect**: errors by falling |margin|, then correct ones by rising |margin|. **Similarity** "
    "is "
    "the cosine of two maps of evidence for the {kind} the model chose over the other, strength left out. To order by "
    "similarity to one face, open its record."
)


@kept(entries=4, spinner="Looking for the images …", shared=True)
def _open_images(audit: Audit, root: Path, stores: tuple[Path, ...]) -> tuple[AuditImages | None, list[str]]:
    return audit_images.open_images(audit, root)


def audit_images_of(audit: Audit) -> tuple[AuditImages | None, list[str]]:
    """`core.audit.images.open_images`, kept until a store is written or goes."""
    return _open_images(audit, STORES, tuple(sorted(STORES.glob("*/store.json"))))


def show_faces(
    p: Page, above: DeltaGenerator, clusters: ErrorClusters | None, images: AuditImages | None, looked: list
) -> None:
    """In its place `above` the clusters: the faces one by one, or how their images are attached."""
    with above:
        if images is None:
            how_to_attach(p.audit, p.opened.info(), looked)
        else:
            _browser(p.audit, p.filter, clusters, images)
            _open_record(p.audit, images)


def how_to_attach(audit: Audit, info: ModelInfo | None, looked: list[str]) -> None:
    """Why no single face is shown, and the command that mends it."""
    if audit.manifest.of_table:
        st.info(
            "**A table of labels and predictions was audited, without any image**, so there is no face to show.",
            icon=":material/table:",
        )
        return
    st.info(
        "**The images of these faces are not at hand**, so no single face nor its map is shown. An audit holds none; "
        "they are read from the aligned data set on this machine. This makes it from the data set that you have:",
        icon=":material/add_photo_alternate:",
    )
    elsewhere = "LOOKWHERE_STORES" in os.environ and audit.manifest.dataset not in OF_ANYBODY
    out = STORES / audit.manifest.dataset if elsewhere else None
    st.code(audit_images.align_command(audit.manifest, info, out), language="bash", wrap_lines=True)
    # What else lies on this machine is nothing to who visits over the network
    lines = "".join(f"\n- {escape.markdown(line)}" for line in looked)
    folders = f" Looked in:{lines}" if at_this_machine() else ""
    terms.caption(
        "PATH is the folder or archive as it was downloaded. Its labels and splits must come out as they were audited. "
        f"Another folder of stores is named by the environment variable LOOKWHERE_STORES.{folders}"
    )


def _browser(audit: Audit, filter: Filter, clustering: ErrorClusters | None, images: AuditImages) -> None:
    """The controls and one page of the group's faces."""
    like = single_faces.row_of(audit, st.query_params.get("like"))
    if like is None:
        controls.note(
            "like", controls.asked("like"), "the maps most like those of face", (), "which this audit has not"
        )
    orders = [order.value for order in single_faces.orders(audit, like is not None)]
    listed = [str(n) for n, kind in enumerate(clustering.clusters, 1) if kind.map is not None] if clustering else []
    columns = st.columns([1.7, 0.9, 1.3, 0.8] if audit.has_maps else [1.7, 3], vertical_alignment="bottom")
    order = FaceOrder(
        controls.selectbox("Order", orders, key="order", place=columns[0], help=ORDER_HELP.format(kind=audit.task.kind))
    )
    target, view, kind = "margin", ALONE, ANY
    if audit.has_maps:
        target = choose_target(audit.task, place=columns[1], help=f"{targets_help(audit.task)}\n\n{ONE_SCALE}")
        view = controls.segments("Map", [BESIDE, OVER, ALONE], default=BESIDE, key="view", place=columns[2])
        if len(listed) > 1 or (listed and len(clustering.clusters) > 1):
            kind = controls.selectbox("Error cluster", [ANY, *listed], key="kind", place=columns[3])
    mask = filter.mask(audit.faces)
    rows = np.flatnonzero(mask)
    if kind != ANY:
        rows = np.intersect1d(clustering.clusters[int(kind) - 1].rows, rows)
    rows, group = _of_group(audit, filter, rows)
    name = filter.describe() + (f", {group}" if group else "") + (f", error cluster {kind}" if kind != ANY else "")
    if not len(rows):
        st.info(
            f"No face: {escape.markdown(name)}. An error cluster holds incorrect predictions only; "
            "set «Prediction» to all or incorrect."
        )
        return
    rows, values = single_faces.ordered(audit, rows, order, like)
    if order.of_a_face:
        terms.caption(f"Ordered by similarity to face {escape.markdown(str(audit.faces['face_id'].iloc[like]))}.")
    sheets = -(-len(rows) // single_faces.PAGE)
    _first_sheet((audit.path, filter, order, kind, like, group), sheets)
    place, numbers = st.container(), controls.asked("sheet")
    sheet = st.session_state.get("sheet", 1)
    if sheets > 1:
        sheet = st.pagination(sheets, key="sheet", bind="query-params")
    beyond = [n for n in numbers if not n.isdecimal() or len(n) > 9 or not 1 <= int(n) <= sheets]
    controls.note("sheet", beyond, "sheet", sheet, f"of {sheets:,}")
    start = (sheet - 1) * single_faces.PAGE
    part = rows[start : start + single_faces.PAGE]
    with place:
        terms.caption(f"**{start + 1:,}–{start + len(part):,} of {len(rows):,}**: {escape.markdown(name)}.")
        notes = (
            [f"similarity {wording.number(v)}" for v in values[start:][: len(part)]] if order.by_similarity else None
        )
        cards(audit, images, part, MapChoice(view, target), notes, "grid")


def _of_group(audit: Audit, filter: Filter, rows: np.ndarray) -> tuple[np.ndarray, str]:
    """The rows of one group across columns, where columns and a group are chosen, and its name; else all rows."""
    by = choose_columns(audit, filter)
    if not by:
        return rows, ""
    member, names = group_rows(audit.faces.iloc[rows], list(by), audit.columns)
    wrong = ~audit.faces["correct"].to_numpy(dtype=bool)[rows]
    faces, errors = (np.bincount(member, weights=w, minlength=len(names)).astype(int) for w in (wrong >= 0, wrong))
    texts = {
        name: f"{name}: {e:,} of {n:,} incorrect" for name, n, e in zip(names["group"], faces, errors, strict=True)
    }
    choice = controls.selectbox(
        "Group", [ANY, *texts], key="crossed", format_func=lambda name: texts.get(name, name), named="group"
    )
    return (rows, "") if choice == ANY else (rows[member == list(texts).index(choice)], choice)


def _first_sheet(view: tuple, sheets: int) -> None:
    """Another group or order begins at its first page; a link's page is kept."""
    state = st.session_state
    if state.get("faces_view", view) != view or state.get("sheet", 1) > sheets:
        state.sheet = 1
    state.faces_view = view


@dataclass(frozen=True)
class MapChoice:
    """How cards show maps: the `view`, one of `BESIDE`, `OVER` and `ALONE`, and what the maps explain (`target`)."""

    view: str
    target: str

    @property
    def signed(self) -> bool:
        """A map of the margin is drawn in two colours, one for each class."""
        return self.target == "margin"


def cards(
    audit: Audit,
    images: AuditImages,
    rows: np.ndarray,
    choice: MapChoice,
    notes: list[str] | None,
    key: str,
    under: Callable[[str], None] | None = None,
) -> None:
    """Cards of faces, each with a button that opens its record, or what `under` draws of its id; one scale for all
    their maps."""

    def record_button(face_id: str) -> None:
        st.button("Record", key=f"{key}-{face_id}", on_click=_open, args=(face_id,), width="stretch")

    under = under or record_button
    maps = None if choice.view == ALONE else audit.of_rows(rows).maps(choice.target, "raw")
    limit = 1.0 if maps is None else raster.shared_limit(list(maps))
    with st.grid(min_column_width=215 if choice.view == BESIDE else 130, gap="small"):
        for n, row in enumerate(rows):
            with st.container(gap="xxsmall"):
                face_map, note = None if maps is None else maps[n], notes[n] if notes else ""
                st.html(STYLE + _card(audit, images, row, choice, face_map, limit, note))
                under(str(audit.faces["face_id"].iloc[row]))
    if maps is not None:
        st.html(
            layout.STYLE
            + layout.colour_scale(
                choice.signed,
                limit,
                f"Map for target «{audit.task.label(choice.target)}», {audit.map_method}; one scale.",
                audit.task,
            )
        )


def _card(
    audit: Audit,
    images: AuditImages,
    row: int,
    choice: MapChoice,
    face_map: np.ndarray | None,
    limit: float,
    note: str,
) -> str:
    face, line = images.face(row), audit.faces.iloc[row]
    task = audit.task
    labelled, answer = task.label(str(line[task.attribute])), task.label(str(line["predicted"]))
    alt = f"Face {line['face_id']}: labelled {labelled}, predicted {answer}"
    panels = [(raster.show_face(face, SIDE), alt)]
    if choice.view == OVER:
        over = raster.overlay(face, face_map, limit, OPACITY, choice.signed, SIDE, audit.placement)
        panels = [(over, f"{alt}, with its map")]
    elif choice.view == BESIDE:
        panels.append((raster.paint(face_map, limit, choice.signed, SIDE, audit.placement), f"Map of it: {alt}"))
    tags = "".join(f"<img src='{raster.data_uri(p, 80)}' alt='{escape.in_html(a)}'>" for p, a in panels)
    verdict = f"predicted {escape.in_html(answer)}"
    if not line["correct"]:
        verdict = f"<b class='wrong'>{verdict}</b>"
    margin = wording.signed(float(line[task.logits[0]]) - float(line[task.logits[1]]))
    more = f"<br><span>{escape.in_html(note)}</span>" if note else ""
    return (
        f"<div class='lw-face'><div>{tags}</div>labelled {escape.in_html(labelled)}, {verdict}<br>"
        f"<span>{escape.in_html(task.p_words)} {wording.number(line[task.probability])} · margin {margin}</span>"
        f"{more}</div>"
    )


def _open(face_id: str) -> None:
    st.query_params["face"] = face_id


def _shut() -> None:
    st.query_params.pop("face", None)


def _order_by(face_id: str) -> None:
    _shut()
    st.query_params["like"] = face_id
    st.session_state.order = FaceOrder.LIKE_FACE.value


def _open_record(audit: Audit, images: AuditImages) -> None:
    """The record of the face that the address names, over the page."""
    if "face" not in st.query_params:
        return
    if single_faces.row_of(audit, st.query_params["face"]) is None:
        st.warning(f"This audit has no face {escape.markdown(quoted([st.query_params['face']]))}.")
        return
    _record(audit, images)


@st.dialog("Record of one face", width="large", on_dismiss=_shut)
def _record(audit: Audit, images: AuditImages) -> None:
    row = single_faces.row_of(audit, st.query_params.get("face"))
    if row is None:
        st.rerun()
    record = single_faces.face_record(audit, row, images)
    left, right = st.columns([1.25, 1])
    with left:
        _pictures(record, audit.task)
        facts = faces_text.facts(record, audit.task)
        items = "".join(f"<b>{key}</b><span>{escape.in_html(value)}</span>" for key, value in facts.items())
        st.html(f"{STYLE}<div class='lw-facts'>{items}</div>")
    with right:
        _regions(record, audit.task)
        face_id = str(record.face["face_id"])
        query = [(k, v) for k in st.query_params for v in st.query_params.get_all(k)]
        link = escape.in_html(urlencode(query))
        st.html(f"{STYLE}<div class='lw-link'><a href='?{link}' target='_blank'>Link to this record</a></div>")
        if audit.has_maps and st.button(
            "Order the faces by similarity to this one", key="by-similarity", on_click=_order_by, args=(face_id,)
        ):
            st.rerun()
    _others(audit, images, "Near-copies in the audit", record.copies, "copy")
    _others(audit, images, "The same person in the audit", record.person, "person")
    _others(audit, images, "Most similar maps", record.similar, "alike", record.cosines)


def _pictures(record: FaceRecord, task: Task) -> None:
    face = record.image
    alt = f"Face {record.face['face_id']}"
    panels = [(raster.show_face(face), "aligned face", alt)]
    scale = ""
    if record.maps:
        target = st.session_state.get("target", "predicted")
        signed = target == "margin"
        face_map = record.maps[target]
        limit = raster.shared_limit([face_map])
        panels.append(
            (
                raster.paint(face_map, limit, signed, placement=record.placement),
                f"map, target «{task.label(target)}»",
                f"Map: {alt}",
            )
        )
        panels.append(
            (
                raster.overlay(face, face_map, limit, OPACITY, signed, placement=record.placement),
                "overlay",
                f"Overlay: {alt}",
            )
        )
        scale = layout.colour_scale(signed, limit, record.map_method, task)
    st.html(layout.STYLE + layout.image_row(panels, "14rem") + scale)


def _regions(record: FaceRecord, task: Task) -> None:
    terms.markdown("**Evidence by region**")
    if record.regions is None:
        st.info("Only predictions were audited: there is no evidence to divide by region.")
        return
    figure = figure_of(region_bars(record.regions, record.additive, task))
    st.plotly_chart(figure, key="record-regions", config={"displayModeBar": False})
    total, margin = wording.signed(record.regions.sum(), 3), wording.signed(record.margin, 3)
    if record.additive:
        terms.caption(
            f"The bars add up to {total}; with the last layer's bias, {wording.signed(record.bias, 3)}, that is the "
            f"margin, {margin} (half-precision maps leave {abs(record.rest):.3f}). Evidence is centred on a region, "
            "not confined to it."
        )
    else:
        terms.caption(
            f"Maps by {escape.markdown(record.map_method)} do not add up to the margin: "
            f"the bars' sum is {total}, "
            f"the margin {margin}. Compare the bars with each other."
        )


def _others(
    audit: Audit, images: AuditImages, title: str, rows: np.ndarray, key: str, cosines: np.ndarray | None = None
) -> None:
    if not len(rows):
        return
    more = f" (the first {single_faces.PAGE} of {len(rows):,})" if len(rows) > single_faces.PAGE else ""
    terms.markdown(f"**{title}**{more}")
    notes = None if cosines is None else [f"similarity {wording.number(c)}" for c in cosines]
    choice = MapChoice(OVER if audit.has_maps else ALONE, st.session_state.get("target", "predicted"))
    cards(audit, images, rows[: single_faces.PAGE], choice, notes, key)
