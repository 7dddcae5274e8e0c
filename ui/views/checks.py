"""The parts of «Explanation checks»: each check with its verdict, its figure and how to read it."""

from __future__ import annotations

import re
import shlex
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from core.audit.folder import Audit
from core.checks.definitions import CHECKS, NETWORK_PARTS, PARTS, CheckResult, Direction, Fill, Score, View, checks_of
from core.checks.definitions.method_agreement import MethodAgreement
from core.checks.definitions.orders import OrderCheck
from core.checks.definitions.parameter_randomisation import ParameterRandomisation
from core.checks.definitions.region_occlusion import RegionOcclusion
from core.checks.definitions.words import interval_of, number
from core.checks.results import Checks, Part, closed_to_layers, open_checks
from core.checks.stored_words import ANOTHER_FACE, RANK, SSIM, STAGES
from core.data.store_names import store_to_name
from core.explain.placement import Placement
from core.present.figures import checks as figures
from core.present.figures import raster
from core.present.text import escape
from core.present.text.checks import checks_report
from core.present.text.placement import audit_placement
from core.task import Task
from ui.shell import downloads
from ui.shell.cache import kept
from ui.shell.open_audit import OpenAudit
from ui.views.faces import audit_images_of
from ui.widgets import controls, layout, terms

SIDE = 144
STYLE = """
<style>
.lw-row {display: grid; grid-template-columns: repeat(auto-fill, minmax(6.6rem, 1fr)); gap: .5rem; max-width: 72rem}
.lw-row figure {margin: 0}
.lw-row img {width: 100%; aspect-ratio: 1; border-radius: .3rem; display: block}
.lw-row figcaption {overflow-wrap: anywhere; font-size: .78rem; opacity: .85; margin-top: .2rem; line-height: 1.3}
</style>
"""
TOO_FEW = "Too few faces of this check's sample are in this group, so nothing is published of it."
SIMILARITY = "similarity of maps as weights are made random"
HIDDEN = "evidence by region, and what hiding the region costs"
AGREEMENT = "rank correlation of other methods' maps with Grad-CAM's"
NOT_RUN = "This check has not been run; the command below adds it."
RANDOM = (
    "A map that shows what the network has learnt must change when the weights are drawn at random, from the last "
    "layer down to the first (Adebayo et al. 2018). Each random network's normalisation statistics are estimated "
    "again, so that it is a working network that has merely learnt nothing."
)
RANDOM_READING = (
    "Rank correlation over the map's cells, face by face, averaged; bars are 95 % bootstrap intervals over faces. The"
    " shaded bands are what the *real* maps of two different faces have in common: a random network's map should lie "
    "below them. Each map above has a scale of its own, since a random network's evidence has no fixed size; red "
    "speaks for {first}, blue for {second}."
)
DELETION = (
    "Pixels are taken from the face in the map's order (deletion), or put into a blurred one (insertion). The faster "
    "the score falls or rises, the better the order (Petsiuk et al. 2018). What is absent is a heavily blurred copy."
)
ROAD = (
    "The same with what is removed filled in from the pixels round it and a little noise, so that the shape of the "
    "hole tells the network as little as possible (ROAD, Rong et al. 2022). MoRF removes the pixels that the map marks "
    "most first, LeRF those that it marks least."
)
CONTROLS = (
    "**These scores favour smooth maps in the middle of the image.** So the same is done with removal orders that know "
    "nothing of the face: random values as coarse as the map, a hump in the middle, and the map of the average face "
    "of all that were given the same class (of those sampled, where an audit keeps no average face). Only what a map "
    "gains on these is its own. The band and the bars are 95 % bootstrap intervals, of the differences paired by face."
)
OCCLUSION = (
    "One region of the face is hidden and the margin measured again: what is lost was used, whatever the map says. "
    "The same hole is made elsewhere too, since any hole hurts."
)
OCCLUSION_READING = (
    "Logits for the predicted class; percentages are shares of the image. The two need not be equal: the network "
    "fills in from other regions what it loses in one, a hole is itself something it never saw, and a cell sees more "
    "than its region. What should agree is the order. Bars are 95 % bootstrap intervals."
)
METHODS = (
    "Other methods of the grad-cam library for the same faces, layer and margin, by their ranks of the map's cells. "
    "Grad-CAM and HiResCAM are the closed form here; agreement of the others says how much the choice of method "
    "matters, not which one is true to the network."
)


