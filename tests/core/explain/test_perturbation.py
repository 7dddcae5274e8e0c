"""Maps from answers alone, against planted functions whose maps are known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from core.errors import LookwhereError
from core.explain.maps import display_maps, grad_cam
from core.explain.method import OnlyOutputs
from core.explain.methods import method
from core.explain.perturbation import BATCH, Function, RandomMasks, occlusion, random_masks, rise

SIDE, CELL = 112, 16


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Five pictures of noise on slopes, uint8 (5, 112, 112, 3)."""
    draw = np.random.default_rng(7)
    slope = np.linspace(0, 120, SIDE)
    noise = draw.integers(0, 120, (5, SIDE, SIDE, 3))
    return (noise + slope[:, None, None] * draw.random(3)).astype(np.uint8)


def linear(weights: np.ndarray):
    """The function whose margin is Σ weights·pixel, of weights (112, 112) for all colours alike."""

    def function(images: np.ndarray) -> np.ndarray:
        margin = np.tensordot(images.astype(np.float64), weights, axes=[(1, 2), (0, 1)]).sum(axis=1)
        return np.stack([margin / 2 + 3, 3 - margin / 2], axis=1)

    return function


def by_cell(values: np.ndarray) -> np.ndarray:
    """Sums (…, 7, 7) of values (…, 112, 112) over cells."""
    return values.reshape(*values.shape[:-2], 7, CELL, 7, CELL).sum(axis=(-3, -1))


def explained(function: Function, images: np.ndarray, name: str, **options: object) -> np.ndarray:
    """Evidence (B, 2, 7, 7) by a registered method, of a bare function."""
    return method(name)(**options).explain(OnlyOutputs(function), images)[1]


def margin(logits: np.ndarray) -> np.ndarray:
    return logits[:, 0] - logits[:, 1]


@pytest.mark.parametrize("fill", ["blur", "mean"])
def test_occlusion_of_a_linear_function_is_exact(faces: np.ndarray, fill: str) -> None:
    weights = np.random.default_rng(1).normal(size=(SIDE, SIDE)) / 1e4
    function = linear(weights)
    hidden = faces.mean(axis=(1, 2), keepdims=True).round()
    if fill == "blur":
        blur = ImageFilter.GaussianBlur(8)
        hidden = np.stack([np.asarray(Image.fromarray(face).filter(blur)) for face in faces]).astype(float)
    expected = by_cell(weights * (faces - hidden).sum(axis=3))
    found = occlusion(function, faces, margin(function(faces)), fill=fill)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.ptp(expected) > 0.1
    one = occlusion(function, faces[3:4], margin(function(faces[3:4])), fill=fill)
    np.testing.assert_allclose(one, found[3:4], atol=1e-12)


