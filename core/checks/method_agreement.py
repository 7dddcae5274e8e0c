"""The other attribution methods beside the closed form: do they rank the cells alike?

All explain the margin towards the predicted class; those of the grad-cam library,
https://github.com/jacobgil/pytorch-grad-cam, at the last stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytorch_grad_cam as library
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputReST
from torch import Tensor, nn

from core.checks.probe import Probe
from core.checks.results import METHODS, Part
from core.checks.sample import Means, published_groups, rounded
from core.checks.similarity import spearman
from core.classifiers.resnet import GenderResNet
from core.devices import autocast
from core.errors import LookwhereError
from core.explain.gradcam import quiet
from core.explain.grids import resample
from core.explain.maps import grad_cam, scale_each
from core.explain.method import AttributionMethod
from core.explain.methods import REGISTRY, ClosedForm, FinerCam, FullGrad, LibraryCam, RandomCam, key_of, method
from core.explain.placement import placed
from core.progress import Progress

BLOCK = 8


class Tail(nn.Module):
    """The network from its last block on: features (N, 2048, h, w) before that block → logits.

    What comes before the explained layer changes no method that looks at the layer's output alone, and this is some
    hundred times cheaper; its maps have the cells' size, so the library has nothing to rescale.
    """

    def __init__(self, network: GenderResNet) -> None:
        super().__init__()
        self.block, self.fc = network.layer4[-1], network.fc

    def forward(self, features: Tensor) -> Tensor:
        return self.fc(self.block(features).mean(dim=(2, 3)))


class Whole(nn.Module):
    """The network in fast precision with its last maps in float32, which is what the library can read."""

    def __init__(self, network: GenderResNet) -> None:
        super().__init__()
        self.network, self.maps = network, nn.Identity()

    def forward(self, pixels: Tensor) -> Tensor:
        with autocast(pixels.device):
            features = self.network.features(pixels)
        return self.network.fc(self.maps(features.float()).mean(dim=(2, 3)))


def head_of(network: GenderResNet, pixels: Tensor) -> Tensor:
    """Normalised pixels → what `Tail` takes, without gradients."""
    with torch.no_grad():
        x = network.maxpool(network.relu(network.bn1(network.conv1(pixels))))
        return network.layer4[:-1](network.layer3(network.layer2(network.layer1(x))))


class MarginTarget:
    """The logit of one class less that of the other, for a face's two logits (2,)."""

    def __init__(self, category: int) -> None:
        self.category = category

    def __call__(self, logits: Tensor) -> Tensor:
        return logits[..., self.category] - logits[..., 1 - self.category]


class SeededRandomCAM(library.RandomCAM):
    """The library's random weights, from a generator of our own."""

    generator: np.random.Generator

    def get_cam_weights(
        self, input_tensor: Any, target_layer: Any, target_category: Any, activations: np.ndarray, grads: Any
    ) -> np.ndarray:
        return self.generator.uniform(-1, 1, size=activations.shape[:2])


@dataclass(frozen=True)
class Explained:
    """The faces of a probe as all methods need them, computed once.

    `features` float32 (n, 2048, h, w), what `Tail` takes; `closed` float32 (n, h, w), the closed form Grad-CAM of the
    margin towards the predicted class, in float32 computing; `predicted` class indices (n,).
    """

    features: Tensor
    closed: np.ndarray
    predicted: np.ndarray


def prepare(probe: Probe) -> Explained:
    """The probe's faces put through the network once, in float32: ranks are asked for exactly."""
    network, features, closed = probe.model.network, [], []
    weight = network.fc.weight[0] - network.fc.weight[1]
    for block in probe.blocks(BLOCK):
        with torch.no_grad():
            features.append(head_of(network, probe.pixels(probe.images(block))))
            margin = torch.einsum("k,bkij->bij", weight, network.layer4[-1](features[-1])).cpu().numpy()
        closed.append(grad_cam(margin * probe.sign[block, None, None]))
    return Explained(torch.cat(features), np.concatenate(closed), (probe.sign < 0).astype(np.int64))


def on_tail(
    network: GenderResNet,
    name: str,
    features: Tensor,
    predicted: np.ndarray,
    generator: np.random.Generator | None = None,
) -> np.ndarray:
    """One method's maps (b, h, w), float32, scaled to 0–1 each as the library has it, from the last block's input.

    `predicted` are class indices (b,). FinerCAM chooses its two classes itself; ShapleyCAM gets the target its authors
    ask for, since the second derivative of a linear head is 0.
    """
    targets: list[Callable] | None = [MarginTarget(int(c)) for c in predicted]
    if REGISTRY[key_of(name)].rest:
        targets = [ClassifierOutputReST(int(c)) for c in predicted]
    elif name == FinerCam.name:
        targets = None
    kind = SeededRandomCAM if name == RandomCam.name else getattr(library, name)
    tail = Tail(network)
    with quiet(), kind(tail, [tail.block]) as cam:
        if name == RandomCam.name:
            cam.generator = generator
        return np.asarray(cam(features.clone().requires_grad_(True), targets), dtype=np.float32)