@kept(entries=4, shared=True)
def _checks_of(audit: Audit, file: Path) -> Checks | None:
    return open_checks(audit)


def load_checks(opened: OpenAudit, audit: Audit) -> Checks:
    """The audit's checks. Stops the page with the command to run where there are none."""
    file = audit.path / "checks.json"
    checks = _checks_of(audit, file) if file.is_file() else None
    if checks is None or not checks.groups:
        st.info(
            f"The maps of **{escape.markdown(audit.name)}** have not been checked yet. This does it, a bar saying how "
            "long it takes, and needs the aligned faces:"
        )
        _show_command(opened, audit)
        st.stop()
    return checks


def _show_command(opened: OpenAudit, audit: Audit) -> None:
    """The command that makes or adds checks."""
    images, _ = audit_images_of(audit)
    store = store_to_name(audit.manifest.dataset) if images is None else shlex.quote(str(images.path))
    which = f"--model {shlex.quote(str(opened.model))} --audit {shlex.quote(str(opened.audit))}"
    st.code(f"python -m core check {which} --data {store}", language="bash", wrap_lines=True)


def choose_view(checks: Checks) -> View:
    """Draw the choice of a group, a score and how regions are hidden."""
    columns = st.columns([1.6, 1.2, 1.4])
    group = controls.selectbox("Group", checks.groups, key="trust_group", place=columns[0])
    score = controls.segments(
        "Score",
        [score.value for score in Score],
        default=Score.MARGIN.value,
        key="trust_score",
        place=columns[1],
        help="**margin**: logit of the predicted class less the other's. **probability**: of the predicted class; it "
        "hardly moves where the network is sure.",
    )
    fill = controls.segments(
        "Hide regions with",
        [fill.value for fill in Fill],
        default=Fill.BLUR.value,
        key="trust_fill",
        place=columns[2],
        help="**grey**: the mean colour that our networks subtract; for an imported model mid-grey. **blur**: the same "
        "face, heavily blurred. **local mean**: the mean colour of what is hidden.",
    )
    return View(group, Score(score), Fill(fill))


def show_checks(audit: Audit, checks: Checks, view: View) -> None:
    """Every registered part in turn: with figures of its own where it has some, else its verdicts over its tables; and
    which cannot be run on this audit."""
    why, task = closed_to_layers(audit), audit.task
    for part in PARTS:
        if why is not None and part in NETWORK_PARTS:
            continue
        if part == "randomised":
            _show_randomised(checks, view, task)
        else:
            _DRAWN.get(part, partial(_show_tables, part))(checks, view)
    if why is not None:
        terms.subheader("What cannot be asked")
        terms.markdown(escape.markdown(why))


def _verdict(result: CheckResult | None) -> None:
    """A check's verdict, where it has one, as a badge before its sentence."""
    if result is None:
        return
    badge = "" if result.verdict is None else f":{layout.COLOURS[result.verdict.tone]}-badge[{result.verdict}] "
    terms.markdown(badge + escape.markdown(result.sentence))


def _missing(checks: Checks, part: str, group: str) -> bool:
    """Says why a part has nothing to show; False where it has."""
    if part not in checks.parts:
        st.info(NOT_RUN)
        return True
    if not checks.parts[part].n(group):
        st.info(TOO_FEW)
        return True
    return False


