"""An ONNX model as onnxruntime runs it on the CPU: the input and outputs that are used, and faces put through."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.classifiers.imported import onnx_apart as opening
from core.classifiers.imported.onnx_apart import Opened, RunError, opened, reason
from core.classifiers.imported.prepared import prepare
from core.classifiers.imported.spec import InputOutputSpec
from core.errors import LookwhereError

FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
#: Inputs that are pixels of 0–255 as they are, scaled by the graph itself.
WHOLE = {"tensor(uint8)": np.uint8, "tensor(int32)": np.int32, "tensor(int64)": np.int64}
#: Images of a run, at most; of large ones as many as have so many values together.
BATCH, VALUES = 64, 2**24


@dataclass(frozen=True)
class Port:
    """The input and the output that are used: names, the input's type, and its fixed batch or None."""

    input: str
    dtype: type
    batch: int | None
    output: str


class Session:
    """A model that onnxruntime has opened, with the input and output that are declared.

    `model` is a file, or a model's bytes; `path` is what errors name. Raises `LookwhereError` where the model cannot be
    opened or is not what is declared.
    """

    def __init__(self, model: Path | bytes, spec: InputOutputSpec, path: Path) -> None:
        self.path, self.spec = path, spec
        self._session = opened(model if isinstance(model, bytes) else model.read_bytes(), path)
        self.port = _port(self._session, spec, path)

    def fed(self, spec: InputOutputSpec) -> Session:
        """The same opened model, shown faces as another declaration of its input says."""
        session = copy(self)
        session.spec = replace(spec, output=self.port.output)
        return session

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of all outputs that the graph has."""
        return tuple(port.name for port in self._session.outputs)

    def run(self, images: np.ndarray, names: Sequence[str] = ()) -> list[np.ndarray]:
        """uint8 (B, 112, 112, 3) → the outputs `names`, by default the declared one, each (B, …).

        A core each takes a part, in a process of their own (`onnx_apart`), which changes no number.
        """
        step = self.port.batch or max(1, min(BATCH, VALUES // (self.spec.depth * np.prod(self.spec.size))))
        parts = [images[low : low + step] for low in range(0, len(images), step)]
        output_names = list(names or (self.port.output,))
        outputs: list[list[np.ndarray]] = []
        try:
            for arrays in self._session.run(output_names, ({self.port.input: self._pixels(part)} for part in parts)):
                outputs.append(self._checked(output_names, arrays, len(parts[len(outputs)])))
        except RunError as error:
            shape = self._pixels(parts[len(outputs)]).shape
            raise LookwhereError(f"{self.path}: cannot be run on {shape} ({reason(error)})") from error
        return [np.concatenate(batches) for batches in zip(*outputs, strict=True)]

    def _pixels(self, images: np.ndarray) -> np.ndarray:
        """What the graph is given for images: prepared as declared, as many as its batch has."""
        pixels = prepare(images, self.spec)
        if np.issubdtype(self.port.dtype, np.integer):
            pixels = np.rint(pixels).clip(0, 255)
        pixels = pixels.astype(self.port.dtype, copy=False)
        if self.port.batch and len(pixels) < self.port.batch:
            pixels = np.concatenate([pixels, np.repeat(pixels[-1:], self.port.batch - len(pixels), axis=0)])
        return pixels

    def _checked(self, names: Sequence[str], arrays: Sequence[np.ndarray], count: int) -> list[np.ndarray]:
        """The outputs for `count` faces. Raises `LookwhereError` where one is not of faces."""
        expected = max(count, self.port.batch or 0)
        for name, array in zip(names, arrays, strict=True):
            if array.ndim == 0 or len(array) != expected:
                raise LookwhereError(
                    f"{self.path}: output {name} has shape {array.shape} for {expected} faces; "
                    "its first axis must be the faces"
                )
        return [array[:count] for array in arrays]


def _port(session: Opened, spec: InputOutputSpec, path: Path) -> Port:
    """Which input and output are used. Raises `LookwhereError` where they are not what is declared."""
    inputs, outputs = session.inputs, session.outputs
    if len(inputs) != 1:
        names = ", ".join(port.name for port in inputs) or "none"
        raise LookwhereError(f"{path}: expected one input, an image; it has {len(inputs)} ({names})")
    image = inputs[0]
    if image.type not in FLOATS | WHOLE or len(image.shape) != 4:
        raise LookwhereError(
            f"{path}: input {image.name} is {image.type} of shape {_shape(image)}; expected floats or bytes of four "
            "axes, faces × channels × height × width or faces × height × width × channels; export it so"
        )
    if image.type in WHOLE and (set(spec.mean), set(spec.std), spec.divisor) != (
        {0.0},
        {1.0},
        1.0,
    ):
        raise LookwhereError(
            f"{path}: input {image.name} is {image.type}, pixels of 0–255 that the graph scales itself; declare mean "
            "0, std 1 and divisor 1, or export it with an input of floats"
        )
    height, width = spec.size
    depth, layout = spec.depth, spec.layout
    declared_shape = (depth, height, width) if layout == "nchw" else (height, width, depth)
    if any(
        isinstance(there, int) and there != want for there, want in zip(image.shape[1:], declared_shape, strict=True)
    ):
        raise LookwhereError(
            f"{path}: input {image.name} has shape {_shape(image)}, declared are {layout}, {spec.channels} and "
            f"size {height} × {width}, that is N × {' × '.join(map(str, declared_shape))}; mend the declaration"
        )
    names = [port.name for port in outputs]
    if spec.output is None and len(names) != 1:
        raise LookwhereError(f"{path}: has {len(names)} outputs; declare which as output: {', '.join(names)}")
    output = spec.output or names[0]
    if output not in names:
        raise LookwhereError(f"{path}: no output {output}; there are {', '.join(names)}")
    kind = outputs[names.index(output)].type
    if kind not in FLOATS:
        raise LookwhereError(f"{path}: output {output} is {kind}; expected floats, scores and not labels")
    batch = image.shape[0] if isinstance(image.shape[0], int) else None
    return Port(image.name, (FLOATS | WHOLE)[image.type], batch, output)


def _shape(node: opening.Port) -> str:
    return " × ".join("?" if axis is None else str(axis) for axis in node.shape) or "none"
