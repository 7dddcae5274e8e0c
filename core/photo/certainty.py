"""Where a face's certainty lies among the audited faces to which the model gave the same class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.intervals import wilson
from core.audit.manifest import AuditManifest
from core.classifiers.info import ModelInfo
from core.privacy import MINIMUM_FACES
from core.task import task_of

#: So many audited faces of nearest certainty say how often the model is wrong there, and all as near as the last.
NEAREST = 200


@dataclass(frozen=True)
class CertaintyRank:
    """A margin among the audited faces given the class `predicted`, `right` of them rightly and `wrong` wrongly.

    `above_right`, `above_wrong`: the share of each of strictly lower |margin|, so that a tie is not «more certain»;
    None under 11 faces. Of the `near` faces of nearest |margin|, `near_wrong` were wrong, `near_low` to `near_high`
    their Wilson 95 % interval; None under 11.
    """

    predicted: str
    right: int
    wrong: int
    above_right: float | None
    above_wrong: float | None
    near: int
    near_wrong: int | None
    near_low: float | None
    near_high: float | None


def certainties(faces: pd.DataFrame, predicted: str) -> tuple[np.ndarray, np.ndarray]:
    """|margin| of the audited faces given a class, float64: of those rightly, and of those wrongly given it."""
    called = faces[faces["predicted"] == predicted]
    certain = np.abs(task_of(faces).margin(called))
    right = called["correct"].to_numpy(dtype=bool)
    return certain[right], certain[~right]


def certainty_rank(faces: pd.DataFrame, predicted: str, margin: float) -> CertaintyRank:
    """The place of a face's margin; `faces` is an audit's table."""
    right, wrong = certainties(faces, predicted)
    certain = abs(margin)
    both = np.concatenate([right, wrong])
    was_wrong = np.arange(len(both)) >= len(right)
    near = _nearest(np.abs(both - certain))
    enough = len(near) >= MINIMUM_FACES
    count = int(was_wrong[near].sum())
    low, high = (float(x) for x in wilson(count, len(near)))
    return CertaintyRank(
        predicted=predicted,
        right=len(right),
        wrong=len(wrong),
        above_right=_below(right, certain),
        above_wrong=_below(wrong, certain),
        near=len(near),
        near_wrong=count if enough else None,
        near_low=low if enough else None,
        near_high=high if enough else None,
    )


def _nearest(distances: np.ndarray) -> np.ndarray:
    """Rows of the `NEAREST` smallest and of all that tie with the last: a saturated model gives many one certainty."""
    if len(distances) <= NEAREST:
        return np.arange(len(distances))
    return np.flatnonzero(distances <= np.partition(distances, NEAREST - 1)[NEAREST - 1])


def _below(certainties: np.ndarray, certain: float) -> float | None:
    return float((certainties < certain).mean()) if len(certainties) >= MINIMUM_FACES else None


def same_weights(info: ModelInfo, manifest: AuditManifest) -> bool:
    """Was the audit made with these very weights? Where either does not say, yes."""
    mine, its = info.weights_sha256, manifest.weights_sha256
    return mine is None or its is None or mine == its
