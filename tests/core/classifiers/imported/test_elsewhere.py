"""Files of Keras, TensorFlow and TensorFlow.js: refused in one line, with the one command that converts them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from core.classifiers.imported import import_model
from core.classifiers.imported.elsewhere import how_to_convert
from core.commands.importing import import_
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
    with pytest.raises(LookwhereError, match=words.format(file)) as refusal:
        import_model(file, "x", declared(), models=tmp_path / "models")
    assert "\n" not in str(refusal.value)
    if file.parent != tmp_path:  # a folder of it is known by what lies in it
        (file.parent / "group1-shard1of1.bin").write_bytes(b"\0" * 8)
        with pytest.raises(LookwhereError, match="which is not read here; make an ONNX file of it: "):
            import_model(file.parent, "x", declared(), models=tmp_path / "models")


def test_any_other_file_is_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text('{"0": "female"}')
    for name in ("labels.json", "m.xyz"):
        (tmp_path / name).touch()
        with pytest.raises(LookwhereError, match="not a model that can be imported; expected "):
            import_model(tmp_path / name, "x", declared(), models=tmp_path / "models")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *((f"m{suffix}", "a pickle, which can do anything") for suffix in (".pkl", ".pickle", ".joblib", ".sav")),
        ("m.pt2", "a program of PyTorch's"),
        ("m.mar", "an archive with code in it"),
        ("m.caffemodel", "a model of Caffe's"),
        ("m.mlmodel", "a model of Core ML's"),
        ("m-0000.params", "a model of MXNet's"),
        ("m.engine", "a model of TensorRT's"),
    ],
)
def test_what_is_not_read_is_called_by_its_name_with_the_way_out(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04N.")
    with pytest.raises(
        LookwhereError, match=rf"{name}: {words}.*; export the model to ONNX .*a table of each face"
    ) as refusal:
        import_model(tmp_path / name, "x", declared(), models=tmp_path / "models")
    assert "\n" not in str(refusal.value)


def test_weights_of_keras_alone_and_a_versioned_folder_of_tensorflow_are_told(tmp_path: Path) -> None:
    (tmp_path / "m.weights.h5").touch()
    with pytest.raises(LookwhereError, match=r"weights of Keras without their network; load them into it, and there"):
        import_model(tmp_path / "m.weights.h5", "x", declared(), models=tmp_path / "models")
    for version in ("2", "10"):
        (tmp_path / "served" / version).mkdir(parents=True)
        (tmp_path / "served" / version / "saved_model.pb").touch()
    with pytest.raises(LookwhereError, match=r"SavedModel of TensorFlow, .*--saved-model .*/served/10 --output"):
        import_model(tmp_path / "served", "x", declared(), models=tmp_path / "models")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".onnx", ".csv", ".ckpt", ".pth.tar", ".xml"])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "a pointer of Git LFS"),
        ("\n<!DOCTYPE html><html>", "a web page"),
    ],
)
def test_a_pointer_or_a_web_page_saved_in_its_place_is_told(
    content: str, kind: str, suffix: str, tmp_path: Path
) -> None:
    (tmp_path / f"m{suffix}").write_text(content)
    with pytest.raises(LookwhereError, match=rf"m{suffix}: {kind}.*, not the file itself; download that"):
        import_model(tmp_path / f"m{suffix}", "x", declared(), models=tmp_path / "models")


@pytest.mark.parametrize("name", ["p.xlsx", "p.jsonl", "p.npy", "p.csv.gz", "p.txt"])
def test_a_table_of_another_kind_is_told_to_be_saved_as_csv(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\1")
    with pytest.raises(LookwhereError, match=rf"{name}: a table that is not read; save it as CSV"):
        import_model(tmp_path / name, "x", declared(), models=tmp_path / "models")


def test_the_command_tells_how_to_convert_before_it_asks_for_a_declaration(tmp_path: Path) -> None:
    (tmp_path / "m.h5").touch()
    with pytest.raises(LookwhereError, match=r"a Keras model in HDF5, .* tf2onnx"):
        import_(tmp_path / "m.h5", name="x", models=tmp_path / "models")
    with pytest.raises(LookwhereError, match=r"m\.onnx: no such file"):
        import_(tmp_path / "m.onnx", name="x", models=tmp_path / "models")


def test_the_command_for_a_keras_model_can_be_read(tmp_path: Path) -> None:
    source = tmp_path / "theirs.keras"
    source.write_bytes(b"PK")
    command = str(how_to_convert(source)).partition(": ")[2]
    start, python, code = shlex.split(command)[:2], command.split(" ", 2)[2], shlex.split(command)[2]
    assert start == ["python", "-c"] and python == f"'{code}'", "one pair of quotes around the code, and none escaped"
    assert f'load_model("{source}")' in code
    compile(code, "command", "exec")
