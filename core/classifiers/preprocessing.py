"""Aligned faces to a network's input: resizing, cropping, colours, normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.classifiers.imported.declaration import Declaration
from core.classifiers.resizing import resize
from core.template import SIDE


def prepare(images: np.ndarray, declaration: Declaration) -> np.ndarray:
    """uint8 (B, 112, 112, 3) → the model's input, float32 (B, C, h, w) or (B, h, w, C).

    Cropped, resized as declared, scaled. What a crop takes from beyond the image is its reflection. Raises
    `LookwhereError` where size, mean or std is not declared.
    """
    declaration.for_images()
    height, width = declaration.size
    left, top, right, bottom = declaration.crop
    margin = max(0, *(int(np.ceil(edge)) for edge in (-left, -top, right - SIDE, bottom - SIDE)))
    if margin:
        images = np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    box = (left + margin, top + margin, right + margin, bottom + margin)
    whole = box == (0, 0, images.shape[2], images.shape[1]) and (height, width) == images.shape[1:3]
    pixels = images.astype(np.float32) if whole else resize(images, (height, width), box, declaration.resize)
    if declaration.channels == "grey":
        pixels = pixels @ np.array([[0.299], [0.587], [0.114]], dtype=np.float32)
    elif declaration.channels == "bgr":
        pixels = pixels[..., ::-1]
    mean, std = (np.array(values, dtype=np.float32) for values in (declaration.mean, declaration.std))
    pixels = (pixels / np.float32(declaration.divisor) - mean) / std
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2) if declaration.layout == "nchw" else pixels)


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
