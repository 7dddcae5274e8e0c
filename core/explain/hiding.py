"""Methods that need nothing but outputs: they hide parts of the face and ask for the logits again."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from core.explain import perturbation
from core.explain.method import AttributionMethod, Explainable, Explanation, Needs
from core.explain.registry import register

LOST = "what the score loses without the cell, in logits, half the margin's loss and not adding up"
HIDDEN = "A bright cell says that the score falls where the cell is hidden, not that nothing else was used."


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
        return perturbation.rise(classifier.logits, images, perturbation.RandomMasks(**dataclasses.asdict(self)))
