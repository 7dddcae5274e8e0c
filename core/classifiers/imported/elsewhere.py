"""Files of frameworks that are not read here, each with the way to an ONNX file, and what is no model's file at all."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from core.data.image_kinds import looks_like
from core.json_record import read_object

TF2ONNX = "python -m tf2onnx.convert"
#: What any model gives, whatever made it.
TABLE = "or predict, and import a table of each face's file and score"
#: Suffixes of files that are not read, and what such a file is.
OTHERS = {
    **dict.fromkeys(
        (".pkl", ".pickle", ".joblib", ".sav"), "a pickle, which can do anything when it is opened: none is"
    ),
    **dict.fromkeys(
        (".pt2", ".torchscript", ".jit", ".ptl", ".pte"), "a program of PyTorch's, and none of a file is run"
    ),
    **dict.fromkeys((".mar", ".nemo"), "an archive with code in it, which is not run"),
    **dict.fromkeys((".caffemodel", ".prototxt"), "a model of Caffe's"),
    **dict.fromkeys((".mlmodel", ".mlpackage"), "a model of Core ML's"),
    **dict.fromkeys((".pdmodel", ".pdiparams"), "a model of Paddle's"),
    **dict.fromkeys((".engine", ".trt", ".plan"), "a model of TensorRT's"),
    ".params": "a model of MXNet's",
    ".msgpack": "weights of Flax",
    ".gguf": "weights of GGML's",
    ".ort": "a model of onnxruntime's own format",
    ".param": "a model of ncnn's",
}
TABLES = (".xlsx", ".xls", ".ods", ".numbers", ".jsonl", ".feather", ".arrow", ".npy", ".txt", ".gz")
_PAGES = ("a web page", "a pointer of Git LFS")


def not_the_file(source: Path) -> str | None:
    """What was saved in place of a model's file: a web page or a pointer; None of any other."""
    with source.open("rb") as file:
        kind = looks_like(file.read(1024))
    return f"{kind}, not the file itself; download that" if kind is not None and kind.startswith(_PAGES) else None


def how_to_convert(source: Path) -> str | None:
    """What a file or folder of Keras, TensorFlow or TensorFlow.js is, and the command; None of any other."""
    suffix, quoted = source.suffix.lower(), shlex.quote(str(source))
    if source.is_dir():
        # TensorFlow Serving keeps versions as folders 1, 2 …: the last one counts.
        versions = [path for path in source.iterdir() if path.name.isdecimal() and path.is_dir()]
        for folder in (source, *sorted(versions, key=lambda path: -int(path.name))):
            if (folder / "saved_model.pb").is_file():
                command = f"{TF2ONNX} --saved-model {shlex.quote(str(folder))} --output model.onnx"
                return _sentence("a folder, a SavedModel of TensorFlow", command)
        if kind := _javascript(source / "model.json"):
            return _of_javascript(kind, source / "model.json")
        return None
    if source.name.lower().endswith(".weights.h5"):
        network = "weights of Keras without their network; load them into it"
        return f"{network}, and there model.export('model.onnx', format='onnx')"
    if suffix in (".h5", ".hdf5"):
        return _sentence("a Keras model in HDF5", f"{TF2ONNX} --keras {quoted} --output model.onnx")
    if suffix == ".keras":
        # In double quotes, so that the shell's single ones around it need no escapes.
        code = f'import keras; keras.saving.load_model({json.dumps(str(source))}).export("model.onnx", format="onnx")'
        return _sentence("a Keras model", f"python -c {shlex.quote(code)}")
    if suffix == ".tflite":
        return _sentence("a TensorFlow Lite model", f"{TF2ONNX} --tflite {quoted} --output model.onnx")
    if suffix == ".pb":
        folder = shlex.quote(str(source.parent))
        return _sentence("a graph of TensorFlow", f"{TF2ONNX} --saved-model {folder} --output model.onnx")
    if suffix == ".json" and (kind := _javascript(source)):
        return _of_javascript(kind, source)
    if suffix in TABLES:
        return "a table that is not read; save it as CSV, a row a face with its file and score"
    if suffix in OTHERS:
        return f"{OTHERS[suffix]}; export the model to ONNX (.onnx), {TABLE}"
    return None


def _sentence(what: str, command: str) -> str:
    return f"{what}, which is not read here; make an ONNX file of it: {command}"


def _of_javascript(kind: str, file: Path) -> str:
    """A graph model goes straight to ONNX; a layers model has to be one of TensorFlow's first."""
    quoted = shlex.quote(str(file))
    if kind == "graph-model":
        return _sentence("a TensorFlow.js model", f"{TF2ONNX} --tfjs {quoted} --output model.onnx")
    first = f"tensorflowjs_converter --input_format=tfjs_layers_model --output_format=keras_saved_model {quoted} saved"
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
