"""Photographs that two sets of aligned faces share: found when cropped, re-encoded or shifted; strangers are not."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from core.data.shared_images import shared_images
from core.data.store import AlignedStore
from tests.helpers.made_store import make_store


def made_face(seed: int) -> np.ndarray:
    """A smooth pattern on a common «face»: as strangers' aligned faces, alike as a whole and not in detail."""
    draw = np.random.default_rng(seed)
    cells = Image.fromarray(draw.integers(0, 256, (16, 16, 3), dtype=np.uint8)).resize(
        (112, 112), Image.Resampling.BICUBIC
    )
    common = Image.new("RGB", (112, 112), (190, 150, 130))
    common.paste((60, 40, 40), (28, 44, 48, 56))
    common.paste((60, 40, 40), (64, 44, 84, 56))
    common.paste((150, 60, 60), (40, 86, 72, 96))
    return np.asarray(Image.blend(common.filter(ImageFilter.GaussianBlur(3)), cells, 0.5))


def anew(image: np.ndarray, how: str) -> np.ndarray:
    """The same photograph as another file would give it."""
    picture = Image.fromarray(image)
    if how == "encoded":
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=40)
        return np.asarray(Image.open(out))
    if how == "smaller":
        return np.asarray(picture.resize((60, 60)).resize((112, 112), Image.Resampling.BICUBIC))
    if how == "shifted":
        return np.asarray(picture.transform((112, 112), Image.Transform.AFFINE, (1, 0, 1.2, 0, 1, -1)))
    if how == "mirrored":
        return np.asarray(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert how == "grey and brighter"
    return np.asarray(picture.convert("L").point(lambda x: min(255, x * 0.8 + 40)).convert("RGB"))


HOWS = ("encoded", "smaller", "shifted", "grey and brighter", "mirrored")


@pytest.fixture
def two(tmp_path: Path) -> tuple[AlignedStore, AlignedStore]:
    """Two sets of forty strangers; the first five of the second are photographs of the first."""
    one, other = (make_store(tmp_path / name, faces=40) for name in ("one", "other"))
    first = np.stack([made_face(n) for n in range(40)])
    second = np.stack([*(anew(first[n], how) for n, how in enumerate(HOWS)), *(made_face(100 + n) for n in range(35))])
    return replace(one, images=first), replace(other, images=second)


def test_a_photograph_made_anew_is_found_and_strangers_are_not(two: tuple[AlignedStore, AlignedStore]) -> None:
    first, second = two
    shared = shared_images(first, first.faces, second, second.faces)
    assert np.flatnonzero(shared.near).tolist() == [0, 1, 2, 3, 4], HOWS
    assert not shared.copy.any(), "nothing is known of their bytes"
    assert shared.compared == 40


def test_byte_equal_images_are_copies_and_not_counted_twice(two: tuple[AlignedStore, AlignedStore]) -> None:
    first, second = two
    first = replace(first, faces=first.faces.assign(sha256=[f"{n}" for n in range(40)]))
    second = replace(second, faces=second.faces.assign(sha256=["2", *(f"x{n}" for n in range(39))]))
    shared = shared_images(first, first.faces, second, second.faces)
    assert np.flatnonzero(shared.copy).tolist() == [2]
    assert np.flatnonzero(shared.near).tolist() == [0, 1, 3, 4]


def test_rows_and_not_places_are_compared_and_constant_images_are_like_nothing(
    two: tuple[AlignedStore, AlignedStore],
) -> None:
    first, second = two
    turned = first.faces.iloc[::-1].reset_index(drop=True)
    assert np.flatnonzero(shared_images(first, turned, second, second.faces).near).tolist() == [35, 36, 37, 38, 39]
    grey = replace(first, images=np.full_like(first.images, 90))
    assert not shared_images(grey, grey.faces, grey, grey.faces).any.any()
