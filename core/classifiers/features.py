"""A model's features of aligned faces: what its last linear layer is given, one row a face."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from core.classifiers.folder import Model
from core.classifiers.info import ModelKind
from core.errors import LookwhereError

if TYPE_CHECKING:
    from core.classifiers.imported.onnx_classifier import OnnxClassifier
    from core.classifiers.imported.torch_classifier import TorchClassifier

#: uint8 (B, 112, 112, 3) → logits float32 (B, 2) of the task's classes, features float32 (B, F) or None.
Reading = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]


def reading(model: Model, features: bool, output: str = "") -> Reading:
    """How faces are read by a model; without `features` by its logits alone.

    Features are the averaged last feature maps of a network trained here, what the head of an imported torch network is
    given, and of an ONNX graph its `output` of that name, else the averaged tensor of one that has exact maps. None for
    an ONNX graph with neither, since nothing tells which of its tensors they are. Raises `LookwhereError` where only
    predictions are there, or there is no such output.
    """
    if model.classify is None:
        raise LookwhereError(f"{model.path}: predictions alone, without a network, cannot teach")
    if not features:
        return lambda images: (model.classify.logits(images), None)
    if model.network is not None:
        return _own(model)
    # A model that was imported without maps is wrapped.
    inner = getattr(model.classify, "classifier", model.classify)
    if model.info.kind is ModelKind.ONNX:
        return _of_output(model, inner, output) if output else _of_onnx(model, inner)
    return _of_torch(model, inner)


def _own(model: Model) -> Reading:
    import torch

    from core.classifiers.preprocessing import normalise

    network, info = model.network, model.info
    device = next(network.parameters()).device

    def read(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            pixels = normalise(images, device, info.input_size, info.mean, info.std)
            pooled = network.features(pixels).mean(dim=(2, 3))
            return network.fc(pooled).float().cpu().numpy(), pooled.float().cpu().numpy()

    return read


def _of_torch(model: Model, classify: TorchClassifier) -> Reading:
    heads = model.info.heads
    if not heads:
        return lambda images: (classify.logits(images), None)
    head, head_inputs = classify.network.get_submodule(heads[0]), []

    def read(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hook = head.register_forward_pre_hook(lambda _, inputs: head_inputs.append(inputs[0].detach()))
        try:
            logits = classify.logits(images)
        finally:
            hook.remove()
        pooled = head_inputs.pop().float()
        head_inputs.clear()
        pooled = pooled.mean(dim=(2, 3)) if pooled.ndim == 4 else pooled.flatten(1)
        return logits, pooled.cpu().numpy()

    return read


def _of_output(model: Model, classify: OnnxClassifier, output: str) -> Reading:
    session, exact = classify.session, classify.exact
    if output not in session.outputs:
        raise LookwhereError(f"{model.path}: no output {output}; there are {', '.join(session.outputs)}")
    declared = session.port.output if exact is None else exact.record["logits"]
    to_logits = classify._of if exact is None else exact.logits_of

    def read(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs, features = session.run(images, (declared, output))
        return to_logits(outputs), features.astype(np.float32).reshape(len(features), -1)

    return read


def _of_onnx(model: Model, classify: OnnxClassifier) -> Reading:
    exact = classify.exact
    if exact is None:
        return lambda images: (classify.logits(images), None)
    import onnx

    from core.classifiers.imported.onnx_session import Session

    layer, logits = exact.record["layer"], exact.record["logits"]
    graph = onnx.load(model.path / model.info.weights)
    if layer not in {output.name for output in graph.graph.output}:
        graph.graph.output.append(onnx.ValueInfoProto(name=layer))
    session = Session(graph.SerializeToString(), exact.session.spec, exact.session.path)
    grid = tuple(exact.record["grid"])

    def read(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        outputs, maps = session.run(images, (logits, layer))
        axes = (2, 3) if maps.shape[2:] == grid else (1, 2)
        return exact.logits_of(outputs), maps.astype(np.float32).mean(axis=axes)

    return read
