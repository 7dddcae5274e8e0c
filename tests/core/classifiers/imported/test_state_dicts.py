"""State dicts of torchvision and timm, as their libraries and other people's scripts save them, and what is refused."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import socket
import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

from core.classifiers.imported import architectures, torch_classifier
from core.classifiers.imported.outputs import to_logits
from core.classifiers.imported.prepared import prepare
from core.classifiers.imported.torch_classifier import import_torch, load_torch, noise
from core.errors import LookwhereError
from tests.helpers.torch_made import as_info, declared, halved, import_model, made, pictures
from tests.helpers.unmeasured import on_tiles

RESNET = "torchvision:resnet18"
SQUEEZE = "torchvision:squeezenet1_1"  # small


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in float32, for comparisons to rounding; and nothing may be fetched."""
    monkeypatch.setattr(torch_classifier, "precision", lambda *_: torch.float32)
    on_tiles(monkeypatch)

    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def logits_of(network: nn.Module, images: np.ndarray, **changes: object) -> np.ndarray:
    """What the library's own network says."""
    spec = declared(**changes)
    with torch.no_grad():
        return to_logits(network(torch.from_numpy(prepare(images, spec))).numpy(), spec)


def imported(source: Path, architecture: str = SQUEEZE, **changes: object) -> tuple[np.ndarray, dict]:
    """Logits of the test pictures after importing a file and loading its folder."""
    folder = source.with_suffix(".model")
    info = import_torch(source, folder, declared(**changes), architecture)
    assert [file.name for file in folder.iterdir()] == ["model.safetensors"]
    info |= {"declaration": declared(**changes).as_dict()}
    return load_torch(folder, as_info(info), "cpu")(pictures())[0], info


def wrappings() -> dict[str, tuple[object, list[str]]]:
    """State dicts as training scripts save them, and what is told of it."""
    state = made(SQUEEZE).state_dict()
    prefixed = {f"module.{name}": tensor for name, tensor in state.items()}
    compiled = {f"_orig_mod.model.{name}": tensor for name, tensor in state.items()}
    return {
        "plain": (state, []),
        "lightning": (
            {"epoch": 3, "state_dict": {f"model.{n}": t for n, t in state.items()}},
            ["state_dict", "model."],
        ),
        "parallel": ({"model_state_dict": prefixed, "optimizer": {"lr": 0.1}}, ["model_state_dict", "module."]),
        "compiled": (compiled, ["_orig_mod.", "model."]),
        "ema": (
            {"state_dict": state, "state_dict_ema": prefixed, "arch": "x"},
            ["state_dict (not state_dict_ema, which the file has too)"],
        ),
    }


@pytest.mark.parametrize("kind", ["plain", "lightning", "parallel", "compiled", "ema"])
def test_wrappers_are_taken_off_and_told(tmp_path: Path, kind: str) -> None:
    content, wrappers = wrappings()[kind]
    source = tmp_path / "weights.pth"
    torch.save(content, source)
    logits, info = imported(source)
    np.testing.assert_allclose(logits, logits_of(made(SQUEEZE), pictures()), rtol=1e-4)
    assert info["source"]["unwrapped"] == wrappers
    assert info["source"] | {"sha256": None} == {
        "file": "weights.pth",
        "sha256": None,
        "library": architectures.library("torchvision"),
        "unwrapped": wrappers,
    }
    assert (info["architecture"], info["outputs"], info["heads"]) == (SQUEEZE, 2, ["classifier.1"])


def test_the_files_of_timm_and_of_safetensors_are_read(tmp_path: Path) -> None:
    network = made("timm:convnext_atto")
    timm.models.save_for_hf(network, tmp_path / "hub", safe_serialization="both")
    expected = logits_of(network, pictures())
    for name in ("model.safetensors", "pytorch_model.bin"):
        logits, info = imported(tmp_path / "hub" / name, "timm:convnext_atto.d2_in1k")
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
        assert info["source"]["library"] == architectures.library("timm")


def test_half_precision_stays_half(tmp_path: Path) -> None:
    source = tmp_path / "half.safetensors"
    state = halved(made(RESNET).state_dict())
    save_file(state, source)
    imported(source, RESNET)
    stored_weights = load_file(source.with_suffix(".model") / "model.safetensors")
    assert stored_weights.keys() == state.keys()
    assert all(
        torch.equal(stored_weights[name], state[name]) and stored_weights[name].dtype == state[name].dtype
        for name in state
    )


