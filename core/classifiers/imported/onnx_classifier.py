"""A model in an ONNX file: checked when it is imported, run by onnxruntime on the CPU; its maps come from hiding parts.

The file is read as data and its operators are onnxruntime's own: what needs code or further files is refused.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.classifiers.imported.declaration import Declaration, from_dict
from core.classifiers.imported.outputs import doubt, to_logits
from core.classifiers.info import ModelInfo
from core.classifiers.preprocessing import prepare
from core.errors import LookwhereError
from core.explain.method import AttributionMethod, OnlyOutputs
from core.explain.methods import Occlusion, choose, from_record
from core.files import sha256
from core.privacy import coarse
from core.template import SIDE

if TYPE_CHECKING:
    import onnx
    import onnxruntime

FILE = "model.onnx"
#: Domains of operators that onnxruntime has on the CPU; the first two are ONNX itself.
DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
#: Inputs that are pixels of 0–255 as they are, scaled by the graph itself.
WHOLE = {"tensor(uint8)": np.uint8, "tensor(int32)": np.int32, "tensor(int64)": np.int64}
#: Images of a run, at most; of large ones as many as have so many values together.
BATCH, VALUES = 64, 2**24
#: Images of noise that an imported file is tried on.
TRIED = 64
#: Faces of which declared logits can be doubted.
DOUBTED = 50


@dataclass(frozen=True)
class Port:
    """The input and the output that are used: names, the input's type, and its fixed batch or None."""

    input: str
    dtype: type
    batch: int | None
    output: str


