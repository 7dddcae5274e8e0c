"""What a model says of the faces of one image: logits, margin, probability, maps and their sums by region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import LookwhereError
from core.explain.maps import display_maps, targets_of
from core.explain.placement import Placement
from core.explain.regions import by_region
from core.task import GENDER, Task

if TYPE_CHECKING:
    from core.classifiers.classifier import Classifier


def photo_targets(task: Task) -> tuple[str, ...]:
    """Which maps are shown; nobody has labelled an uploaded face, so there is no `true`."""
    return tuple(target for target in targets_of(task) if target != "true")


@dataclass(frozen=True)
class Prediction:
    """One face's `logits` float32 (2,), and signed `evidence` float32 (2, h, w) or None, in the classes' order.

    `placement` says where its cells lie, None where they are tiles.
    """

    logits: np.ndarray
    evidence: np.ndarray | None
    placement: Placement | None = None
    task: Task = GENDER

    @property
    def margin(self) -> float:
        """The logit of the first class less that of the second: above 0 the model says the first."""
        return float(self.logits[0] - self.logits[1])

    @property
    def predicted(self) -> str:
        """The class with the larger logit, the positive one where they are equal, as audits have it."""
        return self.task.positive if self.margin <= 0 else self.task.negative

    @property
    def probability(self) -> float:
        """Softmax of the predicted class, 1 / (1 + exp(−|margin|))."""
        return float(1 / (1 + np.exp(-abs(self.margin))))

    def map(self, target: str) -> np.ndarray:
        """Grad-CAM (h, w) of a class, or the signed margin map, in logits. Raises `LookwhereError` without maps."""
        if self.evidence is None:
            raise LookwhereError("this model gives no maps")
        which = np.array([self.task.index(self.predicted)])
        return display_maps(self.evidence[None], target, "raw", which, which, self.task)[0]

    def regions(self) -> np.ndarray:
        """What of the margin is centred on each region, float64 (R,), in logits; with additive maps these and the bias
        make up the margin. Raises `LookwhereError` without maps."""
        return by_region(self.map("margin"), self.placement) * self.evidence[0].size


def read_faces(
    classify: Classifier, crops: list[np.ndarray], placement: Placement | None = None, task: Task = GENDER
) -> list[Prediction]:
    """Classify aligned crops uint8 (112, 112, 3), all at once. Raises `LookwhereError` where a logit is no number.

    `placement` says where the maps' cells lie where that is known; otherwise it is measured.
    """
    if not crops:
        return []
    logits, evidence = classify(np.stack(crops))
    if not np.isfinite(logits).all():
        raise LookwhereError("the model gives no finite logits for this image; audit it to see whether it ever does")
    if evidence is None:
        return [Prediction(logit, None, task=task) for logit in logits]
    return [Prediction(logits[n], evidence[n], placement or classify.placement, task) for n in range(len(crops))]


def head_bias(classify: Classifier) -> float | None:
    """What of the margin lies on no cell of additive maps, b of the first class less that of the second; else None."""
    if not (classify.maps or {}).get("additive") or classify.head_bias is None:
        return None
    return classify.head_bias[0] - classify.head_bias[1]
