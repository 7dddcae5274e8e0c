"""The causal check of the evidence by region: hide one region of the aligned face, measure what the margin loses.

Occlusion: Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata
from torch import Tensor

from core.checks.probe import Probe, blurred
from core.checks.results import Part
from core.checks.sample import Means, bounds, published_groups, rounded
from core.checks.similarity import pearson, spearman
from core.checks.stored_words import Agreement, Fill
from core.explain import regions
from core.progress import Progress


def masks(probe: Probe, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Boolean (R, H, W), the regions; and int64 (n, R, 2), how far each region's control lies from it, down and across.

    The control is the same hole somewhere else, wrapped round the edge: same area, another place.
    """
    side = probe.store.images.shape[1]
    labels = regions.label_image(side)
    holes = np.stack([labels == index for index in range(len(regions.REGIONS))])
    shift = np.random.default_rng([seed, 3]).integers(side // 4, side - side // 4, (len(probe.sample), len(holes), 2))
    return holes, shift


def fill(images: Tensor, hole: Tensor, kind: Fill, grey: Tensor, blur: Tensor) -> Tensor:
    """Images (b, 3, H, W) with the pixels of `hole`, boolean (b, 1, H, W), hidden."""
    if kind is Fill.GREY:
        filling = grey.view(1, 3, 1, 1)
    elif kind is Fill.BLUR:
        filling = blur
    else:
        count = hole.sum(dim=(2, 3), keepdim=True).clamp(min=1)
        filling = (images * hole).sum(dim=(2, 3), keepdim=True) / count
    return torch.where(hole, filling, images)


def check_occlusion(probe: Probe, seed: int = 0, progress: Progress | None = None) -> Part:
    """Tables `regions` (a fill and region a row) and `agreement` (a fill and kind a row).

    `drop` is the oriented margin of the whole face less that of the face with the region hidden, in logits: positive
    where the region speaks for the prediction. `control` is the same for the hole moved elsewhere, `evidence` the
    region's part of the evidence, turned the same way. `agreement` is the rank correlation over regions of drop
    and evidence; `control` there is that of the moved holes' drop with the evidence of the region they came from.
    """
    n, count = len(probe.sample), len(regions.REGIONS)
    tick = progress("hiding regions", n) if progress else (lambda count: None)
    holes, shift = masks(probe, seed)
    margins = np.zeros((n, 1 + 2 * len(Fill) * count))
    for block in probe.blocks():
        faces = probe.images(block)
        changed = torch.cat([faces, *_hidden(faces, holes, shift[block], probe.grey)])
        margins[block] = probe.margins(changed).reshape(-1, len(faces)).T
        tick(len(faces))
    margins *= probe.sign[:, None]
    drops = (margins[:, :1] - margins[:, 1:]).reshape(n, len(Fill), 2, count)
    return _summary(probe, drops, regions.by_region(probe.oriented, probe.audit.placement), seed)


def _hidden(faces: Tensor, holes: np.ndarray, shift: np.ndarray, grey: Tensor) -> Iterator[Tensor]:
    """The faces (b, 3, H, W) with one region hidden: by fill, then at the region's own place and at its control's
    (`shift`, (b, R, 2)), then by region."""
    blur = blurred(faces)
    moved = np.stack([[np.roll(hole, by, (0, 1)) for hole, by in zip(holes, face, strict=True)] for face in shift])
    for kind, place, r in product(Fill, (np.broadcast_to(holes, moved.shape), moved), range(len(holes))):
        hole = torch.from_numpy(place[:, r : r + 1].copy()).to(faces.device)
        yield fill(faces, hole, kind, grey, blur)


def _summary(probe: Probe, drops: np.ndarray, evidence: np.ndarray, seed: int) -> Part:
    """The tables of drops (n, fills, drop or control, R) and evidence (n, R), for each group that may be shown."""
    areas = regions.area_shares()
    groups, rows, agreement = published_groups(probe.sample), [], []
    correlations = _by_face(drops, evidence, areas)
    for member in groups:
        means = Means(probe.sample, member, seed)
        for f, kind in enumerate(Fill):
            where = {"group": member.name, "fill": kind}
            rows += [where | row for row in _region_rows(means, drops[:, f], evidence, areas)]
            agreement += [
                where | row for row in _agreement_rows(means, drops[:, f], evidence, areas, correlations[:, f])
            ]
    tables = {"regions": pd.DataFrame(rows), "agreement": pd.DataFrame(agreement)}
    return Part([(m.name, m.n) for m in groups], tables, {})


def _region_rows(means: Means, drops: np.ndarray, evidence: np.ndarray, areas: np.ndarray) -> Iterator[dict]:
    """A row a region, of one group and fill: means over drops (n, drop or control, R) and evidence (n, R)."""
    values = {"drop": drops[:, 0], "control": drops[:, 1], "evidence": evidence, "excess": drops[:, 0] - drops[:, 1]}
    intervals = {name: means.interval(value) for name, value in values.items()}
    for r, region in enumerate(regions.REGIONS):
        row = {"region": region, "area": float(areas[r])}
        for name, (mean, low, high) in intervals.items():
            row |= {name: mean[r], f"{name}_low": low[r], f"{name}_high": high[r]}
        yield rounded(row)


def _agreement_rows(
    means: Means, drops: np.ndarray, evidence: np.ndarray, areas: np.ndarray, correlations: np.ndarray
) -> Iterator[dict]:
    """A row a kind of agreement, of one group and fill; `correlations` are those of `_by_face` for this fill."""
    mean_evidence, evidence_draws = means.mean(evidence), means.replicates(evidence)
    for kind in Agreement:
        by, row = areas if kind.by_area else 1.0, {"kind": kind}
        for c, label in enumerate(("agreement", "control")):
            if kind.of_means:
                lost, lost_draws = means.mean(drops[:, c]), means.replicates(drops[:, c])
                value = spearman((lost / by)[None], (mean_evidence / by)[None])[0]
                low, high = bounds(spearman(lost_draws / by, evidence_draws / by))
            else:
                value, low, high = means.interval(correlations[:, c, int(kind.by_area)])
            row |= {label: value, f"{label}_low": low, f"{label}_high": high}
        yield rounded(row)


def _by_face(drops: np.ndarray, evidence: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Each face's rank correlations over its regions: (n, fills, drop or control, total or by area)."""
    result = np.full((*drops.shape[:3], 2), np.nan)
    for k, by in enumerate((1.0, areas)):
        truth = rankdata(evidence / by, axis=-1)
        for place in np.ndindex(drops.shape[1:3]):
            result[(slice(None), *place, k)] = pearson(rankdata(drops[(slice(None), *place)] / by, axis=-1), truth)
    return result
