"""The page «Try a photo»: images come in, stay in this session's memory, and are shown with what the model says."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from core.audit.folder import Audit
from core.classifiers.info import ModelInfo, ModelKind, model_info
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.errors import LookwhereError
from core.explain.placement import Placement
from core.photo.certainty import CertaintyRank, certainties, certainty_rank, same_weights
from core.photo.faces import Face
from core.photo.prediction import Prediction, head_bias, photo_targets, read_faces
from core.photo.uploads import MAXIMUM_BYTES, READS, read_upload, shrunk_to
from core.present.figures import photo as figures
from core.present.figures import raster
from core.present.figures.plotly_charts import figure_of
from core.present.text import escape
from core.present.text import photo as photo_text
from core.task import Task
from core.wording import capital, counted, signed
from ui.shell.cache import kept
from ui.shell.open_audit import OpenAudit
from ui.shell.page import Page
from ui.shell.visitor import for_visitor
from ui.views.photo_style import STYLE
from ui.widgets import controls, layout, terms
from ui.widgets.filter_query import FilterOptions
from ui.widgets.map_target import photo_help

if TYPE_CHECKING:  # they need torch, which a portrait drawn before does not wait for
    from core.classifiers.classifier import Classifier
    from core.classifiers.folder import Model
    from core.photo.detection import Finder

#: No more images at a time are looked at, so that a folder dropped here does not block the machine.
MOST_IMAGES = 12
KEY = "photo_results"
_ONE = threading.Lock()
PLAIN = (
    "The model knows two classes and must choose one. What it gives is a **guess at the {name} label that annotators "
    "would give the image**, not a fact about the person. Nothing uploaded is stored: images stay in this "
    "session's memory and go when it ends."
)
IMAGE_RULES = f"{READS}; up to {MAXIMUM_BYTES // 2**20} MB each. Larger images are scaled down; the content decides."
CAMERA = "The browser asks for the camera only here. It needs https, or this very machine."
SOURCES = ("Upload", "Camera")
CERTAINTY = (
    "How sure: |margin|, among the audited faces that were given *the same class*, since the model may be surer of one "
    "class than of the other. Whether a photo of your own is like these faces, nothing here can say."
)


def keep_uploads_in_memory() -> None:
    """Streamlit gives uploads to Starlette, which spools those over 1 MB to a temporary file: raise that limit."""
    from starlette.formparsers import MultiPartParser

    MultiPartParser.spool_max_size = (int(st.get_option("server.maxUploadSize")) + 1) * 2**20


keep_uploads_in_memory()


@dataclass(frozen=True)
class Tools:
    """The open model: what `model.json` says, and its classifier and the detector, loaded when first asked for."""

    folder: Path
    info: ModelInfo

    @property
    def classify(self) -> Classifier:
        """The classifier. Raises `LookwhereError` where the model cannot be loaded."""
        classify = _model(self.folder, self.folder / "model.json").classify
        assert classify is not None, "predictions alone were stopped at"
        return classify

    @property
    def finder(self) -> Finder:
        """The face detector."""
        return _finder()


@dataclass(frozen=True)
class Result:
    """One image tried: what is shown of it, small, and its faces; or the one line that says why it cannot be.

    `maps` says how the model's maps are made, `bias` what of a margin lies on no cell (`head_bias`).
    """

    name: str
    head: str = ""
    image: Image.Image | None = None
    scale: float = 1.0
    size: tuple[int, int] = (0, 0)
    faces: tuple[Face, ...] = ()
    readings: tuple[Prediction, ...] = ()
    maps: Mapping[str, object] = field(default_factory=dict)
    bias: float | None = None
    note: str = ""
    error: str = ""


def load_tools(p: Page) -> Tools:
    """The open model, not loaded yet. Stops the page where only predictions were imported.

    Raises `LookwhereError` where `model.json` is missing or broken.
    """
    tools = Tools(p.opened.folder, model_info(p.opened.folder))
    if tools.info.kind is ModelKind.PREDICTIONS:
        p.headline(f"Only the predictions of {p.opened.model} were imported, not the model: no photo can be tried.")
        st.info("Import the model itself with `python -m core import`, or choose another one in the sidebar.")
        st.stop()
    return tools


@kept(entries=2, spinner="Opening the model …", shared=True)
def _model(folder: Path, file: Path) -> Model:
    from core.classifiers.folder import load_model

    return load_model(folder)


@kept(entries=1, shared=True)
def _finder() -> Finder:
    from core.photo.detection import Finder

    return Finder()


def choose_files(task: Task) -> list:
    """Say what becomes of an image and draw the uploader or the camera; the files in hand, at most `MOST_IMAGES`."""
    files = _files_in_hand()
    terms.caption(PLAIN.format(name=escape.markdown(task.name)))
    return files


def _files_in_hand() -> list:
    source = controls.segments("From", SOURCES, default=SOURCES[0], key="photo_from", bind=False)
    if source == "Camera":
        shot = st.camera_input("Take a photo", key="photo_camera", help=CAMERA)
        return [shot] if shot else []
    files = st.file_uploader("Images", accept_multiple_files=True, key="photo_files", help=IMAGE_RULES) or []
    if len(files) > MOST_IMAGES:
        st.warning(f"Only the first {MOST_IMAGES} of {len(files)} images are looked at: remove some below them.")
    return files[:MOST_IMAGES]


def predict(files: list, opened: OpenAudit, ready: Tools, audit: Audit | None = None) -> list[Result]:
    """What was found in each file; kept in the session for the files in hand and this model, and for no others."""
    before, now = st.session_state.get(KEY, {}), {}
    model = (str(opened.folder), ready.info.weights_sha256)
    # All maps of a model trained here are of one layer: where an audit of these weights has measured it, that holds.
    placement = audit.placement if audit is not None and ready.info.trained_here else None
    for file in files:
        key = (file.file_id, model)
        if key not in before:
            with st.spinner("Looking for faces …"):
                before[key] = try_image(file.getvalue(), file.name, ready, placement)
        now[key] = before[key]
    st.session_state[KEY] = now
    return list(now.values())


@contextmanager
def one_thread() -> Iterator[None]:
    """One core for the network, beside which server and browser run on the other: two threads wait at each layer for
    whichever of them was pushed aside, and a photo took 5 s for 0.6 s (`python -m benchmarks.photo --threads 2`).

    One visitor at a time, whatever the model: the count is the whole process's, the detector serves all models, and
    maps of some methods hook into the network."""
    import torch

    with _ONE:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def try_image(data: bytes, name: str, ready: Tools, placement: Placement | None = None) -> Result:
    """Faces of an image file and what the model says of them; `placement` is of its maps' cells, None if not known."""
    from core.photo.detection import nothing_found

    try:
        upload = read_upload(data, name)
    except LookwhereError as error:
        return Result(name, error=capital(str(error)) + ".")
    try:
        with one_thread():
            faces_found = ready.finder.find(upload.picture)
            readings = read_faces(ready.classify, [face.crop for face in faces_found.faces], placement, ready.info.task)
    except LookwhereError as error:
        return Result(upload.name, error=f"{upload.name}: {error}.")
    image = shrunk_to(upload.picture, figures.SIDE)
    facts = [f"{upload.size[0]:,} × {upload.size[1]:,} pixels", *upload.notes]
    note = "" if faces_found.faces else capital(nothing_found(upload.size, faces_found.faint)) + "."
    if faces_found.left_out:
        note = f"The {len(faces_found.faces)} largest faces are shown, {faces_found.left_out} smaller ones are not."
    return Result(
        name=upload.name,
        head=f"<b>{escape.in_html(upload.name)}</b> <span>{escape.in_html('; '.join(facts))}</span>",
        image=image,
        scale=image.width / upload.picture.width,
        faces=tuple(faces_found.faces),
        readings=tuple(readings),
        maps=ready.classify.maps or {},
        bias=head_bias(ready.classify),
        note=note,
    )


