"""What is fuzzed: each target takes bytes and reads them as a file of its kind.

A target may refuse with `LookwhereError`, or as its reader's docstring says (`ValueError` of an image that is none).
Anything else that comes out of it is a finding. The same functions are fed by hypothesis in the tests, for a moment,
and by atheris in `make fuzz`, for a minute each, which sees which branches an input takes.
"""

from __future__ import annotations

import contextlib
import io
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from core.errors import LookwhereError


@contextlib.contextmanager
def written(data: bytes, name: str) -> Iterator[Path]:
    """A file of these bytes."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        file = Path(folder) / name
        file.write_bytes(data)
        yield file


def recordio(data: bytes) -> None:
    """A pack of records, with an index of what the first two bytes say."""
    from core.data.sources.recordio import RecordSource

    with written(data[2:], "train.rec") as file:
        first, second = (data + b"\0\0")[:2]
        file.with_suffix(".idx").write_text(f"0\t{first * 4}\n1\t{second * 4}\n")
        source = RecordSource(file)
        for name, record in source.iterate(source.names):
            if not record and source.problem(name) is None:
                raise AssertionError(f"{name}: empty, and nobody says why")


def table(data: bytes) -> None:
    """A CSV of labels."""
    from core.data.readers.label_table import header_of, read_table

    columns = header_of(data, "fuzz.csv")[1]
    read_table(data, "fuzz.csv", dict.fromkeys(columns, ()))


def predictions(data: bytes) -> None:
    """A CSV of predictions, imported."""
    from core.classifiers.imported.predictions import import_predictions
    from core.classifiers.imported.spec import declare

    with written(data, "s.csv") as file:
        import_predictions(file, file.parent, declare(None, score="probability", of="male"))


def image(data: bytes) -> None:
    """An image of a data set."""
    from core.data.images import decode

    decode(data)


def upload(data: bytes) -> None:
    """An image that somebody uploads."""
    from core.photo.uploads import read_upload

    read_upload(data, "fuzz.jpg")


def declaration(data: bytes) -> None:
    """A declaration of a model's input and outputs, in YAML."""
    from core.classifiers.imported.spec import declare

    with written(data, "d.yaml") as file:
        declare(file)


def onnx(data: bytes) -> None:
    """An ONNX file, as it is taken in before anything runs it."""
    from core.classifiers.imported.onnx_file import any_number, parameters, parsed

    with written(data, "m.onnx") as file:
        model, _ = parsed(data, file)
        any_number(model)
        parameters(model)


def manifest(data: bytes) -> None:
    """`audit.json`."""
    from core.audit.manifest import AuditManifest

    with written(data, "audit.json") as file:
        AuditManifest.from_json(file)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "recordio": recordio,
    "table": table,
    "predictions": predictions,
    "image": image,
    "upload": upload,
    "declaration": declaration,
    "onnx": onnx,
    "manifest": manifest,
}
#: How a reader may refuse beside `LookwhereError`, as its docstring says.
REFUSALS: dict[str, type[Exception]] = {"image": ValueError}


def feed(name: str, data: bytes) -> None:
    """Bytes to a target; refusals are right, and anything else comes out."""
    with contextlib.suppress(LookwhereError, REFUSALS.get(name, LookwhereError)):
        TARGETS[name](data)


def seeds(name: str) -> list[bytes]:
    """A few good inputs to begin with."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 48, 3), dtype=np.uint8))
    pictures = []
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        out = io.BytesIO()
        picture.save(out, kind)
        pictures.append(out.getvalue())
    if name in ("image", "upload"):
        return pictures
    if name == "recordio":
        body = struct.pack("<IfQQ", 0, 1.0, 7, 0) + pictures[0]
        record = struct.pack("<II", 0xCED7230A, len(body)) + body + b"\0" * (-len(body) % 4)
        return [b"\0\0" + record * 2]
    if name == "onnx":
        from onnx import TensorProto, helper

        ports = [helper.make_tensor_value_info(port, TensorProto.FLOAT, ["N", 3]) for port in ("x", "z")]
        weights = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["z"])], "g", ports[:1], ports[1:], [weights])
        return [helper.make_model(graph).SerializeToString()]
    if name == "manifest":
        root = Path(__file__).parents[2] / "models/resnet50-utkface"
        return [(root / "audits/utkface-test/audit.json").read_bytes()]
    texts = {
        "table": ["path,gender,age\na.jpg,male,20\n", "file;gender;race\r\n\"a;b\";f;White\r\n", "a\tb\n1\t2\n"],
        "predictions": ["file,score\na.jpg,0.2\nb.jpg,0.8\n", "file,score\na,1e3\nb,nan\n"],
        "declaration": ["score: logits\nfemale: 0\nmale: 1\nsize: [224, 224]\nmean: [0.5, 0.5, 0.5]\nstd: [1, 1, 1]\n"],
    }  # fmt: skip
    return [text.encode() for text in texts[name]]
