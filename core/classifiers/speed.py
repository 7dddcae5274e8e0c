"""Faster ways to compute the same logits and maps, and how far they agree with float32 on faces that are at hand.

What is offered here was measured (docs/performance.md); what was tried and is not faster or not close enough is told
there and not offered. Needs no torch until a network is made faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from core.errors import LookwhereError
from core.explain.closed_form import ClosedForm
from core.json_record import JsonRecord

if TYPE_CHECKING:
    from core.classifiers.classifier import Classifier

#: Maps of a faster way correlate at least this well with those in float32, over all cells of the faces it is tried on.
LEAST = 0.999
#: Faces that it is tried on.
TRIED = 64


class Speed(StrEnum):
    """How an audit computes.

    `PLAIN`: the network as it is. `FOLDED`: its batch norms folded into its convolutions (`core.classifiers.folding`).
    `OPENVINO`: these run by OpenVINO, a ResNet-50 of ours on the CPU (`core.classifiers.openvino_resnet`).
    """

    PLAIN = "plain"
    FOLDED = "folded"
    OPENVINO = "openvino"


@dataclass(frozen=True, kw_only=True)
class FasterWay(JsonRecord):
    """What a manifest keeps of a faster way: which, and how it agreed with the plain network in float32.

    Of `faces` audited faces, `map_correlation` is that of all cells of both classes' maps, `least_map_correlation` that
    of the face with the least; both None where there are no maps. `decisions` counts the faces of another decision, and
    `margin` is the largest difference of a margin, in logits.
    """

    how: Speed
    faces: int
    map_correlation: float | None = None
    least_map_correlation: float | None = None
    decisions: int
    margin: float


def agreement(how: Speed, fast: Classifier, exact: Classifier, images: np.ndarray) -> FasterWay:
    """How a faster way agrees with float32 on faces uint8 (n, 112, 112, 3)."""
    (logits, maps), (exactly, maps_exactly) = fast(images), exact(images)
    margin, true_margin = (values[:, 1].astype(np.float64) - values[:, 0] for values in (logits, exactly))
    whole = least = None
    if maps is not None and maps_exactly is not None:
        ours, theirs = (values.reshape(len(values), -1).astype(np.float64) for values in (maps, maps_exactly))
        whole = _correlation(ours.ravel(), theirs.ravel())
        least = min(_correlation(a, b) for a, b in zip(ours, theirs, strict=True))
    return FasterWay(
        how=how,
        faces=len(images),
        map_correlation=whole,
        least_map_correlation=least,
        decisions=int(((margin >= 0) != (true_margin >= 0)).sum()),
        margin=round(float(np.abs(margin - true_margin).max()), 6),
    )


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's; 1 of equal values that do not vary, 0 where only one side does."""
    if one.std() == 0 or other.std() == 0:
        return float(np.array_equal(one, other))
    return round(float(np.corrcoef(one, other)[0, 1]), 6)


def faster(classifier: Classifier | None, how: Speed, images: np.ndarray) -> tuple[Classifier, FasterWay]:
    """The classifier made faster, and how it agrees with float32 on the first `TRIED` of these faces.

    Raises `LookwhereError` where it cannot be made so, or its maps correlate with those in float32 less than `LEAST`.
    """
    if classifier is None:
        raise LookwhereError(f"--speed {how}: predictions alone are computed no more; leave it out")
    if classifier.maps is not None and classifier.maps["method"] != ClosedForm.name:
        raise LookwhereError(
            f"--speed {how}: for maps in closed form and for --maps none; maps by {classifier.maps['method']} need the "
            "network as it is, leave it out"
        )
    fast, exact = classifier.computed(how), classifier.computed(None)
    found = agreement(how, fast, exact, images[:TRIED])
    if found.map_correlation is not None and found.map_correlation < LEAST:
        raise LookwhereError(
            f"--speed {how}: on {found.faces} of these faces its maps correlate with those in float32 by "
            f"{found.map_correlation:.4f}, under {LEAST}; leave it out"
        )
    return fast, found
