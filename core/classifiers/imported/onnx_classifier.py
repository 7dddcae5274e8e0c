"""A model in an ONNX file: checked when it is imported, run by onnxruntime on the CPU.

Where its graph ends in linear steps, one run gives logits and exact maps (`core.classifiers.imported.onnx_exact`);
where all cells of its last tensor are treated alike, Grad-CAM comes of the graph written out in PyTorch
(`onnx_gradients`); elsewhere maps come from hiding parts of the face.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.classifiers.classifier import NO_MAPS
from core.classifiers.imported import tried_faces
from core.classifiers.imported.onnx_exact import ExactMaps, explaining
from core.classifiers.imported.onnx_file import DOMAINS, any_number, parameters, parsed
from core.classifiers.imported.onnx_session import Session
from core.classifiers.imported.onnx_tail import NoTail
from core.classifiers.imported.openvino_ir import as_onnx
from core.classifiers.imported.outputs import doubt, to_logits
from core.classifiers.imported.spec import InputOutputSpec, from_dict
from core.classifiers.info import ModelInfo
from core.classifiers.speed import Speed
from core.errors import LookwhereError
from core.explain.method import AttributionMethod, Layers, Needs, OnlyOutputs
from core.explain.methods import ClosedForm, GradCam, Occlusion, choose, from_record, key_of, method
from core.files import sha256
from core.privacy import coarse
from core.template import SIDE

if TYPE_CHECKING:
    import onnx

FILE = "model.onnx"
#: The suffix of OpenVINO's descriptions, whose weights lie in a `.bin` beside them.
OPENVINO = ".xml"
#: Images of noise that an imported file is tried on, and those that are run twice.
TRIED, AGAIN = 64, 8
#: Faces of which declared logits can be doubted.
DOUBTED = 50
#: Why an ONNX file whose graph was not opened for it has no exact maps; what methods see of it.
NO_LAYERS = "an ONNX file gives only outputs"
OUTPUTS = OnlyOutputs(lambda images: images, NO_LAYERS)
#: What of the record of exact maps, and of that of gradients, is kept with each audit's maps.
KEPT = ("layer", "logits", "grid", "cells", "bias", "adds_up_to")
KEPT_OF_GRADIENTS = ("layer", "logits", "view", "cells", "agrees_to")


class OnnxClassifier:
    """A model in an ONNX file, with exact maps or gradients where `layers` has them, else by methods of outputs alone.

    Raises `LookwhereError` where the file does not do.
    """

    #: Cells are taken for tiles: their centres are measured by gradients, which an ONNX file does not give.
    placement = None

    def __init__(
        self,
        session: Session,
        method: AttributionMethod,
        layers: Layers | None = None,
        no_layers: str = NO_LAYERS,
    ) -> None:
        self.session, self.spec, self.path = session, session.spec, session.path
        self.method, self.layers, self.no_layers = method, layers, no_layers
        #: What gives exact maps; None where `layers` are gradients, or there are none.
        self.exact = layers if isinstance(layers, ExactMaps) else None
        self.maps, self.head_bias = method.record(self), method.bias(self)
        self.precision = np.dtype(session.port.dtype).name
        #: Outputs of the first faces, until there are enough to doubt a declaration; then None.
        self._seen: np.ndarray | None = np.empty(0)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2), evidence float32 (B, 2, h, w).

        Raises `LookwhereError` where the outputs are not what was declared.
        """
        if self.method.needs is not Needs.OUTPUTS:
            logits, evidence = self.method.explain(self, images)
            return (logits if self.exact else self._first_logits(images)), coarse(evidence)
        logits = self._first_logits(images) if self.exact is None else self.exact.logits(images)
        # The faces as they are have been run already, the method changes copies of them.
        outputs = OnlyOutputs(lambda faces: logits if faces is images else self.logits(faces))
        explained_logits, evidence = self.method.explain(outputs, images)
        return explained_logits, coarse(evidence)

    def explained_by(self, maps: str) -> OnnxClassifier:
        """The same model with maps by another method. Raises `LookwhereError` where that cannot be used on it."""
        return OnnxClassifier(self.session, choose(maps, self), self.layers, self.no_layers)

    def computed(self, how: Speed | None) -> OnnxClassifier:
        """Raises `LookwhereError`: there is one way."""
        raise LookwhereError(f"--speed {how}: ONNX Runtime folds batch norms by itself; leave it out")

    def fed(self, spec: InputOutputSpec) -> OnnxClassifier:
        """The same model, shown faces as another declaration of its input says."""
        session = self.session.fed(spec)
        layers = self.layers
        if self.exact is not None:
            layers = replace(self.exact, session=session, spec=session.spec)
        elif layers is not None:
            from core.classifiers.imported.onnx_gradients import fed

            layers = fed(layers, spec)
        return OnnxClassifier(session, self.method, layers, self.no_layers)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2) of female and male; where there are exact maps, the graph's
        own, of before a softmax.

        Raises `LookwhereError` where the outputs are not what was declared.
        """
        if self.exact is not None:
            return self.exact.logits(images)
        return self._of(self.session.run(images)[0])

    def _first_logits(self, images: np.ndarray) -> np.ndarray:
        """Logits of faces as they are; of the first, their declaration is doubted."""
        outputs = self.session.run(images)[0]
        if self._seen is not None:
            self._seen = np.concatenate([*([self._seen] if len(self._seen) else []), outputs])
            if len(self._seen) >= DOUBTED:
                if why := doubt(self._seen, self.spec):
                    raise LookwhereError(f"{self.path}: {why}")
                self._seen = None
        return self._of(outputs)

    def _of(self, outputs: np.ndarray) -> np.ndarray:
        try:
            return to_logits(outputs, self.spec)
        except LookwhereError as error:
            raise LookwhereError(f"{self.path}: {error}") from error


def import_onnx(source: Path, folder: Path, spec: InputOutputSpec, maps: str | None = None) -> dict:
    """Check an ONNX file, write it to `folder/model.onnx`, and say what `model.json` keeps of it.

    Its maps are by default exact where its graph allows, else Grad-CAM where all cells of its last tensor are treated
    alike, else by occlusion; `maps` names a method. Weights of a second file beside it are taken in, and a model of
    OpenVINO's is written as ONNX first. Raises `LookwhereError` where the file is no ONNX model or a damaged one, needs
    operators that onnxruntime lacks, or does not fit the declaration; where seeded noise gives values that cannot be
    what is declared, or that change from run to run or with the batch.
    """
    asked_maps = None if maps == NO_MAPS else maps
    exact = maps is None or (asked_maps is not None and method(asked_maps) is ClosedForm)
    graded = asked_maps is not None and method(asked_maps).needs is Needs.LAYERS
    by_outputs = choose(Occlusion.name if asked_maps is None or exact or graded else asked_maps, OUTPUTS)
    is_openvino = source.suffix.lower() == OPENVINO
    data = as_onnx(source).SerializeToString() if is_openvino else source.read_bytes()
    model, joined = parsed(data, source)
    changed = any_number(model) or joined
    copy = folder / FILE
    copy.write_bytes(model.SerializeToString() if changed else data)
    session = Session(copy, spec, source)
    noise = tried_faces.noise(TRIED)
    outputs = _tried(session, noise)
    maps_record, why = None if maps == NO_MAPS else by_outputs.record(OUTPUTS), None
    if exact:
        try:
            explaining_model, maps_record = _exactly(model, session, noise)
            copy.write_bytes(explaining_model.SerializeToString())
        except (NoTail, LookwhereError) as error:
            if maps is not None:
                raise LookwhereError(f"{source}: --maps {maps}: {error}; use {key_of(by_outputs.name)}") from error
            why = str(error).removeprefix(f"{source}: ")
    not_graded = None
    if graded or (exact and why):
        try:
            maps_record = _by_gradients(model, session, noise, asked_maps if graded else GradCam.name, required=graded)
        except (NoTail, LookwhereError) as error:
            if graded:
                raise LookwhereError(f"{source}: --maps {maps}: {error}; use {key_of(by_outputs.name)}") from error
            not_graded = str(error).removeprefix(f"{source}: ")
    port = session.port
    opset = next((entry.version for entry in model.opset_import if entry.domain in DOMAINS[:2]), None)
    return {
        "architecture": f"ONNX, opset {opset}, {parameters(model):,} parameters",
        "outputs": int(np.prod(outputs.shape[1:])),
        "maps": maps_record,
        "source": {
            "file": source.name,
            "sha256": sha256(source),
            "producer": " ".join(word for word in (model.producer_name, model.producer_version) if word) or "not named",
            "opset": opset,
            "input": port.input,
            "output": port.output,
            **({"batch": port.batch} if port.batch else {}),
            **({"joined": joined} if joined else {}),
            **({"weights": sha256(source.with_suffix(".bin"))} if is_openvino else {}),
            **({"not_exact": why} if why else {}),
            **({"not_by_gradients": not_graded} if not_graded else {}),
        },
    }


def _exactly(model: onnx.ModelProto, session: Session, noise: np.ndarray) -> tuple[onnx.ModelProto, dict]:
    """The model with its evidence as an output, and what is recorded of the maps. Raises `NoTail`."""
    # Patches too, of which more is left after some convolutions.
    small = noise[: len(noise) // 2, :7, :7].repeat(SIDE // 7, axis=1).repeat(SIDE // 7, axis=2)
    with_output = replace(session.spec, output=session.port.output)
    faces = np.concatenate([noise[len(noise) // 2 :], small, tried_faces.portraits()])
    explaining_model, record = explaining(model, with_output, session.path, faces)
    return explaining_model, {"method": ClosedForm.name, "additive": True, **record}


def _by_gradients(model: onnx.ModelProto, session: Session, noise: np.ndarray, name: str, required: bool) -> dict:
    """What is recorded of maps by the method `name` of the written-out graph. Raises `NoTail` where there are none, or
    where they mix places up and they are not `required`."""
    from core.classifiers.imported.onnx_gradients import access, with_gradients

    spec = replace(session.spec, output=session.port.output)
    sample = np.concatenate([noise[:AGAIN], tried_faces.portraits()])
    record = with_gradients(model, spec, sample, lambda faces: to_logits(session.run(faces)[0], spec))
    if not record["alike"] and not required:
        raise NoTail("Grad-CAM would mix places up, since each cell of its last tensor has weights of its own")
    record_of_layer = {key: record[key] for key in KEPT_OF_GRADIENTS}
    explained = OnnxClassifier(session, from_record({"method": name}, "--maps"), access(model, record_of_layer, spec))
    return explained.maps


def load_onnx(folder: Path, info: ModelInfo, device: str) -> OnnxClassifier:
    """The classifier of a model folder. Raises `LookwhereError` for a device that is not the CPU, or a damaged file."""
    if device != "cpu":
        raise LookwhereError(f"{folder}: ONNX models run on the CPU here; leave --device {device} out")
    origin = f"{folder}/model.json"
    spec = from_dict(info.declaration.to_json(), origin)
    # An exact map is one more output, which nobody has to choose among.
    spec = replace(spec, output=info.source.unknown_keys.get("output", spec.output))
    session = Session(folder / FILE, spec, folder / FILE)
    record = info.maps.to_json()
    kind = from_record(record, origin)
    if kind.needs is not Needs.LAYERS and "logits" in record:
        maps_record = {key: record[key] for key in KEPT if key in record}
        return OnnxClassifier(session, kind, ExactMaps(session, spec, maps_record))
    if kind.needs is Needs.LAYERS:
        return OnnxClassifier(session, kind, _gradients(folder, record, spec))
    why = info.source.unknown_keys.get("not_exact")
    return OnnxClassifier(session, kind, no_layers=f"{NO_LAYERS}, and {why}" if why else NO_LAYERS)


def _gradients(folder: Path, record: dict, spec: InputOutputSpec) -> Layers:
    """The written-out graph of a model that was imported with it. Raises `LookwhereError` where it is not the same."""
    from core.classifiers.imported.onnx_gradients import access

    try:
        model, _ = parsed((folder / FILE).read_bytes(), folder / FILE)
        return access(model, {key: record[key] for key in KEPT_OF_GRADIENTS if key in record}, spec)
    except (NoTail, KeyError) as error:
        raise LookwhereError(f"{folder}/model.json: its maps cannot be made ({error}); import it again") from error


def _tried(session: Session, noise: np.ndarray) -> np.ndarray:
    """Outputs for seeded noise, checked against the declaration, against a second run and against single faces."""
    session.run(noise[:1])  # what never ends is told after the time of one face
    outputs = session.run(noise)[0]
    values = outputs.astype(np.float64)
    try:
        to_logits(outputs, session.spec)
    except LookwhereError as error:
        raise LookwhereError(f"{session.path}: {error}") from error
    scale = np.abs(values).max()
    once, again = (session.run(noise[:AGAIN])[0].astype(np.float64) for _ in range(2))
    if not np.allclose(once, again, rtol=0, atol=1e-3 * scale):
        raise LookwhereError(f"{session.path}: gives the same image another value each time; export it for inference")
    few = [session.run(noise[n : n + 1])[0][0] for n in (0, TRIED - 1)]
    if not np.allclose(np.stack(few), values[[0, -1]], rtol=0, atol=1e-2 * scale):
        raise LookwhereError(
            f"{session.path}: a face's value depends on the others in its batch; export it for inference"
        )
    # Outputs of noise may lie between 0 and 1 by chance, but several do not add up to 1 each time.
    shares = np.allclose(values.reshape(len(values), -1).sum(axis=1), 1, atol=1e-3)
    if shares and session.spec.score == "logits" and (why := doubt(outputs, session.spec)):
        raise LookwhereError(f"{session.path}: {why}")
    return outputs
