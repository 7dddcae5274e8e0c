"""What every attribution method has to pass, and a made one that passes it: `CHECKS` are functions of the class."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from core import __main__ as command
from core.audit.run import run_audit
from core.classifiers.classifier import ResNetClassifier
from core.classifiers.folder import Model
from core.classifiers.info import ModelInfo
from core.errors import LookwhereError
from core.explain.method import AttributionMethod, Explainable, Explanation, Needs, OnlyOutputs
from core.explain.methods import REGISTRY, ClosedForm, choose, from_record, key_of, method, register, stored, usable
from core.present.card import markdown
from core.present.card.sections import card_sections, maps_words
from tests.helpers.made_store import make_store

Kind = type[AttributionMethod]
INFO = ModelInfo(weights_sha256="1" * 64, input_size=112, dilated=False, mean=(0.5,) * 3, std=(0.25,) * 3)


class Tiny(nn.Module):
    """A network of our ResNet's parts, with one convolution of six channels as its last stage: maps of 7×7."""

    dilated = False

    def __init__(self) -> None:
        super().__init__()
        self.layer4 = nn.Sequential(nn.Conv2d(3, 6, 16, stride=16), nn.ReLU())
        self.fc = nn.Linear(6, 2)
        generator = torch.Generator().manual_seed(3)
        for parameter in self.parameters():
            nn.init.normal_(parameter, 0, 0.1, generator=generator)
        nn.init.normal_(self.fc.weight, 0, 1, generator=generator)

    @property
    def head_bias(self) -> torch.Tensor:
        return self.fc.bias

    def evidence(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = torch.einsum("ck,bkij->bcij", self.fc.weight, self.layer4(pixels))
        return maps.mean(dim=(2, 3)) + self.fc.bias, maps

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.fc(self.layer4(pixels).mean(dim=(2, 3)))


@contextmanager
def own_registry() -> Iterator[None]:
    """What is registered inside is gone after it."""
    before = dict(REGISTRY)
    try:
        yield
    finally:
        REGISTRY.clear()
        REGISTRY.update(before)


def classifier() -> ResNetClassifier:
    return ResNetClassifier(Tiny().eval().requires_grad_(False), INFO)


def faces(count: int = 3) -> np.ndarray:
    """Noise of mixed grain, uint8 (count, 112, 112, 3)."""
    draw = np.random.default_rng(2)
    coarse = draw.integers(0, 200, (count, 7, 7, 3)).repeat(16, axis=1).repeat(16, axis=2)
    return (coarse + draw.integers(0, 55, coarse.shape)).astype(np.uint8)


def bare(images: np.ndarray) -> np.ndarray:
    """A function that is no network: the left half's brightness against the right half's."""
    margin = images[:, :, :56].mean(axis=(1, 2, 3)) - images[:, :, 56:].mean(axis=(1, 2, 3))
    return np.stack([margin, -margin], axis=1) / 20


def makes_maps(kind: Kind) -> bool:
    return not kind.comparison_only


def check_attributes(kind: Kind) -> None:
    for name, typed in (
        ("name", str), ("needs", Needs), ("additive", bool), ("passes", int), ("cost", str), ("paper", str),
        ("words", str), ("unit", str), ("reading", str), ("comparison_only", str), ("few_faces", bool),
    ):  # fmt: skip
        assert type(getattr(kind, name)) is typed, name
    assert kind.name.strip() == kind.name != "" and kind.words
    assert kind.passes >= 1 and "pass" in kind.cost
    assert len(kind.paper) > 10 and kind.unit
    assert kind.reading.endswith(".") and not kind.comparison_only.endswith(".")
    assert kind.__doc__, "a line on how it works"


def check_name_is_unique_and_found_in_any_case(kind: Kind) -> None:
    assert [other for other in REGISTRY.values() if key_of(other.name) == key_of(kind.name)] == [kind]
    assert REGISTRY[key_of(kind.name)] is method(kind.name) is method(kind.name.upper()) is method(key_of(kind.name))
    assert stored(kind.name) is kind
    with pytest.raises(LookwhereError, match="registered already"):
        register(kind)


def check_maps(kind: Kind) -> None:
    model = classifier()
    if not makes_maps(kind):
        assert key_of(kind.name) not in usable(model)
        with pytest.raises(LookwhereError, match="usable here are closed-form, occlusion"):
            choose(kind.name, model)
        return
    assert key_of(kind.name) in usable(model)
    method = choose(kind.name, model)
    logits, evidence = method.explain(model, faces())
    assert logits.dtype == evidence.dtype == np.float32
    assert logits.shape == (3, 2) and evidence.shape[:2] == (3, 2)
    assert evidence.ndim == 4 and 2 <= min(evidence.shape[2:]) <= max(evidence.shape[2:]) <= 14
    assert np.isfinite(evidence).all() and np.ptp(evidence, axis=(2, 3)).max() > 0
    assert evidence.max() > 1.5 or evidence.min() < 0, "scaled to 0–1?"
    np.testing.assert_allclose(logits, model.logits(faces()), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(method.explain(model, faces())[1], evidence)
    single = method.explain(model, faces()[1:2])[1]
    np.testing.assert_allclose(single, evidence[1:2], rtol=1e-3, atol=1e-4 * np.abs(evidence).max())


def check_maps_of_a_layer_are_laid_over_the_face(kind: Kind) -> None:
    """A network that sees the face mirrored: `place` turns its maps back."""
    if not makes_maps(kind) or kind.needs is not Needs.LAYERS:
        return
    model = classifier()
    turned = SimpleNamespace(
        logits=model.logits, no_layers="", layers=replace(model.layers, place=lambda maps: maps[..., ::-1])
    )
    np.testing.assert_array_equal(kind().explain(turned, faces())[1], kind().explain(model, faces())[1][..., ::-1])


def check_additive_maps_add_up(kind: Kind) -> None:
    if not makes_maps(kind):
        return
    model, method = classifier(), kind()
    bias = method.bias(model)
    assert method.adds_up(model) == kind.additive == (bias is not None)
    if bias is not None:
        logits, evidence = method.explain(model, faces(8))
        np.testing.assert_allclose(evidence.mean(axis=(2, 3)) + bias, logits, atol=1e-4)


def check_the_record_makes_the_method_again(kind: Kind) -> None:
    method = kind()
    record = json.loads(json.dumps(method.record(classifier())))
    assert record == method.record(classifier()), "plain values"
    assert (record["method"], record["additive"]) == (kind.name, method.adds_up(classifier()))
    assert (record["layer"] is None) == (kind.needs is Needs.OUTPUTS)
    again = from_record(record, "model.json")
    assert type(again) is kind and again.options() == method.options()


def state(network: nn.Module) -> list:
    hooks = [
        (name, type(m), m.training, len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks))
        for name, m in network.named_modules()
    ]
    return hooks + [(n, p.requires_grad, p.grad is None, p.tolist()) for n, p in network.named_parameters()]


def check_the_network_is_left_as_it_was(kind: Kind) -> None:
    if not makes_maps(kind):
        return
    model = classifier()
    before, images = state(model.network), faces()
    untouched = images.copy()
    kind().explain(model, images)
    assert state(model.network) == before
    np.testing.assert_array_equal(images, untouched)
    calls = 0

    def stop(module: nn.Module, inputs: tuple) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise KeyboardInterrupt

    handle = model.network.fc.register_forward_pre_hook(stop)
    with suppress(KeyboardInterrupt):
        kind().explain(model, images)
    handle.remove()
    assert state(model.network) == before, "stopped half-way"


def check_what_it_needs(kind: Kind) -> None:
    function = OnlyOutputs(bare)
    if not makes_maps(kind):
        return
    if kind.needs is not Needs.OUTPUTS:
        assert "only its outputs are at hand" in kind.why_not(function)
        with pytest.raises(LookwhereError, match=f"--maps {kind.name}: it needs .*; usable here are occlusion, rise"):
            choose(kind.name, function)
        return
    logits, evidence = choose(kind.name, function).explain(function, faces())
    np.testing.assert_allclose(logits, bare(faces()), rtol=1e-5)
    assert evidence.dtype == np.float32 and np.isfinite(evidence).all()


def check_help_lists_it(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    for name, listed in (
        ("audit", makes_maps(kind)), ("import", makes_maps(kind)), ("check", kind is not ClosedForm),
    ):  # fmt: skip
        with pytest.raises(SystemExit):
            command.main([name, "--help"])
        words = capsys.readouterr().out.replace("│", " ").split()
        assert (key_of(kind.name) in [word.strip("(),") for word in words]) == listed


def check_an_audit_report_and_card_name_it(kind: Kind, tmp_path: Path) -> None:
    if not makes_maps(kind):
        return
    model = classifier()
    audited = Model("tiny", tmp_path / "tiny", model.network, INFO, model)
    audit = run_audit(make_store(tmp_path / "store"), audited, maps=key_of(kind.name))
    record = audit.manifest.maps.to_json()
    measured = {key: record.pop(key) for key in ("placement", "mirror") if key in record}
    assert record == kind().record(model) and audit.method is kind
    assert (audit.placement is None) == (not measured) == (kind.needs is Needs.OUTPUTS)
    assert audit.additive == kind.additive and audit.evidence.shape[1] == 2
    assert (audit.manifest.head_bias is None) == (not kind.additive)
    assert f"by {kind.name}" in maps_words(audit)
    card = markdown("tiny", card_sections("tiny", INFO, [audit]))
    assert f"cells by {kind.name}" in card.replace("\\", "") and kind.reading in card
    assert ("do not add up" in card) == (not kind.additive)
    second_method = next(key for key in ("closed-form", "occlusion") if key != key_of(kind.name))
    with pytest.raises(LookwhereError, match=f"holds an audit with maps by {kind.name}, not by"):
        run_audit(make_store(tmp_path / "again"), audited, maps=second_method)
    assert run_audit(make_store(tmp_path / "same"), audited, maps=kind.name).manifest == audit.manifest


CHECKS: tuple[Callable[..., None], ...] = (
    check_attributes,
    check_name_is_unique_and_found_in_any_case,
    check_maps,
    check_maps_of_a_layer_are_laid_over_the_face,
    check_additive_maps_add_up,
    check_the_record_makes_the_method_again,
    check_the_network_is_left_as_it_was,
    check_what_it_needs,
)


def brightness_method() -> Kind:
    """A method as somebody adds it: a class, and nothing else."""

    @register
    class Toy(AttributionMethod):
        """Which cells are brighter than the face: it knows nothing of the model but its logits."""

        name = "Toy"
        needs = Needs.OUTPUTS
        additive = False
        passes = 1
        cost = "1 forward pass"
        paper = "made up for this test"

        def explain(self, classifier: Explainable, images: np.ndarray) -> Explanation:
            cells = images.reshape(-1, 7, 16, 7, 16, 3).mean(axis=(2, 4, 5)).astype(np.float32)
            above = cells - cells.mean(axis=(1, 2), keepdims=True)
            return classifier.logits(images).astype(np.float32), np.stack([above, -above], axis=1)

    return Toy
