"""A classifier made faster, and how that agrees with float32 on faces that are at hand."""

from __future__ import annotations

import numpy as np

from core.classifiers.classifier import Classifier
from core.classifiers.speed import LEAST, TRIED, FasterWay, Speed
from core.errors import LookwhereError
from core.explain.closed_form import ClosedForm


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


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's; 1 of equal values that do not vary, 0 where only one side does."""
    if first.std() == 0 or second.std() == 0:
        return float(np.array_equal(first, second))
    return round(float(np.corrcoef(first, second)[0, 1]), 6)


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
    agreement_on_faces = agreement(how, fast, exact, images[:TRIED])
    if agreement_on_faces.map_correlation is not None and agreement_on_faces.map_correlation < LEAST:
        raise LookwhereError(
            f"--speed {how}: on {agreement_on_faces.faces} of these faces its maps correlate with those in float32 by "
            f"{agreement_on_faces.map_correlation:.4f}, under {LEAST}; leave it out"
        )
    return fast, agreement_on_faces