def test_a_head_behind_dropout_and_one_of_many_outputs_are_found(tmp_path: Path) -> None:
    network = made(RESNET, 18)
    state = {name.replace("fc.", "fc.1."): t for name, t in network.state_dict().items() if "num_batches" not in name}
    source = tmp_path / "fairface.pt"
    torch.save(state, source)
    logits, info = imported(source, RESNET, female=8, male=7)
    np.testing.assert_allclose(logits, logits_of(network, pictures(), female=8, male=7), rtol=1e-4, atol=1e-5)
    assert info["outputs"] == 18
    assert info["source"]["unwrapped"] == ["head fc.1 for fc (what else was in it is taken to be dropout)"]


def test_grey_pictures_and_training_heads_have_their_place(tmp_path: Path) -> None:
    grey = {"channels": "grey", "mean": (0.5,), "std": (0.25,)}
    for architecture, network in (
        ("torchvision:squeezenet1_1", architectures.build("torchvision:squeezenet1_1", declared(**grey), 2)),
        ("timm:resnet10t", timm.create_model("resnet10t", num_classes=2, in_chans=1).eval()),
    ):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.copy_(torch.linspace(-0.1, 0.12, parameter.numel()).view_as(parameter))
        source = tmp_path / f"{architecture.replace(':', '-')}.pt"
        torch.save(network.state_dict(), source)
        np.testing.assert_allclose(
            imported(source, architecture, **grey)[0], logits_of(network, pictures(), **grey), rtol=1e-3, atol=1e-5
        )
    network = made("torchvision:googlenet")
    for heads in ("all", "without"):
        source = tmp_path / f"googlenet-{heads}.pt"
        state = network.state_dict().items()
        torch.save({n: t for n, t in state if heads == "all" or not n.startswith("aux")}, source)
        logits, _ = imported(source, "torchvision:googlenet")
        np.testing.assert_allclose(logits, logits_of(network, pictures()), rtol=1e-3, atol=1e-5)


