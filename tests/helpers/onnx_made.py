"""A small ONNX classifier for tests: a convolution, its mean, one linear layer; exact maps of 4×4 cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from core.classifiers.imported.spec import InputOutputSpec

SIZE = 32
DECLARED = InputOutputSpec(
    score="logits", size=(SIZE, SIZE), mean=(0.5,) * 3, std=(0.25,) * 3, female=0, male=1, resize="bilinear"
)


def small_onnx(file: Path, seed: int = 0) -> Path:
    """Write the classifier, with seeded weights; returns the file."""
    draw = np.random.default_rng(seed)
    weights = {"f": draw.normal(size=(6, 3, 8, 8)) / 8, "w": draw.normal(size=(2, 6)), "b": draw.normal(size=2) / 10}
    nodes = [
        helper.make_node("Conv", ["x", "f"], ["c"], strides=[8, 8]),
        helper.make_node("Relu", ["c"], ["a"]),
        helper.make_node("GlobalAveragePool", ["a"], ["p"]),
        helper.make_node("Flatten", ["p"], ["v"]),
        helper.make_node("Gemm", ["v", "w", "b"], ["z"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), file)
    return file
