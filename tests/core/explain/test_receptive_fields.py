"""Measured centres of cells, against networks whose centres follow from their strides by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.explain.layers import Layer, View
from core.explain.placement import Placement
from core.explain.receptive_fields import (
    agreed_middle,
    cell_centres,
    clouds,
    fitted_lattice,
    measured_placement,
    middle_of,
)
from core.template import SIDE


def pixels(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images.transpose(0, 3, 1, 2).copy()).float() / 255 - 0.5


def margin(outputs: Tensor) -> Tensor:
    """Half of the channels against the other half, of their means."""
    channels = outputs.flatten(2).mean(dim=2)
    return channels[:, ::2].sum(dim=1) - channels[:, 1::2].sum(dim=1)


def convolutions(*kinds: tuple[int, int, int]) -> nn.Sequential:
    """Convolutions of kernel, stride and padding, with ReLUs between, seeded."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for place, kind in enumerate(kinds):
        layers += [nn.Conv2d(3 if place == 0 else 12, 12, *kind), nn.ReLU()]
    return nn.Sequential(*layers)


def by_hand(*kinds: tuple[int, int, int]) -> tuple[float, float]:
    """The first cell's centre, in pixels from the border, and the step."""
    first, step = 0.5, 1
    for kernel, stride, padding in kinds:
        first += step * ((kernel - 1) / 2 - padding)
        step *= stride
    return first, step


@pytest.mark.parametrize(
    "kinds",
    [
        ((7, 2, 3), (3, 2, 1), (3, 2, 1), (3, 2, 1), (3, 2, 1)),  # as a ResNet: begins at the first pixel
        ((7, 2, 3), (3, 2, 1), (3, 2, 1), (3, 2, 1)),
        ((3, 1, 1), (2, 2, 0), (3, 1, 1), (2, 2, 0), (2, 2, 0), (2, 2, 0)),  # as a VGG: tiles
        ((3, 2, 0), (3, 2, 0), (3, 2, 0), (3, 2, 0)),  # without padding: inside
        ((4, 4, 0), (2, 2, 0), (7, 1, 3), (2, 2, 0)),  # as a ConvNeXt
    ],
)
def test_cells_lie_where_strides_and_paddings_put_them(kinds: tuple[tuple[int, int, int], ...]) -> None:
    network = convolutions(*kinds)
    placement = measured_placement(network, Layer(str(len(network) - 1), View("nchw", (0, 0))), pixels, margin)
    first, step = by_hand(*kinds)
    for centres in (placement.rows, placement.columns):
        expected_centres = first + step * np.arange(len(centres))
        np.testing.assert_allclose(centres, expected_centres, atol=0.15 * step)  # random kernels are not quite centred
    again = measured_placement(network, Layer(str(len(network) - 1), View("nchw", (0, 0))), pixels, margin)
    assert placement == again and not any(p.grad is not None for p in network.parameters())


def test_a_crop_of_another_shape_is_placed_in_the_template() -> None:
    kinds = ((4, 4, 0), (4, 4, 0))
    network = convolutions(*kinds)
    crop = (28.0, 0.0, 84.0, 112.0)
    narrow = measured_placement(network, Layer("3", View("nchw", (0, 0))), lambda x: pixels(x)[..., ::2], margin, crop)
    assert narrow.shape == (7, 3)
    np.testing.assert_allclose(narrow.rows, 8 + 16 * np.arange(7), atol=1.6)
    np.testing.assert_allclose(narrow.columns, 28 + 8 + 16 * np.arange(3), atol=1.6)


class OneSize(nn.Module):
    """A network that takes 112×112 only."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[-1] == SIDE, "one size only"
        return self.body(x)


def test_a_network_of_one_size_is_fitted() -> None:
    kinds = ((7, 2, 3), (3, 2, 1), (3, 2, 1), (3, 2, 1))
    network = OneSize(convolutions(*kinds))
    rows, columns = cell_centres(network, Layer("body.7", View("nchw", (0, 0))), pixels(clouds()), margin)
    for centres in (rows, columns):
        np.testing.assert_allclose(centres * SIDE, 0.5 + 16 * np.arange(7), atol=3.2)


def test_tokens_lie_where_their_patches_do() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 16, 16), nn.Flatten(2))
    layer = Layer("0", View("tokens", (7, 7)))

    class Tokens(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return network(x).transpose(1, 2)

    tokens = nn.Sequential(Tokens())
    assert measured_placement(tokens, layer, pixels, margin) == Placement.tiles((7, 7))


@pytest.mark.parametrize("spread", [4, 12, 24])
@pytest.mark.parametrize(("first", "step", "n"), [(0.5, 16, 7), (8, 16, 7), (0.5, 28, 4), (16, 32, 3)])
def test_the_fit_knows_of_the_border_and_of_what_all_see(first: float, step: float, n: int, spread: float) -> None:
    steps = np.arange(SIDE) + 0.5
    fields = np.exp(-((steps - (first + step * np.arange(n))[:, None]) ** 2) / (2 * spread**2)) + 0.02
    start, apart = fitted_lattice(fields)
    np.testing.assert_allclose([start * SIDE, apart * SIDE], [first, step], atol=1.5)
    of_mass = (fields / fields.sum(axis=1, keepdims=True)) @ steps
    if spread == 24 and first < 1:
        assert of_mass[0] > first + 10, "where the centre of mass is far off"


def test_an_empty_field_is_a_tile() -> None:
    assert fitted_lattice(np.zeros((4, 100))) == (0.125, 0.25)


@pytest.mark.parametrize("apart", [0.0, 1.0, 4.0])
def test_fields_at_one_place_are_tiles(apart: float) -> None:
    """With random weights all cells may see most of the image's middle; a map was drawn there as a thin line."""
    steps = np.arange(SIDE) + 0.5
    fields = np.exp(-((steps - (50 + apart * np.arange(4))[:, None]) ** 2) / (2 * 12**2)) + 0.02
    assert fitted_lattice(fields) == (0.125, 0.25)


@pytest.mark.parametrize("first", [0.5, 8, 16])
def test_neither_what_all_see_nor_the_border_pulls_the_middle_of_fields(first: float) -> None:
    step, cells = 32, np.array([2, 3, 4, 2, 3, 4])
    steps = np.arange(240) + 0.5
    fields = np.exp(-((steps - first - step * cells[:, None]) ** 2) / (2 * 24**2)) + 0.1
    places = steps - step * cells[:, None]
    assert middle_of(places, fields, step) == pytest.approx(first, abs=3)
    of_mass = (fields * places).sum() / fields.sum()
    assert abs(of_mass - first) > 4 or first == 16, "where the centre of mass is off"
    fields[2] = 0
    assert np.isnan(middle_of(places, fields, step))


def test_fields_whose_halves_lie_apart_are_not_taken_for_measured() -> None:
    steps = np.arange(240) + 0.5
    fields = np.exp(-((steps - np.array([[20], [20], [36], [36]])) ** 2) / 50)
    assert np.isnan(agreed_middle(np.broadcast_to(steps, fields.shape), fields, 32))
    assert agreed_middle(np.broadcast_to(steps, (2, 240)), fields[:2], 32) == pytest.approx(20, abs=0.1)