def comparable_audit(opened: OpenAudit, ready: Tools) -> Audit | None:
    """The audit to compare with; or None, and a line on the page that says why."""
    if not opened.audit:
        st.info("This model has no audit, so there are no audited faces to compare with.")
        return None
    try:
        audit = opened.load()
    except LookwhereError as error:
        st.warning(escape.sentence(f"No comparison with audited faces: {for_visitor(error)}."))
        return None
    if same_weights(ready.info, audit.manifest):
        return audit
    st.info("The open audit was made with other weights than the model has now: its faces are not compared with.")
    return None


def sentence(opened: OpenAudit, results: list[Result], audit: Audit | None) -> str:
    """What the model says of the images; without any, how often it gave audited faces the wrong label."""
    if not results:
        if audit is None:
            return photo_text.invitation(opened.model, None, None)
        # Of the faces that other pages open on, so that the two figures agree.
        adults = FilterOptions.from_audit(audit).adults_first
        faces = audit.passing(Filter(age_from=ADULT_AGE)) if adults else audit.faces
        return photo_text.invitation(opened.model, len(faces), int((~faces["correct"]).sum()), adults)
    readings = [reading for result in results for reading in result.readings]
    alone = placed(audit, readings[0]) if len(readings) == 1 else None
    whole = [(result.name, list(result.readings)) for result in results if not result.error]
    return photo_text.headline(whole, len(results) - len(whole), alone)


