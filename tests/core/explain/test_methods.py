"""Whatever attribution method is registered passes the same battery, a new one from outside too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from core import devices
from core.errors import LookwhereError
from core.explain.methods import (
    REGISTRY,
    ClosedForm,
    FinerCam,
    GradCam,
    HiResCam,
    LibraryCam,
    RandomCam,
    XGradCam,
    choose,
    method,
    stored,
)
from tests.helpers.attribution_battery import (
    CHECKS,
    Kind,
    brightness_method,
    check_additive_maps_add_up,
    check_an_audit_report_and_card_name_it,
    check_help_lists_it,
    check_maps,
    classifier,
    faces,
    own_registry,
)


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in float32."""
    monkeypatch.setattr(devices, "precision", lambda *_: torch.float32)


@pytest.mark.parametrize("kind", REGISTRY.values(), ids=list(REGISTRY))
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_method(kind: Kind, check: Callable[[Kind], None]) -> None:
    check(kind)


@pytest.mark.parametrize("kind", REGISTRY.values(), ids=list(REGISTRY))
def test_every_method_is_in_help(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    check_help_lists_it(kind, capsys)


@pytest.mark.parametrize("kind", REGISTRY.values(), ids=list(REGISTRY))
def test_every_method_makes_an_audit(kind: Kind, tmp_path: Path) -> None:
    check_an_audit_report_and_card_name_it(kind, tmp_path)


def test_a_new_method_passes_the_battery(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with own_registry():
        toy = brightness_method()
        for check in CHECKS:
            check(toy)
        check_help_lists_it(toy, capsys)
        check_an_audit_report_and_card_name_it(toy, tmp_path)
    assert toy.words == "map by Toy"


def test_the_battery_finds_a_method_that_claims_too_much() -> None:
    with own_registry():
        toy = brightness_method()
    toy.additive = True
    with pytest.raises(AssertionError):
        check_additive_maps_add_up(toy)
    toy.explain = lambda self, classifier, images: (classifier.logits(images), np.zeros((len(images), 2, 7, 7)))
    with pytest.raises(AssertionError):
        check_maps(toy)


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(LookwhereError, match="--maps gradients: unknown; there are closed-form, occlusion, rise") as e:
        choose("gradients", classifier())
    assert all(key in str(e.value) for key in REGISTRY)
    gone = stored("Gone")
    assert (gone.words, gone.reading.endswith(".")) == ("map by Gone", True)
    assert all(hasattr(gone, name) for name in ("needs", "additive", "passes", "cost", "paper"))


def test_on_a_linear_head_grad_cam_hirescam_and_xgradcam_are_the_closed_form() -> None:
    model = classifier()
    closed = ClosedForm().explain(model, faces())[1]
    for kind in (GradCam, HiResCam, XGradCam):
        np.testing.assert_allclose(kind().explain(model, faces())[1], closed, rtol=1e-4, atol=1e-4)
    finer = FinerCam().explain(model, faces())[1]
    np.testing.assert_allclose(finer[:, 0] - finer[:, 1], closed[:, 0] - closed[:, 1], rtol=1e-4, atol=1e-4)
    assert not FinerCam.additive and issubclass(RandomCam, LibraryCam)


def test_ablation_and_score_cam_by_hand() -> None:
    """From the weights alone: what a logit loses without a channel, and softmax over masked faces' scores."""
    model = classifier()
    network, images = model.network, faces(2)
    pixels = model.layers.pixels(images)
    with torch.no_grad():
        maps = network.layer4(pixels)
        lost = network.fc.weight[None] * maps.mean(dim=(2, 3))[:, None]
        ablated = torch.einsum("bck,bkij->bcij", lost, maps) * 49
        fine = nn.functional.interpolate(maps, size=(112, 112), mode="bilinear", align_corners=True)
        low, high = fine.amin(dim=(2, 3), keepdim=True), fine.amax(dim=(2, 3), keepdim=True)
        masks = (fine - low) / (high - low + 1e-8)
        scores = torch.stack([network(pixels * masks[:, k : k + 1]) for k in range(6)], dim=2)
        scored = torch.einsum("bck,bkij->bcij", scores.softmax(dim=2), maps) * 49
    found = method("ablationcam")().explain(model, images)[1]
    np.testing.assert_allclose(found, ablated, rtol=1e-3, atol=1e-4 * float(ablated.abs().max()))
    found = method("scorecam")().explain(model, images)[1]
    np.testing.assert_allclose(found, scored, rtol=1e-3, atol=1e-4 * float(scored.abs().max()))


def test_methods_for_convolutions_refuse_tokens() -> None:
    model = classifier()
    access = model.layers
    view = replace(access.layer.view, form="tokens")
    tokens = SimpleNamespace(layers=replace(access, layer=access.layer._replace(view=view)), no_layers="")
    assert "convolutional" in method("scorecam").why_not(tokens)
    assert method("gradcam").why_not(tokens) is None
    bent = SimpleNamespace(layers=replace(access, bias=None, closed=None), no_layers="")
    assert "this network has none" in ClosedForm.why_not(bent)
    assert not GradCam().adds_up(bent) and GradCam().bias(bent) is None
