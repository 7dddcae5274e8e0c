"""What every model is to an audit, ours or an imported one: aligned faces in, logits and evidence maps out."""

from __future__ import annotations

import math
import threading
from functools import cache, cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.classifiers.info import MirrorInfo
from core.classifiers.speed import Speed
from core.errors import LookwhereError
from core.explain.method import AttributionMethod, Needs
from core.explain.methods import ClosedForm, choose
from core.explain.mirror import mirror_test
from core.template import SIDE

if TYPE_CHECKING:
    import torch

    from core.classifiers.info import ModelInfo
    from core.classifiers.resnet import GenderResNet
    from core.explain.method import Layers
    from core.explain.placement import Placement

#: What `--maps` takes beside the methods.
NO_MAPS = "none"
#: The stage of a ResNet-50 of ours that is explained, the last before the mean.
LAYER = "layer4"
#: Passes a face of a method whose maps are mirror-tested.
MOST_PASSES = 10
#: Images of noise that a network is tried on, and their seed.
NOISE, SEED = 4, 0


class Classifier(Protocol):
    """A model as a function of aligned faces; a `core.explain.method.Explainable`.

    `maps` says how its maps are made: `method`, `additive` (mean(E_c) + b_c is logit_c), `layer` and what else the
    method has; None where it gives none. `head_bias` is b_c of additive maps, `precision` what it computes in.
    """

    maps: dict | None
    method: AttributionMethod
    head_bias: list[float] | None
    precision: str

    @property
    def placement(self) -> Placement | None:
        """Where the maps' cells lie on the template; None where they are tiles."""
        ...

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """uint8 (B, 112, 112, 3), RGB, aligned → logits float32 (B, 2), evidence float32 (B, 2, h, w) or None."""
        ...

    def logits(self, images: np.ndarray) -> np.ndarray:
        """The same without maps."""
        ...

    def computed(self, how: Speed | None) -> Classifier:
        """The same model computed another way; as it is, in float32, where `how` is None.

        Raises `LookwhereError` where that cannot be done.
        """
        ...

    def explained_by(self, maps: str) -> Classifier:
        """The same model with maps by another method. Raises `LookwhereError` where that cannot be used on it."""
        ...


def mirror_tested(classifier: Classifier, images: np.ndarray) -> MirrorInfo | None:
    """The mirror test of a classifier's maps on faces uint8 (n, 112, 112, 3).

    None of methods that hide tiles, of costly ones, and of maps that are 0 everywhere.
    """
    if classifier.placement is None or classifier.method.passes > MOST_PASSES or not len(images):
        return None
    mirror = mirror_test(classifier, images, classifier.placement)
    if not math.isfinite(mirror.placed):
        return None
    return MirrorInfo(faces=mirror.n, placed=round(mirror.placed, 3), tiles=round(mirror.tiles, 3))


