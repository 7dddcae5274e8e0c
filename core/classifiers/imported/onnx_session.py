"""An ONNX model as onnxruntime runs it on the CPU: the input and outputs that are used, and faces put through."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.classifiers.imported.declaration import Declaration
from core.classifiers.preprocessing import prepare
from core.errors import LookwhereError

if TYPE_CHECKING:
    import onnxruntime

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

    def __init__(self, model: Path | bytes, declaration: Declaration, path: Path) -> None:
        self.path, self.declaration = path, declaration
        self._session = open_session(model, path)
        self.port = _port(self._session, declaration, path)
        self._workers = ThreadPoolExecutor(_cores())

    def fed(self, declaration: Declaration) -> Session:
        """The same opened model, shown faces as another declaration of its input says."""
        other = copy(self)
        other.declaration = replace(declaration, output=self.port.output)
        return other

    def run(self, images: np.ndarray, names: Sequence[str] = ()) -> list[np.ndarray]:
        """uint8 (B, 112, 112, 3) → the outputs `names`, by default the declared one, each (B, …).

        A core each takes a part, which changes no number.
        """
        step = self.port.batch or max(
            1, min(BATCH, VALUES // (self.declaration.depth * np.prod(self.declaration.size)))
        )
        parts = [images[low : low + step] for low in range(0, len(images), step)]
        found = self._workers.map(lambda part: self._run(part, names or (self.port.output,)), parts)
        return [np.concatenate(one) for one in zip(*found, strict=True)]

    def _run(self, images: np.ndarray, names: Sequence[str]) -> list[np.ndarray]:
        pixels = prepare(images, self.declaration)
        if np.issubdtype(self.port.dtype, np.integer):
            pixels = np.rint(pixels).clip(0, 255)
        pixels = pixels.astype(self.port.dtype, copy=False)
        if self.port.batch and len(pixels) < self.port.batch:
            pixels = np.concatenate([pixels, np.repeat(pixels[-1:], self.port.batch - len(pixels), axis=0)])
        try:
            found = self._session.run(list(names), {self.port.input: pixels})
        except Exception as error:  # onnxruntime's errors have no class in common but this
            raise LookwhereError(f"{self.path}: cannot be run on {pixels.shape} ({reason(error)})") from error
        arrays = [np.asarray(one) for one in found]
        for name, array in zip(names, arrays, strict=True):
            if array.ndim == 0 or len(array) != len(pixels):
                raise LookwhereError(
                    f"{self.path}: output {name} has shape {array.shape} for {len(pixels)} faces; "
                    "its first axis must be the faces"
                )
        return [array[: len(images)] for array in arrays]


def open_session(model: Path | bytes, path: Path) -> onnxruntime.InferenceSession:
    """A session on the CPU, of a file or a model's bytes. Raises `LookwhereError` naming `path`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # A thread a run: several runs at a time use the cores better, and sums do not depend on their number.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        given = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no class in common but this
        raise LookwhereError(f"{path}: onnxruntime cannot open it ({reason(error)})") from error


def _port(session: onnxruntime.InferenceSession, declaration: Declaration, path: Path) -> Port:
    """Which input and output are used. Raises `LookwhereError` where they are not what is declared."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs) or "none"
        raise LookwhereError(f"{path}: expected one input, an image; it has {len(inputs)} ({names})")
    given = inputs[0]
    if given.type not in FLOATS | WHOLE or len(given.shape) != 4:
        raise LookwhereError(
            f"{path}: input {given.name} is {given.type} of shape {_shape(given)}; expected floats or bytes of four "
            "axes, faces × channels × height × width or faces × height × width × channels; export it so"
        )
    if given.type in WHOLE and (set(declaration.mean), set(declaration.std), declaration.divisor) != (
        {0.0},
        {1.0},
        1.0,
    ):
        raise LookwhereError(
            f"{path}: input {given.name} is {given.type}, pixels of 0–255 that the graph scales itself; declare mean "
            "0, std 1 and divisor 1, or export it with an input of floats"
        )
    height, width = declaration.size
    depth, layout = declaration.depth, declaration.layout
    wanted = (depth, height, width) if layout == "nchw" else (height, width, depth)
    if any(isinstance(there, int) and there != want for there, want in zip(given.shape[1:], wanted, strict=True)):
        raise LookwhereError(
            f"{path}: input {given.name} has shape {_shape(given)}, declared are {layout}, {declaration.channels} and "
            f"size {height} × {width}, that is N × {' × '.join(map(str, wanted))}; mend the declaration"
        )
    names = [one.name for one in outputs]
    if declaration.output is None and len(names) != 1:
        raise LookwhereError(f"{path}: has {len(names)} outputs; declare which as output: {', '.join(names)}")
    chosen = declaration.output or names[0]
    if chosen not in names:
        raise LookwhereError(f"{path}: no output {chosen}; there are {', '.join(names)}")
    kind = outputs[names.index(chosen)].type
    if kind not in FLOATS:
        raise LookwhereError(f"{path}: output {chosen} is {kind}; expected floats, scores and not labels")
    batch = given.shape[0] if isinstance(given.shape[0], int) else None
    return Port(given.name, (FLOATS | WHOLE)[given.type], batch, chosen)


def _shape(node: onnxruntime.NodeArg) -> str:
    return " × ".join("?" if axis is None else str(axis) for axis in node.shape) or "none"


def reason(error: Exception) -> str:
    """The first line of what onnxruntime said, without its code, the path, and the place in its source."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0].split(" : ", 3)[-1]
    said = re.sub(r"^Load model from .*? failed: ?", "", said)
    return re.sub(r"^/\S+:\d+ [^(]*\([^)]*\) ", "", said)[:300]


def _cores() -> int:
    return min(os.cpu_count() or 1, 8)
