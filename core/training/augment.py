"""Batched augmentation on the training device, and the order of an epoch. Each draw is a function of (seed, epoch,
step, process) alone, so a resumed run sees the very same images."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from core.classifiers.preprocessing import standardise
from core.task import GENDER, Task
from core.training.config import Augmentation
from core.training.groups import GROUPS, balance_codes

#: `torch.multinomial` draws from no more things; of more, the sums of their chances are searched.
MOST_DRAWN = 2**24


def generator(*key: object) -> torch.Generator:
    """A CPU generator seeded by the key."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def augment(images: Tensor, size: int, config: Augmentation, strength: float, draw: torch.Generator) -> Tensor:
    """uint8 (N, H, W, 3) on any device → augmented, normalised (N, 3, size, size), channels_last float32."""
    count, device = len(images), images.device

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(count).uniform_(low, high, generator=draw)

    def often(probability: float) -> Tensor:
        return torch.rand(count, generator=draw) < probability

    area = uniform(1 - strength * (1 - config.crop), 1)
    stretch = torch.exp(uniform(-1, 1) * math.log1p(config.aspect * strength))
    width, height = (area.sqrt() * stretch).clamp(max=1), (area.sqrt() / stretch).clamp(max=1)
    angle = uniform(-1, 1) * math.radians(config.rotation * strength)
    shift_x, shift_y = uniform(-1, 1) * (1 - width), uniform(-1, 1) * (1 - height)
    mirror = 1 - 2 * often(config.flip).float()
    cos, sin = angle.cos(), angle.sin()
    theta = torch.stack(
        [
            torch.stack([cos * width * mirror, -sin * height, shift_x], dim=1),
            torch.stack([sin * width * mirror, cos * height, shift_y], dim=1),
        ],
        dim=1,
    ).to(device)
    pixels = images.permute(0, 3, 1, 2).float() / 255
    grid = F.affine_grid(theta, [count, 3, size, size], align_corners=False)
    pixels = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    def column(values: Tensor) -> Tensor:
        return values.to(device).view(-1, 1, 1, 1)

    light = column(1 + uniform(-1, 1) * config.brightness * strength)
    pixels = pixels * light
    middle = pixels.mean(dim=(1, 2, 3), keepdim=True)
    pixels = middle + (pixels - middle) * column(1 + uniform(-1, 1) * config.contrast * strength)
    luma = (pixels * torch.tensor([0.299, 0.587, 0.114], device=device).view(1, 3, 1, 1)).sum(1, keepdim=True)
    pixels = torch.where(column(often(config.grey * strength)), luma, pixels)
    pixels = standardise(pixels.clamp(0, 1))
    return pixels.masked_fill_(_rectangles(size, often(config.erase * strength), uniform).to(device), 0.0)


def _rectangles(size: int, erase: Tensor, uniform: Callable[[float, float], Tensor]) -> Tensor:
    """Masks (N, 1, size, size), True inside a random rectangle where `erase` is."""
    area, ratio = uniform(0.02, 0.12), torch.exp(uniform(-0.7, 0.7))
    half_w, half_h = (area * ratio).sqrt() / 2, (area / ratio).sqrt() / 2
    axis = ((torch.arange(size) + 0.5) / size)[None]
    across = (axis - uniform(0, 1)[:, None]).abs() < half_w[:, None]
    down = (axis - uniform(0, 1)[:, None]).abs() < half_h[:, None]
    return (erase[:, None, None] & down[:, :, None] & across[:, None, :])[:, None]


@dataclass(frozen=True)
class Sampling:
    """How training faces are drawn: a permutation of them an epoch where nothing is balanced or weighted.

    With `balance`, each class or group of `task` and `groups` has equal chances (`core.training.groups`). With
    `weights`, a face's chance is multiplied by the weight of its data set (its column `store`). `images` is the number
    of images of an epoch, by default as many as there are faces.
    """

    balance: str
    seed: int
    weights: Sequence[float] = ()
    task: Task = GENDER
    groups: Sequence[str] = GROUPS
    images: int | None = None


def epoch_order(faces: pd.DataFrame, sampling: Sampling, epoch: int) -> np.ndarray:
    """Positions of `faces` in the order of an epoch, int64 (N,), or (images,) where an epoch has so many.

    An epoch of `images` is the next piece of whole orders one after another.
    """
    images = sampling.images
    if images is None:
        return _whole_order(faces, sampling, epoch)
    start, count = epoch * images, len(faces)
    first, last = start // count, (start + images - 1) // count
    orders = [_whole_order(faces, sampling, n) for n in range(first, last + 1)]
    return np.concatenate(orders)[start - first * count :][:images]


def _whole_order(faces: pd.DataFrame, sampling: Sampling, number: int) -> np.ndarray:
    """The order in which all faces are gone through for the time `number`, int64 (N,)."""
    draw, weights = generator("order", sampling.seed, number), sampling.weights
    if sampling.balance == "none" and not weights:
        return torch.randperm(len(faces), generator=draw).numpy()
    chance = np.asarray(weights, dtype=float)[faces["store"].to_numpy()] if weights else np.ones(len(faces))
    part = balance_codes(faces, sampling.balance, sampling.task, sampling.groups)
    if part is not None:
        chance = chance / np.bincount(part, weights=chance)[part]
    if len(faces) > MOST_DRAWN:
        ends = torch.cumsum(torch.tensor(np.asarray(chance, dtype=np.float64)), 0)
        places = torch.rand(len(faces), generator=draw, dtype=torch.float64) * ends[-1]
        return torch.searchsorted(ends, places, right=True).clamp(max=len(faces) - 1).numpy()
    return torch.multinomial(torch.tensor(np.asarray(chance)), len(faces), replacement=True, generator=draw).numpy()
