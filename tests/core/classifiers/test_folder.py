"""The model folder: what is saved is what is loaded, and whatever is wrong with it is refused by the file's name."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models import resnet50

from core.classifiers.folder import load_initial, load_model, save_model
from core.classifiers.imported import declare, import_model
from core.classifiers.info import FORMAT, WITH_TASK, ModelInfo, StageInfo, TrainingInfo, list_models, model_info
from core.classifiers.resnet import GenderResNet
from core.errors import LookwhereError
from core.files import sha256
from tests.helpers.former import write_former
from tests.helpers.small_network import small_network

INFO = ModelInfo(input_size=64, training=TrainingInfo(batch=8))


def lively_network(dilated: bool = False) -> GenderResNet:
    """A network whose every tensor has values of its own."""
    torch.manual_seed(0)
    network = GenderResNet(dilated=dilated)
    for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.4, 0.8)
        norm.running_mean.normal_(0, 0.1)
        norm.running_var.uniform_(0.5, 1.5)
        norm.num_batches_tracked.fill_(30)
    return network


@pytest.fixture(scope="module")
def network() -> GenderResNet:
    return lively_network(dilated=True)


@pytest.fixture(scope="module")
def saved(network: GenderResNet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A model folder, to be read only."""
    folder = tmp_path_factory.mktemp("models") / "saved"
    save_model(folder, network, INFO)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Iterator[Path]:
    """A model folder to be spoilt."""
    yield Path(shutil.copytree(saved, tmp_path / "spoilt"))
    shutil.rmtree(tmp_path / "spoilt")


def change_info(folder: Path, **changes: object) -> None:
    content = json.loads((folder / "model.json").read_text())
    write_former(folder / "model.json", content | changes)


def error_of_loading(folder: Path) -> str:
    with pytest.raises(LookwhereError) as caught:
        load_model(folder)
    return str(caught.value)


def test_folder_holds_exactly_weights_and_description(saved: Path) -> None:
    assert sorted(p.name for p in saved.iterdir()) == ["model.json", "model.safetensors"]


def test_description_says_what_the_weights_are(saved: Path) -> None:
    info = model_info(saved)
    assert {key: value for key, value in info.to_json().items() if key != "digest"} == {
        "format": FORMAT,
        "architecture": "resnet50",
        "classes": ["female", "male"],
        "dilated": True,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "input_size": 64,
        "training": {"batch": 8},
        "weights_sha256": sha256(saved / "model.safetensors"),
    }


def test_weights_are_half_precision_and_statistics_float32(saved: Path, network: GenderResNet) -> None:
    stored = load_file(saved / "model.safetensors")
    own = network.state_dict()
    assert stored.keys() == own.keys()
    for name, tensor in stored.items():
        kind = torch.float32 if "running_" in name else torch.int64 if "num_batches" in name else torch.float16
        assert tensor.dtype == kind, name
        assert torch.equal(tensor, own[name].to(kind)), name


def test_loaded_equals_saved_to_half_precision(saved: Path, network: GenderResNet) -> None:
    model = load_model(saved)
    assert (model.name, model.path, model.info) == ("saved", saved, model_info(saved))
    assert model.network.dilated
    assert not model.network.training
    assert not any(p.requires_grad for p in model.network.parameters())
    assert model.network.layer1[0].conv2.weight.is_contiguous(memory_format=torch.channels_last)
    own = network.state_dict()
    for name, tensor in model.network.state_dict().items():
        rounded = own[name] if "running_" in name or "num_batches" in name else own[name].half().float()
        assert tensor.dtype == own[name].dtype, name
        assert torch.equal(tensor, rounded), name
    pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = lively_network(dilated=True).eval()(pixels)
        torch.testing.assert_close(model.network(pixels), expected, atol=0.02, rtol=0.02)


def test_loading_draws_no_random_weights_first(folder: Path) -> None:
    before = torch.get_rng_state()
    load_model(folder)
    assert torch.equal(torch.get_rng_state(), before)


def test_saving_again_replaces_the_model_whole(folder: Path) -> None:
    save_model(folder, GenderResNet(dilated=False), INFO)
    assert sorted(p.name for p in folder.iterdir()) == ["model.json", "model.safetensors"]
    assert not load_model(folder).network.dilated


