"""Classifiers of torchvision and timm that others trained: their weights into a model folder, and out of it again."""

from __future__ import annotations

import copy
import threading
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from core.classifiers.classifier import NO_MAPS, noise
from core.classifiers.folding import folded
from core.classifiers.imported import architectures, hugging_face
from core.classifiers.imported.assumed import assumed
from core.classifiers.imported.outputs import to_logits
from core.classifiers.imported.prepared import prepare
from core.classifiers.imported.spec import InputOutputSpec, from_dict
from core.classifiers.imported.state_dicts import check_finite, read_weights
from core.classifiers.info import MapsInfo, ModelInfo, PlacementInfo
from core.classifiers.speed import Speed
from core.classifiers.tensor_file import read_tensors
from core.devices import autocast, precision
from core.errors import LookwhereError
from core.explain import gradcam, grids, layers
from core.explain.layers import Head, Layer, View, head_weights
from core.explain.method import AttributionMethod, Needs, OnlyOutputs
from core.explain.methods import ClosedForm, GradCam, choose, from_record, method
from core.explain.placement import Placement
from core.explain.receptive_fields import measured_placement
from core.files import sha256
from core.privacy import coarse

WEIGHTS = "model.safetensors"


def import_torch(source: Path, folder: Path, spec: InputOutputSpec, architecture: str, maps: str | None = None) -> dict:
    """Check a state dict against an architecture, write `folder/model.safetensors`; returns its part of `model.json`.

    `architecture` is `torchvision:…` or `timm:…`, built for the declared size, with as many outputs as its head has in
    the file. The network is tried on noise. Raises `LookwhereError` naming the file and the mend; nothing is written
    then.
    """
    if maps not in (None, NO_MAPS) and (why := method(maps).comparison_only):
        raise LookwhereError(f"--maps {maps}: {why}")
    _check_declaration(source, spec)
    architectures.parse(architecture)
    state, unwrapped = read_weights(source)
    if architecture.startswith(f"{hugging_face.LIBRARY}:"):
        state = hugging_face.converted(state, architecture)
    try:
        network, comparison, plan = architectures.fit(state, architecture, spec)
        check_finite(network.state_dict())
        pixels = torch.from_numpy(prepare(noise(), spec))
        _try(network, pixels, spec)
        maps_record = None if maps == NO_MAPS else _find_maps(network, pixels, spec, comparison.outputs, maps)
    except LookwhereError as error:
        raise LookwhereError(f"{source}: {error}") from error
    _write(folder, network, comparison.state)
    library = architectures.library(architectures.parse(architecture)[0])
    heads = sorted({name.rpartition(".")[0] for name, shape in plan.items() if None in shape})
    origin = {
        "file": source.name,
        "sha256": sha256(source),
        "library": library,
        "unwrapped": unwrapped + comparison.notes,
    }
    return {
        "architecture": architecture,
        "outputs": comparison.outputs,
        "heads": heads,
        "assumed": assumed(network, spec),
        "maps": maps_record,
        "source": origin,
    }


def _check_declaration(source: Path, spec: InputOutputSpec) -> None:
    spec.for_images()
    if spec.score not in ("logits", "logit"):
        score = {"probabilities": "logits", "probability": "logit"}[spec.score]
        raise LookwhereError(
            f"{source}: declare score {score}: a classifier of torchvision or timm ends in logits, "
            "the softmax or sigmoid comes after it and is not in its weights"
        )
    if spec.layout != "nchw" or spec.output is not None:
        what = "layout nhwc" if spec.layout != "nchw" else "output"
        raise LookwhereError(f"{source}: {what} is for ONNX files; leave it out for a PyTorch network")


