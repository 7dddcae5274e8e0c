"""Landmarks → similarity → warp, with numbers worked out by hand; and the detector on real faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.alignment import MAXIMUM_SIDE, Alignment, FaceAligner, similarity, warp
from core.data.frame import GREY
from core.data.store import AlignedStore
from core.present.figures.alignment import sharpness
from core.template import SIDE, TEMPLATE

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])
#: Sharpness of the average of the 120 real faces: 6.2 as it should be, 4.1 where the detector gets no padding.
SHARPNESS_FLOOR = 5.3


def matrix(scale: float, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    turn = np.deg2rad(degrees)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.hstack([scale * rotation, np.array(shift)[:, None]])


def applied(to: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ to[:, :2].T + to[:, 2]


def test_the_template_maps_to_itself() -> None:
    np.testing.assert_allclose(similarity(TEMPLATE), IDENTITY, atol=1e-12)


@pytest.mark.parametrize(
    ("scale", "degrees", "shift"),
    [(1, 0, (5, -7)), (2, 0, (0, 0)), (1, 90, (0, 0)), (0.37, -31, (12.5, 80)), (9, 179, (-400, 3)), (1, -90, (1, 1))],
)
def test_similarity_recovers_scale_rotation_and_shift(scale: float, degrees: float, shift: tuple) -> None:
    truth = matrix(scale, degrees, shift)
    points = (TEMPLATE - truth[:, 2]) @ np.linalg.inv(truth[:, :2]).T
    np.testing.assert_allclose(similarity(points), truth, atol=1e-9)


def test_a_quarter_turn_by_hand() -> None:
    """(1, 0) → (0, 2) and (0, 1) → (−2, 0): twice the size, turned from x to y."""
    points, target = np.array([[1, 0], [0, 1], [0, 0]]), np.array([[0, 2], [-2, 0], [0, 0]])
    np.testing.assert_allclose(similarity(points, target), [[0, -2, 0], [2, 0, 0]], atol=1e-12)


def test_similarity_is_least_squares_and_never_mirrors() -> None:
    points = TEMPLATE * [-1, 1] + np.random.default_rng(0).normal(0, 3, TEMPLATE.shape)
    best = similarity(points)
    assert np.linalg.det(best[:, :2]) > 0

    def error(of: np.ndarray) -> float:
        return float(((applied(of, points) - TEMPLATE) ** 2).sum())

    for step in np.eye(4) * 1e-3:
        for sign in (1, -1):
            a, b, x, y = np.array([best[0, 0], best[1, 0], best[0, 2], best[1, 2]]) + sign * step
            assert error(np.array([[a, -b, x], [b, a, y]])) > error(best)


def test_coincident_landmarks_raise() -> None:
    with pytest.raises(ValueError, match="landmarks coincide"):
        similarity(np.full((5, 2), 30.0))


def smooth(width: int, height: int) -> Image.Image:
    """A picture without detail finer than about ten pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (height // 10, width // 10, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def test_the_identity_returns_the_picture_nearly_unchanged() -> None:
    picture = smooth(SIDE, SIDE)
    face = warp([picture], IDENTITY[None])[0]
    assert (face.shape, face.dtype) == ((SIDE, SIDE, 3), np.uint8)
    off = np.abs(face.astype(int) - np.asarray(picture))
    assert off.mean() < 1
    assert off.max() < 16


def test_a_linear_ramp_stays_exact_under_shift_and_scale() -> None:
    """Grey value = x; at scale 1 shifted by 20, aligned x shows x − 20; at scale ½ it shows 2x + ½, pixel centres."""
    ramp = np.broadcast_to(np.arange(240, dtype=np.uint8)[None, :, None], (200, 240, 3))
    squares = warp([Image.fromarray(ramp)] * 2, np.stack([matrix(1, 0, (20, 0)), matrix(0.5, 0, (-0.25, -0.25))]))
    columns = np.arange(SIDE)
    np.testing.assert_array_equal(squares[0, 50, 22:, 0], columns[22:] - 20)
    assert np.abs(squares[1, 50, 1:, 0] - (2 * columns[1:] + 0.5)).max() <= 0.5


def test_between_pixels_the_warp_interpolates() -> None:
    """Grey value = 10 x, shifted by 0.3: aligned x shows 10 x − 3, where the nearest pixels would give 10 x − 5."""
    ramp = np.broadcast_to(10 * np.arange(25, dtype=np.uint8)[None, :, None], (SIDE, 25, 3))
    square = warp([Image.fromarray(ramp)], matrix(1, 0, (0.3, 0))[None])[0]
    np.testing.assert_array_equal(square[50, 2:23, 0], 10 * np.arange(2, 23) - 3)


def test_beyond_the_edge_lies_the_reflection() -> None:
    """Shifted right by 10, column 9 − k shows what column 10 + k shows: the edge between 9 and 10 is the mirror."""
    face = warp([smooth(SIDE, SIDE)], matrix(1, 0, (10, 0))[None])[0].astype(int)
    np.testing.assert_allclose(face[:, 9::-1], face[:, 10:20], atol=1)
    assert face[:, :10].std() > 10


def test_each_picture_gets_its_own_matrix() -> None:
    pictures = [Image.new("RGB", (40, 90), (200, 0, 0)), Image.new("RGB", (300, 20), (0, 0, 90))]
    faces = warp(pictures, np.stack([IDENTITY, matrix(0.3, 40, (9, 9))]))
    assert faces[0].reshape(-1, 3).tolist() == [[200, 0, 0]] * SIDE**2
    assert faces[1].reshape(-1, 3).tolist() == [[0, 0, 90]] * SIDE**2


def test_sharpness_by_hand() -> None:
    """Flat and linear pictures have none; one white pixel gives (4² + 4 · 1²) · 255² over 80 · 80 places."""
    flat = np.full((SIDE, SIDE, 3), 200.0)
    ramp = np.broadcast_to(np.arange(SIDE)[:, None, None], (SIDE, SIDE, 3))
    spot = np.zeros((SIDE, SIDE, 3))
    spot[60, 60] = 255
    outside = np.zeros((SIDE, SIDE, 3))
    outside[:19] = np.random.default_rng(0).integers(0, 256, (19, SIDE, 3))
    assert sharpness(flat) == pytest.approx(0, abs=1e-9)
    assert sharpness(ramp) == pytest.approx(0, abs=1e-9)
    assert sharpness(spot) == pytest.approx(20 * 255**2 / 80**2)
    assert sharpness(outside) == 0


@pytest.fixture(scope="module")
def chips(real_folder: Path) -> list[Image.Image]:
    return [Image.open(file).convert("RGB") for file in sorted(real_folder.iterdir())]


@pytest.fixture(scope="module")
def aligner() -> FaceAligner:
    return FaceAligner(padding=60)


def average_sharpness(images: np.ndarray) -> float:
    return sharpness(images.mean(axis=0))


def test_real_faces_are_found_on_their_template(real_store: AlignedStore) -> None:
    landmarks = real_store.landmarks[real_store.faces["row"]]
    assert len(landmarks) + (real_store.rejects["reason"] != "no face found").sum() >= 119
    off = np.linalg.norm(landmarks - TEMPLATE, axis=2)
    assert off.mean() < 4
    assert off.mean(axis=1).max() < 10
    assert np.abs(landmarks.mean(axis=0) - TEMPLATE).max() < 4


def test_the_average_real_face_is_sharp_and_is_not_without_padding(
    real_store: AlignedStore, chips: list[Image.Image]
) -> None:
    """Guards the padding: tight chips give misplaced landmarks without it, though as many faces are found."""
    bare = FaceAligner(padding=0).align(chips)
    padded = average_sharpness(real_store.images[real_store.faces["row"]])
    assert bare.found.sum() >= 119
    assert average_sharpness(bare.faces[bare.found]) < SHARPNESS_FLOOR < padded
    assert padded > 1.25 * average_sharpness(bare.faces[bare.found])


def test_the_face_nearest_the_centre_is_taken(chips: list[Image.Image], aligner: FaceAligner) -> None:
    """Two faces, one, and none in pictures of one size: the batch keeps them apart."""
    both, alone, none = (Image.new("RGB", (700, 400), GREY) for _ in range(3))
    for canvas in (both, alone):
        canvas.paste(chips[0], (250, 100))
    both.paste(chips[60], (480, 20))
    swapped = both.copy()
    swapped.paste(chips[60], (250, 100))
    swapped.paste(chips[0], (480, 20))

    points = aligner.detect([both, alone, none, swapped])
    assert points[2] is None
    np.testing.assert_allclose(points[0], points[1], atol=1)
    assert ((points[3] > [250, 100]) & (points[3] < [450, 300])).all()

    result = aligner.align([both, alone, none, swapped])
    assert result.found.tolist() == [True, True, False, True]
    assert np.abs(result.faces[0].astype(int) - result.faces[1]).mean() < 2
    assert np.abs(result.faces[3].astype(int) - result.faces[1]).mean() > 20


def test_a_turned_and_enlarged_face_comes_out_the_same(chips: list[Image.Image], aligner: FaceAligner) -> None:
    upright = chips[60]
    turned = upright.resize((400, 400), Image.Resampling.LANCZOS).rotate(12, Image.Resampling.BICUBIC, fillcolor=GREY)
    result = aligner.align([upright, turned])
    off = np.linalg.norm(result.landmarks[0] - result.landmarks[1], axis=1)
    assert result.found.all()
    assert off.max() < 4
    inner = np.abs(result.faces[0].astype(int) - result.faces[1])[30:90, 30:90]
    assert inner.mean() < 15
    (eyes, roll, _, _), (larger, tilt, score, _) = result.source
    assert larger / eyes == pytest.approx(400 / upright.width, rel=0.05)
    assert tilt == pytest.approx(abs(12 - roll), abs=3) or tilt == pytest.approx(12 + roll, abs=3)
    assert 0.9 < score <= 1


def test_a_picture_larger_than_the_limit_is_shrunk_first(chips: list[Image.Image], aligner: FaceAligner) -> None:
    large = chips[60].resize((MAXIMUM_SIDE + 176, MAXIMUM_SIDE + 176), Image.Resampling.BICUBIC)
    result = aligner.align([chips[60], large])
    assert result.found.all()
    assert np.linalg.norm(result.landmarks[0] - result.landmarks[1], axis=1).max() < 4
    assert result.source[1, 0] / result.source[0, 0] == pytest.approx(large.width / chips[60].width, rel=0.05)


def assert_nothing_found(result: Alignment) -> None:
    assert not result.found.any()
    assert not result.faces.any()
    assert np.isnan(result.landmarks).all()


@pytest.mark.parametrize("padding", [0, 60])
def test_pictures_without_a_face_and_of_any_size_are_not_found(padding: int) -> None:
    sizes = [(100, 100), (39, 39), (1, 1), (5000, 2), (40, 200)]
    pictures = [Image.new("RGB", size, (90, 120, 30)) for size in sizes]
    assert_nothing_found(FaceAligner(padding).align(pictures))


def test_an_empty_batch() -> None:
    result = FaceAligner(0).align([])
    assert result.faces.shape == (0, SIDE, SIDE, 3)
    assert result.landmarks.shape == (0, 5, 2)
