"""What a model says of the faces of one picture: logits, margin, probability, maps and their sums by region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import LookwhereError
from core.explain.maps import FEMALE, MALE, display_maps
from core.explain.placement import Placement
from core.explain.regions import by_region
from core.task import GENDERS

if TYPE_CHECKING:
    from core.classifiers.classifier import Classifier

#: Which map is shown; nobody has labelled an uploaded face, so there is no `true`.
TARGETS = ("predicted", "female", "male", "margin")


@dataclass(frozen=True)
class Prediction:
    """One face's `logits` float32 (2,), and signed `evidence` float32 (2, h, w) or None, class order female, male.

    `placement` says where its cells lie, None where they are tiles.
    """

    logits: np.ndarray
    evidence: np.ndarray | None
    placement: Placement | None = None

    @property
    def margin(self) -> float:
        """logit_female − logit_male: above 0 the model says female."""
        return float(self.logits[FEMALE] - self.logits[MALE])

    @property
    def predicted(self) -> str:
        """The class with the larger logit, male where they are equal, as audits have it."""
        return GENDERS[MALE if self.margin <= 0 else FEMALE]

    @property
    def probability(self) -> float:
        """Softmax of the predicted class, 1 / (1 + exp(−|margin|))."""
        return float(1 / (1 + np.exp(-abs(self.margin))))

    def map(self, target: str) -> np.ndarray:
        """Grad-CAM (h, w) of a class, or the signed margin map, in logits. Raises `LookwhereError` without maps."""
        if self.evidence is None:
            raise LookwhereError("this model gives no maps")
        which = np.array([GENDERS.index(self.predicted)])
        return display_maps(self.evidence[None], target, "raw", which, which)[0]

    def regions(self) -> np.ndarray:
        """What of the margin is centred on each region, float64 (R,), in logits; with additive maps these and the bias
        make up the margin. Raises `LookwhereError` without maps."""
        return by_region(self.map("margin"), self.placement) * self.evidence[0].size


def read_faces(classify: Classifier, crops: list[np.ndarray], placement: Placement | None = None) -> list[Prediction]:
    """Classify aligned crops uint8 (112, 112, 3), all at once. Raises `LookwhereError` where a logit is no number.

    `placement` says where the maps' cells lie where that is known; otherwise it is measured.
    """
    if not crops:
        return []
    logits, evidence = classify(np.stack(crops))
    if not np.isfinite(logits).all():
        raise LookwhereError("the model gives no finite logits for this image; audit it to see whether it ever does")
    if evidence is None:
        return [Prediction(logit, None) for logit in logits]
    return [Prediction(logits[n], evidence[n], placement or classify.placement) for n in range(len(crops))]


def head_bias(classify: Classifier) -> float | None:
    """b_female − b_male of additive maps: what of the margin lies on no cell; None where maps do not add up."""
    if not (classify.maps or {}).get("additive") or classify.head_bias is None:
        return None
    return classify.head_bias[FEMALE] - classify.head_bias[MALE]