def test_bringing_leaves_torchs_seed_alone(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    import_model(made(SQUEEZE), tmp_path, SQUEEZE)
    assert torch.equal(before, torch.random.get_rng_state())
    assert np.array_equal(noise(), noise()) and noise().shape == (4, 112, 112, 3)


@pytest.mark.parametrize("architecture", [RESNET, "timm:vit_tiny_patch16_224"])
def test_no_weight_is_drawn_that_is_about_to_be_replaced(architecture: str) -> None:
    network = architectures.build(architecture, declared(), 2)
    assert [name for name, weight in network.named_parameters() if len(weight.unique()) > 1] == []


def refused(source: Path, message: str, architecture: str = SQUEEZE, **changes: object) -> None:
    folder = source.parent / "refused"
    with pytest.raises(LookwhereError, match=message) as caught:
        import_torch(source, folder, declared(**changes), architecture)
    assert "\n" not in str(caught.value) and str(source) in str(caught.value)
    assert not folder.exists()


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple:
        return os.system, (self.command,)


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    hostile, source = Hostile(f"touch {mark}"), tmp_path / "weights.pt"
    state = made(SQUEEZE).state_dict()
    advice = "no code of a file is run.* save the weights alone: safetensors.torch.save_file"
    for content in ({"state_dict": state, "note": hostile}, hostile, [hostile]):
        torch.save(content, source)
        refused(source, f"posix.system, and {advice}")
    for protocol in (2, 4):
        source.write_bytes(pickle.dumps({"state_dict": {}, "note": hostile}, protocol))
        refused(source, advice)
    torch.save({"state_dict": state, "args": argparse.Namespace(lr=1)}, source)
    refused(source, f"argparse.Namespace, and {advice}")
    assert not mark.exists()
    pickle.loads(pickle.dumps(hostile))
    assert mark.exists(), "unpickled in the plain way it runs"


@pytest.mark.parametrize("note", [Path("runs/3"), np.float64(0.1)])
def test_settings_beside_the_weights_of_lightning_are_refused_with_the_mend(tmp_path: Path, note: object) -> None:
    content = {"state_dict": made(SQUEEZE).state_dict(), "hyper_parameters": {"setting": note}}
    for source in (tmp_path / "last.ckpt", tmp_path / "last.pt"):
        torch.save(content, source)
        refused(source, r'asks for code, (pathlib|numpy).*torch.save\(ckpt\["state_dict"\], «weights.pt»\)')
    torch.save(torch.load(source, weights_only=False)["state_dict"], source)  # as the mend says
    assert imported(source)[1]["outputs"] == 2


@pytest.mark.parametrize("prefix", ["net.", "_orig_mod.net."])
def test_a_loss_beside_the_network_is_told_with_the_mend(tmp_path: Path, prefix: str) -> None:
    state = {f"{prefix}{name}": tensor for name, tensor in made(SQUEEZE).state_dict().items()}
    loss = f"{prefix.removesuffix('net.')}criterion.weight"
    source = tmp_path / "last.ckpt"
    torch.save({"state_dict": state | {loss: torch.ones(2)}}, source)
    refused(source, rf"1 unexpected .*; {loss} lies beside the network, .*torch.save\(model.{prefix}state_dict\(\), ")
    torch.save({"state_dict": state}, source)
    assert imported(source)[1]["source"]["unwrapped"][0] == "state_dict"


def test_what_lies_among_the_weights_is_named_with_the_mend(tmp_path: Path) -> None:
    source = tmp_path / "weights.pth"
    torch.save({**made(SQUEEZE).state_dict(), "epoch": 3, "name": "x"}, source)
    refused(source, r"epoch, name in it are none; save it without: torch.save\(\{k: v for k, v in ckpt.items\(\)")


@pytest.mark.parametrize("protocol", [2, 4, 5, "zip"])
def test_models_that_are_no_networks_are_refused_with_the_way_of_predictions(
    protocol: int | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("sklearn.linear_model")
    module.LogisticRegression = type("LogisticRegression", (), {"__module__": "sklearn.linear_model"})
    for name, of in (("sklearn", types.ModuleType("sklearn")), ("sklearn.linear_model", module)):
        monkeypatch.setitem(sys.modules, name, of)
    source = tmp_path / "clf.pth"
    if protocol == "zip":
        torch.save({"model": module.LogisticRegression()}, source)
    else:
        source.write_bytes(pickle.dumps(module.LogisticRegression(), protocol=protocol))
    refused(source, "no code of a file is run.*such a model has no weights of a network; predict with it, and import a")


def test_whole_modules_and_programs_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "module.pt"
    torch.save(made(SQUEEZE), source)
    refused(source, "asks for code, torchvision.models.squeezenet.SqueezeNet, .* save the weights alone")
    with pytest.warns(Warning):
        torch.jit.script(nn.Linear(2, 2)).save(source)
    refused(source, "TorchScript archive is a program.* save the weights alone")


def test_broken_files_are_refused(tmp_path: Path) -> None:
    state = made(SQUEEZE).state_dict()
    whole, source = tmp_path / "whole.safetensors", tmp_path / "weights.safetensors"
    save_file(state, whole)
    content = whole.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    header["classifier.1.bias"]["data_offsets"][1] += 1 << 40
    lying = json.dumps(header).encode()
    for wrong in (content[: len(content) // 2], struct.pack("<Q", len(lying)) + lying, b"\xff" * 64, content[:8]):
        source.write_bytes(wrong)
        refused(source, "not a whole safetensors file .*; copy or save it again")
    pickled = tmp_path / "weights.pt"
    torch.save(state, pickled)
    pickled.write_bytes(pickled.read_bytes()[:100_000])
    refused(pickled, "cut off or damaged")
    for name in ("empty.pt", "empty.safetensors"):
        (tmp_path / name).write_bytes(b"")
        refused(tmp_path / name, "empty; give a file of weights")
    refused(tmp_path / "nowhere.pt", "no such file")
    (tmp_path / "text.pt").write_text("weights go here\n")
    refused(tmp_path / "text.pt", "neither a zip archive nor a pickle")


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "weights.pt"
    for content in ({"epoch": 3}, [torch.ones(2)], {"state_dict": {"a": 1}}, {}, torch.ones(3)):
        torch.save(content, source)
        refused(source, "no state dict in it")
    torch.save({"a": torch.ones(2, 2).to_sparse()}, source)
    refused(source, "a is no plain tensor")
    state = made(SQUEEZE).state_dict()
    # 4 TB by its shape, 4 bytes in the file.
    torch.save(state | {"classifier.1.weight": torch.zeros(1).expand(10**6, 10**6)}, source)
    refused(
        source,
        r"these 52 tensors .* 1 of another shape \(classifier.1.weight 1000000×1000000, not outputs×512×1×1\); name "
        "the architecture that they were trained as, or export",
    )
    broken = state | {"features.0.weight": state["features.0.weight"] * float("nan")}
    torch.save(broken, source)
    refused(source, r"1 of 52 tensors hold values that are not finite \(first: features.0.weight\)")
    torch.save({name: torch.zeros_like(tensor) for name, tensor in state.items()}, source)
    refused(source, "same outputs for every image")
    torch.save({name: tensor * 1e6 for name, tensor in state.items()}, source)
    refused(source, "values that are not finite")


def test_weights_of_another_architecture_are_told_where_they_belong(tmp_path: Path) -> None:
    source = tmp_path / "weights.pt"
    torch.save({"model": made(RESNET).state_dict()}, source)
    refused(
        source,
        r"no torchvision:resnet34: 80 missing \(layer1.2.conv1.weight; .*; they fit .*:resnet18",
        "torchvision:resnet34",
    )
    torch.save(made("timm:vit_tiny_patch16_224").state_dict(), source)
    refused(
        source,
        "pos_embed 1×50×192, not 1×197×192.*another size than 224×224",
        "timm:vit_tiny_patch16_224",
        size=(224, 224),
    )
    refused(source, "cannot be made for images of 100×90", "torchvision:vit_b_16", size=(100, 90))


@pytest.mark.parametrize(
    ("architecture", "near"),
    [("resnet18", "torchvision:resnet18"), ("timm:convnext_tinny", "timm:convnext_tiny"), ("keras:vgg16", "vgg16")],
)
def test_unknown_architectures_are_told_with_near_names(tmp_path: Path, architecture: str, near: str) -> None:
    with pytest.raises(LookwhereError, match=f"architecture '{architecture}' unknown to .*near it are .*{near}"):
        import_torch(tmp_path / "any.pt", tmp_path, declared(), architecture)
    for hub in ("timm:hf-hub:timm/resnet18.a1_in1k", "timm:local-dir:/tmp", "torchvision:fcn_resnet50"):
        with pytest.raises(LookwhereError, match="unknown to"):
            architectures.parse(hub)


def test_what_was_declared_must_be_what_the_network_gives(tmp_path: Path) -> None:
    source = tmp_path / "weights.pt"
    torch.save(made(SQUEEZE).state_dict(), source)
    refused(source, "female is output 5 and male 0, but the model gave 2", female=5)
    refused(source, "score logit is one output, the model gave 2", score="logit", of="male", female=None, male=None)
    refused(source, "declare score logits: a classifier of torchvision", score="probabilities")
    refused(source, "layout nhwc is for ONNX", layout="nhwc")
    refused(source, "does not take images of 8×8 .*; declare the size", size=(8, 8))


def test_a_folder_that_was_changed_is_refused(tmp_path: Path) -> None:
    _, info = import_model(made(SQUEEZE), tmp_path, SQUEEZE)
    weights = tmp_path / "model" / "model.safetensors"
    with pytest.raises(
        LookwhereError, match=r"no torchvision:squeezenet1_0 as it was imported.*import the model again"
    ):
        load_torch(tmp_path / "model", as_info(info | {"architecture": "torchvision:squeezenet1_0"}))
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(LookwhereError, match="import the model again"):
        load_torch(tmp_path / "model", as_info(info))


def test_a_network_that_asks_for_its_version_is_imported_from_plain_tensors(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = torchvision.models.mnasnet0_5(num_classes=2).eval()
    file = tmp_path / "mnasnet.safetensors"
    save_file(dict(network.state_dict()), file)
    np.testing.assert_allclose(imported(file, "torchvision:mnasnet0_5")[0], logits_of(network, pictures()), atol=1e-4)