def _breakable(name: str) -> str:
    """HTML of a method's name that a narrow page breaks where a word of it begins: GradCAM|Element|Wise."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "<wbr>", escape.in_html(name))


def _maps_row(
    maps: np.ndarray, placement: Placement | None, captions: list[str], signed: bool, name: str, title: str
) -> None:
    """Mean maps (K, h, w) in one row that wraps, each on its own scale."""
    items, painted = [], []
    for map, caption in zip(maps, captions, strict=True):
        painted.append(raster.paint(map, float(np.abs(map).max()), signed, SIDE, placement))
        source = raster.data_uri(painted[-1])
        alt = escape.in_html(caption.replace("<br>", ", ").replace("<wbr>", ""))
        items.append(f"<figure><img src='{source}' alt='Mean map: {alt}'><figcaption>{caption}</figcaption></figure>")
    st.html(f"{STYLE}<div class='lw-row'>{''.join(items)}</div>")
    texts = [caption.replace("<br>", "\n").replace("<wbr>", "") for caption in captions]
    panels = [(panel, caption) for panel, caption in zip(painted, texts, strict=True)]
    downloads.image_sheet(lambda: raster.Sheet([("", panels)], note="Each map has a scale of its own."), name, title)


def _show_tables(part: str, checks: Checks, view: View) -> None:
    """What any registered check has: its title, its verdict with the sentence, and its tables."""
    for check in checks_of(part):
        terms.subheader(check.title)
        if _missing(checks, part, view.group):
            continue
        _verdict(check.result(checks, view))
        for name in check.tables:
            rows = checks.rows(part, name, view.group)
            layout.table(rows)
            downloads.table(rows, f"{check.name}-{name}", f"{check.title}: {name}")


def _show_randomised(checks: Checks, view: View, task: Task) -> None:
    """The cascade of random weights."""
    terms.subheader("Does it depend on what was learnt?", help=RANDOM)
    group = view.group
    if _missing(checks, "randomised", group):
        return
    part = checks.parts["randomised"]
    rows = part.rows("similarity", group)
    _verdict(ParameterRandomisation().result(checks, view))
    steps = rows[(rows["measure"] == RANK) & (rows["stage"] != ANOTHER_FACE)]
    names = [f"{figures.STAGES[r['stage']]}<br>r = {number(r['mean'])}" for r in steps.to_dict("records")]
    captions = ["real network<br>mean margin map", *names]
    _maps_row(
        part.array("maps", group),
        checks.placement,
        captions,
        True,
        "random-weights",
        "mean maps of networks made random",
    )
    downloads.chart(figures.similarity_dots(rows), "similarity", SIMILARITY, key="similarity")
    downloads.table(rows, "similarity", SIMILARITY)
    ssim = rows[(rows["measure"] == SSIM) & (rows["stage"] == STAGES[-1])].iloc[0]
    first, second = map(escape.markdown, task.labels)
    draws, seeds = checks.manifest.draws, checks.manifest.seed
    terms.caption(
        f"n = {part.n(group):,} faces, {draws} random draws (seed {seeds}); maps are of the first. SSIM of all random "
        f"weights' map with the real one: {interval_of(ssim)}. {RANDOM_READING.format(first=first, second=second)}"
    )


def _show_deletion(checks: Checks, view: View) -> None:
    """Deletion and insertion."""
    terms.subheader("Do the places it marks matter?", help=DELETION)
    _show_orders("deletion", CONTROLS, checks, view)


def _show_road(checks: Checks, view: View) -> None:
    """ROAD, from both ends of the order."""
    terms.subheader("The same with holes filled in (ROAD)", help=ROAD)
    _show_orders("road", "Controls and intervals are as above.", checks, view)


def _show_orders(part: str, reading: str, checks: Checks, view: View) -> None:
    """A part's curves by order, a column a check, and their differences from the controls."""
    group, score = view.group, view.score
    if _missing(checks, part, group):
        return
    part_results = checks.parts[part]
    rows = part_results.rows("areas", group)
    rows = rows[rows["score"] == score]
    kinds = list(dict.fromkeys(rows["kind"]))
    place = list(dict.fromkeys(part_results.tables["areas"]["score"])).index(score)
    curves, x = part_results.array("curves", group)[place], part_results.array("x", group)
    order_checks = [check for check in CHECKS if isinstance(check, OrderCheck) and check.part == part]
    unit = "margin (logits)" if score is Score.MARGIN else "probability of the prediction"
    for column, check in zip(st.columns(len(order_checks)), order_checks, strict=True):
        with column:
            _verdict(check.result(checks, view))
            figure = figures.order_curves(curves[:, kinds.index(check.kind)], x, list(figures.STYLES), check.axis, unit)
            name = f"{part}-{check.kind}"
            downloads.chart(figure, name, f"{unit} over {check.axis}", key=name)
    better = {check.kind: check.direction is Direction.LOWER for check in order_checks}
    labels = {check.kind: check.short for check in order_checks}
    figure, name = figures.difference_dots(rows, better, labels), f"{part}-differences"
    downloads.chart(figure, name, f"{part}: how much better than controls", key=name)
    downloads.table(rows, part, f"{part}: areas under the curves, and less the controls' ({score})")
    terms.caption(
        f"n = {part_results.n(group):,} faces. Dots: by how much the curve's mean height is better than a "
        f"control's. {reading}"
    )