def on_whole(network: GenderResNet, name: str, pixels: Tensor, predicted: np.ndarray) -> np.ndarray:
    """The same from normalised pixels, for methods that need all of the network; FullGrad's maps, which have the
    image's size, are averaged over each cell."""
    targets = [MarginTarget(int(c)) for c in predicted]
    with torch.no_grad():
        cells = network.features(pixels[:1]).shape[-2:]
    if name == FullGrad.name:
        with quiet(), library.FullGrad(network, []) as cam:
            fine = torch.from_numpy(np.asarray(cam(pixels, targets), dtype=np.float32))
        return torch.nn.functional.adaptive_avg_pool2d(fine[:, None], cells)[:, 0].numpy()
    whole = Whole(network)
    with quiet(), library.ScoreCAM(whole, [whole.maps]) as cam:
        cam.batch_size = 64
        cam.get_target_width_height = lambda _: (cells[1], cells[0])
        return np.asarray(cam(pixels, targets), dtype=np.float32)


def on_classifier(probe: Probe, name: str, block: slice, cells: tuple[int, int]) -> np.ndarray:
    """Maps (b, h, w) of a method that is none of the library: what of its margin map speaks for the predicted class, on
    `cells` (h, w) by area, scaled to 0–1 each."""
    images = np.array(probe.store.images[probe.rows[block]])
    _, evidence = method(name)().explain(probe.model.classify, images)
    oriented = (evidence[:, 0] - evidence[:, 1]) * probe.sign[block, None, None]
    return scale_each(np.maximum(resample(oriented, placed(cells, probe.audit.placement)), 0)).astype(np.float32)


def comparable(name: str) -> type[AttributionMethod]:
    """A method that can be compared with the closed form. Raises `LookwhereError` naming those that can."""
    kind = REGISTRY.get(key_of(name))
    if kind is None or kind is ClosedForm:
        raise LookwhereError(f"--methods {name}: unknown; there are {', '.join(names())}")
    return kind


def names() -> tuple[str, ...]:
    """All methods that can be compared with the closed form: those of the library, then any other."""
    methods = [kind for kind in REGISTRY.values() if kind is not ClosedForm]
    return tuple(kind.name for kind in sorted(methods, key=lambda kind: not issubclass(kind, LibraryCam)))


def default_methods() -> tuple[str, ...]:
    """Those that are compared unasked: of the library, but for the costliest."""
    return tuple(kind.name for kind in REGISTRY.values() if issubclass(kind, LibraryCam) and not kind.on_request)


def check_method(probe: Probe, faces: Explained, name: str, seed: int = 0, progress: Progress | None = None) -> Part:
    """Table `methods` (a row a group): the mean rank correlation of the method's map with the closed form Grad-CAM over
    each face's cells; array `maps` (G, h, w), the mean of its maps, each scaled to 0–1 as the library does.

    `defined` counts the faces for which the correlation exists: a constant map has no ranks. `faces` is `prepare`d.
    """
    tick = progress(name, len(probe.sample)) if progress else (lambda n: None)
    network, generator, kind = probe.model.network, np.random.default_rng([seed, 4]), comparable(name)
    maps = []
    for block in probe.blocks(BLOCK):
        predicted = faces.predicted[block]
        if not issubclass(kind, LibraryCam):
            maps.append(on_classifier(probe, name, block, faces.closed.shape[1:]))
        elif kind.whole:
            maps.append(on_whole(network, name, probe.pixels(probe.images(block)), predicted))
        else:
            maps.append(on_tail(network, name, faces.features[block], predicted, generator))
        tick(len(predicted))
    method_maps = np.concatenate(maps)
    alike = spearman(np.round(method_maps, 5), np.round(_scaled(faces.closed), 5))
    groups, rows, means = published_groups(probe.sample), [], []
    for member in groups:
        over = Means(probe.sample, member, seed)
        mean, low, high = over.interval(alike)
        defined = int((~np.isnan(alike[member.mask])).sum())
        row = {"group": member.name, "method": name, "n": member.n, "defined": defined}
        rows.append(rounded(row | {"mean": mean, "low": low, "high": high}))
        means.append(over.mean(method_maps))
    arrays = {"maps": np.stack(means).astype(np.float32)}
    return Part([(m.name, m.n) for m in groups], {"methods": pd.DataFrame(rows)}, arrays)


def _scaled(maps: np.ndarray) -> np.ndarray:
    """Maps (n, h, w) over their largest value, so that rounding both to 1e-5 makes ties of what differs by rounding."""
    return maps / (1e-7 + maps.max(axis=(1, 2), keepdims=True))


def part_name(name: str) -> str:
    """The name of a method's part."""
    return METHODS + name