class OnnxClassifier:
    """A model in an ONNX file, with maps by methods that need only outputs.

    Raises `LookwhereError` where the file does not do.
    """

    layers = None
    no_layers = "an ONNX file gives only outputs"

    def __init__(self, path: Path, declaration: Declaration, method: AttributionMethod) -> None:
        self.path, self.declaration, self.method = path, declaration.for_images(), method
        self.maps, self.head_bias = method.record(self), method.bias(self)
        self.session = _session(path)
        self.port = _port(self.session, declaration, path)
        self.precision = np.dtype(self.port.dtype).name
        self._workers = ThreadPoolExecutor(_cores())
        #: Outputs of the first faces, until there are enough to doubt a declaration; then None.
        self._seen: np.ndarray | None = np.empty(0)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2), evidence float32 (B, 2, h, w).

        Raises `LookwhereError` where the outputs are not what was declared.
        """
        outputs = self.outputs(images)
        if self._seen is not None:
            self._seen = np.concatenate([*([self._seen] if len(self._seen) else []), outputs])
            if len(self._seen) >= DOUBTED:
                if why := doubt(self._seen, self.declaration):
                    raise LookwhereError(f"{self.path}: {why}")
                self._seen = None
        logits = self._logits(outputs)
        # The faces as they are have been run already, the method changes copies of them.
        known = OnlyOutputs(lambda faces: logits if faces is images else self.logits(faces))
        found, evidence = self.method.explain(known, images)
        return found, coarse(evidence)

    def explained_by(self, maps: str) -> OnnxClassifier:
        """The same model with maps by another method. Raises `LookwhereError` where that needs more than outputs."""
        return OnnxClassifier(self.path, self.declaration, choose(maps, self))

    def logits(self, images: np.ndarray) -> np.ndarray:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2) of female and male."""
        return self._logits(self.outputs(images))

    def outputs(self, images: np.ndarray) -> np.ndarray:
        """uint8 (B, 112, 112, 3) → what the model gives, (B, …); a core each takes a part, which changes no number."""
        step = self.port.batch or max(
            1, min(BATCH, VALUES // (self.declaration.depth * np.prod(self.declaration.size)))
        )
        parts = [images[low : low + step] for low in range(0, len(images), step)]
        return np.concatenate(list(self._workers.map(self._run, parts)))

    def _run(self, images: np.ndarray) -> np.ndarray:
        pixels = prepare(images, self.declaration)
        if np.issubdtype(self.port.dtype, np.integer):
            pixels = np.rint(pixels).clip(0, 255)
        pixels = pixels.astype(self.port.dtype, copy=False)
        if self.port.batch and len(pixels) < self.port.batch:
            pixels = np.concatenate([pixels, np.repeat(pixels[-1:], self.port.batch - len(pixels), axis=0)])
        try:
            found = self.session.run([self.port.output], {self.port.input: pixels})[0]
        except Exception as error:  # onnxruntime's errors have no class in common but this
            raise LookwhereError(f"{self.path}: cannot be run on {pixels.shape} ({_reason(error)})") from error
        found = np.asarray(found)
        if found.ndim == 0 or len(found) != len(pixels):
            raise LookwhereError(
                f"{self.path}: output {self.port.output} has shape {found.shape} for {len(pixels)} faces; "
                "its first axis must be the faces"
            )
        return found[: len(images)]

    def _logits(self, outputs: np.ndarray) -> np.ndarray:
        try:
            return to_logits(outputs, self.declaration)
        except LookwhereError as error:
            raise LookwhereError(f"{self.path}: {error}") from error


def import_onnx(source: Path, folder: Path, declaration: Declaration, maps: str | None = None) -> dict:
    """Check an ONNX file, copy it to `folder/model.onnx`, and say what `model.json` keeps of it.

    `maps` is a method that needs only outputs, by default `occlusion`. Raises `LookwhereError` where the file is no
    ONNX model or a damaged one, needs other files or operators that onnxruntime lacks, or does not fit the declaration;
    where seeded noise gives values that cannot be what is declared, or that change from run to run or with the batch.
    """
    method = choose(maps or Occlusion.name, OnlyOutputs(lambda images: images, OnnxClassifier.no_layers))
    data = source.read_bytes()
    model = _parsed(data, source)
    copy = folder / FILE
    copy.write_bytes(_any_number(model) or data)
    try:
        classifier = OnnxClassifier(copy, declaration, method)
        outputs = _tried(classifier)
    except LookwhereError as error:
        raise LookwhereError(str(error).replace(str(copy), str(source), 1)) from error
    port = classifier.port
    opset = next((entry.version for entry in model.opset_import if entry.domain in DOMAINS[:2]), None)
    return {
        "architecture": f"ONNX, opset {opset}, {_parameters(model):,} parameters",
        "outputs": int(np.prod(outputs.shape[1:])),
        "maps": classifier.maps,
        "source": {
            "file": source.name,
            "sha256": sha256(source),
            "producer": " ".join(word for word in (model.producer_name, model.producer_version) if word) or "not named",
            "opset": opset,
            "input": port.input,
            "output": port.output,
            **({"batch": port.batch} if port.batch else {}),
        },
    }


def load_onnx(folder: Path, info: ModelInfo, device: str) -> OnnxClassifier:
    """The classifier of a model folder. Raises `LookwhereError` for a device that is not the CPU, or a damaged file."""
    if device != "cpu":
        raise LookwhereError(f"{folder}: ONNX models run on the CPU here; leave --device {device} out")
    origin = f"{folder}/model.json"
    declaration = from_dict(info.declaration.to_json(), origin)
    return OnnxClassifier(folder / FILE, declaration, from_record(info.maps.to_json(), origin))


def _tried(classifier: OnnxClassifier) -> np.ndarray:
    """Outputs for seeded noise, checked against the declaration, against a second run and against single faces."""
    noise = np.random.default_rng(0).integers(0, 256, (TRIED, SIDE, SIDE, 3), dtype=np.uint8)
    outputs = classifier.outputs(noise)
    values = outputs.astype(np.float64)
    classifier._logits(outputs)
    scale = np.abs(values).max()
    if not np.allclose(classifier.outputs(noise), values, rtol=0, atol=1e-3 * scale):
        raise LookwhereError(
            f"{classifier.path}: gives the same image another value each time; export it for inference"
        )
    few = [classifier.outputs(noise[n : n + 1])[0] for n in (0, TRIED - 1)]
    if not np.allclose(np.stack(few), values[[0, -1]], rtol=0, atol=1e-2 * scale):
        raise LookwhereError(
            f"{classifier.path}: a face's value depends on the others in its batch; export it for inference"
        )
    # Outputs of noise may lie between 0 and 1 by chance, but several do not add up to 1 each time.
    shares = np.allclose(values.reshape(len(values), -1).sum(axis=1), 1, atol=1e-3)
    if shares and classifier.declaration.score == "logits" and (why := doubt(outputs, classifier.declaration)):
        raise LookwhereError(f"{classifier.path}: {why}")
    return outputs


def _parsed(data: bytes, source: Path) -> onnx.ModelProto:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError) as error:
        raise LookwhereError(f"{source}: not an ONNX file, or cut short; export or download it again") from error
    if not model.ir_version or not model.graph.node:
        raise LookwhereError(f"{source}: no ONNX model in it, or cut short; export or download it again")
    nodes, tensors = _contents(model)
    outside = [t.name for t in tensors if t.data_location == onnx.TensorProto.EXTERNAL or t.external_data]
    if outside:
        raise LookwhereError(
            f"{source}: keeps its weights in another file ({outside[0]}); export it as one file, or join them with "
            "`onnx.save(onnx.load(…), …)`"
        )
    own = {(function.domain, function.name) for function in model.functions}
    strange = [n for n in nodes if n.domain not in DOMAINS and (n.domain, n.op_type) not in own]
    if strange:
        raise LookwhereError(
            f"{source}: needs the custom operator {strange[0].domain}.{strange[0].op_type}; export it with ONNX's own"
        )
    return model


