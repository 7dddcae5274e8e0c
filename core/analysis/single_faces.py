"""The faces behind a group: in which order, with what record, and where their pictures are; needs no torch.

Likeness of two faces is the cosine of their maps' shapes (`core.analysis.maps.shapes.oriented_shapes`): evidence for
the class the model chose over the other, so a woman and a man misjudged for the same reason are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from core.analysis.maps.shapes import oriented_shapes
from core.audit.folder import Audit, head_bias, margins
from core.errors import LookwhereError
from core.explain.regions import by_region


class FaceOrder(StrEnum):
    """In which order a group's faces are listed; the values are what a person chooses by."""

    WRONG = "most confidently wrong"
    NEAR = "nearest to the threshold"
    SURE = "most confident"
    LIKE_GROUP = "most like the group's mean map"
    LIKE_FACE = "most like the chosen face's map"

    @property
    def by_similarity(self) -> bool:
        """True where faces are ordered by how alike their maps are, which needs maps."""
        return self in (FaceOrder.LIKE_GROUP, FaceOrder.LIKE_FACE)

    @property
    def of_a_face(self) -> bool:
        """True where the order is by similarity to one chosen face."""
        return self is FaceOrder.LIKE_FACE


#: Faces a page of the browser, and faces beside a record.
PAGE, ALIKE = 24, 6


def likeness(shapes: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Cosine of maps (N, h, w) with one (h, w), float64 (N,); 0 for a map of zeros, which is like nothing."""
    x, y = shapes.reshape(len(shapes), -1).astype(np.float64), np.asarray(to, dtype=np.float64).ravel()
    lengths = np.sqrt((x**2).sum(axis=1) * (y**2).sum())
    return (x @ y) / np.where(lengths > 0, lengths, 1.0)


def ordered(audit: Audit, rows: np.ndarray, order: FaceOrder, face: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """`rows` (n,) of the audit's faces in an order, and the value they are ordered by, float64 (n,).

    «most confidently wrong»: the wrong ones by falling |margin|, then the right ones by rising |margin|. Equal values
    keep the audit's order. `face` is the row that `LIKE_FACE` asks for. Raises `LookwhereError` for an order that
    needs maps where there are none, or without its face.
    """
    margin = margins(audit)[rows]
    if order is FaceOrder.WRONG:
        wrong = ~audit.faces["correct"].to_numpy(dtype=bool)[rows]
        value = np.where(wrong, -np.abs(margin), np.abs(margin))
        place = np.lexsort((value, ~wrong))
    elif not order.by_similarity:
        value = np.abs(margin)
        place = np.argsort(value if order is FaceOrder.NEAR else -value, kind="stable")
    else:
        audit.need_maps()
        if order.of_a_face and face is None:
            raise LookwhereError("no face is chosen: open a face's record and order by likeness to it")
        shapes = oriented_shapes(audit)
        value = likeness(shapes[rows], shapes[face] if order.of_a_face else shapes[rows].mean(axis=0))
        place = np.argsort(-value, kind="stable")
    return rows[place], value[place]


def row_of(audit: Audit, face_id: str | None) -> int | None:
    """The row of a face; None where the audit has none of this id."""
    found = np.flatnonzero((audit.faces["face_id"].astype(str) == face_id).to_numpy())
    return int(found[0]) if len(found) else None


@dataclass(frozen=True)
class Record:
    """All that is known of one face: `face` is its row of the audit's table, `margin` its logit difference.

    `copies` and `person` are the rows of the audit's other faces in its cluster of near-copies and of its identity;
    `alike` those with the most alike maps, `cosines` how much. `regions` float64 (R,) is each region's contribution to
    the margin and `bias` the last layer's; with additive maps they sum to the margin, up to `rest`, which is rounding,
    and with others `bias` and `rest` are NaN.
    `surer` is the share of the audit's faces of the same outcome with a smaller |margin|.
    """

    row: int
    face: pd.Series
    margin: float
    surer: float
    copies: np.ndarray
    person: np.ndarray
    alike: np.ndarray
    cosines: np.ndarray
    regions: np.ndarray | None
    bias: float
    rest: float


def record(audit: Audit, row: int) -> Record:
    """The record of the face at a row."""
    faces, others = audit.faces, np.arange(len(audit.faces)) != row
    face, margin = faces.iloc[row], margins(audit)
    same = (faces["correct"] == face["correct"]).to_numpy() & others
    copies = np.flatnonzero((faces["cluster"] == face["cluster"]).fillna(False).to_numpy(dtype=bool) & others)
    person = np.empty(0, dtype=np.int64)
    if pd.notna(face["identity"]):
        person = np.flatnonzero((faces["identity"] == face["identity"]).fillna(False).to_numpy(dtype=bool) & others)
    surer = float((np.abs(margin[same]) < abs(margin[row])).mean()) if same.any() else np.nan
    facts = {"row": row, "face": face, "margin": float(margin[row]), "surer": surer, "copies": copies, "person": person}
    if not audit.has_maps:
        none = np.empty(0, dtype=np.int64)
        return Record(**facts, alike=none, cosines=none.astype(float), regions=None, bias=np.nan, rest=np.nan)
    alike, cosines = ordered(audit, np.flatnonzero(others), FaceOrder.LIKE_FACE, row)
    evidence = audit.evidence[row].astype(np.float64)
    regions = by_region(evidence[0] - evidence[1])
    bias = head_bias(audit) if audit.additive else np.nan
    rest = float(margin[row] - regions.sum() - bias)
    return Record(**facts, alike=alike[:ALIKE], cosines=cosines[:ALIKE], regions=regions, bias=bias, rest=rest)
