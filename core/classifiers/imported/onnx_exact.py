"""Exact maps of an ONNX file: its graph gets one more output, the evidence of each cell, which adds up to the logit.

logit_c = b_c + mean over cells of E_c, with E_c = h·w·Σ_k W_ck A_k for the last spatial tensor A. W and b are found by
putting zeros and single ones through what follows A, and are believed once they give that part's answers to anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from core.classifiers.imported.onnx_apart import RunError, opened, reason
from core.classifiers.imported.onnx_session import Session
from core.classifiers.imported.onnx_tail import MOST_VALUES, Graph, NoTail, Tail, find_tail, taken
from core.classifiers.imported.outputs import to_logits
from core.classifiers.imported.spec import ONE_OUTPUT, InputOutputSpec
from core.errors import LookwhereError
from core.explain import grids

if TYPE_CHECKING:
    import onnx

#: The output that is added to the graph.
EVIDENCE = "lookwhere_evidence"
#: What maps and bias may leave of the logits, as a share of the larger of 1 and the largest logit.
TOLERANCE = 1e-4
#: Faces of noise that the last tensor is had of, values of it that are put through at once.
TRIED, AT_ONCE = 8, 2**24
#: What asks of the image only how large it is, and how many there are.
SIZES = ("Shape", "Size")
#: What the logits are declared as, where they are taken before the softmax or sigmoid.
BEFORE = {"probabilities": "logits", "probability": "logit"}


@dataclass(frozen=True)
class Rows:
    """What of a spatial tensor goes into the logits of female and male: `weight` (2, K) float32, the same for each of
    h·w cells, or (2, K, h, w); `bias` (2,)."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class ExactMaps:
    """A graph's own logits and evidence; to attribution methods, the layer of a classifier (`method.Layers`).

    `record` has the names of both outputs, the tensor explained (`layer`), its `grid`, and the `bias`.
    """

    session: Session
    spec: InputOutputSpec
    record: dict

    no_gradients: ClassVar[str] = (
        "an ONNX file imported with exact maps gives no gradients (import it with --maps gradcam)"
    )
    rectified: ClassVar[bool] = False
    convolutional: ClassVar[bool] = True

    @property
    def bias(self) -> list[float]:
        """b_c of female and male."""
        return self.record["bias"]

    def closed_form(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits (B, 2) and evidence (B, 2, h, w) over the template, from one run.

        Raises `LookwhereError` where they do not add up: then the graph is not what it was when it was imported.
        """
        outputs, evidence = self.session.run(images, (self.record["logits"], EVIDENCE))
        logits = self.logits_of(outputs)
        evidence = evidence.astype(np.float32)
        if (off := self.off(logits, evidence)) > TOLERANCE:
            raise LookwhereError(
                f"{self.session.path}: maps and bias leave {off:.1e} of the logits; import the model again, or make "
                "its maps by another method (--maps occlusion)"
            )
        return logits, np.ascontiguousarray(grids.regrid(evidence, self.spec.crop), dtype=np.float32)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """uint8 (B, 112, 112, 3) → logits (B, 2), as the graph has them before a softmax or sigmoid."""
        return self.logits_of(self.session.run(images, (self.record["logits"],))[0])

    def logits_of(self, outputs: np.ndarray) -> np.ndarray:
        """The graph's logits (B, …) → those of female and male (B, 2)."""
        score = self.spec.score
        return to_logits(outputs, replace(self.spec, score=BEFORE.get(score, score)))

    def off(self, logits: np.ndarray, evidence: np.ndarray) -> float:
        """The most that maps and bias leave of a logit, as a share of the larger of 1 and the largest logit."""
        sums = evidence.mean(axis=(2, 3), dtype=np.float64) + np.array(self.bias)
        return float(np.abs(sums - logits).max(initial=0) / max(1.0, np.abs(logits).max(initial=0)))


def explaining(
    model: onnx.ModelProto, spec: InputOutputSpec, path: Path, faces: np.ndarray
) -> tuple[onnx.ModelProto, dict]:
    """The model with its evidence as one more output, and what is recorded of that.

    `spec` names the output; `faces` uint8 (B, 112, 112, 3) are what it is tried on. Raises `NoTail` saying why
    there are no maps that add up.
    """
    graph = Graph(model)
    tail = find_tail(graph, spec.output, spec.score)
    few = faces[:: max(len(faces) // TRIED, 1)]
    start, values = _spatial(model, tail, spec, path, few)
    layout = graph.order(start)
    rows = _rows(_run_tail(model, graph, tail, start, values, spec), values, layout)
    signs = np.eye(2)
    if spec.score in ONE_OUTPUT:
        signs = np.array([[0.5], [-0.5]]) * spec.sign
    rows = Rows(np.tensordot(signs, rows.weight, axes=1).astype(np.float32), signs @ rows.bias)
    explaining_model = _with_evidence(model, start, values.dtype, layout, rows)
    _expose(explaining_model, [tail.logits])
    grid = values.shape[2:] if layout == "nchw" else values.shape[1:3]
    record = {
        "layer": start,
        "logits": tail.logits,
        "grid": list(grid),
        "cells": list(grids.cells_of(grid, spec.crop)),
        "bias": [round(float(b), 7) for b in rows.bias],
    }
    exact = ExactMaps(Session(explaining_model.SerializeToString(), spec, path), spec, record)
    logits, evidence = (exact.session.run(faces, names)[0] for names in ((tail.logits,), (EVIDENCE,)))
    own_logits = exact.logits_of(logits)
    if (off := exact.off(own_logits, evidence)) > TOLERANCE:
        raise NoTail(f"maps and bias leave {off:.1e} of the logits, as it computes in {values.dtype}")
    declared = to_logits(exact.session.run(faces)[0], spec)
    shares = [1 / (1 + np.exp(z[:, 0].astype(np.float64) - z[:, 1])) for z in (own_logits, declared)]
    if np.abs(shares[0] - shares[1]).max() > TOLERANCE:
        raise NoTail("its logits do not give its outputs, as they are declared")
    return explaining_model, record | {"adds_up_to": float(f"{off:.1e}")}


def _spatial(
    model: onnx.ModelProto, tail: Tail, spec: InputOutputSpec, path: Path, faces: np.ndarray
) -> tuple[str, np.ndarray]:
    """The last tensor of the tail that has several cells, and its values for some faces."""
    session = Session(_expose(_copy(model), tail.starts).SerializeToString(), spec, path)
    for start in tail.starts:
        try:
            values = session.run(faces, (start,))[0]
        except LookwhereError:  # one whose first axis is not the faces
            continue
        if values.ndim == 4 and values.shape[1:].count(1) < 2:
            return start, values
    raise NoTail(f"{tail.stop} comes between what lies on the image and the logits" if tail.stop else "it has no cells")


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    import onnx

    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    return copied


def _expose(model: onnx.ModelProto, names: list[str] | tuple[str, ...]) -> onnx.ModelProto:
    """Make tensors outputs of a graph, those that are none; returns the same model."""
    import onnx

    there = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in there)
    return model


def _run_tail(
    model: onnx.ModelProto, graph: Graph, tail: Tail, start: str, values: np.ndarray, spec: InputOutputSpec
) -> Callable[[np.ndarray], np.ndarray]:
    """The graph from `start` on as a function: (B, …) → what is explained of the logits, float64 (B, 1 or 2)."""
    import onnx

    needed, front = [], [tail.logits]
    computed = {start}
    while front:
        name = front.pop()
        node = graph.node(name)
        if name in computed or node is None:
            continue
        computed |= set(node.output)
        needed.append(graph.made[name])
        front += taken(node)
    nodes = [graph.nodes[place] for place in sorted(set(needed))]
    used = {name for node in nodes for name in taken(node)}
    pictures = sorted(used & set(graph.inputs) - {start})
    if any(node.op_type not in SIZES for node in nodes if set(taken(node)) & {*pictures}):
        raise NoTail("what follows the last map asks for the image again")
    # Only how many images there are, and how large: PyTorch's exporter asks for it before it flattens the last maps.
    ports = [port for port in model.graph.input if port.name in pictures]
    whole = onnx.helper.make_graph(
        nodes,
        "tail",
        [
            onnx.helper.make_tensor_value_info(start, onnx.helper.np_dtype_to_tensor_dtype(values.dtype), [None] * 4),
            *ports,
        ],
        [onnx.ValueInfoProto(name=tail.logits)],
        [tensor for tensor in model.graph.initializer if tensor.name in used],
    )
    tail_model = onnx.helper.make_model(whole, opset_imports=model.opset_import, ir_version=model.ir_version)
    tail_model.functions.extend(model.functions)
    batch = _fixed_batch(model, graph)
    step = batch or max(1, AT_ONCE // int(np.prod(values.shape[1:])))
    try:
        session = opened(tail_model.SerializeToString(), Path(start))
    except LookwhereError as error:
        raise NoTail(f"what follows the last map cannot be run alone ({error})") from error
    explained = [0] if spec.score in ONE_OUTPUT else list(spec.pair)

    def run(tensors: np.ndarray) -> np.ndarray:
        logits = []
        for low in range(0, len(tensors), step):
            part = tensors[low : low + step].astype(values.dtype)
            more = (batch or 0) - len(part)
            filled = np.concatenate([part, np.repeat(part[-1:], more, axis=0)]) if more > 0 else part
            blank = {port.name: _blank(port, len(filled), spec) for port in ports}
            try:
                [[outputs]] = session.run([tail.logits], [{start: filled} | blank])
            except (RunError, LookwhereError) as error:
                raise NoTail(f"what follows the last map cannot be run alone ({reason(error)})") from error
            logits.append(outputs.reshape(len(filled), -1)[: len(part), explained].astype(np.float64))
        return np.concatenate(logits)

    return run


def _blank(port: onnx.ValueInfoProto, count: int, spec: InputOutputSpec) -> np.ndarray:
    """As many images of an input as there are faces, all 0, in its own type."""
    import onnx

    colours = 1 if spec.channels == "grey" else 3
    shape = (colours, *spec.size) if spec.layout == "nchw" else (*spec.size, colours)
    return np.zeros((count, *shape), dtype=onnx.helper.tensor_dtype_to_np_dtype(port.type.tensor_type.elem_type))


def _fixed_batch(model: onnx.ModelProto, graph: Graph) -> int | None:
    port = next(port for port in model.graph.input if port.name == graph.inputs[0])
    return port.type.tensor_type.shape.dim[0].dim_value or None


def _rows(run: Callable[[np.ndarray], np.ndarray], values: np.ndarray, layout: str) -> Rows:
    """Weights (t, K), or (t, K, h, w) where cells differ, times h·w, and the bias (t,), of an affine `run`.

    Raises `NoTail` where numbers do not give the answers of `run`, so that it is not affine.
    """
    first = np.asarray(values if layout == "nchw" else values.transpose(0, 3, 1, 2), dtype=np.float64)
    channels, h, w = first.shape[1:]
    large = float(np.abs(first).max()) or 1.0

    def through(maps: np.ndarray) -> np.ndarray:
        return run(maps if layout == "nchw" else maps.transpose(0, 2, 3, 1))

    random = np.random.default_rng(0).standard_normal(first.shape) * large
    probes = np.concatenate([first, -first, random, first + random])
    answers = through(probes)
    bias = through(np.zeros((1, channels, h, w)))[0]

    def answered(predicted: np.ndarray) -> bool:
        return bool(np.abs(predicted + bias - answers).max() <= TOLERANCE * max(1.0, np.abs(answers).max()))

    step = max(1, AT_ONCE // (channels * h * w))
    sums = []
    for low in range(0, channels, step):
        each = np.arange(low, min(low + step, channels))
        whole = np.zeros((len(each), channels, h, w))
        whole[np.arange(len(each)), each] = large
        sums.append(through(whole))
    weight = (np.concatenate(sums) - bias) / large
    if answered(probes.mean(axis=(2, 3)) @ weight):
        return Rows(weight.T, bias)
    if channels * h * w > MOST_VALUES:
        raise NoTail(f"each of its {channels * h * w:,} last values would have a weight of its own")
    parts = []
    for low in range(0, channels * h * w, step):
        cells = np.arange(low, min(low + step, channels * h * w))
        unit = np.zeros((len(cells), channels * h * w))
        unit[np.arange(len(cells)), cells] = large
        parts.append(through(unit.reshape(-1, channels, h, w)))
    weight = (np.concatenate(parts) - bias) / large
    if not answered(probes.reshape(len(probes), -1) @ weight):
        raise NoTail(f"what follows its last map is not linear to {TOLERANCE:g} (it computes in {values.dtype})")
    return Rows(weight.T.reshape(-1, channels, h, w) * (h * w), bias)


def _with_evidence(model: onnx.ModelProto, start: str, kind: np.dtype, layout: str, rows: Rows) -> onnx.ModelProto:
    """The model with the output `EVIDENCE`, float32 (B, 2, h, w), by operators that every version has."""
    from onnx import TensorProto, ValueInfoProto, helper, numpy_helper

    explaining_model, tensor = _copy(model), start
    graph = explaining_model.graph

    def add(kind: str, takes: list[str], name: str, **options: object) -> str:
        graph.node.append(helper.make_node(kind, takes, [name], name=name, **options))
        return name

    def hold(array: np.ndarray, name: str) -> str:
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array, dtype=np.float32), name))
        return name

    if kind != np.float32:
        tensor = add("Cast", [tensor], f"{EVIDENCE}_float", to=TensorProto.FLOAT)
    if layout == "nhwc":
        tensor = add("Transpose", [tensor], f"{EVIDENCE}_nchw", perm=[0, 3, 1, 2])
    if rows.weight.ndim == 2:
        add("Conv", [tensor, hold(rows.weight[:, :, None, None], f"{EVIDENCE}_weight")], EVIDENCE)
    else:
        ones, parts = hold(np.ones((1, rows.weight.shape[1], 1, 1)), f"{EVIDENCE}_one"), []
        for name, weight in enumerate(rows.weight):
            each = add("Mul", [tensor, hold(weight[None], f"{EVIDENCE}_weight_{name}")], f"{EVIDENCE}_each_{name}")
            parts.append(add("Conv", [each, ones], f"{EVIDENCE}_{name}"))
        add("Concat", parts, EVIDENCE, axis=1)
    graph.output.append(ValueInfoProto(name=EVIDENCE))
    return explaining_model
