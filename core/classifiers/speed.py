"""The names of faster ways to compute the same logits and maps, and what a manifest keeps of one and of a precision.

What is offered here was measured (docs/performance.md); what was tried and is not faster or not close enough is told
there and not offered. Needs no torch; `core.classifiers.faster` makes a network faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.json_record import Correlation, JsonRecord, Positive

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
    map_correlation: Correlation | None = None
    least_map_correlation: Correlation | None = None
    decisions: int
    margin: Positive


@dataclass(frozen=True, kw_only=True)
class Float32Check(JsonRecord):
    """What came of computing the `faces` nearest to even again in float32.

    `decisions` counts those that are decided otherwise then, and `margin` is the largest change of a margin, in logits.
    `beyond` is the least margin, without its sign, of the faces that were left as they are; None where there are none.
    """

    faces: int
    decisions: int
    margin: Positive
    beyond: Positive | None = None

    @property
    def complete(self) -> bool:
        """Whether no face that was left as it is lies within what margins changed by."""
        return self.beyond is None or self.beyond > self.margin
