"""Grad-CAM in closed form: by hand, and against the grad-cam package."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from core.classifiers.folder import load_model
from core.classifiers.preprocessing import normalise
from core.classifiers.resnet import GenderResNet
from core.errors import LookwhereError
from core.explain.maps import NORMALISATIONS, TARGETS, display_maps, grad_cam, scale_each, target_maps
from tests.helpers.shipped import MODEL, shipped_or_skip
from tests.helpers.small_network import whole_network

#: Two faces, two classes, maps of 2×1: [face][class][row][column].
EVIDENCE = np.array(
    [
        [[[1.0], [-2.0]], [[4.0], [0.5]]],
        [[[-3.0], [6.0]], [[2.0], [-8.0]]],
    ]
)
TRUE = np.array([0, 1])
PREDICTED = np.array([1, 1])


@pytest.mark.parametrize(
    ("target", "first", "second"),
    [
        ("true", [1.0, -2.0], [2.0, -8.0]),
        ("predicted", [4.0, 0.5], [2.0, -8.0]),
        ("female", [1.0, -2.0], [-3.0, 6.0]),
        ("male", [4.0, 0.5], [2.0, -8.0]),
        ("margin", [-3.0, -2.5], [-5.0, 14.0]),
    ],
)
def test_target_maps_by_hand(target: str, first: list[float], second: list[float]) -> None:
    maps = target_maps(EVIDENCE, target, TRUE, PREDICTED)
    np.testing.assert_array_equal(maps, np.array([first, second])[:, :, None])


def test_every_target_and_normalisation_gives_one_map_a_face() -> None:
    for target in TARGETS:
        for normalisation in NORMALISATIONS:
            assert display_maps(EVIDENCE, target, normalisation, TRUE, PREDICTED).shape == (2, 2, 1)


def test_grad_cam_by_hand() -> None:
    np.testing.assert_array_equal(grad_cam(EVIDENCE[0]), [[[0.5], [0.0]], [[2.0], [0.25]]])


def test_scale_each_by_hand() -> None:
    scaled = scale_each(np.array([[[2.0, 4.0], [3.0, 6.0]], [[-1.0, 0.0], [1.0, 3.0]], [[5.0, 5.0], [5.0, 5.0]]]))
    expected = [[[0, 0.5], [0.25, 1]], [[0, 0.25], [0.5, 1]], [[0, 0], [0, 0]]]
    np.testing.assert_allclose(scaled, expected, atol=1e-6)


def test_display_maps_raw_are_grad_cam_and_scaled_run_from_0_to_1() -> None:
    raw = display_maps(EVIDENCE, "predicted", "raw", TRUE, PREDICTED)
    np.testing.assert_array_equal(raw[..., 0], [[2.0, 0.25], [1.0, 0.0]])
    scaled = display_maps(EVIDENCE, "predicted", "scaled", TRUE, PREDICTED)
    np.testing.assert_allclose(scaled[..., 0], [[1, 0], [1, 0]], atol=1e-6)


def test_the_margin_map_keeps_its_sign() -> None:
    raw = display_maps(EVIDENCE, "margin", "raw", TRUE, PREDICTED)
    np.testing.assert_array_equal(raw[..., 0], [[-1.5, -1.25], [-2.5, 7.0]])
    scaled = display_maps(EVIDENCE, "margin", "scaled", TRUE, PREDICTED)
    np.testing.assert_allclose(scaled[..., 0], [[-1, -2.5 / 3], [-5 / 14, 1]], atol=1e-6)


def test_maps_of_nothing_stay_zero_when_scaled() -> None:
    nothing = np.zeros((1, 2, 3, 3))
    for target in TARGETS:
        maps = display_maps(nothing, target, "scaled", np.array([0]), np.array([0]))
        assert not maps.any()
        assert np.isfinite(maps).all()


def test_unknown_choices_are_named() -> None:
    with pytest.raises(LookwhereError, match="'gender'"):
        target_maps(EVIDENCE, "gender", TRUE, PREDICTED)
    with pytest.raises(LookwhereError, match="'gender'"):
        display_maps(EVIDENCE, "gender", "raw", TRUE, PREDICTED)
    with pytest.raises(LookwhereError, match="'softmax'"):
        display_maps(EVIDENCE, "true", "softmax", TRUE, PREDICTED)


class RecordingGradCAM(GradCAM):
    """The library's class, which keeps the map it has before ReLU and scaling."""

    def get_cam_image(self, *args: object, **kwargs: object) -> np.ndarray:
        self.unscaled = super().get_cam_image(*args, **kwargs)
        return self.unscaled


def assert_equals_the_library(network: GenderResNet, pixels: torch.Tensor) -> None:
    with torch.inference_mode():
        evidence = network.evidence(pixels)[1].numpy()
    cells = evidence.shape[-1] * evidence.shape[-2]
    network.requires_grad_(True)
    for c in range(evidence.shape[1]):
        with RecordingGradCAM(model=network, target_layers=[network.layer4]) as library:
            final = library(pixels, [ClassifierOutputTarget(c)] * len(pixels))
        ours = evidence[:, c]
        size = np.abs(ours).max() / cells
        np.testing.assert_allclose(ours / cells, library.unscaled, rtol=1e-5, atol=1e-5 * size)
        np.testing.assert_allclose(grad_cam(ours), np.maximum(library.unscaled, 0), rtol=1e-5, atol=1e-5 * size)
        fine = np.stack([cv2.resize(small, tuple(pixels.shape[:1:-1])) for small in scale_each(grad_cam(ours))])
        np.testing.assert_allclose(scale_each(fine), final, atol=1e-4)


def random_network(dilated: bool) -> GenderResNet:
    torch.manual_seed(3)
    network = GenderResNet(dilated=dilated).eval()
    for name, weight in network.named_parameters():
        if name.endswith("bn3.weight"):  # zero at first: no block would add anything
            torch.nn.init.constant_(weight, 0.3)
    return network


@pytest.mark.parametrize(("dilated", "side"), [(False, 4), (True, 7)])
def test_closed_form_equals_the_library_on_a_random_network(dilated: bool, side: int) -> None:
    network = random_network(dilated)
    pixels = normalise(np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8))
    assert network.features(pixels[:1]).shape[-2:] == (side, side)
    assert_equals_the_library(network, pixels)


def test_closed_form_equals_the_library_on_the_shipped_model(request: pytest.FixtureRequest) -> None:
    shipped_or_skip()
    folder = request.getfixturevalue("real_folder")
    with whole_network():
        model = load_model(MODEL)
    chips = [Image.open(file).convert("RGB").resize((112, 112)) for file in sorted(folder.iterdir())[::40]]
    pixels = normalise(np.stack(chips), size=model.info.input_size, mean=model.info.mean, std=model.info.std)
    assert len(pixels) >= 3
    assert_equals_the_library(model.network, pixels)
