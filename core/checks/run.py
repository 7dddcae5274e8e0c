"""All checks of one audit, part by part: each finished part is saved, and a rerun goes on with what is missing."""

from __future__ import annotations

import contextlib
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from core.audit.folder import Audit, read_manifest
from core.audit.run import PACKAGES
from core.checks import method_agreement as cams
from core.checks.definitions import ALL_PARTS, CHECKS, NETWORK_PARTS, Fill, MethodAgreement
from core.checks.deletion import check_deletion, check_road
from core.checks.hidden_costs import draw_correct
from core.checks.hiding import check_hiding
from core.checks.manifest import ChecksManifest
from core.checks.parameter_randomisation import DRAWS, NORM_FACES, check_randomised
from core.checks.probe import Probe, check_source, make_probe
from core.checks.region_occlusion import check_occlusion
from core.checks.results import (
    HIDING,
    JSON,
    METHODS,
    Checks,
    Part,
    closed_to_layers,
    open_checks,
    read_checks,
    save_checks,
    settle,
)
from core.checks.sample import draw_sample
from core.checks.stored_words import RemovalOrder
from core.classifiers.folder import Model
from core.data.store import AlignedStore
from core.devices import precision
from core.errors import LookwhereError
from core.explain.methods import LibraryCam
from core.locks import alone
from core.process_group import meet
from core.progress import Progress
from core.ranks import Ranks
from core.wording import lower_first

#: What measures each part but the methods': (probe, seed, draws, progress) → part.
MEASUREMENTS: dict[str, Callable[[Probe, int, int, Progress | None], Part]] = {
    "randomised": check_randomised,
    "deletion": lambda probe, seed, draws, progress: check_deletion(probe, seed, progress),
    "road": lambda probe, seed, draws, progress: check_road(probe, seed, progress),
    "occlusion": lambda probe, seed, draws, progress: check_occlusion(probe, seed, progress),
    HIDING: lambda probe, seed, draws, progress: check_hiding(probe, seed, progress),
}
#: The share of the sample whose parts are hidden: 298 forward passes a face.
HIDING_SHARE = 1 / 5
#: Each part takes its share of it (`Check.sample_share`): some 64,000 forward passes, and the sparse systems of ROAD.
SAMPLE = 600
#: What tells one audit from another in the same folder.
SAME_AUDIT = ("weights_sha256", "data_fingerprint", "face_ids_sha256", "faces", "map_shape")
#: Where parts lie that several processes measured, until they are taken in.
APART = ".checks.unfinished"
#: Faces for a method that is costly, and the least that any part asks for.
FEWEST = 12


def run_checks(
    audit: Audit,
    model: Model,
    store: AlignedStore,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
    methods: tuple[str, ...] | None = None,
    parts: tuple[str, ...] | None = None,
    draws: int = DRAWS,
    progress: Progress | None = None,
) -> Checks:
    """Check an audit's maps with its network; writes `checks.json` and `checks.npz` into the audit's folder.

    Parts there already of the same sample, seed and weights are kept, so that a stopped run goes on, and further
    methods can be added; those of another sample or seed are replaced. `methods` are by default those of the library
    but for the costliest. `parts` are by default all; of an audit that is not of a ResNet-50 of ours in closed form,
    all that ask only for logits. Each part draws its own stratified sample, see `core.checks.sample.draw_sample`.
    `progress(stage, total)` returns a function to call with a count. Raises `LookwhereError` where store or model are
    not the audit's, the sample is too small, a name is unknown, there are no maps, or a part cannot be run.
    """
    why = closed_to_layers(audit)
    parts = parts or tuple(part for part in ALL_PARTS if why is None or part not in NETWORK_PARTS)
    strange = [name for name in parts if name not in ALL_PARTS]
    if strange:
        raise LookwhereError(f"--parts {', '.join(strange)}: unknown; there are {', '.join(ALL_PARTS)}")
    audit.need_maps()
    if why is not None and (shut := [part for part in parts if part in NETWORK_PARTS]):
        raise LookwhereError(f"--parts {', '.join(shut)}: {lower_first(why).rstrip('.')}")
    if why is not None:
        methods = ()
        if model.classify.method.name != audit.map_method:
            model = model.explained_by(audit.map_method)
    kinds = [cams.comparable(name) for name in (cams.default_methods() if methods is None else methods)]
    for kind in kinds:
        if not issubclass(kind, LibraryCam) and (why := kind.why_not(model.classify)):
            raise LookwhereError(f"--methods {kind.name}: {why}")
    methods = tuple(kind.name for kind in kinds)
    check_source(audit, model, store)
    todo = [
        name
        for part in ALL_PARTS
        if part in parts
        for name in (_method_parts(methods) if part == MethodAgreement.part else [part])
    ]
    manifest = ChecksManifest(
        model=audit.manifest.model,
        weights_sha256=audit.manifest.weights_sha256,
        data_fingerprint=audit.manifest.data_fingerprint,
        sample=sample,
        seed=seed,
        draws=draws,
        minimum_faces=audit.minimum_faces,
        norm_faces=NORM_FACES,
        controls=tuple(order.value for order in RemovalOrder if order is not RemovalOrder.OWN),
        fills=tuple(fill.value for fill in Fill),
        precision=_precision(model),
        versions={name: version(name) for name in (*PACKAGES, "grad-cam", "scipy")}
        | {"python": platform.python_version()},
    )
    ranks = Ranks.here()
    with alone(audit.path, "checking") if ranks.first else contextlib.nullcontext():
        return _measured(audit, model, store, manifest, todo, progress, ranks)


