"""What correct predictions lose where parts of the face are hidden: whole regions and small patches, several fills.

Occlusion: Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901. No map takes part.
"""

from __future__ import annotations

import numpy as np
import torch

from core.checks.hidden_costs import PLACES, RIVALS, TOGETHER, Costs, tables
from core.checks.probe import Probe, blurred
from core.checks.results import Part
from core.checks.sample import Means
from core.checks.stored_words import Fill
from core.data.filters import Filter
from core.explain import regions
from core.progress import Progress

#: Patches along a side: 14 × 14 pixels of 112, 1.6 % of the image, smaller than any region.
PATCHES = 8
AVERAGE = "average face"


def holes(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Boolean (5 places · 7 sets, H, W), nose and mouth before the others at each place; and (PATCHES², H, W)."""
    holes = []
    for down, across in PLACES:
        labels = regions.moved(down, across, side)
        masks = {name: labels == index for index, name in enumerate(regions.REGIONS)}
        holes += [np.any([masks[name] for name in TOGETHER], axis=0), *(masks[name] for name in RIVALS)]
    row = np.arange(side) * PATCHES // side
    patch = row[:, None] * PATCHES + row
    return np.stack(holes), patch == np.arange(PATCHES**2)[:, None, None]


def check_hiding(probe: Probe, seed: int = 0, progress: Progress | None = None) -> Part:
    """Tables `costs` and `less` (`core.checks.hidden_costs.tables`); array `patches` (G, fills, 8, 8), the mean loss in
    logits by patch. The probe's sample is of correct predictions."""
    n = len(probe.sample)
    tick = progress("hiding patches and regions", n) if progress else (lambda count: None)
    side = probe.store.images.shape[1]
    large, small = holes(side)
    every = torch.from_numpy(np.concatenate([large, small])).to(probe.device)[:, None]
    grey = probe.grey.view(1, 3, 1, 1)
    face, _ = probe.audit.averages.mean(Filter())
    average = None if face is None else torch.from_numpy(face.copy()).to(probe.device).permute(2, 0, 1)[None].float()
    fills = tuple(word for word in (Fill.GREY.value, Fill.BLUR.value, AVERAGE) if word != AVERAGE or face is not None)
    lost = np.zeros((n, len(fills), len(every)))
    for block in probe.blocks(1):
        image = probe.images(block)
        filling = {Fill.GREY.value: grey, Fill.BLUR.value: blurred(image), AVERAGE: average}
        changed = [torch.where(every, filling[word], image) for word in fills]
        margins = probe.margins(torch.cat([image, *changed]))
        lost[block] = (margins[0] - margins[1:]).reshape(1, len(fills), -1)
        tick(1)
    lost *= probe.sign[:, None, None]
    costs = _costs(lost, large, small)
    groups, cost_tables = tables(probe.sample, Costs(costs, fills), seed)
    patches = lost[:, :, len(large) :].reshape(n, len(fills), PATCHES, PATCHES)
    means = [Means(probe.sample, group, seed, 1).mean(patches) for group in groups]
    return Part([(g.name, g.n) for g in groups], cost_tables, {"patches": np.stack(means).astype(np.float32)})


def _costs(lost: np.ndarray, large: np.ndarray, small: np.ndarray) -> np.ndarray:
    """Losses (n, fills, holes) → logits per percent of the image, (n, ways, fills, places, sets)."""
    n, fills, _ = lost.shape
    shape = (n, fills, len(PLACES), len(RIVALS) + 1)
    pixels = large.reshape(len(large), -1).astype(np.float64)
    whole = lost[:, :, : len(large)] / (100 * pixels.mean(axis=1))
    patch = small.reshape(len(small), -1).astype(np.float64)
    # The part of each region that a patch covers; patches partition the image.
    share = pixels @ patch.T / pixels.sum(axis=1, keepdims=True)
    by_patch = lost[:, :, len(large) :] / (100 * patch.mean(axis=1)) @ share.T
    return np.stack([whole.reshape(shape), by_patch.reshape(shape)], axis=1)