def test_missing_files_are_named(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert str(folder / "model.safetensors") in error_of_loading(folder)
    (folder / "model.json").unlink()
    message = error_of_loading(folder)
    assert str(folder) in message
    assert "model.json" in message
    assert "nowhere" in error_of_loading(folder / "nowhere")


def test_tampered_weights_are_refused(folder: Path) -> None:
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    message = error_of_loading(folder)
    assert str(folder / "model.safetensors") in message
    assert "SHA-256" in message


def test_other_format_is_refused(folder: Path) -> None:
    change_info(folder, format=WITH_TASK + 1)
    message = error_of_loading(folder)
    assert str(folder / "model.json") in message
    assert f"format {WITH_TASK + 1}" in message


@pytest.mark.parametrize("text", ["{", "", "[1, 2]", "null", "5", "{}"])
def test_broken_description_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    assert str(tmp_path / "model.json") in error_of_loading(tmp_path)


def test_missing_field_is_named(folder: Path) -> None:
    content = json.loads((folder / "model.json").read_text())
    del content["input_size"]
    write_former(folder / "model.json", content)
    message = error_of_loading(folder)
    assert str(folder / "model.json") in message
    assert "input_size" in message


def test_weights_of_another_head_are_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    save_file(resnet50(num_classes=3).state_dict(), weights)
    change_info(folder, weights_sha256=sha256(weights))
    assert str(weights) in error_of_loading(folder)


class Trap:
    """Unpickled, it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple:
        return open, (self.marker, "w")


def test_a_pickle_named_safetensors_is_never_unpickled(folder: Path, tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap(tmp_path / "proof"))).close()
    assert (tmp_path / "proof").exists()

    marker, weights = tmp_path / "sprung", folder / "model.safetensors"
    for write in (lambda: weights.write_bytes(pickle.dumps(Trap(marker))), lambda: torch.save(Trap(marker), weights)):
        write()
        change_info(folder, weights_sha256=sha256(weights))
        assert str(weights) in error_of_loading(folder)
        with pytest.raises(LookwhereError, match="--init"):
            load_initial(GenderResNet(), str(weights))
        assert not marker.exists()


def test_initial_weights_of_another_head_keep_the_own_head(tmp_path: Path) -> None:
    torch.manual_seed(1)
    file, five_classes, network = tmp_path / "other.safetensors", resnet50(num_classes=5), GenderResNet()
    save_file(five_classes.state_dict(), file)
    head = network.fc.weight.clone(), network.fc.bias.clone()
    assert load_initial(network, str(file)) == str(file)
    file.unlink()
    assert torch.equal(network.fc.weight, head[0])
    assert torch.equal(network.fc.bias, head[1])
    theirs = five_classes.state_dict()
    for name, tensor in network.state_dict().items():
        if not name.startswith("fc."):
            assert torch.equal(tensor, theirs[name]), name


def test_initial_weights_from_a_model_folder_become_float32(saved: Path) -> None:
    network = GenderResNet()
    load_initial(network, str(saved / "model.safetensors"))
    stored = load_file(saved / "model.safetensors")
    assert network.fc.weight.dtype == torch.float32
    assert torch.equal(network.fc.weight, stored["fc.weight"].float())


def test_a_models_folder_is_started_from_as_its_weights_are(folder: Path) -> None:
    by_folder, by_file = GenderResNet(), GenderResNet()
    assert load_initial(by_folder, str(folder)) == str(folder)
    load_initial(by_file, str(folder / "model.safetensors"))
    assert torch.equal(by_folder.conv1.weight, by_file.conv1.weight)
    assert torch.equal(by_folder.conv1.weight.half(), load_file(folder / "model.safetensors")["conv1.weight"])


def test_unfit_initial_files_are_named(tmp_path: Path) -> None:
    garbage, lone = tmp_path / "garbage.safetensors", tmp_path / "lone.safetensors"
    garbage.write_bytes(b"not weights at all, but long enough")
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7), "other": torch.zeros(2)}, lone)
    network = GenderResNet()
    before = network.conv1.weight.clone()
    for file in (garbage, lone, tmp_path / "missing.safetensors", tmp_path):
        with pytest.raises(LookwhereError) as caught:
            load_initial(network, str(file))
        assert f"--init {file}" in str(caught.value)
    assert torch.equal(network.conv1.weight, before)


def test_models_and_runs_are_listed_by_name(tmp_path: Path) -> None:
    assert list_models(tmp_path / "nowhere") == []
    for file in ("b-model/model.json", "a-run/training/status.json", "notes/text.md", "half/training/metrics.csv"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    (tmp_path / "model.json").touch()
    assert list_models(tmp_path) == ["a-run", "b-model"]


def test_an_import_that_was_killed_is_listed_nowhere_and_can_be_made_again(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("file,score\n1.jpg,0.5\n")
    spec = declare(None, score="probability", of="male")

    def killed(work: Path) -> None:
        assert (work / "model.json").is_file()
        assert list_models(tmp_path / "models") == []
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_model(tmp_path / "s.csv", "theirs", spec, models=tmp_path / "models", complete=killed)
    import_model(tmp_path / "s.csv", "theirs", spec, models=tmp_path / "models", complete=lambda work: None)
    assert list_models(tmp_path / "models") == ["theirs"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"input_size": 64}, "input_size"),
        ({"input_size": 0}, "input_size"),
        ({"dilated": False}, "dilated"),
        ({"mean": [0, 0, 0]}, "mean"),
        ({"mean": []}, "mean"),
        ({"std": [-0.2, -0.2, -0.2]}, "std"),
        ({"epoch": 2}, "input_size, dilated"),
    ],
)
def test_an_input_that_the_model_was_not_trained_with_is_told(change: dict, told: str, tmp_path: Path) -> None:
    with small_network():
        check_refused_input(tmp_path, change, told)


def check_refused_input(tmp_path: Path, change: dict, message: str) -> None:
    stages = (StageInfo(size=64, epochs=3), StageInfo(size=112, epochs=2, dilated=True))
    info = ModelInfo(input_size=112, epoch=4, training=TrainingInfo(stages=stages))
    save_model(tmp_path, GenderResNet(dilated=True), info)
    assert load_model(tmp_path).info.input_size == 112
    write_former(tmp_path / "model.json", json.loads((tmp_path / "model.json").read_text()) | change)
    with pytest.raises(LookwhereError, match=rf"model\.json: {message}: not what this model was trained with"):
        load_model(tmp_path)