def _precision(model: Model) -> str:
    """What a model's logits are computed in."""
    if model.network is None:
        return model.classify.precision
    return str(precision(next(model.network.parameters()).device)).removeprefix("torch.")


def _measured(
    audit: Audit,
    model: Model,
    store: AlignedStore,
    manifest: ChecksManifest,
    todo: list[str],
    progress: Progress | None,
    ranks: Ranks,
) -> Checks:
    """The checks with all of `todo`: those that are not there yet are measured, and each is written when it is done.

    Several processes share the parts out, each in a folder of its own until the first takes them in.
    """
    sample, seed, draws = manifest.sample, manifest.seed, manifest.draws
    if ranks.first:
        settle(audit.path)
    meet(ranks)
    earlier = open_checks(audit)
    parts = kept_parts(earlier, manifest)
    if earlier and parts:
        manifest = replace(manifest, versions=manifest.versions_with(earlier.manifest))
    probes: dict[tuple[bool, int], Probe] = {}
    faces: dict[int, cams.Explained] = {}
    parts |= left_by_several(audit.path, manifest)
    missing = [name for name in todo if name not in parts]
    for name in [missing[n] for n in ranks.mine(len(missing))]:
        size = size_of(name, sample)
        of = (name == HIDING, size)
        if of not in probes:
            probe_sample = (draw_correct if name == HIDING else draw_sample)(
                audit.faces, size, seed, audit.minimum_faces
            )
            probes[of] = make_probe(audit, model, store, probe_sample)
        began = time.perf_counter()
        if name.startswith(METHODS):
            if size not in faces:
                faces[size] = cams.prepare(probes[of])
            part = cams.check_method(probes[of], faces[size], name.removeprefix(METHODS), seed, progress)
        else:
            part = MEASUREMENTS[name](probes[of], seed, draws, progress)
        parts[name] = Part(part.groups, part.tables, part.arrays, time.perf_counter() - began)
        if ranks.alone:
            _save(audit, store, manifest, parts, todo)
        else:
            _save_apart(audit.path, manifest, name, parts[name])
    meet(ranks)
    if ranks.first:
        _save(audit, store, manifest, parts | left_by_several(audit.path, manifest), todo)
        shutil.rmtree(audit.path / APART, ignore_errors=True)
    meet(ranks)
    return open_checks(audit)


def left_by_several(path: Path, manifest: ChecksManifest) -> dict[str, Part]:
    """The parts of this very sample that several processes left in folders of their own, by name."""
    parts: dict[str, Part] = {}
    for folder in sorted((path / APART).glob("*")):
        with contextlib.suppress(LookwhereError):
            apart = read_checks(folder)
            if apart.manifest.same_sample(manifest) and apart.manifest.precision == manifest.precision:
                parts |= apart.parts
    return parts


def _save_apart(path: Path, manifest: ChecksManifest, name: str, part: Part) -> None:
    """Write one part, whole or not at all, into a folder of its own."""
    folder = path / APART / name.replace("/", "-")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_checks(Checks(folder, manifest, {name: part}))
    except OSError as error:
        raise LookwhereError(
            f"{path}: cannot write ({error.strerror or error}); mend that, the same command goes on"
        ) from error


def size_of(part: str, sample: int) -> int:
    """How many faces a part asks for."""
    name, _, method = part.partition("/")
    share = HIDING_SHARE if name == HIDING else next(c.sample_share for c in CHECKS if c.part == name)
    size = max(round(sample * share), FEWEST)
    return min(size, FEWEST) if method and cams.comparable(method).few_faces else size


def _method_parts(methods: tuple[str, ...]) -> list[str]:
    return [cams.part_name(name) for name in cams.names() if name in methods]


def kept_parts(checks: Checks | None, manifest: ChecksManifest) -> dict[str, Part]:
    """The parts that a run before left, if it was of this very sample.

    Raises `LookwhereError` where they were computed in another precision: parts beside each other would not compare.
    """
    if checks is None or not checks.manifest.same_sample(manifest):
        return {}
    then = checks.manifest.precision
    if then not in ("unknown", manifest.precision):
        raise LookwhereError(
            f"{checks.path / JSON}: its checks were computed in {then}, not in {manifest.precision}; go on where they "
            "were begun, or delete it"
        )
    return dict(checks.parts)


def _save(
    audit: Audit, store: AlignedStore, manifest: ChecksManifest, measured: dict[str, Part], todo: list[str]
) -> None:
    """Write the parts beside their audit. Raises `LookwhereError` where store or audit is no longer what was read."""
    store.check_unchanged()
    now, then = read_manifest(audit.path), audit.manifest
    if any(getattr(now, name) != getattr(then, name) for name in SAME_AUDIT):
        raise LookwhereError(f"{audit.path}/audit.json: of another audit since its checks began; run the checks again")
    kinds = [name for part in ALL_PARTS for name in ([part] if part in MEASUREMENTS else _method_parts(cams.names()))]
    order = dict.fromkeys([*kinds, *measured])
    parts = {name: measured[name] for name in order if name in measured}
    seconds = round(sum(p.seconds for p in parts.values()), 1)
    manifest = replace(manifest, finished=set(todo) <= set(parts), seconds=seconds)
    try:
        save_checks(Checks(audit.path, manifest, parts))
    except OSError as error:
        raise LookwhereError(
            f"{audit.path}: cannot write ({error.strerror or error}); mend that, the same command goes on"
        ) from error
