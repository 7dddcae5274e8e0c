"""Do the places that the map marks matter? Pixels taken away or put back in the map's order, against controls.

Deletion and insertion: Petsiuk et al. 2018, «RISE», https://arxiv.org/abs/1806.07421. ROAD: Rong et al. 2022, «A
consistent and efficient evaluation strategy for attribution methods», https://arxiv.org/abs/2202.00449. Both favour
blurry, centred maps, so the same is always done with orders that know nothing of the face.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import torch
from pytorch_grad_cam.metrics.road import NoisyLinearImputer
from scipy.special import expit

from core.checks.definitions import Score
from core.checks.definitions.deletion import Deletion, Insertion
from core.checks.definitions.road import RoadLeRF, RoadMoRF
from core.checks.probe import Probe, blurred, enlarge
from core.checks.results import Part, closed_to_layers
from core.checks.sample import Means, bounds, published_groups, rounded
from core.checks.stored_words import RemovalOrder
from core.explain.placement import Placement, placed
from core.progress import Progress
from core.template import SIDE

ORDERS, SCORES = tuple(RemovalOrder), tuple(Score)
#: Random orders are drawn this often and shared by the faces in turn, so that ROAD can share their systems.
RANDOM_ORDERS = 16
#: The hump's σ as a share of the side.
HUMP = 0.25
FRACTIONS = np.round(np.linspace(0, 1, 11), 2)
DELETION = (Deletion.kind, Insertion.kind)
#: Shares of pixels removed, and from which end of the order.
REMOVED = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
ROAD = (RoadMoRF.kind, RoadLeRF.kind)
#: Of 0–1, as Rong et al. have it: what tells imputed pixels from their neighbours' mean.
NOISE = 0.01


def order_maps(probe: Probe, seed: int = 0) -> np.ndarray:
    """The maps whose falling values give the orders, float32 (n, 4, h, w): this face's own, then the controls.

    All are turned towards the predicted class.
    """
    h, w = probe.margin.shape[1:]
    n = len(probe.sample)
    random_scores = np.random.default_rng([seed, 2]).random((RANDOM_ORDERS, h, w), dtype=np.float32)
    at = placed((h, w), probe.audit.placement)
    y, x = np.meshgrid(*(np.array(centres) / SIDE - 0.5 for centres in (at.rows, at.columns)), indexing="ij")
    hump = np.exp(-(x**2 + y**2) / (2 * HUMP**2)).astype(np.float32)
    average = np.zeros((n, h, w), dtype=np.float32)
    for sign, predicted in zip((1, -1), probe.audit.task.classes, strict=True):
        if (probe.sign == sign).any():
            average[probe.sign == sign] = sign * _average_margin(probe, predicted)
    return np.stack(
        [probe.oriented, random_scores[np.arange(n) % RANDOM_ORDERS], np.broadcast_to(hump, (n, h, w)), average], 1
    )


def _average_margin(probe: Probe, predicted: str) -> np.ndarray:
    """Margin map (h, w) of the average face of all that were predicted so; where an audit keeps no average face, as of
    faces of which another audit keeps some, of those in the sample."""
    averages = probe.audit.averages
    keep = (averages.cells["predicted"] == predicted).to_numpy()
    if keep.any():
        face = np.average(averages.means[keep].astype(np.float64), axis=0, weights=averages.cells["n"].to_numpy()[keep])
    else:
        members = (probe.sample.faces["predicted"] == predicted).to_numpy()
        face = np.array(probe.store.images[probe.rows[members]]).mean(axis=0)
    if closed_to_layers(probe.audit):
        evidence = probe.model.classify(face.round().astype(np.uint8)[None])[1]
        return evidence[0, 0] - evidence[0, 1]
    image = torch.from_numpy(face.astype(np.float32)).permute(2, 0, 1)[None].to(probe.device)
    with torch.inference_mode():
        evidence = probe.model.network.evidence(probe.pixels(image))[1].cpu().numpy()
    return evidence[0, 0] - evidence[0, 1]


def removal_ranks(maps: np.ndarray, side: int, placement: Placement | None = None) -> np.ndarray:
    """Each pixel's place in the order of falling values, as a share in [0, 1): maps (n, h, w) → (n, side, side)."""
    fine = enlarge(maps, side, placement).reshape(len(maps), -1)
    order = np.argsort(-fine, axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(order.shape[1]), order.shape), axis=1)
    return (place / order.shape[1]).reshape(len(maps), side, side)