def noise() -> np.ndarray:
    """Seeded images uint8 (B, 112, 112, 3), half of fine and half of coarse grain, to try a network on."""
    draw = np.random.default_rng(SEED)
    fine = draw.integers(0, 256, (NOISE // 2, SIDE, SIDE, 3), dtype=np.uint8)
    coarse = draw.integers(0, 256, (NOISE // 2, 7, 7, 3), dtype=np.uint8)
    return np.concatenate([fine, coarse.repeat(SIDE // 7, axis=1).repeat(SIDE // 7, axis=2)])


class WithoutMaps:
    """A classifier asked for no maps; a `Classifier`."""

    maps, head_bias, placement = None, None, None

    def __init__(self, classifier: Classifier) -> None:
        self.classifier, self.precision = classifier, classifier.precision

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, None]:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2), and None."""
        return self.classifier.logits(images), None

    def logits(self, images: np.ndarray) -> np.ndarray:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2)."""
        return self.classifier.logits(images)

    def explained_by(self, maps: str) -> Classifier:
        """The classifier itself with maps. Raises `LookwhereError` where the method cannot be used on it."""
        return self if maps == NO_MAPS else self.classifier.explained_by(maps)

    def computed(self, how: Speed | None) -> WithoutMaps:
        """The classifier itself computed another way, still without maps. Raises `LookwhereError` where it cannot."""
        return WithoutMaps(self.classifier.computed(how))


class ResNetClassifier:
    """A `GenderResNet` with the input that its `model.json` tells, by default explained in closed form."""

    no_layers = ""

    def __init__(self, network: GenderResNet, info: ModelInfo, method: AttributionMethod | None = None) -> None:
        from core.devices import precision

        self.network, self.info = network, info
        self.device = next(network.parameters()).device
        self._dtype = precision(self.device)
        self.precision = str(self._dtype).removeprefix("torch.")
        self.method = method or ClosedForm()
        self.maps = self.method.record(self)
        self.head_bias = self.method.bias(self)
        self._lie = cache(self._measure)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2), evidence float32 (B, 2, h, w)."""
        return self.method.explain(self, images)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2)."""
        return self._closed_form(images)[0]

    def explained_by(self, maps: str) -> ResNetClassifier:
        """The same network with maps by another method. Raises `LookwhereError` where that cannot be used on it."""
        classifier = ResNetClassifier(self.network, self.info, choose(maps, self))
        classifier._lie = self._lie
        return classifier

    def computed(self, how: Speed | None) -> ResNetClassifier:
        """The same network and maps computed another way; as it is, in float32, where `how` is None.

        Raises `LookwhereError` where that cannot be done.
        """
        import torch

        from core.classifiers.folding import folded

        network, dtype = self.network, self._dtype if how else torch.float32
        if how is Speed.FOLDED:
            network = folded(network, self._pixels(noise()), keep=(LAYER,), dtype=dtype)
        if how is Speed.OPENVINO:
            from core.classifiers.openvino_resnet import by_openvino

            if self.device.type != "cpu":
                raise LookwhereError(f"--speed {how}: OpenVINO runs on the CPU here; leave --device {self.device} out")
            network = by_openvino(network, self._pixels(noise()), dtype)
        classifier = ResNetClassifier(network, self.info, self.method)
        classifier._dtype, classifier.precision = dtype, str(dtype).removeprefix("torch.")
        classifier._lie = self._lie
        return classifier

    @property
    def placement(self) -> Placement | None:
        """Where the maps' cells lie, measured at the first time it is asked for; None of methods that hide tiles."""
        return None if self.method.needs is Needs.OUTPUTS else self._lie()

    def _measure(self) -> Placement:
        from core.explain.layers import Layer, View
        from core.explain.receptive_fields import measured_placement

        return measured_placement(
            self.network,
            Layer(LAYER, View("nchw", (0, 0))),
            self._pixels,
            lambda logits: logits[:, 0] - logits[:, 1],
        )

    @cached_property
    def layers(self) -> Layers:
        """The network, opened for attribution methods at its last stage."""
        from core.explain.gradcam import LayerAccess
        from core.explain.layers import Layer, View

        return LayerAccess(
            self.network,
            Layer(LAYER, View("nchw", (0, 0))),
            {"layer": LAYER},
            self._pixels,
            scores=lambda outputs: outputs,
            to_logits=lambda outputs: outputs,
            place=lambda maps: maps,
            lock=threading.Lock(),
            closed=self._closed_form,
            bias=[round(float(b), 7) for b in self.network.head_bias],
            dtype=self._dtype,
        )

    def _closed_form(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        import torch

        from core.devices import autocast

        with torch.inference_mode(), autocast(self.device, self._dtype):
            logits, evidence = self.network.evidence(self._pixels(images))
        return logits.cpu().numpy(), evidence.cpu().numpy()

    def _pixels(self, images: np.ndarray) -> torch.Tensor:
        from core.classifiers.preprocessing import normalise

        return normalise(images, self.device, self.info.input_size, self.info.mean, self.info.std)