def _any_number(model: onnx.ModelProto) -> bytes | None:
    """The file with inputs' and outputs' sizes of 0 and −1, which exporters write for «any», as that; None where there
    are none: onnxruntime would take the 0 at its word."""
    changed = False
    for port in (*model.graph.input, *model.graph.output):
        for place, axis in enumerate(port.type.tensor_type.shape.dim):
            if axis.HasField("dim_value") and axis.dim_value < 1:
                axis.dim_param, changed = f"any_{place}", True
    return model.SerializeToString() if changed else None


def _contents(model: onnx.ModelProto) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """All nodes and all tensors, those of branches, loops and functions too."""
    graphs, nodes, tensors = [model.graph, *model.functions], [], []
    for graph in graphs:  # grows as it is walked
        nodes += graph.node
        if hasattr(graph, "initializer"):
            tensors += graph.initializer
            for sparse in graph.sparse_initializer:
                tensors += [sparse.values, sparse.indices]
        for attribute in (a for node in graph.node for a in node.attribute):
            graphs += [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]
            tensors += [*attribute.tensors, *([attribute.t] if attribute.HasField("t") else [])]
            for sparse in (*attribute.sparse_tensors, attribute.sparse_tensor):
                tensors += [sparse.values, sparse.indices]
    return nodes, tensors


def _parameters(model: onnx.ModelProto) -> int:
    """Numbers in the tensors of floats."""
    import onnx

    kinds = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16, onnx.TensorProto.DOUBLE)
    return sum(int(np.prod(list(tensor.dims))) for tensor in _contents(model)[1] if tensor.data_type in kinds)


def _session(path: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # A thread a run: several runs at a time use the cores better, and sums do not depend on their number.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no class in common but this
        raise LookwhereError(f"{path}: onnxruntime cannot open it ({_reason(error)})") from error


def _port(session: onnxruntime.InferenceSession, declaration: Declaration, path: Path) -> Port:
    """Which input and output are used. Raises `LookwhereError` where they are not what is declared."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs) or "none"
        raise LookwhereError(f"{path}: expected one input, an image; it has {len(inputs)} ({names})")
    given = inputs[0]
    if given.type not in FLOATS | WHOLE or len(given.shape) != 4:
        raise LookwhereError(
            f"{path}: input {given.name} is {given.type} of shape {_shape(given)}; expected floats or bytes of four "
            "axes, faces × channels × height × width or faces × height × width × channels; export it so"
        )
    if given.type in WHOLE and (set(declaration.mean), set(declaration.std), declaration.divisor) != (
        {0.0},
        {1.0},
        1.0,
    ):
        raise LookwhereError(
            f"{path}: input {given.name} is {given.type}, pixels of 0–255 that the graph scales itself; declare mean "
            "0, std 1 and divisor 1, or export it with an input of floats"
        )
    height, width = declaration.size
    depth, layout = declaration.depth, declaration.layout
    wanted = (depth, height, width) if layout == "nchw" else (height, width, depth)
    if any(isinstance(there, int) and there != want for there, want in zip(given.shape[1:], wanted, strict=True)):
        raise LookwhereError(
            f"{path}: input {given.name} has shape {_shape(given)}, declared are {layout}, {declaration.channels} and "
            f"size {height} × {width}, that is N × {' × '.join(map(str, wanted))}; mend the declaration"
        )
    names = [one.name for one in outputs]
    if declaration.output is None and len(names) != 1:
        raise LookwhereError(f"{path}: has {len(names)} outputs; declare which as output: {', '.join(names)}")
    chosen = declaration.output or names[0]
    if chosen not in names:
        raise LookwhereError(f"{path}: no output {chosen}; there are {', '.join(names)}")
    kind = outputs[names.index(chosen)].type
    if kind not in FLOATS:
        raise LookwhereError(f"{path}: output {chosen} is {kind}; expected floats, scores and not labels")
    batch = given.shape[0] if isinstance(given.shape[0], int) else None
    return Port(given.name, (FLOATS | WHOLE)[given.type], batch, chosen)


def _shape(node: onnxruntime.NodeArg) -> str:
    return " × ".join("?" if axis is None else str(axis) for axis in node.shape) or "none"


def _reason(error: Exception) -> str:
    """The first line of what onnxruntime said, without its code, the path, and the place in its source."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0].split(" : ", 3)[-1]
    said = re.sub(r"^Load model from .*? failed: ?", "", said)
    return re.sub(r"^/\S+:\d+ [^(]*\([^)]*\) ", "", said)[:300]


def _cores() -> int:
    return min(os.cpu_count() or 1, 8)