def show_results(results: list[Result], audit: Audit | None) -> None:
    """Each image with its faces; one colour scale for all maps."""
    readings = [reading for result in results for reading in result.readings]
    target, opacity = _controls(readings)
    maps = [reading.map(target) for reading in readings if reading.evidence is not None]
    limit = raster.shared_limit(maps)
    for n, result in enumerate(results):
        _show(n, result, audit, target, opacity, limit)
    if maps:
        methods = dict.fromkeys(str(result.maps["method"]) for result in results if result.maps)
        note = f"logits a cell, {', '.join(methods)}; one scale for all faces here."
        st.html(layout.STYLE + layout.colour_scale(target == "margin", limit, note, readings[0].task))


def placed(audit: Audit | None, reading: Prediction) -> CertaintyRank | None:
    """The reading's place among the audited faces."""
    return None if audit is None else certainty_rank(audit.faces, reading.predicted, reading.margin)


def _controls(predictions: list[Prediction]) -> tuple[str, float]:
    """Draw the choice of map and opacity where there are maps."""
    if not any(reading.evidence is not None for reading in predictions):
        return "predicted", 0.5
    task = predictions[0].task
    left, right, _ = st.columns([1, 1.2, 1.5])
    target = controls.selectbox(
        "Map", photo_targets(task), key="photo_map", place=left, help=photo_help(task), format_func=task.label
    )
    return target, controls.slider("Overlay opacity", 0.0, 1.0, 0.5, 0.05, key="opacity", place=right)


def _show(n: int, result: Result, audit: Audit | None, target: str, opacity: float, limit: float) -> None:
    """One image: its faces numbered, a card a face, and the chosen face's evidence and certainty."""
    if result.error:
        st.error(escape.sentence(result.error), icon=":material/broken_image:")
        return
    with st.container(border=True):
        st.html(f"{layout.STYLE}{STYLE}<p class='lw-photo'>{result.head}</p>")
        if result.note:
            st.warning(escape.markdown(result.note))
        several = len(result.faces) > 1
        above = st.container()
        number = _pick(n, result)
        boxes = [_scaled(face, result.scale) for face in result.faces]
        marked = raster.data_uri(figures.marked(result.image, boxes, number if several else None))
        alt = f"The image with {counted(len(boxes), 'face')} marked"
        whole = f"<img class='lw-seen' src='{marked}' alt='{alt}'>"
        cards = "".join(
            _card(face, reading, placed(audit, reading) if several else None, target, opacity, limit, several and k)
            for k, (face, reading) in enumerate(zip(result.faces, result.readings, strict=True), 1)
        )
        with above:
            left, right = st.columns([1, 1.35]) if len(result.faces) == 1 else (above, above)
            left.html(whole)
            if cards:
                right.html(f"<div class='lw-crops'>{cards}</div>")
        if number is not None:
            _details(n, result, number, audit)


