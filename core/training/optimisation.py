"""The optimiser's parameter groups and its learning rate."""

from __future__ import annotations

import math

import torch
from torch import nn

from core.training.config import Optimiser, TrainConfig


def weight_decay_groups(module: nn.Module, decay: float) -> list[dict]:
    """Optimiser groups: weight decay for matrices and kernels, none for norms and biases."""
    named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    return [
        {"params": [p for _, p in named if p.ndim > 1], "weight_decay": decay},
        {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0},
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
