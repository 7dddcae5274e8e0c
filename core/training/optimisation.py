"""The optimiser's parameter groups and its learning rate."""

from __future__ import annotations

import math

import torch
from torch import nn

from core.training.config import Optimiser, TrainConfig


def weight_decay_groups(module: nn.Module, decay: float) -> list[dict]:
    """Optimiser groups: weight decay for matrices and kernels, none for norms and biases."""
    parameters = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    return [
        {"params": [p for _, p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for _, p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def make_optimiser(groups: list[dict], of: Optimiser) -> torch.optim.Optimizer:
    """The optimiser of these parameter groups, as the config names it."""
    if of.name == "adamw":
        return torch.optim.AdamW(groups, lr=of.lr, fused=True)
    return torch.optim.SGD(groups, lr=of.lr, momentum=of.momentum, fused=True)


def learning_rate(step: int, total: int, config: TrainConfig) -> float:
    """OneCycle's rate at a step (Smith & Topin 2019, https://arxiv.org/abs/1708.07120): cosine up, cosine down."""
    o = config.optimiser
    rise = max(1, round(total * o.warmup))
    if step < rise:
        return o.lr * (0.04 + 0.96 * (1 - math.cos(math.pi * step / rise)) / 2)
    done = (step - rise) / max(1, total - 1 - rise)
    return o.lr * (o.final + (1 - o.final) * (1 + math.cos(math.pi * min(1.0, done))) / 2)


#: Before the first epoch: the best measure, epochs since, and what the first rate is multiplied by.
FIRST_PLATEAU = {"best": -1.0, "bad": 0, "scale": 1.0}


def plateau_after(plateau: dict, score: float, of: Optimiser, grown: bool) -> dict:
    """ReduceLROnPlateau's state after an epoch with this validation measure.

    `grown` says that the next epoch's images are of another size; with `renew` all then begins again, since the fall
    of the measure at a new size is no stall.
    """
    if of.renew and grown:
        return FIRST_PLATEAU
    if score > plateau["best"]:
        return plateau | {"best": score, "bad": 0}
    bad = plateau["bad"] + 1
    return plateau | ({"bad": 0, "scale": plateau["scale"] * of.factor} if bad >= of.patience else {"bad": bad})
