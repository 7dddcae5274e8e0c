"""Single faces: the order a group's faces are listed in, and one face's record; needs no torch.

The similarity of two faces is the cosine of their maps' shapes (`core.analysis.maps.shapes.oriented_shapes`). A shape
is evidence for the class the model chose over the other, so a woman and a man misjudged for one reason are similar.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from core.analysis.maps.shapes import oriented_shapes
from core.audit.doubts import mere_decisions
from core.audit.folder import Audit, head_bias, margins
from core.audit.images import AuditImages
from core.errors import LookwhereError
from core.explain.maps import display_maps, targets_of
from core.explain.placement import Placement
from core.explain.regions import by_region


class FaceOrder(StrEnum):
    """In which order a group's faces are listed; the values are what a person chooses by."""

    WRONG = "most confidently incorrect"
    NEAR = "nearest to the threshold"
    SURE = "most confident"
    LIKE_GROUP = "most like the group's mean map"
    LIKE_FACE = "most like the chosen face's map"
    LISTED = "incorrect first"

    @property
    def by_similarity(self) -> bool:
        """True where faces are ordered by the similarity of their maps, which needs maps."""
        return self in (FaceOrder.LIKE_GROUP, FaceOrder.LIKE_FACE)

    @property
    def by_certainty(self) -> bool:
        """True where faces are ordered by how certain the model is."""
        return self in (FaceOrder.WRONG, FaceOrder.NEAR, FaceOrder.SURE)

    @property
    def of_a_face(self) -> bool:
        """True where the order is by similarity to one chosen face."""
        return self is FaceOrder.LIKE_FACE


#: Faces a page of the browser, and faces beside a record.
PAGE, SIMILAR = 24, 6