def _try(network: nn.Module, pixels: Tensor, spec: InputOutputSpec) -> None:
    """Raises `LookwhereError` where the network does not take the input, or its outputs are not what was declared."""
    try:
        with torch.no_grad():
            outputs = network(pixels)
    except (RuntimeError, AssertionError, ValueError, IndexError, TypeError) as error:
        height, width = spec.size
        line = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise LookwhereError(
            f"the network does not take images of {height}×{width} ({line}); declare the size it was trained at"
        ) from error
    if not isinstance(outputs, Tensor) or outputs.ndim != 2:
        raise LookwhereError("the network gives more than one row of outputs an image; export what you need to ONNX")
    to_logits(outputs.numpy(), spec)
    if torch.equal(outputs, outputs[:1].expand_as(outputs)):
        raise LookwhereError("the network gives the same outputs for every image; import a checkpoint that was trained")


def _find_maps(network: nn.Module, pixels: Tensor, spec: InputOutputSpec, outputs: int, maps: str | None) -> dict:
    """What `model.json` keeps of the maps: by `maps`, else in closed form, else by Grad-CAM."""
    kind = None if maps is None else method(maps)
    if kind is not None and kind.needs is Needs.OUTPUTS:
        if spec.layer is not None:
            raise LookwhereError(f"layer {spec.layer!r} is for Grad-CAM; {maps} looks at no layer, leave it out")
        return kind().record(OnlyOutputs(network))
    few = pixels[::2]
    layer = layers.find_layer(network, few, lambda outputs: _margin(outputs, spec), spec.layer)
    # A convolution's output has its order by definition; that of tokens is what their number suggests.
    if layer.view.form != "nchw" and not layers.lies_on_image(network, layer, few):
        raise LookwhereError(
            f"what changes half an image does not change that half of layer {layer.name} the most, so that its cells "
            "are no places of the image; name another --layer, or use --maps occlusion"
        )
    head = layers.find_head(network, layer, pixels)
    if kind is not None and kind.needs is Needs.LAYERS and head is not None and head[1].rectified:
        head = None  # gradients are taken before that ReLU
    maps_record: dict = {"layer": layer.name}
    view = layer.view
    if head is not None:
        maps_record["head"], view = head[0].name, head[1]
    maps_record |= {"cells": list(grids.cells_of(view.grid, spec.crop)), "view": view.as_dict()}
    lie = measured_placement(
        network,
        layer,
        partial(_as_input, spec=spec),
        partial(_margin, spec=spec),
        spec.crop,
    )
    maps_record["placement"] = PlacementInfo.from_placement(lie).to_json()
    layered = MapsInfo.from_json({"method": GradCam.name, "additive": False} | maps_record)
    classifier = TorchClassifier(network, spec, ModelInfo(maps=layered, outputs=outputs), GradCam())
    attribution = choose(maps or (GradCam.name if ClosedForm.why_not(classifier) else ClosedForm.name), classifier)
    if attribution.needs is Needs.LAYERS and not classifier.layers.gradients(noise())[2].any():
        raise LookwhereError(
            f"{attribution.name} at {layer.name} is 0 everywhere on noise: the outputs do not depend on it; name "
            "another --layer, or use --maps occlusion"
        )
    return attribution.record(classifier)


def _as_input(images: np.ndarray, spec: InputOutputSpec) -> Tensor:
    return torch.from_numpy(prepare(images, spec))


def _targets(spec: InputOutputSpec) -> list[int]:
    """The outputs that are explained: female's and male's, or the only one."""
    return [0] if spec.score == "logit" else list(spec.pair)


def _signs(spec: InputOutputSpec) -> np.ndarray:
    """What of the explained outputs goes into the logits of female and male, (2, targets): one output z is ±z/2."""
    if spec.score == "logit":
        return np.array([[0.5], [-0.5]], dtype=np.float32) * np.float32(spec.sign)
    return np.eye(2, dtype=np.float32)


def _margin(outputs: Tensor, spec: InputOutputSpec) -> Tensor:
    signs = torch.from_numpy(_signs(spec)).to(outputs)
    return outputs[:, _targets(spec)] @ (signs[0] - signs[1])


