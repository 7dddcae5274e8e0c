"""The attribution methods: the one registry that commands, audits, checks, cards and pages read.

A method is a class that says what it is called, what it needs of a classifier, what it costs and how its maps are read,
and that overrides `explain`. `@register` puts it into `REGISTRY`; nothing else has to be told. No torch is needed here.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib.metadata import version
from typing import ClassVar

import numpy as np

from core.errors import LookwhereError
from core.explain import perturbation
from core.explain.method import AttributionMethod, Explainable, Explanation, Needs

LIBRARY = "grad-cam"
#: Faces at a time, where a method runs the network by itself; one where it keeps a picture a channel of each.
FACES = 8
IN_LOGITS = "in logits, not adding up to the logit"
LOST = "what the score loses without the cell, in logits, half the margin's loss and not adding up"
CENTRED = (
    "Each cell of a map sees more of the face than its own square, and a bright cell says where evidence is centred, "
    "not that nothing else was used."
)
HIDDEN = "A bright cell says that the score falls where the cell is hidden, not that nothing else was used."
NO_CLASS = "it explains no class, so that female and male would have the same map"

#: Every method by its key, in the order in which they are listed.
REGISTRY: dict[str, type[AttributionMethod]] = {}


def key_of(name: str) -> str:
    """A method's name as a command takes it: «closed form» → `closed-form`, «RISE» → `rise`."""
    return name.strip().lower().replace(" ", "-")


def register(kind: type[AttributionMethod]) -> type[AttributionMethod]:
    """Class decorator: put a method into `REGISTRY`. Raises `LookwhereError` where another has its name."""
    if key_of(kind.name) in REGISTRY:
        raise LookwhereError(f"an attribution method named {kind.name} is registered already")
    REGISTRY[key_of(kind.name)] = kind
    return kind


def method(name: str, origin: str = "--maps") -> type[AttributionMethod]:
    """The method of a name or key, in any case. Raises `LookwhereError` naming `origin` and the known ones."""
    kind = REGISTRY.get(key_of(name))
    if kind is None:
        raise LookwhereError(f"{origin} {name}: unknown; there are {', '.join(REGISTRY)}")
    return kind


def usable(classifier: Explainable) -> list[str]:
    """Keys of the methods that can make an audit's maps of a classifier."""
    return [key for key, kind in REGISTRY.items() if kind.why_not(classifier) is None]


def choose(name: str, classifier: Explainable, origin: str = "--maps") -> AttributionMethod:
    """The method, ready for a classifier. Raises `LookwhereError` where it is unknown or cannot be used."""
    kind = method(name, origin)
    if why := kind.why_not(classifier):
        raise LookwhereError(f"{origin} {name}: {why}; usable here are {', '.join(usable(classifier))}")
    return kind()


def from_record(record: dict, origin: str) -> AttributionMethod:
    """The method that `AttributionMethod.record` described, with its options. Raises `LookwhereError` for another."""
    kind = method(record["method"], f"{origin}: maps by")
    given = {key: record[key] for key in kind.option_names() if key in record}
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()})


def stored(name: str) -> type[AttributionMethod]:
    """The method that a manifest names, for its words; one that is registered no more has the words of any."""
    return REGISTRY.get(key_of(name)) or type("Unregistered", (AttributionMethod,), {"name": name})


def help_words() -> str:
    """For a command's help: the methods that can make an audit's maps, with their passes a face."""
    return ", ".join(f"{key} {kind.passes:,}" for key, kind in REGISTRY.items() if not kind.comparison_only)


@register
class ClosedForm(AttributionMethod):
    """E_c = Σ_k W_ck A_k, which is Grad-CAM before its ReLU for a linear head on the mean of A."""

    name = "closed form"
    needs = Needs.LINEAR_HEAD
    additive = True
    passes = 1
    cost = "1 forward pass"
    paper = "Zhou et al. 2016, https://arxiv.org/abs/1512.04150"
    words = "Grad-CAM"
    unit = IN_LOGITS
    reading = CENTRED

    def explain(self, classifier: Explainable, images: np.ndarray) -> Explanation:
        """One forward pass gives logits and maps."""
        return classifier.layers.closed_form(images)


#: How audits made before manifests told it were explained.
UNTOLD = {"method": ClosedForm.name, "additive": True, "layer": "layer4"}


class Perturbation(AttributionMethod):
    """A method that hides parts of the face and asks for the logits again; subclasses override `drops`."""

    needs = Needs.OUTPUTS
    additive = False
    unit = LOST
    reading = HIDDEN

    def drops(self, classifier: Explainable, images: np.ndarray, margin: np.ndarray) -> np.ndarray:
        """How much the margin (B,), logit of female less that of male, loses without each cell: float64 (B, h, w)."""
        raise NotImplementedError

    def explain(self, classifier: Explainable, images: np.ndarray) -> Explanation:
        """The margin map over h·w is the drop; female has half of it and male the other half, turned round."""
        logits = classifier.logits(images)
        margin = logits[:, 0].astype(np.float64) - logits[:, 1]
        return logits.astype(np.float32), perturbation.as_evidence(self.drops(classifier, images, margin))