def _pick(n: int, result: Result) -> int | None:
    if len(result.faces) < 2:
        return 0 if result.faces else None
    numbers = list(range(len(result.faces)))
    return controls.pills(
        "Evidence and certainty below are of face", numbers, default=0, format_func=lambda k: str(k + 1),
        key=f"photo_face_{n}", bind=False, required=True,
    )  # fmt: skip


def _scaled(face: Face, scale: float) -> Face:
    return Face(
        face.box * scale, face.points * scale, face.probability, face.crop, face.landmarks, face.enlarged, face.outside
    )


def _card(
    face: Face, reading: Prediction, rank: CertaintyRank | None, target: str, opacity: float, limit: float, number: int
) -> str:
    """HTML of one face's card; `number` is its place among several in the image, 0 of the only one."""
    name = f"Face {number}" if number else "The face"
    panels = [(figures.with_points(face), "aligned, with its points", f"{name}, aligned, with its five points")]
    if reading.evidence is not None:
        over = raster.overlay(
            face.crop, reading.map(target), limit, opacity, target == "margin", placement=reading.placement
        )
        label = reading.task.label(reading.predicted)
        what = f"map: {reading.task.label(target)}" if target != "predicted" else f"map: predicted ({label})"
        panels.append((over, what, f"{name}, {what}"))
    facts = [f"Margin {signed(reading.margin)}", f"found with {photo_text.probability(face.probability)}"]
    facts += photo_text.crop_notes(face.enlarged, face.outside)
    if rank is not None:
        facts.append(photo_text.place_words(rank, reading.task))
    answer = escape.in_html(capital(reading.task.label(reading.predicted)))
    return (
        f"<div class='lw-crop'><h4>{f'{number}: ' if number else ''}"
        f"{answer} at {photo_text.probability(reading.probability)}</h4>{layout.image_row(panels)}"
        f"<p>{escape.in_html('; '.join(facts))}.</p></div>"
    )


def _details(n: int, result: Result, number: int, audit: Audit | None) -> None:
    which = f": face {number + 1}" if len(result.faces) > 1 else ""
    reading = result.readings[number]
    left, right = st.columns(2)
    with left:
        terms.markdown(f"**Evidence by region{which}**")
        if reading.evidence is None:
            st.info("This model gives no maps, so nothing can be said of where it looks.")
        else:
            regions, bias = reading.regions(), result.bias
            bars = figure_of(figures.region_bars(regions, bias, reading.margin, reading.task))
            st.plotly_chart(bars, key=f"photo_regions_{n}")
            terms.caption(_sum(regions, bias, reading.margin, result.maps))
    with right:
        terms.markdown(f"**How certain{which}**", help=CERTAINTY)
        rank = placed(audit, reading)
        if rank is None:
            terms.caption("No audited faces to compare with.")
            return
        right_ones, wrong_ones = certainties(audit.faces, reading.predicted)
        few = [a if f is not None else a[:0] for a, f in (
            (right_ones, rank.above_right), (wrong_ones, rank.above_wrong))]  # fmt: skip
        if any(map(len, few)):
            places = figure_of(figures.certainty(*few, reading.margin, reading.task.label(reading.predicted)))
            st.plotly_chart(places, key=f"photo_certain_{n}")
        words = photo_text.place_words(rank, reading.task), photo_text.near_words(rank, reading.task)
        terms.caption(escape.markdown(f"{capital(words[0])}. {words[1]}".strip()))


def _sum(regions: np.ndarray, bias: float | None, margin: float, maps: Mapping[str, object]) -> str:
    total = float(regions.sum())
    if bias is not None:
        remainder = abs(total + bias - margin)
        more = "" if remainder < 0.005 else f" (rounding leaves {remainder:.2f})"
        return (
            f"Regions {signed(total)} and bias {signed(bias)} make up the margin, {signed(margin)}"
            f"{more}. Evidence is centred on a region, not confined to it."
        )
    return (
        f"Maps by {escape.markdown(str(maps.get('method', 'this method')))} do not add up to the margin: the regions' "
        f"sum is {signed(total)}, the margin {signed(margin)}. Compare regions with each other only."
    )
