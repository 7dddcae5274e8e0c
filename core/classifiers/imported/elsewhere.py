"""Files of frameworks that are not read here, each with the one command that makes an ONNX file of it."""

from __future__ import annotations

import shlex
from pathlib import Path

from core.json_record import read_object

TF2ONNX = "python -m tf2onnx.convert"


def how_to_convert(source: Path) -> str | None:
    """What a file or folder of Keras, TensorFlow or TensorFlow.js is, and the command; None of any other."""
    suffix, told = source.suffix.lower(), shlex.quote(str(source))
    if source.is_dir():
        if (source / "saved_model.pb").is_file():
            return _sentence(
                "a folder, a SavedModel of TensorFlow", f"{TF2ONNX} --saved-model {told} --output model.onnx"
            )
        if kind := _javascript(source / "model.json"):
            return _of_javascript(kind, source / "model.json")
        return None
    if suffix in (".h5", ".hdf5"):
        return _sentence("a Keras model in HDF5", f"{TF2ONNX} --keras {told} --output model.onnx")
    if suffix == ".keras":
        code = f"import keras; keras.saving.load_model({str(source)!r}).export('model.onnx', format='onnx')"
        return _sentence("a Keras model", f"python -c {shlex.quote(code)}")
    if suffix == ".tflite":
        return _sentence("a TensorFlow Lite model", f"{TF2ONNX} --tflite {told} --output model.onnx")
    if suffix == ".pb":
        folder = shlex.quote(str(source.parent))
        return _sentence("a graph of TensorFlow", f"{TF2ONNX} --saved-model {folder} --output model.onnx")
    if suffix == ".json" and (kind := _javascript(source)):
        return _of_javascript(kind, source)
    return None


def _sentence(what: str, command: str) -> str:
    return f"{what}, which is not read here; make an ONNX file of it: {command}"


def _of_javascript(kind: str, file: Path) -> str:
    """A graph model goes straight to ONNX; a layers model has to be one of TensorFlow's first."""
    told = shlex.quote(str(file))
    if kind == "graph-model":
        return _sentence("a TensorFlow.js model", f"{TF2ONNX} --tfjs {told} --output model.onnx")
    first = f"tensorflowjs_converter --input_format=tfjs_layers_model --output_format=keras_saved_model {told} saved"
    return _sentence("a TensorFlow.js model of layers", f"{first} && {TF2ONNX} --saved-model saved --output model.onnx")


def _javascript(file: Path) -> str | None:
    """The format that a `model.json` of TensorFlow.js names; None of any other file."""
    try:
        content = read_object(file)
    except (OSError, ValueError):
        return None
    if "modelTopology" not in content:
        return None
    nodes = isinstance(content["modelTopology"], dict) and "node" in content["modelTopology"]
    return "graph-model" if content.get("format") == "graph-model" or nodes else "layers-model"
