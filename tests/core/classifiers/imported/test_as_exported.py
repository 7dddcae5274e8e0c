"""Models as people's scripts and exporters write them: read, or a line that says what is there and how to go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import timm
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torchvision.models import resnet18

from core.classifiers.folder import Model, load_model
from core.classifiers.imported import declare, import_model, torch_classifier
from core.classifiers.imported.import_options import NetworkOptions
from core.classifiers.imported.prepared import prepare
from core.classifiers.info import model_info
from core.commands.importing import import_
from core.errors import LookwhereError
from tests.helpers.unmeasured import on_tiles

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 112, 112, 3), dtype=np.uint8)
SAID = {"size": [32, 32], "mean": [0.5] * 3, "std": [0.25] * 3, "score": "logits", "female": 0, "male": 1}
BYTES = {"mean": [0] * 3, "std": [1] * 3, "divisor": 1}
WEIGHTS = np.array([[0.8, -0.5, 0.1], [-0.2, 0.9, -0.4]], dtype=np.float32)


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_classifier, "precision", lambda *_: torch.float32)
    on_tiles(monkeypatch)


def exported(file: Path, shape: list[object], kind: int = TensorProto.FLOAT) -> Path:
    """A model of mean colour, with an input of this shape and kind; one of whole numbers is scaled inside."""
    nodes, name = [], "pixels"
    if kind != TensorProto.FLOAT:
        nodes = [helper.make_node("Cast", ["pixels"], ["cast"], to=TensorProto.FLOAT)]
        nodes, name = [*nodes, helper.make_node("Div", ["cast", "most"], ["shares"])], "shares"
    nodes += [
        helper.make_node("GlobalAveragePool", [name], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
    ]
    initialisers = [
        numpy_helper.from_array(WEIGHTS.T.copy(), "weights"),
        numpy_helper.from_array(np.float32([255]), "most"),
    ]
    ports = (
        [helper.make_tensor_value_info("pixels", kind, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [shape[0], 2])],
    )
    graph = helper.make_graph(nodes, "made", *ports, initialisers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), file)
    return file


def imported(source: Path, architecture: str | None = None, **said: object) -> Model:
    path = import_model(
        source,
        "theirs",
        declare(None, **SAID | said),
        models=source.parent / "models",
        network=NetworkOptions(architecture=architecture),
    )
    return load_model(path)


def refused(source: Path, *words: str, architecture: str | None = None, **said: object) -> None:
    with pytest.raises(LookwhereError) as refusal:
        imported(source, architecture, **said)
    message = str(refusal.value)
    assert "\n" not in message and all(word in message for word in words), message


@pytest.mark.parametrize("shape", [[0, 3, 32, 32], [-1, 3, -1, -1], [0, 3, 0, 0], ["N", 3, "H", "W"], [1, 3, 32, 32]])
def test_sizes_written_as_none_are_any(shape: list[object], tmp_path: Path) -> None:
    model = imported(exported(tmp_path / "m.onnx", shape))
    expected = prepare(IMAGES, model.classify.spec).mean(axis=(2, 3)) @ WEIGHTS.T
    np.testing.assert_allclose(model.classify.logits(IMAGES), expected, atol=1e-5)


@pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.INT32, TensorProto.INT64])
@pytest.mark.parametrize("how", ["pillow-bilinear", "area"])
def test_pixels_go_in_as_they_are_where_the_graph_scales_them(kind: int, how: str, tmp_path: Path) -> None:
    source = exported(tmp_path / "m.onnx", ["N", 3, 32, 32], kind)
    refused(source, "declare mean 0, std 1 and divisor 1", "export")
    model = imported(source, **BYTES, resize=how)
    pixels = np.rint(prepare(IMAGES, model.classify.spec))
    np.testing.assert_allclose(model.classify.logits(IMAGES), (pixels / 255).mean(axis=(2, 3)) @ WEIGHTS.T, atol=1e-5)


def test_quantised_inputs_are_refused(tmp_path: Path) -> None:
    refused(exported(tmp_path / "m.onnx", ["N", 3, 32, 32], TensorProto.INT8), "int8", "floats or bytes", **BYTES)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"mean": [0] * 3, "std": [255] * 3}, "std 255, 255, 255: .* divided twice"),
        ({"mean": [1, 1, 1], "std": [58.4, 57.1, 57.4]}, "declare divisor 1"),
        (
            {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "divisor": 1},
            "pixels of 0–1.* leave divisor 1",
        ),
    ],
)
def test_a_scale_that_nobody_means_is_asked_about(said: dict, words: str, tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match=words):
        imported(exported(tmp_path / "m.onnx", ["N", 3, 32, 32]), **said)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("saved_model.pb", "variables/variables.index"), ["a folder, a SavedModel", "tf2onnx"]),
        (("config.json", "model.safetensors"), ["a folder", "model.safetensors", "ONNX"]),
        ((), ["a folder", "ONNX"]),
    ],
)
def test_a_folder_is_called_one(files: tuple[str, ...], words: list[str], tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    for name in files:
        (tmp_path / "theirs" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "theirs" / name).write_bytes(b"{}")
    refused(tmp_path / "theirs", *words)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return resnet18(num_classes=2).eval()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda state: {"student": state, "epoch": 4}, ["there are student, epoch", "torch.save(ckpt['student']"]),
        (lambda state: {"epoch": 4, "lr": 0.1}, ["there are epoch, lr", "save the weights alone"]),
        (lambda state: {"model": {"epoch": 4, "encoder": state}}, ["there are epoch, encoder", "ckpt['encoder']"]),
        (lambda state: list(state.values()), ["it is a list"]),
        (lambda state: {}, ["it is empty"]),
    ],
)
def test_keys_that_are_not_known_are_named(content, words: list[str], network: nn.Module, tmp_path: Path) -> None:
    torch.save(content(network.state_dict()), tmp_path / "w.pth")
    refused(tmp_path / "w.pth", *words, architecture="torchvision:resnet18")


def test_heads_beside_a_backbone_are_no_call_to_save_the_backbone_alone(network: nn.Module, tmp_path: Path) -> None:
    state = {f"trunk.{name}": value for name, value in network.state_dict().items() if not name.startswith("fc")}
    state |= {f"{head}.{kind}": torch.ones(2, 512) for head in ("gender", "age") for kind in ("weight", "bias")}
    torch.save(state, tmp_path / "w.pth")
    refused(
        tmp_path / "w.pth",
        "no head of its own, age, gender lie beside it",
        "as fc",
        architecture="torchvision:resnet18",
    )


@pytest.mark.parametrize(
    ("architecture", "made", "said"),
    [
        ("timm:resnet18", {"global_pool": "max"}, {"pooling": "max"}),
        ("timm:resnet18", {"global_pool": "avgmax"}, {"pooling": "avgmax"}),
        ("timm:resnet18", {"global_pool": "catavgmax"}, {"pooling": "catavgmax"}),
        ("timm:resnet18", {"act_layer": "silu"}, {"activation": "silu"}),
        ("torchvision:resnet18", {}, {"pooling": "max", "bn_eps": 0.01}),
    ],
)
def test_what_a_state_dict_does_not_tell_is_declared(architecture: str, made: dict, said: dict, tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = (timm.create_model("resnet18", num_classes=2, **made) if made else resnet18(num_classes=2)).eval()
    torch.save(network.state_dict(), tmp_path / "w.pth")
    if not made:
        network.avgpool = nn.AdaptiveMaxPool2d(1)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 0.01
    model = imported(tmp_path / "w.pth", architecture, size=[64, 64], **said)
    with torch.no_grad():
        expected = network(torch.from_numpy(prepare(IMAGES, model.classify.spec))).numpy()
    np.testing.assert_allclose(model.classify.logits(IMAGES), expected, rtol=1e-4, atol=1e-5)
    logits, _ = model.classify(IMAGES)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
    assert model.info.maps.additive is ("pooling" not in said), "maps add up only where the network averages"
    assert not said.keys() & model.info.assumed.keys()


def test_what_is_neither_declared_nor_told_is_named(network: nn.Module, tmp_path: Path) -> None:
    torch.save(network.state_dict(), tmp_path / "w.pth")
    flags = {"size": (32, 32), "mean": (0.5,) * 3, "std": (0.25,) * 3, "score": "logits", "female": 0, "male": 1}
    flags |= {"models": tmp_path / "models", "architecture": "torchvision:resnet18"}
    report = import_(tmp_path / "w.pth", "theirs", **flags)
    assert (
        "weights do not tell: pooling avg, bn_eps 1e-05, activation ReLU, padding as the architecture has it" in report
    )
    assert "resize pillow-bilinear" in report
    assert "the weights do not tell" in (tmp_path / "models/theirs/CARD.md").read_text()
    assert model_info(tmp_path / "models/theirs").assumed["pooling"] == "avg"


@pytest.mark.parametrize(
    ("architecture", "said", "words"),
    [
        ("torchvision:densenet121", {"pooling": "max"}, ["no pooling max", "ONNX"]),
        ("torchvision:resnet18", {"activation": "silu"}, ["one activation", "ONNX"]),
        ("timm:resnet18", {"pooling": "token"}, ["pooling token"]),
        ("timm:resnet18", {"activation": "nonsense"}, ["activation nonsense"]),
        ("torchvision:convnext_tiny", {"bn_eps": 0.1}, ["no batch norm"]),
        ("timm:resnet18", {"pooling": "median"}, ["pooling must be one of avg, max"]),
    ],
)
def test_what_an_architecture_cannot_have_is_refused(architecture, said, words, network, tmp_path: Path) -> None:
    torch.save(network.state_dict(), tmp_path / "w.pth")
    refused(tmp_path / "w.pth", *words, architecture=architecture, **said)
