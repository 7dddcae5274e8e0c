"""The library's methods beside the closed form, and ROAD's imputation, against the library itself."""

from __future__ import annotations

import numpy as np
import pytest
import pytorch_grad_cam as library
import torch
from pytorch_grad_cam.metrics.road import NoisyLinearImputer
from scipy.stats import spearmanr

from core.checks.deletion import impute
from core.checks.method_agreement import (
    MarginTarget,
    Tail,
    comparable,
    default_methods,
    head_of,
    names,
    on_tail,
    on_whole,
)
from core.checks.parameter_randomisation import estimate_norms, randomise
from core.checks.stored_words import STAGES
from core.classifiers.resnet import GenderResNet
from core.explain.maps import grad_cam, scale_each
from core.explain.methods import REGISTRY, LibraryCam

#: ScoreCAM has 2,048 forward passes a face, and a test of its own.
LIBRARY = [kind.name for kind in REGISTRY.values() if issubclass(kind, LibraryCam)]
QUICK = [name for name in LIBRARY if name != "ScoreCAM"]


@pytest.fixture(scope="module")
def network() -> GenderResNet:
    """A random network with statistics of its own, so that its maps are not degenerate."""
    network = GenderResNet(dilated=True).eval()
    generator = torch.Generator().manual_seed(0)
    norms = [norm for stage in STAGES for norm in randomise(network, stage, generator)]
    estimate_norms(network, norms, [torch.randn(32, 3, 64, 64, generator=generator)])
    return network.requires_grad_(False)


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    return torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def said(network: GenderResNet, faces: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return network(faces).argmax(dim=1).numpy()


def closed(network: GenderResNet, faces: torch.Tensor, predicted: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        evidence = network.evidence(faces)[1].numpy()
    margin = evidence[:, 0] - evidence[:, 1]
    return grad_cam(margin * np.where(predicted == 0, 1, -1)[:, None, None])


def explain(network: GenderResNet, name: str, faces: torch.Tensor, predicted: np.ndarray, generator=None) -> np.ndarray:
    if comparable(name).whole:
        return on_whole(network, name, faces, predicted)
    return on_tail(network, name, head_of(network, faces), predicted, generator)


@pytest.mark.parametrize("name", ["GradCAM", "HiResCAM", "XGradCAM"])
def test_grad_cam_and_hirescam_are_the_closed_form(name: str, network: GenderResNet, faces: torch.Tensor) -> None:
    predicted = said(network, faces)
    expected = scale_each(closed(network, faces, predicted))
    maps = explain(network, name, faces, predicted)
    assert maps == pytest.approx(expected, abs=1e-5)
    for face_map, expected_map in zip(maps, expected, strict=True):
        assert spearmanr(face_map.round(5).ravel(), expected_map.round(5).ravel()).statistic == pytest.approx(
            1, abs=1e-12
        )


@pytest.mark.parametrize("name", QUICK)
def test_each_method_gives_finite_maps_on_the_cells_and_is_deterministic(
    name: str, network: GenderResNet, faces: torch.Tensor
) -> None:
    faces = faces[:1] if comparable(name).few_faces else faces
    predicted = said(network, faces)
    maps = [explain(network, name, faces, predicted, np.random.default_rng(0)) for _ in range(2)]
    assert maps[0].shape == (len(faces), 4, 4)
    assert np.isfinite(maps[0]).all()
    assert maps[0].min() >= 0 and maps[0].max() <= 1 + 1e-5
    assert np.ptp(maps[0], axis=(1, 2)).max() > 0
    assert maps[0] == pytest.approx(maps[1], abs=1e-5)
    assert not any(p.requires_grad or p.grad is not None for p in network.parameters())
    assert not any(m._forward_hooks for m in network.modules()), "no hook is left behind"


@pytest.mark.parametrize("name", ["GradCAMPlusPlus", "LayerCAM", "EigenGradCAM", "FEM"])
def test_on_the_last_block_a_method_gives_what_it_gives_on_the_whole_network(
    name: str, network: GenderResNet, faces: torch.Tensor
) -> None:
    predicted = said(network, faces)
    with getattr(library, name)(network, [network.layer4[-1]]) as method:
        method.get_target_width_height = lambda _: head_of(network, faces[:1]).shape[:1:-1]
        whole = method(faces.clone().requires_grad_(True), [MarginTarget(int(c)) for c in predicted])
    assert explain(network, name, faces, predicted) == pytest.approx(whole, abs=2e-4)


def test_ablation_cam_is_what_each_channel_adds_to_the_margin(network: GenderResNet, faces: torch.Tensor) -> None:
    faces = faces[:1]
    predicted = said(network, faces)
    with torch.no_grad():
        maps = network.features(faces)
        weight = torch.stack([network.fc.weight[c] - network.fc.weight[1 - c] for c in predicted])
        share = weight * maps.mean(dim=(2, 3))
        bias = torch.tensor([network.fc.bias[c] - network.fc.bias[1 - c] for c in predicted])
        cam = ((share / (share.sum(dim=1) + bias)[:, None])[:, :, None, None] * maps).sum(dim=1).clamp(min=0)
    assert explain(network, "AblationCAM", faces, predicted) == pytest.approx(scale_each(cam.numpy()), abs=1e-3)


def test_the_tail_gives_the_networks_logits(network: GenderResNet, faces: torch.Tensor) -> None:
    with torch.no_grad():
        assert torch.allclose(Tail(network)(head_of(network, faces)), network(faces), atol=1e-5)


def test_score_cam_is_left_out_by_default_and_works_when_named(network: GenderResNet) -> None:
    assert set(LIBRARY) < set(names()) and set(default_methods()) == set(QUICK)
    face = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    score_map = explain(network, "ScoreCAM", face, np.zeros(1, int), None)  # all of its 2,048 passes, of small pictures
    assert score_map.shape == (1, 2, 2)
    assert np.isfinite(score_map).all()
    assert score_map.max() > score_map.min()


def test_imputation_of_a_stack_is_the_librarys_of_each_and_leaves_the_rest() -> None:
    rng = np.random.default_rng(0)
    pictures = torch.from_numpy(rng.uniform(0, 255, (2, 3, 20, 20)).astype(np.float32))
    hole = rng.random((20, 20)) < 0.4
    generator = torch.Generator().manual_seed(0)
    imputed = impute(pictures, hole, NoisyLinearImputer(noise=0.0), generator)
    assert torch.equal(imputed[:, :, ~hole], pictures[:, :, ~hole])
    for imputed_picture, picture in zip(imputed, pictures, strict=True):
        alone = NoisyLinearImputer(noise=0.0)(picture, torch.from_numpy((~hole).astype(np.float32)))
        noise = (imputed_picture - alone)[:, hole]
        assert 1.5 < noise.std() < 3.5, "0.01 of the range, 2.55 grey levels"
        assert noise.abs().max() < 15