def map_similarity(shapes: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Cosine of maps (N, h, w) with one (h, w), float64 (N,); 0 for a map of zeros, which is similar to nothing."""
    x, y = shapes.reshape(len(shapes), -1).astype(np.float64), np.asarray(to, dtype=np.float64).ravel()
    lengths = np.sqrt((x**2).sum(axis=1) * (y**2).sum())
    return (x @ y) / np.where(lengths > 0, lengths, 1.0)


def orders(audit: Audit, of_a_face: bool) -> list[FaceOrder]:
    """What an audit's faces can be ordered by: certainty where scores are no mere decisions, maps where there are any.

    `of_a_face` says whether a face is chosen to which others may be similar.
    """
    no_scores = mere_decisions(audit.faces)
    return [
        order
        for order in FaceOrder
        if not (order.by_certainty and no_scores)
        and (audit.has_maps or not order.by_similarity)
        and (of_a_face or not order.of_a_face)
        and (no_scores or order is not FaceOrder.LISTED)
    ]


def ordered(audit: Audit, rows: np.ndarray, order: FaceOrder, face: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """`rows` (n,) of the audit's faces in an order, and the value they are ordered by, float64 (n,).

    «most confidently incorrect» lists the incorrect ones by falling |margin|, then the correct ones by rising |margin|.
    «incorrect first» has both in the audit's order. Equal values keep it. `face` is the row that `LIKE_FACE` asks for.
    Raises `LookwhereError` for an order that needs maps where there are none, or without its face.
    """
    margin = margins(audit)[rows]
    correct = audit.faces["correct"].to_numpy(dtype=bool)[rows]
    if order is FaceOrder.LISTED:
        value = correct.astype(np.float64)
        position = np.argsort(value, kind="stable")
    elif order is FaceOrder.WRONG:
        value = np.where(correct, np.abs(margin), -np.abs(margin))
        position = np.lexsort((value, correct))
    elif not order.by_similarity:
        value = np.abs(margin)
        position = np.argsort(value if order is FaceOrder.NEAR else -value, kind="stable")
    else:
        audit.need_maps()
        if order.of_a_face and face is None:
            raise LookwhereError("no face is chosen: open a face's record and order by similarity to it")
        shapes = oriented_shapes(audit)
        value = map_similarity(shapes[rows], shapes[face] if order.of_a_face else shapes[rows].mean(axis=0))
        position = np.argsort(-value, kind="stable")
    return rows[position], value[position]


def row_of(audit: Audit, face_id: str | None) -> int | None:
    """The row of a face; None where the audit has none of this id."""
    rows = np.flatnonzero((audit.faces["face_id"].astype(str) == face_id).to_numpy())
    return int(rows[0]) if len(rows) else None


@dataclass(frozen=True)
class FaceRecord:
    """All that is known of one face: its image, its maps and its facts.

    `row` is the face's row of the audit's table, `face` that row. `image` is the aligned face, uint8 (112, 112, 3),
    None where no images are at hand. `maps` has the raw map of each target, float32 (h, w); it is empty without maps.
    `renamed` has the ethnicities that the audit renamed, `map_method` and `additive` are the audit's.

    `margin` is the face's logit difference. `surer` is the share of the audit's faces of the same outcome with a
    smaller |margin|; NaN where there is no other. `copies` and `person` are the rows of the audit's other faces in its
    cluster of near-copies and of its identity; `similar` those with the most similar maps, `cosines` how similar.

    `regions` float64 (R,) is each region's contribution to the margin and `bias` the last layer's. With additive maps
    they sum to the margin up to `rest`, which is rounding; with others `bias` and `rest` are NaN.
    """

    row: int
    face: pd.Series
    image: np.ndarray | None
    maps: dict[str, np.ndarray]
    renamed: dict[str, str]
    map_method: str
    additive: bool
    margin: float
    surer: float
    copies: np.ndarray
    person: np.ndarray
    similar: np.ndarray
    cosines: np.ndarray
    regions: np.ndarray | None
    bias: float
    rest: float
    placement: Placement | None = None


def face_record(audit: Audit, row: int, images: AuditImages | None = None) -> FaceRecord:
    """The record of the face at a row of the audit's table; `images` are those of `core.audit.images.open_images`."""
    faces, is_other = audit.faces, np.arange(len(audit.faces)) != row
    face, margin = faces.iloc[row], margins(audit)
    same = (faces["correct"] == face["correct"]).to_numpy() & is_other
    copies = np.flatnonzero((faces["cluster"] == face["cluster"]).fillna(False).to_numpy(dtype=bool) & is_other)
    person = np.empty(0, dtype=np.int64)
    if pd.notna(face["identity"]):
        person = np.flatnonzero((faces["identity"] == face["identity"]).fillna(False).to_numpy(dtype=bool) & is_other)
    similar, cosines = np.empty(0, dtype=np.int64), np.empty(0)
    regions, bias, rest = None, np.nan, np.nan
    if audit.has_maps:
        similar, cosines = ordered(audit, np.flatnonzero(is_other), FaceOrder.LIKE_FACE, row)
        evidence = audit.evidence[row].astype(np.float64)
        regions = by_region(evidence[0] - evidence[1], audit.placement)
        bias = head_bias(audit) if audit.additive else np.nan
        rest = float(margin[row] - regions.sum() - bias)
    return FaceRecord(
        row=row,
        face=face,
        image=None if images is None else images.face(row),
        maps=_maps(audit, row),
        renamed=dict(audit.manifest.names),
        map_method=audit.map_method,
        additive=audit.additive,
        margin=float(margin[row]),
        surer=float((np.abs(margin[same]) < abs(margin[row])).mean()) if same.any() else np.nan,
        copies=copies,
        person=person,
        similar=similar[:SIMILAR],
        cosines=cosines[:SIMILAR],
        regions=regions,
        bias=bias,
        rest=rest,
        placement=audit.placement,
    )


def _maps(audit: Audit, row: int) -> dict[str, np.ndarray]:
    """The raw map (h, w) of each target for one face; empty without maps."""
    if not audit.has_maps:
        return {}
    evidence = audit.evidence[row : row + 1].astype(np.float32)
    classes = audit.truth[[row]], audit.called[[row]]
    return {target: display_maps(evidence, target, "raw", *classes, audit.task)[0] for target in targets_of(audit.task)}