@register
@dataclass(frozen=True)
class Occlusion(Perturbation):
    """Hide each cell alone."""

    name = "occlusion"
    passes = 50
    cost = "50 forward passes"
    paper = "Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901"

    cells: tuple[int, int] = perturbation.CELLS
    fill: str = perturbation.FILLS[0]

    def drops(self, classifier: Explainable, images: np.ndarray, margin: np.ndarray) -> np.ndarray:
        """See `core.explain.perturbation.occlusion`."""
        return perturbation.occlusion(classifier.logits, images, margin, **dataclasses.asdict(self))


@register
@dataclass(frozen=True)
class Rise(Perturbation):
    """Hide half of the face at random, many times, and regress the margin on what was kept."""

    name = "RISE"
    passes = perturbation.MASKS + 1
    cost = f"{perturbation.MASKS + 1} forward passes"
    paper = "Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421"

    cells: tuple[int, int] = perturbation.CELLS
    fill: str = perturbation.FILLS[0]
    masks: int = perturbation.MASKS
    ridge: float = perturbation.RIDGE
    seed: int = 0

    def drops(self, classifier: Explainable, images: np.ndarray, margin: np.ndarray) -> np.ndarray:
        """See `core.explain.perturbation.rise`."""
        return perturbation.rise(classifier.logits, images, **dataclasses.asdict(self))


class LibraryCam(AttributionMethod):
    """A method of the grad-cam library, https://github.com/jacobgil/pytorch-grad-cam, by the name of its class there.

    Maps are the library's before its ReLU and its scaling to 0–1, times h·w, of each class's logit. `reruns`: it runs
    the network again by itself. `whole`: it looks at more than the layer's output. `rest`: its authors explain the
    logit less its cross-entropy, since the second derivative of a linear head is 0. `on_request`: its agreement is
    checked only where it is named.
    """

    needs = Needs.LAYERS
    additive = False
    passes = 3
    cost = "1 forward pass, 2 backward passes from the layer on"
    reading = CENTRED
    reruns: ClassVar[bool] = False
    whole: ClassVar[bool] = False
    rest: ClassVar[bool] = False
    on_request: ClassVar[bool] = False

    @classmethod
    def why_not(cls, classifier: Explainable) -> str | None:
        """Methods that run the network again take it apart where its layers are convolutions."""
        why = super().why_not(classifier)
        if why is None and cls.reruns and not classifier.layers.convolutional:
            return "it needs a convolutional layer, and the one explained here is none"
        return why

    def adds_up(self, classifier: Explainable) -> bool:
        """Gradients are taken before a ReLU that is no module, so that with one the maps do not add up."""
        return super().adds_up(classifier) and not classifier.layers.rectified

    def record(self, classifier: Explainable) -> dict:
        """With the library's version."""
        return super().record(classifier) | {"library": f"{LIBRARY} {version(LIBRARY)}"}

    def explain(self, classifier: Explainable, images: np.ndarray) -> Explanation:
        """Logits and the library's maps of both classes."""
        if self.reruns:
            block = 1 if self.few_faces else FACES
            return classifier.layers.library_reruns(images, self.name, self.rest, block)
        return classifier.layers.library_maps(images, self.name)


@register
class GradCam(LibraryCam):
    """A weighted by the mean gradient."""

    name = "GradCAM"
    additive = True
    paper = "Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391"
    words = "Grad-CAM"
    unit = IN_LOGITS


@register
class HiResCam(LibraryCam):
    """A times its gradient, cell by cell."""

    name = "HiResCAM"
    additive = True
    paper = "Draelos & Carin 2020, https://arxiv.org/abs/2011.08891"
    unit = IN_LOGITS


@register
class GradCamElementWise(LibraryCam):
    """What of A times its gradient is above 0, cell by cell."""

    name = "GradCAMElementWise"
    paper = f"the {LIBRARY} library, https://github.com/jacobgil/pytorch-grad-cam"
    unit = IN_LOGITS


@register
class GradCamPlusPlus(LibraryCam):
    """A weighted by positive gradients, each with a weight of its own."""

    name = "GradCAMPlusPlus"
    paper = "Chattopadhyay et al. 2018, https://arxiv.org/abs/1710.11063"


@register
class XGradCam(LibraryCam):
    """A weighted by the mean of gradient times A over the mean of A."""

    name = "XGradCAM"
    paper = "Fu et al. 2020, https://arxiv.org/abs/2008.02312"
    unit = IN_LOGITS