def _write(folder: Path, network: nn.Module, imported: dict[str, Tensor]) -> None:
    """The loaded weights by the library's names, in half precision where the file had that; whole or not at all."""
    half = (torch.float16, torch.bfloat16)
    state = {
        name: tensor.to(imported[name].dtype if imported[name].dtype in half else tensor.dtype, copy=True).contiguous()
        for name, tensor in network.state_dict().items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{WEIGHTS}.partial"
    try:
        save_file(state, partial)
        partial.replace(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise LookwhereError(f"{folder}: cannot write the weights ({error}); make room and try again") from error
    finally:
        partial.unlink(missing_ok=True)


def load_torch(folder: Path, info: ModelInfo, device: torch.device | str = "cpu") -> TorchClassifier:
    """The classifier of a folder that `import_torch` wrote, with `info` its `model.json`.

    Raises `LookwhereError` where the weights are not those of the architecture, as the installed library has it, or
    the method of the maps is unknown.
    """
    file = folder / WEIGHTS
    spec = from_dict(info.declaration.to_json(), f"{folder}/model.json")
    from_record(info.maps.to_json(), f"{folder}/model.json")
    try:
        state, _ = read_tensors(file)
        network = architectures.build_for(state, info.architecture, spec, info.outputs)
        architectures.fill(network, state)
    except (SafetensorError, OSError, RuntimeError) as error:
        library, line = info.source.library, str(error).splitlines()[0]
        raise LookwhereError(
            f"{file}: no {info.architecture} as it was imported with {library} ({line}); import the model again"
        ) from error
    network.requires_grad_(False)
    return TorchClassifier(network.to(device, memory_format=torch.channels_last), spec, info)


class TorchClassifier:
    """An imported network with the input it was declared to have; a `core.classifiers.classifier.Classifier`.

    It computes in what `info` says, by default as the device is fastest (`core.devices`), its maps and heads in
    float32. `method` makes the maps; without one, it is what `info` names.
    """

    no_layers = "no layer was looked for when the model was imported; import it again with --maps gradcam"

    def __init__(
        self, network: nn.Module, spec: InputOutputSpec, info: ModelInfo, method: AttributionMethod | None = None
    ) -> None:
        self.network, self.spec, self.info = network, spec, info
        maps = info.maps.to_json()
        self.device = next(network.parameters()).device
        self._lie = cache(self._measure)
        self._lock = threading.Lock()  # hooks on a network that several sessions share
        self._dtype = precision(self.device, info.precision)
        self._signs = torch.from_numpy(_signs(spec)).to(self.device)
        self.layers = self._access() if "view" in maps else None
        self.method = method or from_record(maps, "model.json")
        if self.method.needs is Needs.LAYERS and self._dtype != torch.float32:
            try:
                self.layers.gradients(noise()[:1])
            except RuntimeError:  # what skips the explained layer meets float32 in a layer that cannot mix
                self._dtype = torch.float32
                self.layers = replace(self.layers, dtype=self._dtype)
        self.maps: dict = maps if method is None else method.record(self)
        if self.layers is not None and "cells" in self.layers.record and self.method.needs is not Needs.OUTPUTS:
            self.maps = self.maps | {"cells": self.layers.record["cells"]}  # imported earlier, it may name a finer grid
            if "placement" in self.maps:
                self.maps["placement"] = PlacementInfo.from_placement(self.placement).to_json()
        self.head_bias = self.method.bias(self)
        self.precision = str(self._dtype).removeprefix("torch.")

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2), evidence float32 (B, 2, h, w) over the template."""
        logits, evidence = self.method.explain(self, images)
        return logits, coarse(evidence)

    def explained_by(self, maps: str) -> TorchClassifier:
        """The same network with maps by another method. Raises `LookwhereError` where that cannot be used on it."""
        classifier = TorchClassifier(self.network, self.spec, self.info, choose(maps, self))
        classifier._lie = self._lie
        return classifier

    def computed(self, how: Speed | None) -> TorchClassifier:
        """The same network and maps computed another way; as it is, in float32, where `how` is None.

        Raises `LookwhereError` where that cannot be done.
        """
        if how is Speed.OPENVINO:
            raise LookwhereError(f"--speed {how}: for networks that were trained here; use --speed {Speed.FOLDED}")
        classifier = copy.copy(self)
        classifier._dtype = self._dtype if how else torch.float32
        classifier.precision = str(classifier._dtype).removeprefix("torch.")
        if how is Speed.FOLDED:
            keep = [*self.info.heads, *([self.layers.layer.name] if self.layers else [])]
            classifier.network = folded(self.network, self._pixels(noise()), keep, classifier._dtype)
        classifier.layers = self.layers and classifier._access()
        return classifier

    def fed(self, spec: InputOutputSpec) -> TorchClassifier:
        """The same network, shown faces as another declaration of its input says."""
        return TorchClassifier(self.network, spec, self.info, self.method)

    def _access(self) -> gradcam.LayerAccess:
        maps_record, spec = self.info.maps.to_json(), self.spec
        layer = Layer(maps_record["layer"], View.from_dict(maps_record["view"]))
        record = {key: maps_record[key] for key in ("layer", "head", "view", "placement") if key in maps_record}
        access = gradcam.LayerAccess(
            self.network,
            layer,
            record | {"cells": list(grids.cells_of(layer.view.grid, spec.crop))},
            self._pixels,
            scores=lambda outputs: outputs[:, _targets(spec)] @ self._signs.T,
            to_logits=lambda outputs: to_logits(outputs, spec),
            place=self._place,
            lock=self._lock,
            dtype=self._dtype,
        )
        if "head" not in maps_record:
            return access
        weight, bias = head_weights(self.network, Head(maps_record["head"]), self.info.outputs)
        shares = self._signs.cpu().numpy() @ bias.cpu().numpy()[_targets(spec)]

        def closed(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            rows = self._signs @ weight[_targets(spec)]
            with self._lock:
                evidence, pooled = gradcam.closed_form(self.network, layer, rows, self._pixels(images), self._dtype)
            with torch.inference_mode():
                outputs = torch.nn.functional.linear(pooled, weight, bias)
            return to_logits(outputs.cpu().numpy(), spec), self._place(evidence.cpu().numpy())

        return replace(access, closed=closed, bias=[round(float(b), 7) for b in shares])

    def _place(self, maps: np.ndarray) -> np.ndarray:
        """Maps over the crop → maps over the template, never finer than privacy allows."""
        crop = self.spec.crop
        if not grids.left_as_it_is(maps.shape[-2:], crop):
            maps = grids.regrid(maps, crop, self._lie())
        return np.ascontiguousarray(maps, dtype=np.float32)

    def _measure(self) -> Placement:
        """Where the explained layer's cells lie on the template; measured now where the model was imported earlier."""
        if self.info.maps.placement is not None:
            return self.info.maps.placement.placement()
        with self._lock:
            return measured_placement(
                self.network,
                self.layers.layer,
                self._pixels,
                partial(_margin, spec=self.spec),
                self.spec.crop,
            )

    @property
    def placement(self) -> Placement | None:
        """Where the maps' cells lie; None of methods that hide tiles."""
        if self.layers is None or self.method.needs is Needs.OUTPUTS:
            return None
        lie, crop = self._lie(), self.spec.crop
        grid = lie.shape
        return lie if grids.left_as_it_is(grid, crop) else Placement.tiles(grids.cells_of(grid, crop))

    def logits(self, images: np.ndarray) -> np.ndarray:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2), without maps."""

        def exactly(_module: nn.Module, inputs: tuple) -> tuple:
            torch.set_autocast_enabled(self.device.type, False)
            return tuple(x.float() if isinstance(x, Tensor) else x for x in inputs)

        with self._lock, torch.inference_mode(), autocast(self.device, self._dtype):
            heads = [self.network.get_submodule(name) for name in self.info.heads]
            handles = [head.register_forward_pre_hook(exactly) for head in heads]
            try:
                outputs = self.network(self._pixels(images)).float()
            finally:
                for handle in handles:
                    handle.remove()
        return to_logits(outputs.cpu().numpy(), self.spec)

    def _pixels(self, images: np.ndarray) -> Tensor:
        pixels = torch.from_numpy(prepare(images, self.spec)).to(self.device)
        return pixels.contiguous(memory_format=torch.channels_last)
