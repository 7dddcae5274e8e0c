"""Files of Keras, TensorFlow and TensorFlow.js: refused in one line, with the one command that converts them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.classifiers.imported import import_model
from core.errors import LookwhereError
from tests.helpers.torch_made import declared

LAYERS = {"format": "layers-model", "modelTopology": {"class_name": "Sequential", "config": {}}, "weightsManifest": []}
GRAPH = {"format": "graph-model", "modelTopology": {"node": []}, "weightsManifest": []}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("my model.h5", "", "a Keras model in HDF5, .* python -m tf2onnx.convert --keras '{}' --output model.onnx"),
        ("m.keras", "", r"a Keras model, .* python -c .*keras.saving.load_model\(.*{}.*format="),
        ("m.tflite", "", "TensorFlow Lite model, .* tf2onnx.convert --tflite {} --output model.onnx"),
        ("saved/saved_model.pb", "", "a graph of TensorFlow, .* --saved-model "),
        ("js/model.json", json.dumps(GRAPH), "a TensorFlow.js model, .* tf2onnx.convert --tfjs {} --output model.onnx"),
        (
            "js/model.json",
            json.dumps(LAYERS),
            "a TensorFlow.js model of layers, .* tensorflowjs_converter .*{} saved &&",
        ),
    ],
)
def test_each_kind_is_told_with_its_command(name: str, content: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    with pytest.raises(LookwhereError, match=words.format(file)) as told:
        import_model(file, "x", declared(), models=tmp_path / "models")
    assert "\n" not in str(told.value)
    if file.parent != tmp_path:  # a folder of it is known by what lies in it
        (file.parent / "group1-shard1of1.bin").write_bytes(b"\0" * 8)
        with pytest.raises(LookwhereError, match="which is not read here; make an ONNX file of it: "):
            import_model(file.parent, "x", declared(), models=tmp_path / "models")


def test_any_other_file_is_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text('{"0": "female"}')
    for name in ("labels.json", "m.mlmodel"):
        (tmp_path / name).touch()
        with pytest.raises(LookwhereError, match="not a model that can be imported; expected "):
            import_model(tmp_path / name, "x", declared(), models=tmp_path / "models")