@register
class LayerCam(LibraryCam):
    """A times its positive gradient, cell by cell."""

    name = "LayerCAM"
    paper = "Jiang et al. 2021, https://doi.org/10.1109/TIP.2021.3089943"
    unit = IN_LOGITS


@register
class AblationCam(LibraryCam):
    """A weighted by what the logit loses without a channel; not divided by the logit, as the library does it, for that
    would turn the map round where a logit is below 0."""

    name = "AblationCAM"
    passes = 4098
    cost = "4,098 forward passes, one a channel and class"
    paper = "Desai & Ramaswamy 2020, https://doi.org/10.1109/WACV45572.2020.9093360"
    reruns = True
    few_faces = True

    def explain(self, classifier: Explainable, images: np.ndarray) -> Explanation:
        """The library's maps times the logit by which it has divided them. Raises `LookwhereError` for layers that end
        in no ReLU: the library sets a channel to 0 only where 0 is the least value."""
        if classifier.layers.gradients(images)[1].min(axis=(1, 2, 3)).any():
            raise LookwhereError("AblationCAM is for layers after a ReLU, whose least value is 0")
        logits, maps = super().explain(classifier, images)
        return logits, maps * logits[:, :, None, None]


@register
class FinerCam(LibraryCam):
    """Grad-CAM of a class's logit less that of the other; half of it, so that the margin map counts it once."""

    name = "FinerCAM"
    paper = "Zhang et al. 2025, https://arxiv.org/abs/2501.11309"
    unit = IN_LOGITS

    def explain(self, classifier: Explainable, images: np.ndarray) -> Explanation:
        """Half the difference of the two classes' Grad-CAM, which is linear in the gradient."""
        logits, maps = classifier.layers.library_maps(images, GradCam.name)
        return logits, (maps - maps[:, ::-1]) / 2


@register
class ShapleyCam(LibraryCam):
    """A weighted by its gradient less half of the Hessian's product with A."""

    name = "ShapleyCAM"
    passes = 6
    cost = "2 forward passes, 4 backward passes"
    paper = "Cai 2025, https://arxiv.org/abs/2501.06261"
    reruns = True
    rest = True


@register
class FullGrad(LibraryCam):
    """The input times its gradient, and every bias times its gradient."""

    name = "FullGrad"
    passes = 2
    cost = "1 forward pass, 1 backward pass, and a picture a layer"
    paper = "Srinivas & Fleuret 2019, https://arxiv.org/abs/1905.00780"
    comparison_only = "the library scales its parts to 0–1 before it adds them, so that its maps have no amounts"
    whole = True
    few_faces = True


@register
class EigenGradCam(LibraryCam):
    """The first principal component of A times its gradient, whose sign is left to chance."""

    name = "EigenGradCAM"
    paper = f"the {LIBRARY} library, after Muhammad & Yeasin 2020, https://arxiv.org/abs/2008.00299"
    comparison_only = "the sign of its maps is left to chance, so that they cannot be averaged over faces"


@register
class SegEigenCam(LibraryCam):
    """The first principal component of A times its gradient's magnitude, its sign set by its largest value."""

    name = "SegEigenCAM"
    paper = "Chung & Ying 2025, https://doi.org/10.3390/app15137562"


@register
class EigenCam(LibraryCam):
    """The first principal component of A."""

    name = "EigenCAM"
    passes = 1
    cost = "1 forward pass"
    paper = "Muhammad & Yeasin 2020, https://arxiv.org/abs/2008.00299"
    comparison_only = NO_CLASS


@register
class KpcaCam(LibraryCam):
    """The first component of A by kernel PCA."""

    name = "KPCA_CAM"
    passes = 1
    cost = "1 forward pass"
    paper = "Karmani et al. 2024, https://arxiv.org/abs/2410.00267"
    comparison_only = NO_CLASS


@register
class Fem(LibraryCam):
    """A weighted by how many of its cells are rare."""

    name = "FEM"
    passes = 1
    cost = "1 forward pass"
    paper = "Fuad et al. 2020, https://hal.science/hal-02963298"
    comparison_only = NO_CLASS


@register
class RandomCam(LibraryCam):
    """A weighted at random: what a method has to be better than."""

    name = "RandomCAM"
    passes = 1
    cost = "1 forward pass"
    paper = f"the {LIBRARY} library's control, https://github.com/jacobgil/pytorch-grad-cam"
    comparison_only = "its weights are random: it is a control"


@register
class ScoreCam(LibraryCam):
    """A weighted by the score of the face seen through each channel."""

    name = "ScoreCAM"
    passes = 4098
    cost = "4,098 forward passes, one a channel and class"
    paper = "Wang et al. 2020, https://arxiv.org/abs/1910.01279"
    reruns = True
    whole = True
    few_faces = True
    on_request = True
