"""Augmentation and epoch order: nothing at strength 0, the same draws for the same key, balance as asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from core.classifiers.preprocessing import MEAN, STD, normalise
from core.training.augment import Sampling, augment, epoch_order, generator
from core.training.config import Augmentation

STILL = {
    "flip": 0.0,
    "crop": 1.0,
    "aspect": 0.0,
    "rotation": 0.0,
    "brightness": 0.0,
    "contrast": 0.0,
    "grey": 0.0,
    "erase": 0.0,
}


def still(**changes: float) -> Augmentation:
    """No augmentation but what `changes` name."""
    return Augmentation(**(STILL | changes))


def noise(count: int = 4, side: int = 112) -> Tensor:
    draw = np.random.default_rng(0)
    return torch.from_numpy(draw.integers(0, 256, (count, side, side, 3), dtype=np.uint8))


def plain(colour: tuple[int, int, int], count: int = 32, side: int = 32) -> Tensor:
    return torch.tensor(colour, dtype=torch.uint8).expand(count, side, side, 3).contiguous()


def to_unit(pixels: Tensor) -> Tensor:
    """Back from normalised pixels to 0–1."""
    return pixels * torch.tensor(STD).view(1, 3, 1, 1) + torch.tensor(MEAN).view(1, 3, 1, 1)


def test_strength_0_without_flip_only_normalises() -> None:
    images = noise()
    result = augment(images, 112, Augmentation(flip=0.0), 0.0, generator(0))
    torch.testing.assert_close(result, normalise(images), atol=1e-3, rtol=0)


def test_smaller_size_keeps_a_ramp_where_it_was() -> None:
    ramp = (torch.arange(112) * 2).to(torch.uint8).view(1, 1, 112, 1).expand(1, 112, 112, 3)
    result = augment(ramp, 56, Augmentation(flip=0.0), 0.0, generator(0))
    assert result.shape == (1, 3, 56, 56)
    torch.testing.assert_close(result[..., 1:-1], normalise(ramp, size=56)[..., 1:-1], atol=1e-3, rtol=0)


def test_flip_1_mirrors_left_and_right() -> None:
    images = noise()
    result = augment(images, 112, Augmentation(flip=1.0), 0.0, generator(0))
    torch.testing.assert_close(result, normalise(images).flip(3), atol=1e-3, rtol=0)


def test_flip_of_a_half_mirrors_some_and_changes_nothing_else() -> None:
    images = noise(1).repeat(24, 1, 1, 1)
    result = augment(images, 112, still(flip=0.5), 1.0, generator(0))
    straight = normalise(images[:1])
    unchanged = (result - straight).abs().amax(dim=(1, 2, 3)) < 1e-3
    mirrored = (result - straight.flip(3)).abs().amax(dim=(1, 2, 3)) < 1e-3
    assert (unchanged | mirrored).all()
    assert 4 <= unchanged.sum() <= 20


def test_same_key_same_pictures_other_step_others() -> None:
    images = noise()

    def drawn(*key: object) -> Tensor:
        return augment(images, 48, Augmentation(), 1.0, generator(*key))

    first = drawn("augment", 0, 3, 7, 0)
    assert torch.equal(first, drawn("augment", 0, 3, 7, 0))
    for second_key in (
        ("augment", 1, 3, 7, 0),
        ("augment", 0, 4, 7, 0),
        ("augment", 0, 3, 8, 0),
        ("augment", 0, 3, 7, 1),
    ):
        assert not torch.equal(first, drawn(*second_key))


@pytest.mark.parametrize("size", [32, 112])
@pytest.mark.parametrize("value", [0, 255])
def test_strongest_is_finite_channels_last_and_of_the_right_size(size: int, value: int) -> None:
    strongest = Augmentation(
        flip=0.5, crop=0.1, aspect=1.0, rotation=180.0, brightness=1, contrast=1, grey=0.5, erase=1
    )
    images = noise(16)
    images[0] = value
    result = augment(images, size, strongest, 1.0, generator(size))
    assert result.shape == (16, 3, size, size)
    assert result.dtype == torch.float32
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert torch.isfinite(result).all()
    pixels = to_unit(result)
    assert pixels.min() > -1e-6
    assert pixels.max() < 1 + 1e-6


def test_erase_sets_one_rectangle_to_0_and_leaves_the_rest() -> None:
    images = plain((200, 150, 250))
    untouched = normalise(images)
    result = augment(images, 32, still(erase=1.0), 1.0, generator(0))
    erased = (result == 0).all(dim=1)
    assert torch.equal(erased, (result == 0).any(dim=1))
    torch.testing.assert_close(result, untouched.masked_fill(erased[:, None], 0.0), atol=1e-3, rtol=0)
    for mask in erased:
        rows, columns = mask.any(dim=1), mask.any(dim=0)
        assert torch.equal(mask, rows[:, None] & columns[None, :])
        assert mask.float().mean() < 0.16  # 12 % of the area, and a part of a pixel all around
    assert erased.any(dim=(1, 2)).float().mean() > 0.9


def test_erase_is_scaled_by_strength() -> None:
    result = augment(plain((200, 150, 250), count=200), 32, still(erase=0.5), 0.5, generator(0))
    share = (result == 0).any(dim=1).any(dim=(1, 2)).float().mean().item()
    assert share == pytest.approx(0.25, abs=0.1)
    assert not (augment(plain((200, 150, 250)), 32, still(erase=1.0), 0.0, generator(0)) == 0).any()


def test_grey_gives_every_channel_the_luma() -> None:
    result = to_unit(augment(plain((200, 100, 50)), 32, still(grey=1.0), 1.0, generator(0)))
    luma = (0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255
    torch.testing.assert_close(result, torch.full_like(result, luma), atol=1e-3, rtol=0)


def test_brightness_scales_a_picture_within_its_bounds() -> None:
    light = to_unit(augment(plain((100, 100, 100), count=64), 32, still(brightness=0.4), 0.5, generator(0))) * 2.55
    each = light.mean(dim=(1, 2, 3))
    torch.testing.assert_close(light, each.view(-1, 1, 1, 1).expand_as(light), atol=1e-3, rtol=0)
    assert 0.8 - 1e-3 < each.min() < 0.85
    assert 1.15 < each.max() < 1.2 + 1e-3


def test_contrast_keeps_the_mean_of_a_picture() -> None:
    images = 96 + noise() // 4
    result = to_unit(augment(images, 112, still(contrast=0.5), 1.0, generator(0)))
    before = images.permute(0, 3, 1, 2) / 255
    torch.testing.assert_close(result.mean(dim=(1, 2, 3)), before.mean(dim=(1, 2, 3)), atol=1e-3, rtol=0)
    factor = result.std(dim=(1, 2, 3)) / before.std(dim=(1, 2, 3))
    assert ((factor > 0.5 - 1e-3) & (factor < 1.5 + 1e-3)).all()
    assert factor.max() - factor.min() > 0.05


def skewed() -> pd.DataFrame:
    """4000 faces: 3400 White men, 400 Black men, 190 White women, 10 women of unknown ethnicity."""
    return pd.DataFrame(
        {
            "gender": ["male"] * 3800 + ["female"] * 200,
            "ethnicity": ["White"] * 3400 + ["Black"] * 400 + ["White"] * 190 + [None] * 10,
        }
    )


def test_order_without_balance_is_a_permutation_new_each_epoch() -> None:
    faces = skewed()
    order = epoch_order(faces, Sampling("none", seed=0), epoch=0)
    assert sorted(order) == list(range(4000))
    assert not np.array_equal(order, np.arange(4000))
    assert np.array_equal(order, epoch_order(faces, Sampling("none", seed=0), epoch=0))
    assert not np.array_equal(order, epoch_order(faces, Sampling("none", seed=0), epoch=1))
    assert not np.array_equal(order, epoch_order(faces, Sampling("none", seed=1), epoch=0))


def test_balance_by_gender_draws_both_equally() -> None:
    faces = skewed()
    epoch_faces = faces.iloc[epoch_order(faces, Sampling("gender", seed=0), epoch=0)]
    assert len(epoch_faces) == 4000
    assert epoch_faces["gender"].value_counts()["female"] == pytest.approx(2000, abs=130)  # four deviations
    assert epoch_faces["ethnicity"].isna().sum() == pytest.approx(100, abs=40)  # 10 of 200 women


def test_balance_by_group_draws_every_group_equally() -> None:
    faces = skewed()
    order = epoch_order(faces, Sampling("group", seed=0), epoch=0)
    counts = faces.iloc[order].groupby(["gender", "ethnicity"], dropna=False).size()
    assert len(counts) == 4
    assert counts.to_numpy() == pytest.approx([1000] * 4, abs=110)  # four deviations
    assert np.array_equal(order, epoch_order(faces, Sampling("group", seed=0), epoch=0))
