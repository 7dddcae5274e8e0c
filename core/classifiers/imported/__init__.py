"""Models imported by others: state dicts of torchvision, timm or Hugging Face, ONNX files, or nothing but predictions.

`import_model` makes a model folder of one; `core.classifiers.folder.load_model` opens it through `load_imported`. The
model's input and outputs are declared (`core.classifiers.imported.spec`), and checked where that is possible.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.classifiers.classifier import NO_MAPS, WithoutMaps
from core.classifiers.imported.elsewhere import TABLE, how_to_convert, not_the_file
from core.classifiers.imported.import_options import USUAL_NETWORK, USUAL_TABLE, NetworkOptions, PredictionTable
from core.classifiers.imported.spec import OF_ARCHITECTURES, InputOutputSpec, declare, from_dict
from core.classifiers.info import FORMAT, MapsInfo, ModelInfo, ModelKind
from core.errors import LookwhereError
from core.explain.method import OnlyOutputs
from core.explain.methods import Occlusion
from core.files import plain_name, sha256, write_json
from core.locks import alone
from core.task import GENDER

if TYPE_CHECKING:
    import torch

    from core.classifiers.classifier import Classifier

__all__ = ["InputOutputSpec", "declare", "from_dict", "import_model", "kind_for", "load_imported"]

#: What an imported network of PyTorch computes in unless it is told: bfloat16 turns the decision of faces near 0.
DEFAULT_PRECISION = "float32"
#: What is declared of predictions alone.
OF_SCORES = ("score", "of", *GENDER.classes, "target", "classes", "indices")
WEIGHTS = {"torch": "model.safetensors", "onnx": "model.onnx", "predictions": "predictions.parquet"}
#: Folders under models/ that hold something else.
RESERVED = ("experiments",)
SUFFIXES = {
    ".safetensors": "torch",
    ".pt": "torch",
    ".pth": "torch",
    ".bin": "torch",
    ".ckpt": "torch",
    ".pth.tar": "torch",
    ".pt.tar": "torch",
    ".onnx": "onnx",
    ".xml": "onnx",
    ".csv": "predictions",
    ".tsv": "predictions",
    ".parquet": "predictions",
}


def kind_for(source: Path) -> str:
    """`torch`, `onnx` or `predictions`, by the suffix. Raises `LookwhereError` for any other."""
    kind = SUFFIXES.get(_suffix(source))
    if kind is None and (why := how_to_convert(source)):
        raise LookwhereError(f"{source}: {why}")
    if kind is None:
        raise LookwhereError(
            f"{source}: not a model that can be imported; expected {', '.join(SUFFIXES)}; export it to ONNX, {TABLE}"
        )
    return kind


def check_readable(source: Path) -> None:
    """Raise `LookwhereError` where there is no file, or one of a framework that is not read, with what converts it.

    For before a declaration is asked for: of such a file none would do.
    """
    if not source.exists():
        raise LookwhereError(_no_file(source))
    if why := how_to_convert(source):
        raise LookwhereError(f"{source}: {why}")


def _suffix(source: Path) -> str:
    """A file's suffix in lower case, with the one before `.tar`, as `model_best.pth.tar` has it."""
    last = source.suffix.lower()
    return Path(source.stem).suffix.lower() + last if last == ".tar" else last


def _no_file(source: Path) -> str:
    """Why there is no file to read: a folder is one of another framework, or of Hugging Face's."""
    if not source.is_dir():
        return f"{source}: no such file"
    if why := how_to_convert(source):
        return f"{source}: {why}"
    inside = sorted(path.name for path in source.iterdir() if _suffix(path) in SUFFIXES)
    if inside:
        few = f"{', '.join(inside[:3])}{', …' if inside[3:] else ''}"
        return f"{source}: a folder; name the file in it that is the model ({few}), or export the model to ONNX"
    return f"{source}: a folder, and in it no file that can be imported; export the model to ONNX (tf2onnx, torch.onnx)"


def _of_hugging_face(source: Path, architecture: str | None) -> tuple[Path, str | None]:
    """The file of weights and the architecture that a config of Hugging Face's beside it says, if none is named."""
    if architecture is not None and source.is_file():
        return source, architecture
    from core.classifiers.imported import hugging_face

    repository = hugging_face.find(source)
    return (
        (source, architecture) if repository is None else (repository.weights, architecture or repository.architecture)
    )