def test_the_units_are_those_of_the_contract(faces: np.ndarray) -> None:
    function = linear(np.random.default_rng(2).normal(size=(SIDE, SIDE)) / 1e4)
    logits = function(faces)
    drops = occlusion(function, faces, margin(logits))
    evidence = explained(function, faces, "occlusion")
    assert evidence.shape == (5, 2, 7, 7) and evidence.dtype == np.float32
    classes = np.zeros(5, dtype=int)
    np.testing.assert_allclose(display_maps(evidence, "margin", "raw", classes, classes), drops, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(grad_cam(evidence[:, 0]), np.maximum(drops, 0) / 2, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(grad_cam(evidence[:, 1]), np.maximum(-drops, 0) / 2, rtol=1e-5, atol=1e-7)


def contrast(images: np.ndarray, row: int, column: int) -> np.ndarray:
    """How much a cell's pixels differ from each other: what a blur takes away."""
    cell = images[:, row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL].astype(np.float64)
    return cell.std(axis=(1, 2)).mean(axis=1)


@pytest.mark.parametrize("name", ["occlusion", "rise"])
def test_a_function_of_one_cell_is_found_there_and_nowhere_else(faces: np.ndarray, name: str) -> None:
    def function(images: np.ndarray) -> np.ndarray:
        read = contrast(images, 5, 3)
        return np.stack([np.zeros(len(images)), read / 10], axis=1)

    maps = explained(function, faces, name)
    lost = (maps[:, 0] - maps[:, 1]) / 49
    assert (lost[:, 5, 3] < -1).all()  # it speaks for male
    elsewhere = np.delete(lost.reshape(5, -1), 5 * 7 + 3, axis=1)
    limit = 1e-9 if name == "occlusion" else 0.35 * np.abs(lost[:, 5, 3]).min()
    assert np.abs(elsewhere).max() < limit


@pytest.mark.parametrize("name", ["occlusion", "rise"])
def test_regions_rank_as_a_bent_function_reads_them(faces: np.ndarray, name: str) -> None:
    read = {(3, 2): 3.0, (3, 4): 2.0, (5, 3): 1.0, (1, 1): -2.0}

    def function(images: np.ndarray) -> np.ndarray:
        total = sum(weight * contrast(images, *cell) for cell, weight in read.items())
        value = 4 * np.tanh(total / 200)
        return np.stack([value, -value], axis=1)

    maps = explained(function, faces, name)
    mean = (maps[:, 0] - maps[:, 1]).mean(axis=0)
    order = [tuple(int(i) for i in np.unravel_index(k, (7, 7))) for k in np.argsort(-mean, axis=None)]
    assert order[:3] == [(3, 2), (3, 4), (5, 3)]
    assert order[-1] == (1, 1)


def test_rise_knows_no_offset(faces: np.ndarray) -> None:
    def constant(images: np.ndarray) -> np.ndarray:
        return np.tile([250.0, -3.0], (len(images), 1))

    np.testing.assert_allclose(rise(constant, faces, RandomMasks(masks=20)), 0, atol=1e-9)


def test_rise_without_penalty_is_exact_where_cells_are_uniform() -> None:
    draw = np.random.default_rng(4)
    cells = draw.integers(0, 256, (2, 7, 7, 3), dtype=np.uint8)
    flat = cells.repeat(CELL, axis=1).repeat(CELL, axis=2)
    weights = draw.normal(size=(7, 7)).repeat(CELL, axis=0).repeat(CELL, axis=1) / 1e4
    expected = by_cell(weights * (flat - flat.mean(axis=(1, 2), keepdims=True)).sum(axis=3))
    found = rise(linear(weights), flat, RandomMasks(masks=256, ridge=0, fill="mean"))
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


def limit(weights: np.ndarray, face: np.ndarray, ridge: float) -> np.ndarray:
    """What RISE of a linear function tends to with ever more masks, from the masks' covariance in closed form."""
    place = (np.arange(SIDE + CELL) + 0.5) / CELL - 0.5
    hats = np.maximum(1 - np.abs(np.clip(place, 0, 7)[:, None] - np.arange(8)), 0)
    axis = np.mean([hats[s : s + SIDE] @ hats[s : s + SIDE].T for s in range(CELL)], axis=0)
    pool = np.kron(np.eye(7), np.full((1, CELL), 1 / CELL))
    square = np.kron(pool @ axis @ pool.T, pool @ axis @ pool.T) / 4
    change = weights * (face - face.mean(axis=(0, 1)).round()).sum(axis=2)
    covariance = (pool @ axis @ change @ axis @ pool.T / 4).ravel()
    penalty = ridge * np.trace(square) / 49 * np.eye(49)
    return np.linalg.solve(square + penalty, covariance).reshape(7, 7)


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_rise_tends_to_its_known_limit_as_masks_are_added(faces: np.ndarray, ridge: float) -> None:
    draw = np.random.default_rng(3)
    weights = (draw.normal(size=(14, 14)).repeat(8, axis=0).repeat(8, axis=1) + draw.normal(size=(SIDE, SIDE))) / 1e4
    function, expected = linear(weights), limit(weights, faces[0], ridge)
    errors = []
    for masks in (128, 512, 2048):
        found = [
            rise(function, faces[:1], RandomMasks(masks=masks, seed=s, ridge=ridge, fill="mean"))[0] for s in range(2)
        ]
        errors.append(np.sqrt(np.mean((np.stack(found) - expected) ** 2)))
    assert errors[0] > 1.5 * errors[1] > 1.5**2 * errors[2]
    assert errors[2] < 0.2 * np.sqrt((expected**2).mean())


def test_masks_are_seeded_shared_and_come_with_their_complements(faces: np.ndarray) -> None:
    masks = random_masks(200)
    assert masks.shape == (200, SIDE, SIDE) and masks.max() <= 256
    np.testing.assert_array_equal(masks[:100] + masks[100:], 256)
    assert abs(masks[:100].mean() / 256 - 0.5) < 0.02
    assert np.abs(np.diff(masks[:100].astype(int), axis=1)).max() <= 256 / CELL + 1  # smooth: no edge of a whole step
    np.testing.assert_array_equal(random_masks(200, seed=0), masks)
    assert (random_masks(200, seed=1) != masks).any()
    function = linear(np.random.default_rng(5).normal(size=(SIDE, SIDE)) / 1e4)
    together = rise(function, faces, RandomMasks(masks=30))
    np.testing.assert_allclose(together[2:3], rise(function, faces[2:3], RandomMasks(masks=30)), atol=1e-12)
    assert np.abs(together - rise(function, faces, RandomMasks(masks=30, seed=1))).max() > 1e-3


@pytest.mark.parametrize("name", ["occlusion", "rise"])
def test_no_call_gets_more_pictures_than_a_batch(faces: np.ndarray, name: str) -> None:
    calls = []

    def function(images: np.ndarray) -> np.ndarray:
        assert images.dtype == np.uint8
        calls.append(len(images))
        return np.zeros((len(images), 2))

    explained(function, faces, name, **({"masks": 300} if name == "rise" else {}))
    assert max(calls) <= BATCH
    assert sum(calls) == 5 + 5 * (49 if name == "occlusion" else 300)


def test_refusals(faces: np.ndarray) -> None:
    function = linear(np.zeros((SIDE, SIDE)))
    for call in (
        lambda: explained(function, faces, "gradients"),
        lambda: rise(function, faces, RandomMasks(masks=7)),
        lambda: rise(function, faces, RandomMasks(masks=4, fill="black")),
    ):
        with pytest.raises(LookwhereError):
            call()
    assert explained(function, faces[:0], "occlusion").shape == (0, 2, 7, 7)
    assert explained(function, faces[:0], "rise").shape == (0, 2, 7, 7)
