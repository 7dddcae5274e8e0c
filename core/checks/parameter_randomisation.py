"""Does the map depend on what the network has learnt? Weights made random from the head to the stem, step by step.

Adebayo et al. 2018, «Sanity checks for saliency maps», https://arxiv.org/abs/1810.03292.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import nn

from core.checks.probe import BATCH, Probe
from core.checks.results import Part
from core.checks.sample import Means, bounds, published_groups, rounded
from core.checks.similarity import similarity
from core.checks.stored_words import ANOTHER_FACE, MEASURES, STAGES
from core.classifiers.resnet import GenderResNet
from core.devices import autocast
from core.progress import Progress

DRAWS = 2
#: Faces from which batch-norm statistics are estimated again.
NORM_FACES = 128


def randomise(network: GenderResNet, stage: str, generator: torch.Generator) -> list[nn.BatchNorm2d]:
    """Draw one stage's weights anew as torchvision initialises them (He et al. 2015), in place; returns its norms.

    `conv1` brings its norm with it. Norms get scale 1 and shift 0, the last of a block too: with scale 0 a block would
    pass its input on unchanged.
    """
    modules = list(getattr(network, stage).modules()) + ([network.bn1] if stage == "conv1" else [])
    for module in modules:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        elif isinstance(module, nn.Linear):
            bound = module.in_features**-0.5
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    return [module for module in modules if isinstance(module, nn.BatchNorm2d)]


def estimate_norms(network: GenderResNet, norms: list[nn.BatchNorm2d], batches: list[torch.Tensor]) -> None:
    """Running statistics of the given norms anew, the plain mean over batches; all others stay as they are.

    Statistics of the old weights would blow up or starve the new ones, and the map would change for its scale alone:
    too easy a test. With its own statistics the random network is a working one that has merely learnt nothing.
    """
    if not norms:
        return
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.inference_mode(), autocast(batches[0].device):
        for batch in batches:
            network.features(batch)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
        norm.eval()


def check_randomised(probe: Probe, seed: int = 0, draws: int = DRAWS, progress: Progress | None = None) -> Part:
    """Tables `similarity` (a stage and measure a row) and array `maps` (G, 1 + stages, h, w): the real mean margin map,
    then that of the first draw's network after each stage.

    `mean` is over faces and draws, `low` and `high` its bootstrap interval over faces, `draw_low` and `draw_high` the
    least and largest mean of a single draw. The row «another face» compares real maps of two faces.
    """
    n = len(probe.sample)
    tick = progress("randomised weights", draws * len(STAGES) * n) if progress else (lambda count: None)
    alike = np.full((n, draws, len(STAGES), len(MEASURES)), np.nan)
    margins = np.zeros((n, draws, len(STAGES), *probe.audit.map_shape), dtype=np.float32)
    batches = _norm_batches(probe, seed)
    for draw in range(draws):
        for s, network in enumerate(_stage_by_stage(probe, batches, seed * 1000 + draw)):
            for block in probe.blocks(BATCH):
                margin = _margin_maps(probe, network, block)
                alike[block, draw, s] = similarity(probe.margin[block], margin)
                margins[block, draw, s] = margin
                tick(len(margin))
    return _summary(probe, alike, margins[:, 0], seed)


def _norm_batches(probe: Probe, seed: int) -> list[torch.Tensor]:
    """Batches of up to `NORM_FACES` of the sample's faces, as the network takes them."""
    norm_faces = np.random.default_rng(seed).permutation(len(probe.sample))[:NORM_FACES]
    images = np.array(probe.store.images[probe.rows[norm_faces]])
    return [
        probe.pixels(torch.from_numpy(images[low : low + BATCH]).permute(0, 3, 1, 2))
        for low in range(0, len(images), BATCH)
    ]


def _stage_by_stage(probe: Probe, batches: list[torch.Tensor], seed: int) -> Iterator[GenderResNet]:
    """The probe's network after each of `STAGES` was made random too: one network, changed on."""
    generator = torch.Generator().manual_seed(seed)
    network = copy.deepcopy(probe.model.network).cpu()
    norms: list[nn.BatchNorm2d] = []
    for stage in STAGES:
        norms += randomise(network.cpu(), stage, generator)
        network.to(probe.device, memory_format=torch.channels_last)
        estimate_norms(network, norms, batches)
        yield network


def _margin_maps(probe: Probe, network: GenderResNet, block: slice) -> np.ndarray:
    """Margin maps (b, h, w) of a block of faces."""
    with torch.inference_mode(), autocast(probe.device):
        evidence = network.evidence(probe.pixels(probe.images(block)))[1].cpu().numpy()
    return evidence[:, 0] - evidence[:, 1]


def _summary(probe: Probe, alike: np.ndarray, first: np.ndarray, seed: int) -> Part:
    """Table and maps of similarities (n, draws, stages, measures) and of the first draw's maps (n, stages, h, w)."""
    partner_similarity = similarity(probe.margin, probe.margin[_partners(probe.sign, seed)])
    groups, rows, maps = published_groups(probe.sample), [], []
    for member in groups:
        means = Means(probe.sample, member, seed)
        maps.append(means.mean(np.concatenate([probe.margin[:, None], first], axis=1)))
        rows += [
            _row(means, member.name, ANOTHER_FACE, k, partner_similarity[:, None, k]) for k in range(len(MEASURES))
        ]
        for s, stage in enumerate(STAGES):
            rows += [_row(means, member.name, stage, k, alike[:, :, s, k]) for k in range(len(MEASURES))]
    arrays = {"maps": np.stack(maps).astype(np.float32)}
    return Part([(m.name, m.n) for m in groups], {"similarity": pd.DataFrame(rows)}, arrays)


def _partners(sign: np.ndarray, seed: int) -> np.ndarray:
    """For each face the place of another with the same prediction: the next in a random ring of them."""
    generator, partner = np.random.default_rng([seed, 1]), np.arange(len(sign))
    for value in np.unique(sign):
        ring = generator.permutation(np.flatnonzero(sign == value))
        partner[ring] = np.roll(ring, 1)
    return partner


def _row(means: Means, group: str, stage: str, measure: int, values: np.ndarray) -> dict:
    """`values` (n, draws). The draws are averaged a face, so that the interval is over faces."""
    low, high = bounds(means.replicates(values).mean(axis=-1))
    single = means.mean(values)
    return rounded(
        {
            "group": group,
            "stage": stage,
            "measure": MEASURES[measure],
            "mean": single.mean(),
            "low": low,
            "high": high,
            "draw_low": single.min(),
            "draw_high": single.max(),
        }
    )