def import_model(
    source: Path,
    name: str,
    spec: InputOutputSpec,
    *,
    models: Path,
    network: NetworkOptions = USUAL_NETWORK,
    table: PredictionTable = USUAL_TABLE,
    complete: Callable[[Path], None] | None = None,
) -> Path:
    """Make the model folder `models/name` of a file; returns it. It appears whole or not at all.

    `network` is for files of networks, `table` for predictions. `complete` adds to the folder before it appears. Raises
    `LookwhereError` where the file, the declaration or the name do not do.
    """
    plain_name(name)
    if name.lower() in RESERVED:
        raise LookwhereError(f"--name {name!r}: models/{name.lower()} is kept for experiments; choose another name")
    source, architecture = _of_hugging_face(source, network.architecture)
    network = replace(network, architecture=architecture)
    if not source.is_file():
        raise LookwhereError(_no_file(source))
    if why := not_the_file(source):
        raise LookwhereError(f"{source}: {why}")
    kind, path = kind_for(source), models / name
    if path.exists():
        raise LookwhereError(f"{path}: is there already; choose another --name or delete it")
    _check_choices(source, kind, spec, network, table)
    read = sha256(source)
    with alone(path, "importing"):
        if path.exists():  # since it was looked for
            raise LookwhereError(f"{path}: is there already; choose another --name or delete it")
        work = models / f".{name}.unfinished"
        shutil.rmtree(work, ignore_errors=True)
        try:
            work.mkdir(parents=True)
            record = _record(source, work, spec, network, table)
            if record["source"]["sha256"] != read or sha256(source) != read:
                raise LookwhereError(f"{source}: changed while it was read; import it again")
            task = spec.task()
            content = {
                "format": FORMAT,
                "kind": kind,
                "classes": list(task.classes),
                "declaration": _declaration(spec, kind),
                "weights": WEIGHTS[kind],
                **record,
                "weights_sha256": sha256(work / WEIGHTS[kind]),
            }
            write_json(work / "model.json", ModelInfo.from_json(content, f"{path}/model.json").for_task(task).to_json())
            if complete is not None:
                complete(work)
            work.replace(path)
        except OSError as error:
            raise LookwhereError(
                f"{path}: cannot write ({error.strerror or error}); mend that and run again"
            ) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return path


def _check_choices(
    source: Path, kind: str, spec: InputOutputSpec, network: NetworkOptions, table: PredictionTable
) -> None:
    """Raise `LookwhereError` where something is chosen that a file of this kind does not take, or lacks."""
    if (kind == "torch") != (network.architecture is not None):
        which = "needs --architecture, e.g. torchvision:resnet18" if kind == "torch" else "takes no --architecture"
        raise LookwhereError(f"{source}: a {_suffix(source)} file {which}")
    if table.faces is not None and kind != "predictions":
        raise LookwhereError(f"{source}: --data is for tables of predictions; a model is tried by its audit")
    if network.maps is not None and kind == "predictions":
        raise LookwhereError(f"{source}: predictions alone give no maps; leave --maps out")
    if network.precision is not None and kind != "torch":
        raise LookwhereError(f"{source}: {_given_precision(kind)}; leave --precision out")
    if spec.layer is not None and network.maps == NO_MAPS:
        raise LookwhereError(f"{source}: layer is what maps explain, and --maps {NO_MAPS} asks for none; leave one out")
    if spec.layer is not None and kind == "onnx":
        raise LookwhereError(f"{source}: maps of an ONNX file look at no layer; leave layer out")
    built = [name for name in OF_ARCHITECTURES if getattr(spec, name) is not None]
    if built and kind == "onnx":
        raise LookwhereError(f"{source}: {', '.join(built)}: an ONNX file has its own; leave that out")
    if kind != "predictions" and (why := spec.doubt()):
        raise LookwhereError(f"{source}: {why}")


def _record(source: Path, work: Path, spec: InputOutputSpec, network: NetworkOptions, table: PredictionTable) -> dict:
    """Put the weights or predictions into the folder `work`; returns what `model.json` keeps of them."""
    kind = kind_for(source)
    if kind == "torch":
        from core.classifiers.imported.torch_classifier import import_torch

        record = import_torch(source, work, spec.for_images(), network.architecture, network.maps)
        return record | {"precision": network.precision or DEFAULT_PRECISION}
    if kind == "onnx":
        from core.classifiers.imported.onnx_classifier import import_onnx

        return import_onnx(source, work, spec.for_images(), network.maps)
    from core.classifiers.imported.predictions import import_predictions

    return import_predictions(source, work, spec, table)


def _declaration(spec: InputOutputSpec, kind: str) -> dict:
    """What `model.json` keeps of the declaration: of predictions alone, what says how scores are read."""
    values = spec.as_probabilities().as_dict()
    return {key: value for key, value in values.items() if kind != "predictions" or key in OF_SCORES}


def _given_precision(kind: str) -> str:
    if kind == "onnx":
        return "an ONNX file computes in what its graph says"
    return "predictions alone are computed no more"


def load_imported(path: Path, info: ModelInfo, device: torch.device | str) -> Classifier | None:
    """The classifier of a model folder that was imported; None where only predictions were."""
    from_dict(info.declaration.to_json(), f"{path}/model.json")
    if info.kind is ModelKind.PREDICTIONS:
        return None
    model_info = info
    if info.maps is None:  # imported with --maps none; a method that needs nothing of the network stands in
        outputs = OnlyOutputs(lambda images: images)
        model_info = replace(info, maps=MapsInfo.from_json(Occlusion().record(outputs)))
    if info.kind is ModelKind.TORCH:
        from core.classifiers.imported.torch_classifier import load_torch

        loaded: Classifier = load_torch(path, model_info, device)
    else:
        from core.classifiers.imported.onnx_classifier import load_onnx

        loaded = load_onnx(path, model_info, str(device))
    return WithoutMaps(loaded) if info.maps is None else loaded
