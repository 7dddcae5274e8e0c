"""What an attribution method is: what it says of itself, what it may ask of a classifier, what it gives.

The methods themselves are listed in `core.explain.methods`. No torch is needed here: what a method asks of a network it
asks through `Layers`, which answers in NumPy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol

import numpy as np

#: Logits float32 (B, 2) of female and male, and signed evidence maps float32 (B, 2, h, w) of the same classes.
Explanation = tuple[np.ndarray, np.ndarray]
OWN_SCALE = "on the method's own scale, not adding up to the logit"
ASKED = "A bright cell says that the score depends on it, not that nothing else was used."
CENTRED = (
    "Each cell of a map sees more of the face than its own square, and a bright cell says where evidence is centred, "
    "not that nothing else was used."
)


class Needs(Enum):
    """What a method asks of a classifier."""

    OUTPUTS = "only outputs"
    LAYERS = "gradients and a layer"
    LINEAR_HEAD = "a layer whose mean goes into one linear layer"


class Layers(Protocol):
    """What a classifier whose network is at hand answers beyond its logits (`core.explain.gradcam.LayerAccess`).

    `bias`: b_c of a linear head on the explained layer's spatial mean, None where the head is another. `rectified`: a
    ReLU that is no module follows the layer. `convolutional`: the layer's output is channels × height × width.
    `record`: what a manifest keeps of the layer. `no_gradients`: why only `bias` and `closed_form` answer, empty where
    the rest does too.
    """

    no_gradients: str
    bias: list[float] | None
    rectified: bool
    convolutional: bool
    record: dict

    def closed_form(self, images: np.ndarray) -> Explanation:
        """E_c = Σ_k W_ck A_k from one forward pass; only where `bias` is not None."""
        ...

    def gradients(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Logits (B, 2), the layer's output A (B, K, h, w), and the gradient of each logit by A (B, 2, K, h, w).

        They lie over the network's input: `place` lays maps made of them over the face.
        """
        ...

    def place(self, maps: np.ndarray) -> np.ndarray:
        """Maps (…, h, w) over the network's input → maps over the aligned face, sums kept."""
        ...

    def library_maps(self, images: np.ndarray, name: str) -> Explanation:
        """Maps of the class `name` of the grad-cam library from A and its gradients, before ReLU and scaling, × h·w."""
        ...

    def library_reruns(self, images: np.ndarray, name: str, rest: bool, block: int) -> Explanation:
        """`library_maps` by a class of the library that runs the network again by itself, on `block` faces at a time.

        With `rest` the maps are of each logit less its cross-entropy.
        """
        ...


class Explainable(Protocol):
    """A classifier as a method sees it. `layers` is None where only outputs can be had; `no_layers` says why."""

    layers: Layers | None
    no_layers: str

    def logits(self, images: np.ndarray) -> np.ndarray:
        """uint8 (B, 112, 112, 3), RGB, aligned → logits float32 (B, 2) of female and male."""
        ...


@dataclass(frozen=True)
class OnlyOutputs:
    """A bare function from faces uint8 (B, 112, 112, 3) to logits (B, 2), as methods take it."""

    function: Callable[[np.ndarray], np.ndarray]
    no_layers: str = "only its outputs are at hand"
    layers: ClassVar[None] = None

    def logits(self, images: np.ndarray) -> np.ndarray:
        """uint8 (B, 112, 112, 3) → logits (B, 2)."""
        return self.function(images)


class AttributionMethod:
    """A way to make evidence maps. Subclasses set the attributes and override `explain`; fields of a dataclass are
    options, which manifests keep.

    `name`: as manifests and pages have it; a command takes it in lower case (`key`). `needs`: what it asks of a
    classifier. `additive`: whether mean(E_c) + b_c is logit_c, with b_c of a linear head, or 0 for methods that need
    only outputs. `cost`: forward and backward passes a face, for our ResNet-50, in words; `passes`: their number.
    `paper`: where it comes from. `words`: what one map is called («map by NAME»). `unit`: what a value over h·w is.
    `reading`: what a bright cell says. `comparison_only`: why no audit can be made of its maps, empty where one can.
    `few_faces`: its agreement with the closed form is checked on few faces, for its cost.
    """

    name: ClassVar[str]
    needs: ClassVar[Needs]
    additive: ClassVar[bool]
    passes: ClassVar[int]
    cost: ClassVar[str]
    paper: ClassVar[str]
    words: ClassVar[str]
    unit: ClassVar[str] = OWN_SCALE
    reading: ClassVar[str] = ASKED
    comparison_only: ClassVar[str] = ""
    few_faces: ClassVar[bool] = False

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls) and "words" not in vars(cls):
            cls.words = f"map by {cls.name}"

    def explain(self, classifier: Explainable, images: np.ndarray) -> Explanation:
        """uint8 (B, 112, 112, 3), RGB, aligned → logits float32 (B, 2), signed evidence float32 (B, 2, h, w).

        The maps lie over the whole aligned face, at most 14×14 cells; they are not scaled to 0–1. `classifier` is left
        as it was.
        """
        raise NotImplementedError

    @classmethod
    def why_not(cls, classifier: Explainable) -> str | None:
        """Why this method cannot make an audit's maps of a classifier; None where it can."""
        if cls.comparison_only:
            return cls.comparison_only
        if cls.needs is not Needs.OUTPUTS and classifier.layers is None:
            return f"it needs {cls.needs.value}: {classifier.no_layers}"
        if cls.needs is Needs.LAYERS and classifier.layers.no_gradients:
            return f"it needs {cls.needs.value}: {classifier.layers.no_gradients}"
        if cls.needs is Needs.LINEAR_HEAD and classifier.layers.bias is None:
            return f"it needs {cls.needs.value}, and this network has none"
        return None

    def adds_up(self, classifier: Explainable) -> bool:
        """Whether the maps of this classifier decompose its logits: mean(E_c) + b_c is logit_c."""
        return self.additive and (self.needs is Needs.OUTPUTS or classifier.layers.bias is not None)

    def bias(self, classifier: Explainable) -> list[float] | None:
        """b_c of female and male, what of the logits lies on no map; None where the maps do not add up."""
        if not self.adds_up(classifier):
            return None
        return [0.0, 0.0] if self.needs is Needs.OUTPUTS else classifier.layers.bias

    def record(self, classifier: Explainable) -> dict:
        """What manifests keep of the maps, plain values: `method`, `additive`, `layer` and what else there is."""
        layer = {"layer": None} if self.needs is Needs.OUTPUTS else classifier.layers.record
        return {"method": self.name, "additive": self.adds_up(classifier), **layer, **self.options()}

    @classmethod
    def option_names(cls) -> tuple[str, ...]:
        """Names of the options."""
        return tuple(field.name for field in dataclasses.fields(cls)) if dataclasses.is_dataclass(cls) else ()

    def options(self) -> dict:
        """The options, as JSON has them."""
        options = {name: getattr(self, name) for name in self.option_names()}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