def check_deletion(probe: Probe, seed: int = 0, progress: Progress | None = None) -> Part:
    """Deletion and insertion, what is absent being a heavily blurred copy of the face: unlike a flat colour it brings
    no edges of its own, and at the far end nothing but the blur is left, for every order alike."""
    tick = progress("deletion and insertion", len(probe.sample)) if progress else (lambda n: None)
    maps = order_maps(probe, seed)
    curves = np.zeros((len(probe.sample), len(DELETION), len(ORDERS), len(FRACTIONS)))
    inner = torch.from_numpy(FRACTIONS[1:-1]).to(probe.device).view(1, 1, -1, 1, 1, 1)
    for block in probe.blocks():
        faces = probe.images(block)
        blur, side = blurred(faces), faces.shape[-1]
        place = removal_ranks(maps[block].reshape(-1, *maps.shape[2:]), side, probe.audit.placement).reshape(
            len(faces), len(ORDERS), 1, 1, side, side
        )
        first = torch.from_numpy(place).to(probe.device) < inner
        whole, gone = (probe.margins(x)[:, None, None] for x in (faces, blur))
        for kind, (there, absent) in enumerate(((faces, blur), (blur, faces))):
            changed = torch.where(first, absent[:, None, None], there[:, None, None])
            scores = probe.margins(changed.flatten(0, 2)).reshape(len(faces), len(ORDERS), -1)
            ends = (whole, gone) if kind == 0 else (gone, whole)
            curves[block, kind] = np.concatenate(
                [np.broadcast_to(ends[0], (*scores.shape[:2], 1)), scores,
                 np.broadcast_to(ends[1], (*scores.shape[:2], 1))], axis=2
            )  # fmt: skip
        tick(len(faces))
    return _summary(probe, curves * probe.sign[:, None, None, None], DELETION, FRACTIONS, seed)


def check_road(probe: Probe, seed: int = 0, progress: Progress | None = None) -> Part:
    """ROAD: removed pixels are imputed from their neighbours (the library's noisy linear imputation), so that the shape
    of the hole tells as little as can be. The x-axis is the share removed."""
    tick = (
        progress("ROAD", len(ROAD) * len(REMOVED) * len(ORDERS) * len(probe.sample)) if progress else (lambda n: None)
    )
    maps = order_maps(probe, seed)
    side = probe.store.images.shape[1]
    curves = np.zeros((len(probe.sample), len(ROAD), len(ORDERS), len(REMOVED)))
    imputer, generator = NoisyLinearImputer(noise=0.0), torch.Generator().manual_seed(seed)
    for o in range(len(ORDERS)):
        # Faces with the same order have the same holes, and one sparse system serves them all.
        for members in _by_map(maps[:, o]):
            ranks = removal_ranks(maps[members[:1], o], side, probe.audit.placement)[0]
            faces = torch.cat([probe.images(slice(n, n + 1)) for n in members]).cpu()
            for kind, (r, share) in product(range(len(ROAD)), enumerate(REMOVED)):
                hole = ranks < share if kind == 0 else ranks >= 1 - share
                filled = impute(faces, hole, imputer, generator)
                curves[members, kind, o, r] = probe.margins(filled.to(probe.device))
                tick(len(members))
    return _summary(probe, curves * probe.sign[:, None, None, None], ROAD, REMOVED, seed)


def _by_map(maps: np.ndarray) -> list[list[int]]:
    """The places of maps (n, h, w), those of equal maps together."""
    members: dict[bytes, list[int]] = {}
    for n, face_map in enumerate(maps):
        members.setdefault(face_map.tobytes(), []).append(n)
    return list(members.values())


def impute(
    images: torch.Tensor, hole: np.ndarray, imputer: NoisyLinearImputer, generator: torch.Generator
) -> torch.Tensor:
    """Images (b, 3, H, W) of 0–255 with the pixels of `hole`, boolean (H, W), imputed in each."""
    visible = torch.from_numpy((~hole).astype(np.float32))
    filled = imputer(images.flatten(0, 1), visible).reshape_as(images)
    noise = torch.randn(images.shape, generator=generator) * (NOISE * 255)
    return filled + noise * torch.from_numpy(hole)


def area_under_curve(curves: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Area under curves (…, X) over x (X,), by trapezia, over the length of x: the mean height (…)."""
    return np.trapezoid(curves, x, axis=-1) / (x[-1] - x[0])


def _summary(probe: Probe, margins: np.ndarray, kinds: tuple[str, ...], x: np.ndarray, seed: int) -> Part:
    """From oriented margins (n, kinds, orders, X): arrays `curves` (G, scores, 3, kinds, orders, X) of mean, low, high,
    and the table `areas`: area by order, and own less control with its paired interval."""
    scores = np.stack([margins, expit(margins)], axis=1)
    areas = area_under_curve(scores, x)
    groups, curves, rows = published_groups(probe.sample), [], []
    for member in groups:
        means = Means(probe.sample, member, seed)
        curves.append(np.moveaxis(means.interval(scores), 0, 1))
        centre, draws = means.mean(areas), means.replicates(areas)
        low, high = bounds(draws)
        less, less_draws = centre[..., :1] - centre, draws[..., :1] - draws
        less_low, less_high = bounds(less_draws)
        for place in np.ndindex(centre.shape):
            s, k, o = place
            own = o == 0
            rows.append(
                rounded(
                    {
                        "group": member.name,
                        "score": SCORES[s],
                        "kind": kinds[k],
                        "order": ORDERS[o],
                        "area": centre[place],
                        "low": low[place],
                        "high": high[place],
                        "less": np.nan if own else less[place],
                        "less_low": np.nan if own else less_low[place],
                        "less_high": np.nan if own else less_high[place],
                    }
                )
            )
    return Part(
        [(m.name, m.n) for m in groups],
        {"areas": pd.DataFrame(rows)},
        {"curves": np.stack(curves).astype(np.float32), "x": np.tile(x.astype(np.float32), (len(groups), 1))},
    )
