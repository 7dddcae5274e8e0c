"""`model.json` as a record: each kind has its keys, damage is told with the mend of its kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.classifiers.info import DataInfo, ModelInfo, ModelKind, TrainingInfo, ValidationInfo, model_info
from core.errors import LookwhereError

TRAINED = {
    "format": 1, "architecture": "resnet50", "classes": ["female", "male"], "dilated": False, "mean": [0, 0.5, 1],
    "std": [1, 1, 1], "input_size": 112, "training": {"seed": 3, "stages": [{"size": 64, "strength": 0.5}]},
    "weights_sha256": "0" * 64,
}  # fmt: skip
IMPORTED = {
    "format": 1, "kind": "onnx", "classes": ["female", "male"],
    "declaration": {"score": "logits", "female": 0, "male": 1},
    "weights": "model.onnx", "architecture": "ONNX, opset 18", "outputs": 2, "maps": None,
    "source": {"file": "theirs.onnx", "opset": 18}, "weights_sha256": "1" * 64,
}  # fmt: skip


def write(folder: Path, content: object) -> Path:
    (folder / "model.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


@pytest.mark.parametrize("content", [TRAINED, IMPORTED])
def test_what_is_read_is_what_is_written(content: dict, tmp_path: Path) -> None:
    assert list(model_info(write(tmp_path, content)).to_json().items()) == list(content.items())


@pytest.mark.parametrize(
    ("content", "again"), [(TRAINED, "restore it or train again"), (IMPORTED, "restore it or import it again")]
)
def test_a_key_that_its_kind_needs_is_asked_for(content: dict, again: str, tmp_path: Path) -> None:
    needed = ModelInfo.required(content)
    assert {"weights_sha256", "classes"} <= set(needed) <= set(content)
    for key in set(needed) - {"format"}:
        with pytest.raises(LookwhereError, match=rf"model\.json: lacks {key}; {again}"):
            model_info(write(tmp_path, {k: v for k, v in content.items() if k != key}))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("nonsense", "not valid JSON .*; restore it or train again"),
        ("3", "format None, this version reads 2; restore it or train again"),
        (TRAINED | {"format": 9}, "format 9, this version reads 2; restore it or train again"),
        (TRAINED | {"mean": "grey"}, "mean must be a list, not 'grey'; restore it or train again"),
        (TRAINED | {"training": {"seed": "x"}}, "training.seed must be a whole number, not 'x'"),
        (TRAINED | {"training": {"stages": [{"size": "big"}]}}, r"training.stages\[0\].size must be a whole number"),
        (TRAINED | {"data": {"train_groups": [{"gender": "female"}]}}, r"lacks data.train_groups\[0\].ethnicity"),
        (IMPORTED | {"kind": "sklearn"}, "kind must be one of .*; restore it or import it again"),
        (IMPORTED | {"source": "a file"}, "source must be an object, not 'a file'"),
        (IMPORTED | {"declaration": {"size": [64]}}, "declaration.size must be a list of 2"),
    ],
)
def test_damage_is_told_with_the_file_and_the_mend(content: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(LookwhereError, match=rf"model\.json: {says}"):
        model_info(write(tmp_path, content))


def test_only_what_train_makes_is_trained_here() -> None:
    assert [kind for kind in ModelKind if kind.trained_here] == [ModelKind.TRAINED_HERE]
    assert ModelInfo.from_json(TRAINED).trained_here
    assert not ModelInfo.from_json(IMPORTED).trained_here


def test_fingerprints_of_two_stores_are_told_apart() -> None:
    assert DataInfo(fingerprint="a+b").fingerprints == ("a", "b")
    assert DataInfo().fingerprints == ()


def test_of_an_epoch_only_validation_that_is_known_is_kept() -> None:
    row = {"val_accuracy": 0.5, "val_female_A": float("nan"), "worst_group": "female A", "train_loss": 1.0}
    assert ValidationInfo.of_epoch(row).to_json() == {"val_accuracy": 0.5, "worst_group": "female A"}


def test_settings_that_no_reader_asks_for_are_kept() -> None:
    assert TrainingInfo.from_json({"flip": 0.5, "seed": 1}).to_json() == {"flip": 0.5, "seed": 1}
