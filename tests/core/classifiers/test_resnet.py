"""The network: torchvision's ResNet-50 by name and number, evidence maps that add up, pixels worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import ResNet, resnet50

from core.classifiers.preprocessing import normalise
from core.classifiers.resnet import GenderResNet
from core.data.store import AlignedStore
from core.devices import autocast, precision
from core.training.optimisation import weight_decay_groups


def lively_reference(dilated: bool = False) -> ResNet:
    """torchvision's network with norms that do something, so that no branch of it is silent."""
    torch.manual_seed(0)
    reference = resnet50(num_classes=2, replace_stride_with_dilation=[False, False, dilated])
    for norm in (m for m in reference.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.4, 0.8)
        nn.init.normal_(norm.bias, 0, 0.1)
        norm.running_mean.normal_(0, 0.1)
        norm.running_var.uniform_(0.5, 1.5)
    return reference.eval()


@pytest.fixture(scope="module")
def reference() -> ResNet:
    return lively_reference()


@pytest.fixture
def network(reference: ResNet) -> GenderResNet:
    own = GenderResNet()
    own.load_state_dict(reference.state_dict())
    return own.eval()


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    return torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(1))


def test_weights_have_torchvisions_names_and_shapes(reference: ResNet) -> None:
    expected = {name: tensor.shape for name, tensor in reference.state_dict().items()}
    assert {name: tensor.shape for name, tensor in GenderResNet().state_dict().items()} == expected
    assert {name: tensor.shape for name, tensor in GenderResNet(dilated=True).state_dict().items()} == expected


@torch.no_grad()
def test_forward_equals_torchvision(network: GenderResNet, reference: ResNet, pixels: Tensor) -> None:
    torch.testing.assert_close(network(pixels), reference(pixels), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_dilation_equals_torchvisions_and_can_be_taken_back(network: GenderResNet, pixels: Tensor) -> None:
    strided = network(pixels)
    assert network.features(pixels).shape == (2, 2048, 4, 4)

    network.set_dilation(True)
    dilated = network(pixels)
    assert network.dilated
    assert network.features(pixels).shape == (2, 2048, 7, 7)
    torch.testing.assert_close(dilated, lively_reference(dilated=True)(pixels), atol=1e-5, rtol=1e-5)
    assert (dilated - strided).abs().max() > 1e-3

    network.set_dilation(False)
    assert not network.dilated
    assert network.features(pixels).shape == (2, 2048, 4, 4)
    assert torch.equal(network(pixels), strided)


@torch.no_grad()
@pytest.mark.parametrize("dilated", [False, True])
def test_evidence_adds_up_to_the_logits(network: GenderResNet, pixels: Tensor, dilated: bool) -> None:
    network.set_dilation(dilated)
    logits, evidence = network.evidence(pixels)
    side = 7 if dilated else 4
    assert evidence.shape == (2, 2, side, side)
    torch.testing.assert_close(logits, network(pixels), atol=1e-4, rtol=0)
    torch.testing.assert_close(evidence.mean(dim=(2, 3)) + network.fc.bias, logits, atol=1e-5, rtol=0)


@torch.no_grad()
def test_evidence_equals_a_slow_sum_over_channels(network: GenderResNet, pixels: Tensor) -> None:
    small = pixels[:1, :, :64, :64]
    maps = network.features(small)[0].tolist()
    weights = network.fc.weight.tolist()
    _, evidence = network.evidence(small)
    assert evidence.shape == (1, 2, 2, 2)
    for c in range(2):
        for y in range(2):
            for x in range(2):
                by_hand = sum(weights[c][k] * maps[k][y][x] for k in range(2048))
                assert evidence[0, c, y, x].item() == pytest.approx(by_hand, abs=1e-5)


def test_evidence_over_area_is_grad_cam_by_its_definition(network: GenderResNet, pixels: Tensor) -> None:
    maps = network.features(pixels[:1]).detach().requires_grad_()
    logits = network.fc(maps.mean(dim=(2, 3)))
    _, evidence = network.evidence(pixels[:1])
    for c in range(2):
        (gradient,) = torch.autograd.grad(logits[0, c], maps, retain_graph=True)
        weighted = (gradient.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1)
        torch.testing.assert_close(weighted.relu(), evidence[:, c].relu() / 16, atol=1e-6, rtol=1e-4)


@torch.no_grad()
def test_evidence_is_float32_and_adds_up_under_autocast(network: GenderResNet, pixels: Tensor) -> None:
    with autocast("cpu", torch.bfloat16):
        logits, evidence = network.evidence(pixels)
    assert logits.dtype == evidence.dtype == torch.float32
    torch.testing.assert_close(evidence.mean(dim=(2, 3)) + network.fc.bias, logits, atol=1e-5, rtol=0)
    torch.testing.assert_close(logits, network(pixels), atol=0.05, rtol=0.05)


def test_autocast_is_off_for_float32() -> None:
    with autocast("cpu", torch.float32):
        assert not torch.is_autocast_enabled("cpu")
    with autocast("cpu"):
        assert torch.is_autocast_enabled("cpu") == (precision("cpu") == torch.bfloat16)


def test_normalise_pixel_by_hand() -> None:
    images = np.tile(np.array([255, 0, 128], dtype=np.uint8), (2, 5, 5, 1))
    result = normalise(images)
    # (1 − .485) / .229, (0 − .456) / .224, (128/255 − .406) / .225
    expected = torch.tensor([2.248908, -2.035714, 0.426492]).view(1, 3, 1, 1).expand(2, 3, 5, 5)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=0)
    assert result.dtype == torch.float32
    assert result.is_contiguous(memory_format=torch.channels_last)
    with_half_mean = normalise(torch.from_numpy(images), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    torch.testing.assert_close(with_half_mean[0, :, 0, 0], torch.tensor([1.0, -1.0, 2 * 128 / 255 - 1]))


def test_normalise_resizes_with_antialias() -> None:
    """Halving weighs columns 1, 3, 3, 1 eighths: a lone column of 240 gives a half-size picture 30 and 90."""
    images = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    images[:, :, 4] = 240
    result = normalise(images, size=4, mean=(0, 0, 0), std=(1, 1, 1))
    assert result.shape == (1, 3, 4, 4)
    assert result.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(result[0, 1, 2] * 255, torch.tensor([0.0, 30.0, 90.0, 0.0]), atol=1e-4, rtol=0)


def test_normalise_takes_pictures_of_a_store(made_store: AlignedStore) -> None:
    rows = np.array([3, 1])
    result = normalise(made_store.images[rows], size=56)
    torch.testing.assert_close(result, normalise(np.array(made_store.images)[rows], size=56))
    assert result.shape == (2, 3, 56, 56)


def test_weight_decay_spares_norms_and_biases() -> None:
    network = GenderResNet()
    network.conv1.weight.requires_grad_(False)
    names = {id(p): name for name, p in network.named_parameters()}
    decayed, spared = weight_decay_groups(network, 0.05)
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.05, 0.0)
    kernels = {name for name, module in network.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))}
    assert {names[id(p)] for p in decayed["params"]} == {f"{name}.weight" for name in kernels} - {"conv1.weight"}
    assert {names[id(p)] for p in spared["params"]} == {name for name, p in network.named_parameters() if p.ndim == 1}
    assert "fc.bias" in {names[id(p)] for p in spared["params"]}
