"""No face is enlarged without a word: training refuses it unless told, models and audits that do it say so."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from core.__main__ import main as core_main
from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.folder import open_audit
from core.audit.run import run_audit
from core.classifiers.folder import load_model, save_model
from core.classifiers.info import DeclaredInfo, ModelInfo, ModelKind, input_enlargement
from core.classifiers.resnet import GenderResNet
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.present.card import card_sections, markdown
from core.present.text.tables import audit_report
from core.training.config import Stage, TrainConfig
from core.training.face_sets import FaceSets
from core.training.loop import train
from tests.helpers.made_store import make_store
from tests.helpers.small_network import NARROW, small_network
from tests.helpers.torch_made import MEAN, STD, made
from tests.helpers.unmeasured import cells_on_tiles, decisions_uncounted
from train.__main__ import main as train_main

LARGE = TrainConfig(stages=(Stage(size=32, epochs=1), Stage(size=120, epochs=1)), batch=18, ema=0.0, norm_batches=1)
SQUEEZE = "torchvision:squeezenet1_1"


@pytest.fixture(scope="module", autouse=True)
def network_is_small() -> Iterator[None]:
    with small_network(NARROW), cells_on_tiles(), decisions_uncounted():
        yield


def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


def test_a_stage_above_the_stores_side_is_refused_before_anything_is_written(
    made_store: AlignedStore, tmp_path: Path
) -> None:
    """In a schedule too, and whether one data set or two are given."""
    second_store = make_store(tmp_path / "other", seed=1)
    words = r"stage size 120: the faces of .*store have 112 pixels.*enlarge: true"
    for data in (made_store, FaceSets.across(made_store, second_store)):
        with pytest.raises(LookwhereError, match=words):
            train(data, tmp_path / "model", LARGE, fabric=fabric())
    assert not (tmp_path / "model").exists()


def test_the_command_refuses_it_in_one_line_and_takes_the_permission_from_the_file(
    made_store: AlignedStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("stages: [{size: 224}]\nbatch: 18\nema: 0\n")
    flags = ["--data", str(made_store.path), "--models", str(tmp_path / "models"), "--name", "m", "--config", str(file)]
    assert train_main(flags) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    for words in ("stage size 224", "112", "enlarge: true"):
        assert words in error
    file.write_text("stages: [{size: 224}]\nbatch: 18\nema: 0\nenlarge: true\n")
    assert train_main([*flags, "--stop-after", "0"]) == 0


def test_sizes_up_to_the_stores_side_need_no_permission() -> None:
    for side, size in ((112, 112), (128, 120)):
        TrainConfig(stages=(Stage(size=size),)).check_sizes(side, "store")
    with pytest.raises(LookwhereError, match="size 120, 224"):
        TrainConfig(stages=(Stage(size=120), Stage(size=64), Stage(size=224))).check_sizes(112, "store")


def test_what_was_allowed_is_kept_in_the_model_and_a_run_of_before_goes_on_with_it(
    made_store: AlignedStore, tmp_path: Path
) -> None:
    folder, allowed = tmp_path / "model", dataclasses.replace(LARGE, enlarge=True)
    train(made_store, folder, allowed, fabric=fabric(), stop_after=1)
    checkpoint = folder / "training/checkpoint.safetensors"
    with safe_open(checkpoint, framework="pt") as opened:
        meta = json.loads(opened.metadata()["meta"])
    del meta["config"]["enlarge"]
    save_file(load_file(checkpoint), checkpoint, {"meta": json.dumps(meta)})
    train(made_store, folder, allowed, fabric=fabric(), resume=True)
    record = json.loads((folder / "model.json").read_text())
    assert record["input_size"] == 120
    assert record["training"]["enlarge"] is True
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("info", "factor"),
    [
        (ModelInfo(input_size=112), None),
        (ModelInfo(input_size=96), None),
        (ModelInfo(input_size=224), 2.0),
        (ModelInfo(kind=ModelKind.ONNX, declaration=DeclaredInfo(size=(224, 224))), 2.0),
        (ModelInfo(kind=ModelKind.ONNX, declaration=DeclaredInfo(size=(112, 168))), 1.5),
        (ModelInfo(kind=ModelKind.TORCH, declaration=DeclaredInfo(size=(112, 112), crop=(16, 16, 96, 96))), 1.4),
        (
            ModelInfo(kind=ModelKind.ONNX, declaration=DeclaredInfo(size=(32, 32), crop=(8.6, 22.3, 105.5, 119.2))),
            None,
        ),
        (ModelInfo(kind=ModelKind.PREDICTIONS, declaration=DeclaredInfo(score="probability")), None),
    ],
)
def test_the_factor_is_input_pixels_a_pixel_of_the_face(info: ModelInfo, factor: float | None) -> None:
    enlargement = input_enlargement(info)
    assert enlargement is None if factor is None else enlargement == pytest.approx(factor)
    card = markdown("m", card_sections("m", info, []))
    assert ("which adds no detail" in card) == (factor is not None)
    if factor is not None:
        assert f"enlarged {factor:.3g} ×" in card


def test_an_audit_of_ours_records_it(made_store: AlignedStore, tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_model(tmp_path / "ours", GenderResNet(dilated=False), ModelInfo(input_size=128))
    audit = run_audit(made_store, load_model(tmp_path / "ours"), ("test",), averages=AverageSetting(KeepAverages.NO))
    assert json.loads((audit.path / "audit.json").read_text())["enlarged"] == pytest.approx(128 / 112, abs=1e-4)
    assert "enlarged 1.14 ×" in audit_report(open_audit(audit.path))
    save_model(tmp_path / "small", GenderResNet(dilated=False), ModelInfo(input_size=64))
    audit = run_audit(made_store, load_model(tmp_path / "small"), ("test",), averages=AverageSetting(KeepAverages.NO))
    assert audit.manifest.enlarged is None
    assert "enlarged" not in audit_report(audit)


def test_the_import_command_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(made(SQUEEZE).state_dict(), tmp_path / "weights.pt")
    numbers = [word for flag, values in (("--mean", MEAN), ("--std", STD)) for word in (flag, *map(str, values))]
    for name, size in (("large", "160"), ("same", "112")):
        flags = ["--architecture", SQUEEZE, "--size", size, size, "--score", "logits", "--female", "1", "--male", "0"]
        flags += [*numbers, "--models", str(tmp_path / "models"), "--name", name]
        assert core_main(["import", str(tmp_path / "weights.pt"), *flags]) == 0
        report = capsys.readouterr().out
        card = (tmp_path / "models" / name / "CARD.md").read_text()
        assert ("enlarged 1.43 ×" in report) == ("enlarged 1.43 ×" in card) == (name == "large")
