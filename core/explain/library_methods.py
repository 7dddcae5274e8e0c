"""The methods of the grad-cam library, https://github.com/jacobgil/pytorch-grad-cam."""

from __future__ import annotations

from importlib.metadata import version
from typing import ClassVar

import numpy as np

from core.errors import LookwhereError
from core.explain.closed_form import IN_LOGITS
from core.explain.method import CENTRED, AttributionMethod, Explainable, Explanation, Needs
from core.explain.registry import register

LIBRARY = "grad-cam"
#: Faces at a time, where a method runs the network by itself; one where it keeps an image a channel of each.
FACES = 8
NO_CLASS = "it explains no class, so that both classes would have the same map"


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
    cost = "1 forward pass, 1 backward pass, and an image a layer"
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
