"""Grad-CAM of an ONNX file whose maps cannot be exact: its graph written out in PyTorch, from its last spatial tensor.

The tensor is the last of `LEAST_CELLS`² cells and more through which all passes that reaches the logits. The
written-out graph is believed once it gives onnxruntime's logits on noise.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from core.classifiers.imported.onnx_exact import BEFORE
from core.classifiers.imported.onnx_tail import Graph, NoTail, before_activation
from core.classifiers.imported.onnx_torch import EXPLAINED, OnnxNetwork
from core.classifiers.imported.outputs import to_logits
from core.classifiers.imported.prepared import prepare
from core.classifiers.imported.spec import ONE_OUTPUT, InputOutputSpec
from core.explain import grids
from core.explain.gradcam import LayerAccess
from core.explain.layers import Layer, View

if TYPE_CHECKING:
    import onnx

#: Coarser maps say little of where: a tensor of fewer rows or columns is passed over for an earlier one.
LEAST_CELLS = 4
#: What the written-out graph may differ from onnxruntime, as a share of the larger of 1 and the largest logit.
TOLERANCE = 1e-3
#: Steps back from the logits, and tensors that are tried on the way.
MOST_STEPS, TRIED = 4096, 512


def with_gradients(
    model: onnx.ModelProto,
    spec: InputOutputSpec,
    faces: np.ndarray,
    logits_of: Callable[[np.ndarray], np.ndarray],
) -> dict:
    """What is recorded of the explained tensor, checked on noise `faces` uint8 (B, 112, 112, 3).

    `logits_of` gives what onnxruntime does of faces, (B, 2). Raises `NoTail` saying why there is no Grad-CAM.
    """
    graph = Graph(model)
    logits = before_activation(graph, spec.output, spec.score)
    through = _necks(graph, logits)
    if not through:
        raise NoTail("no tensor has all of the image pass through it")
    pixels = torch.from_numpy(prepare(faces[:2], spec))
    for name in through[:TRIED]:
        try:
            layout = graph.order(name)
        except NoTail:
            continue
        network = OnnxNetwork(model, logits, name).eval()
        layer_outputs: list[torch.Tensor] = []
        handle = network.explained.register_forward_hook(lambda _m, _i, output, into=layer_outputs: into.append(output))
        try:
            with torch.no_grad():
                network(pixels)
        except (RuntimeError, IndexError, TypeError, ValueError) as error:
            raise NoTail(f"written out for gradients, it cannot be run ({str(error).splitlines()[0][:120]})") from error
        finally:
            handle.remove()
        shape = tuple(layer_outputs[-1].shape) if layer_outputs else ()
        grid = shape[2:] if layout == "nchw" else shape[1:3]
        if len(shape) == 4 and min(grid) >= LEAST_CELLS:
            break
    else:
        raise NoTail(f"no tensor of {LEAST_CELLS}×{LEAST_CELLS} cells and more has all of the image pass through it")
    record = {"layer": name, "logits": logits, "view": View(layout, tuple(grid)).as_dict()}
    record = access(model, record, spec).record
    own_logits = access(model, record, spec).gradients(faces)[0]
    file_logits = logits_of(faces)
    off = float(np.abs((own_logits[:, 0] - own_logits[:, 1]) - (file_logits[:, 0] - file_logits[:, 1])).max())
    if off > TOLERANCE * max(1.0, float(np.abs(file_logits).max())):
        raise NoTail(f"written out for gradients, it gives logits that are off by {off:.1e}")
    return record | {"agrees_to": float(f"{off:.1e}"), "alike": _cells_alike(network, layout, pixels)}


def _cells_alike(network: OnnxNetwork, layout: str, pixels: torch.Tensor) -> bool:
    """Whether what follows the tensor treats all its cells alike: turned about, it gives the same logits.

    Grad-CAM gives a channel one weight for all cells. Where each has its own, as after a `Flatten`, that mixes places
    up (Draelos & Carin 2020, https://arxiv.org/abs/2011.08891).
    """
    places = (2, 3) if layout == "nchw" else (1, 2)
    with torch.no_grad():
        before = network(pixels)
        handle = network.explained.register_forward_hook(lambda _m, _i, output: output.flip(places))
        try:
            after = network(pixels)
        finally:
            handle.remove()
    return bool((before - after).abs().max() <= TOLERANCE * max(1.0, float(before.abs().max())))


def _necks(graph: Graph, logits: str) -> list[str]:
    """Tensors through which all of the image passes to the logits, the last first."""
    necks, front = [], {logits}
    for _ in range(MOST_STEPS):
        last = max(front, key=lambda name: graph.made.get(name, -1))
        node = graph.node(last)
        if node is None:
            break
        front = (front - set(node.output)) | set(graph.pictured(node))
        if len(front) == 1 and next(iter(front)) not in graph.inputs:
            necks.append(next(iter(front)))
    return necks


def access(model: onnx.ModelProto, record: dict, spec: InputOutputSpec) -> LayerAccess:
    """The written-out network, opened for attribution methods at the tensor that `record` names."""
    view = View.from_dict(record["view"])
    network = OnnxNetwork(model, record["logits"], record["layer"]).eval().requires_grad_(False)
    single = spec.score in ONE_OUTPUT
    signs = torch.tensor([[0.5], [-0.5]]) * spec.sign if single else torch.eye(2)
    rows = [0] if single else list(spec.pair)
    before_scores = replace(spec, score=BEFORE.get(spec.score, spec.score))
    opened = LayerAccess(
        network,
        Layer(EXPLAINED, view),
        record,
        pixels=lambda images: torch.from_numpy(prepare(images, spec)),
        scores=lambda outputs: outputs[:, rows] @ signs.T,
        to_logits=lambda outputs: to_logits(outputs, before_scores),
        place=lambda maps: maps,
        lock=threading.Lock(),
    )
    return fed(opened, spec)


def fed(opened: LayerAccess, spec: InputOutputSpec) -> LayerAccess:
    """The same network, shown faces as another declaration of its input says."""
    grid = tuple(opened.layer.view.grid)
    return replace(
        opened,
        record=opened.record | {"cells": list(grids.cells_of(grid, spec.crop))},
        pixels=lambda images: torch.from_numpy(prepare(images, spec)),
        place=lambda maps: np.ascontiguousarray(grids.regrid(maps, spec.crop), dtype=np.float32),
    )
