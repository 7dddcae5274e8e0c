"""Aligned faces to an imported model's input as it is declared, and that input as an image; no torch is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.classifiers.imported.spec import InputOutputSpec
from core.classifiers.resizing import resize
from core.template import SIDE


def prepare(images: np.ndarray, spec: InputOutputSpec) -> np.ndarray:
    """uint8 (B, 112, 112, 3) → the model's input, float32 (B, C, h, w) or (B, h, w, C).

    Cropped, resized as declared, scaled. What a crop takes from beyond the image is its reflection. Raises
    `LookwhereError` where size, mean or std is not declared.
    """
    spec.for_images()
    height, width = spec.size
    left, top, right, bottom = spec.crop
    margin = max(0, *(int(np.ceil(edge)) for edge in (-left, -top, right - SIDE, bottom - SIDE)))
    if margin:
        images = np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    box = (left + margin, top + margin, right + margin, bottom + margin)
    whole = box == (0, 0, images.shape[2], images.shape[1]) and (height, width) == images.shape[1:3]
    pixels = images.astype(np.float32) if whole else resize(images, (height, width), box, spec.resize)
    if spec.channels == "grey":
        pixels = pixels @ np.array([[0.299], [0.587], [0.114]], dtype=np.float32)
    elif spec.channels == "bgr":
        pixels = pixels[..., ::-1]
    mean, std = (np.array(values, dtype=np.float32) for values in (spec.mean, spec.std))
    pixels = (pixels / np.float32(spec.divisor) - mean) / std
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2) if spec.layout == "nchw" else pixels)


@dataclass(frozen=True)
class SeenInput:
    """What a model gets of a face: `picture` uint8 (h, w, 3), RGB, scaling undone; `shape` of the input for one face,
    and the least, mean and largest of its values."""

    picture: np.ndarray
    shape: tuple[int, ...]
    low: float
    mean: float
    high: float


def seen_input(face: np.ndarray, spec: InputOutputSpec) -> SeenInput:
    """What a model gets of an aligned face, uint8 (112, 112, 3). Raises `LookwhereError` as `prepare`."""
    pixels = prepare(face[None], spec)
    input_pixels = pixels[0].transpose(1, 2, 0) if spec.layout == "nchw" else pixels[0]
    input_pixels = (input_pixels * np.array(spec.std) + np.array(spec.mean)) * spec.divisor
    input_pixels = input_pixels[..., ::-1] if spec.channels == "bgr" else input_pixels
    picture = np.clip(np.broadcast_to(input_pixels, (*input_pixels.shape[:2], 3)).round(), 0, 255).astype(np.uint8)
    return SeenInput(picture, pixels.shape, float(pixels.min()), float(pixels.mean()), float(pixels.max()))