def _show_occlusion(checks: Checks, view: View) -> None:
    """Hidden regions beside evidence by region."""
    terms.subheader("Is what it marks what is used?", help=OCCLUSION)
    by_area = controls.toggle("Per unit of area", key="trust_area", help="Large regions lose more.")
    group, fill = view.group, view.fill
    if _missing(checks, "occlusion", group):
        return
    part: Part = checks.parts["occlusion"]
    _verdict(RegionOcclusion().result(checks, view))
    rows = part.rows("regions", group)
    rows = rows[rows["fill"] == fill]
    downloads.chart(figures.region_bars(rows, by_area), "regions", HIDDEN, key="regions")
    downloads.table(rows, "regions", f"{HIDDEN} ({fill})")
    terms.caption(f"n = {part.n(group):,} faces. {OCCLUSION_READING}")


def _show_methods(checks: Checks, view: View) -> None:
    """The methods of the library: agreement and mean maps."""
    terms.subheader("Would another method show the same?", help=METHODS)
    group = view.group
    rows = checks.table("methods", group)
    if rows.empty:
        st.info(TOO_FEW if checks.methods else NOT_RUN)
        return
    result = MethodAgreement().result(checks, view)
    if result is None:
        terms.markdown("No map of these methods has ranks to compare.")
    _verdict(result)
    downloads.chart(figures.method_dots(rows), "methods", AGREEMENT, key="methods")
    downloads.table(rows, "methods", AGREEMENT)
    ordered = rows.sort_values("mean", ascending=False, kind="stable")
    maps = np.stack([checks.methods[name].array("maps", group) for name in ordered["method"]])
    names = [f"{_breakable(r['method'])}<br>r = {number(r['mean'])}" for r in ordered.to_dict("records")]
    _maps_row(maps, checks.placement, names, False, "method-maps", "mean maps of other methods")
    terms.caption(
        "Mean over the group of maps that the library has scaled to 0–1 one by one, each image on its own scale. n "
        f"is of the faces whose map has ranks at all: a constant one has none. {METHODS}"
    )


#: The parts with figures of their own.
_DRAWN = {
    "deletion": _show_deletion,
    "road": _show_road,
    "occlusion": _show_occlusion,
    "methods": _show_methods,
}


def show_how_made(opened: OpenAudit, audit: Audit, checks: Checks) -> None:
    """How the sample was drawn, the command that makes or adds checks, and all numbers as text."""
    manifest = checks.manifest
    terms.subheader("How this was made")
    terms.caption(
        f"A sample of {manifest.sample:,} faces is the measure (seed {manifest.seed}), of which each check takes "
        "a share, stratified by gender × ethnicity × outcome: incorrect ones come first, up to half of a group, and "
        "each face counts for as many as it stands for, so that means are those of the whole audit. Nothing is "
        f"published of fewer than {audit.minimum_faces} faces. Computed in {manifest.precision} in "
        f"{manifest.seconds / 60:.0f} minutes."
    )
    if words := audit_placement(audit):
        terms.caption(words)
    _show_command(opened, audit)
    name = f"{audit.name}-checks.txt"
    layout.download_button("All numbers as text", lambda: checks_report(checks).encode(), name, "text/plain")
