"""Resizing equals what the libraries do, and the declared one is what a model gets."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from core.classifiers.imported.prepared import prepare
from core.classifiers.imported.spec import InputOutputSpec, declare
from core.classifiers.resizing import resize
from core.errors import LookwhereError

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
WHOLE = (0.0, 0.0, 112.0, 112.0)


def by_torch(images: np.ndarray, size: tuple[int, int], **how: object) -> np.ndarray:
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    return F.interpolate(pixels, size=size, **how).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("size", [(32, 32), (64, 48), (224, 160), (112, 96)])
@pytest.mark.parametrize(
    ("how", "torchs"),
    [
        ("bilinear", {"mode": "bilinear", "align_corners": False}),
        ("corners", {"mode": "bilinear", "align_corners": True}),
        ("antialias", {"mode": "bilinear", "align_corners": False, "antialias": True}),
    ],
)
def test_it_is_torchs(how: str, torchs: dict, size: tuple[int, int]) -> None:
    assert np.allclose(resize(IMAGES, size, WHOLE, how), by_torch(IMAGES, size, **torchs), atol=2e-3)
    cut = resize(IMAGES, size, (10.0, 20.0, 90.0, 101.0), how)
    assert np.allclose(cut, by_torch(IMAGES[:, 20:101, 10:90], size, **torchs), atol=2e-3)


def test_area_is_the_mean_of_what_a_pixel_covers() -> None:
    by_hand = IMAGES.reshape(3, 28, 4, 28, 4, 3).mean(axis=(2, 4))
    assert np.allclose(resize(IMAGES, (28, 28), WHOLE, "area"), by_hand, atol=1e-3)
    # 112 into 32: each pixel covers 3.5, and all of the image is covered once.
    shrunk = resize(IMAGES, (32, 32), WHOLE, "area")
    assert np.allclose(shrunk.mean(axis=(1, 2)), IMAGES.mean(axis=(1, 2)), atol=1e-3)
    first = (IMAGES[:, :3, :3].sum(axis=(1, 2)) + 0.5 * (IMAGES[:, 3, :3].sum(axis=1) + IMAGES[:, :3, 3].sum(axis=1))
             + 0.25 * IMAGES[:, 3, 3].astype(float)) / 3.5**2  # fmt: skip
    assert np.allclose(shrunk[:, 0, 0], first, atol=1e-3)


def declared(**said: object) -> InputOutputSpec:
    base = {
        "score": "logits",
        "female": 0,
        "male": 1,
        "size": [32, 32],
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
        "divisor": 1,
    }
    return declare(None, **base | said)


def test_the_declared_one_is_used_and_the_default_is_as_it_was() -> None:
    default = prepare(IMAGES, declared())
    assert declared().resize == "pillow-bilinear" and "resize" in declared().by_default
    assert (default == np.rint(default)).all()
    assert np.abs(default - prepare(IMAGES, declared(resize="antialias"))).max() <= 1
    apart = {
        how: np.abs(default - prepare(IMAGES, declared(resize=how))).mean() for how in ("bilinear", "corners", "area")
    }
    assert min(apart.values()) > 1, "on noise that shrinks, these are other images"
    assert np.array_equal(prepare(IMAGES, declared(resize="cv2")), prepare(IMAGES, declared(resize="bilinear")))
    assert declared(resize="dlib").as_dict()["resize"] == "corners"


def test_images_that_keep_their_size_are_left_alone_by_all() -> None:
    for how in ("pillow-bicubic", "bilinear", "corners", "area", "antialias"):
        assert np.array_equal(prepare(IMAGES, declared(size=[112, 112], resize=how))[0].transpose(1, 2, 0), IMAGES[0])
        assert np.allclose(resize(IMAGES, (112, 112), WHOLE, how), IMAGES, atol=1e-3)
    assert resize(IMAGES[:0], (20, 20), WHOLE, "area").shape == (0, 20, 20, 3)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(LookwhereError, match="resize must be one of pillow-bilinear"):
        declared(resize="nearest")
    with pytest.raises(LookwhereError, match="resize area: for shrinking alone"):
        declared(resize="area", size=[224, 224]).for_images()
