"""Faster ways to compute: the same function, told how near it is, and refused where it is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from core.audit.folder import open_audit
from core.audit.run import run_audit
from core.classifiers.classifier import ResNetClassifier, WithoutMaps, noise
from core.classifiers.faster import agreement, faster
from core.classifiers.folder import Model
from core.classifiers.folding import folded
from core.classifiers.info import ModelInfo
from core.classifiers.resnet import GenderResNet
from core.classifiers.speed import FasterWay, Speed
from core.errors import LookwhereError
from core.present.text.speed import speed_words
from core.present.text.tables import audit_report
from tests.helpers.made_store import make_store
from tests.helpers.small_network import small_network
from tests.helpers.torch_made import import_model, made


@pytest.fixture(scope="module")
def network() -> GenderResNet:
    """A small dilated network with batch statistics as if trained."""
    with small_network():
        torch.manual_seed(0)
        resnet = GenderResNet(dilated=True).eval()
    for module in resnet.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1)
    return resnet.requires_grad_(False)


@pytest.fixture(scope="module")
def classifier(network: GenderResNet) -> ResNetClassifier:
    info = ModelInfo(weights_sha256="0" * 64, input_size=64, mean=(0.5,) * 3, std=(0.25,) * 3)
    return ResNetClassifier(network, info)


def test_folded_network_gives_the_same_maps_and_has_no_batch_norm(network: GenderResNet) -> None:
    pixels = torch.randn(2, 3, 64, 64)
    folded_network = folded(network, pixels)
    with torch.inference_mode():
        for ours, theirs in zip(folded_network.evidence(pixels), network.evidence(pixels), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded_network.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_only_the_batch_norm_that_takes_in_a_convolution_is_folded_into_it() -> None:
    class Crossed(nn.Module):
        """A batch norm registered after a convolution that it does not follow, and one of a convolution used twice."""

        def __init__(self) -> None:
            super().__init__()
            self.one, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
            self.two, self.after = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
            self.twice, self.last = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.after(self.two(self.one(self.norm(x))))
            return self.last(self.twice(self.twice(x))).mean(dim=(2, 3))

    crossed = Crossed().eval()
    for norm in (crossed.norm, crossed.after, crossed.last):
        norm.running_mean.fill_(0.3)
        norm.running_var.fill_(2.0)
    folded_network = folded(crossed, torch.randn(2, 3, 8, 8))
    kinds = {name: type(getattr(folded_network, name)) for name in ("norm", "after", "last")}
    assert kinds == {"norm": nn.BatchNorm2d, "after": nn.Identity, "last": nn.BatchNorm2d}


def test_a_convolution_whose_output_another_reads_too_is_told_by_running() -> None:
    class Forked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.one(x)
            return (self.norm(x) + x).mean(dim=(2, 3))

    forked = Forked().eval()
    forked.norm.running_var.fill_(9.0)
    with pytest.raises(LookwhereError, match="other outputs with its batch norms folded"):
        folded(forked, torch.randn(2, 3, 8, 8))
    with pytest.raises(LookwhereError, match="no batch norm"):
        folded(nn.Conv2d(3, 3, 1), torch.randn(2, 3, 8, 8))


def test_agreement_counts_decisions_margins_and_correlates_maps() -> None:
    maps = np.arange(16, dtype=np.float32).reshape(2, 2, 2, 2)
    exact = (np.array([[1, 0], [0, 1]], dtype=np.float32), maps)
    turned = maps.copy()
    turned[1] *= -1
    fast = (np.array([[0, 0.25], [0, 1]], dtype=np.float32), turned)
    measures = agreement(Speed.FOLDED, lambda images: fast, lambda images: exact, np.zeros((2, 1)))
    whole = np.corrcoef(maps.ravel(), turned.ravel())[0, 1]
    assert measures == FasterWay(
        how=Speed.FOLDED,
        faces=2,
        map_correlation=round(float(whole), 6),
        least_map_correlation=-1.0,
        decisions=1,
        margin=1.25,
    )


def test_ways_of_our_network_agree_with_float32_with_and_without_maps(classifier: ResNetClassifier) -> None:
    images = noise()
    ways = [Speed.FOLDED]
    try:
        import openvino  # noqa: F401

        ways.append(Speed.OPENVINO)
    except ModuleNotFoundError:
        pass
    for how in ways:
        fast, measures = faster(classifier, how, images)
        assert fast(images)[1].shape == (4, 2, 4, 4)
        assert measures.map_correlation > 0.999 and measures.faces == 4
        bare, without = faster(WithoutMaps(classifier), how, images)
        assert bare(images)[1] is None and without.map_correlation is None
    with pytest.raises(LookwhereError, match="for maps in closed form"):
        faster(classifier.explained_by("gradcam"), Speed.FOLDED, images)
    with pytest.raises(LookwhereError, match="predictions alone"):
        faster(None, Speed.FOLDED, images)


def test_maps_too_far_from_float32_are_refused(classifier: ResNetClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.classifiers.faster.LEAST", 1.1)
    with pytest.raises(LookwhereError, match=r"--speed folded: on 4 of these faces its maps correlate .* under 1\.1"):
        faster(classifier, Speed.FOLDED, noise())


def test_imported_network_is_folded_too(tmp_path: Path) -> None:
    imported, _ = import_model(made("torchvision:resnet18"), tmp_path, "torchvision:resnet18")
    fast, measures = faster(imported, Speed.FOLDED, noise())
    assert measures.map_correlation > 0.9999 and measures.decisions == 0
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fast.network.modules())
    assert fast.maps == imported.maps and fast.head_bias == imported.head_bias
    with pytest.raises(LookwhereError, match="use --speed folded"):
        faster(imported, Speed.OPENVINO, noise())


def test_audit_keeps_how_it_was_computed_and_is_none_of_another(tmp_path: Path, classifier: ResNetClassifier) -> None:
    store = make_store(tmp_path / "store")
    model = Model("m", tmp_path / "m", classifier.network, classifier.info, classifier)
    made_audit = run_audit(store, model, name="fast", speed=Speed.FOLDED)
    assert open_audit(made_audit.path).manifest.speed == made_audit.manifest.speed
    assert made_audit.manifest.speed.faces == len(made_audit.faces)
    assert speed_words(made_audit.manifest.speed) in audit_report(made_audit)
    plain = run_audit(store, model, name="plain")
    assert plain.manifest.speed is None
    correlation = np.corrcoef(plain.evidence.ravel(), made_audit.evidence.ravel())[0, 1]
    assert correlation > 0.999
    run_audit(store, model, name="fast", speed=Speed.FOLDED)
    with pytest.raises(LookwhereError, match=r"computed folded, not plain \(--speed\)"):
        run_audit(store, model, name="fast")
    assert replace(made_audit.manifest, speed=None).to_json().get("speed") is None
