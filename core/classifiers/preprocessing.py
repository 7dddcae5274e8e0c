"""Aligned faces to a network's input: resizing, cropping, colours, normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: ImageNet's channel statistics, in units of 0–1: what torchvision's weights expect.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalise(
    images: np.ndarray | Tensor,
    device: torch.device | str = "cpu",
    size: int | None = None,
    mean: Sequence[float] = MEAN,
    std: Sequence[float] = STD,
) -> Tensor:
    """uint8 (N, H, W, 3) → normalised float32 (N, 3, size, size) in channels_last memory, antialiased where smaller."""
    pixels = torch.as_tensor(np.ascontiguousarray(images) if isinstance(images, np.ndarray) else images)
    pixels = pixels.to(device).permute(0, 3, 1, 2).float()
    if size is not None and size != pixels.shape[-1]:
        pixels = F.interpolate(pixels, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    return standardise(pixels / 255, mean, std)


def standardise(pixels: Tensor, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> Tensor:
    """Pixels of 0–1, (N, 3, H, W), less the mean, over the deviation; channels_last."""
    shape = (1, 3, 1, 1)
    mean_, std_ = (torch.tensor(x, device=pixels.device).view(shape) for x in (tuple(mean), tuple(std)))
    return ((pixels - mean_) / std_).contiguous(memory_format=torch.channels_last)
