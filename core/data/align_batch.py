"""A batch of images on its way into a store: decoded, aligned, and what has become of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from core import template
from core.data import alignment
from core.data.detection import SMALLEST_SIDE
from core.data.images import decode
from core.data.measures import FROM_SOURCE
from core.data.store import NO_FACE

BATCH = 64


#: What has become of each planned face, as `state.partial.npy` keeps it.
PENDING, ALIGNED, WITHOUT_FACE, UNREADABLE, DETECTOR_FAILED, ONE_OF_SEVERAL, TOO_SMALL = range(7)
REASONS = {
    WITHOUT_FACE: NO_FACE,
    UNREADABLE: "not a readable image",
    DETECTOR_FAILED: "the face detector fails on it",
    TOO_SMALL: f"under {SMALLEST_SIDE} pixels a side, too small to look for a face",
}


def aligned_batch(
    aligner: alignment.Resizer | alignment.FaceAligner, batch: list[tuple[str, bytes]]
) -> dict[str, np.ndarray]:
    """`faces`, `landmarks`, `source` and `state` of a batch of images, as the store's arrays keep them."""
    images, count = [_decoded(data) for _, data in batch], len(batch)
    readable = np.array([image is not None for image in images])
    columns = {
        "faces": np.zeros((count, template.SIDE, template.SIDE, 3), np.uint8),
        "landmarks": np.zeros((count, 5, 2), np.float32),
        "source": np.full((count, len(FROM_SOURCE)), np.nan, np.float32),
        "state": np.full(count, UNREADABLE, np.uint8),
    }
    if readable.any():
        decoded = [image for image in images if image is not None]
        result = aligner.align(decoded)
        small = [min(image.size) < SMALLEST_SIDE for image in decoded]
        became = (ONE_OF_SEVERAL, ALIGNED, DETECTOR_FAILED, TOO_SMALL)
        columns["state"][readable] = np.select(
            (result.several, result.found, result.failed, small), became, WITHOUT_FACE
        )
        for name in ("faces", "landmarks", "source"):
            columns[name][readable] = getattr(result, name)
    return columns


def _decoded(data: bytes) -> Image.Image | None:
    try:
        return alignment.shrunk(decode(data))
    except ValueError:
        return None


def batches(items: Iterator, size: int) -> Iterator[list]:
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
