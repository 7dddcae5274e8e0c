"""Grad-CAM of ONNX files, their graphs written out in PyTorch: by hand, against onnxruntime, and what it refuses."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from core.classifiers.imported.onnx_tail import NoTail
from core.classifiers.imported.onnx_torch import OPERATORS, OnnxNetwork

DRAW = np.random.default_rng(3)


def numbers(*shape: int) -> np.ndarray:
    return DRAW.standard_normal(shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


X = numbers(2, 4, 6, 6)
#: An operator, what it takes beside `X`, and its options.
CASES = {
    "Conv": ("Conv", [numbers(6, 2, 3, 3), numbers(6)], {"group": 2, "pads": [1, 0, 2, 1], "strides": [2, 1]}),
    "Conv, same": ("Conv", [numbers(3, 4, 3, 3)], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "Conv, apart": ("Conv", [numbers(3, 4, 2, 2)], {"dilations": [2, 2]}),
    "MaxPool": ("MaxPool", [], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    "MaxPool, padded": ("MaxPool", [], {"kernel_shape": [2, 2], "pads": [0, 1, 1, 0]}),
    "AveragePool": ("AveragePool", [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]}),
    "AveragePool, all": ("AveragePool", [], {"kernel_shape": [2, 2], "pads": [1, 0, 0, 1], "count_include_pad": 1}),
    "GlobalAveragePool": ("GlobalAveragePool", [], {}),
    "Pad": ("Pad", [ints(0, 0, 1, 2, 0, 0, 0, 1)], {}),
    "BatchNormalization": ("BatchNormalization", [numbers(4), numbers(4), numbers(4), numbers(4) ** 2], {}),
    "PRelu": ("PRelu", [numbers(4, 1, 1)], {}),
    "Clip": ("Clip", [np.float32(-0.3), np.float32(0.5)], {}),
    "Transpose": ("Transpose", [], {"perm": [0, 2, 3, 1]}),
    "Slice": ("Slice", [ints(1, 0), ints(3, 9), ints(1, 3), ints(1, 2)], {}),
    "ReduceMean": ("ReduceMean", [ints(2, 3)], {"keepdims": 0}),
    "ReduceMax": ("ReduceMax", [ints(-1)], {}),
    "Reshape": ("Reshape", [ints(0, -1)], {}),
    "Unsqueeze": ("Unsqueeze", [ints(0, -1)], {}),
    "Softmax": ("Softmax", [], {"axis": 1}),
    "Round": ("Round", [], {}),
    "LeakyRelu": ("LeakyRelu", [], {"alpha": 0.2}),
    "HardSigmoid": ("HardSigmoid", [], {}),
    "MatMul": ("MatMul", [numbers(6, 3)], {}),
    "Div": ("Div", [numbers(6) ** 2 + 1], {}),
    "Concat": ("Concat", [numbers(2, 1, 6, 6)], {"axis": 1}),
}


def graph(kind: str, more: list[np.ndarray], options: dict) -> onnx.ModelProto:
    initialisers = [numpy_helper.from_array(np.asarray(value), f"held_{n}") for n, value in enumerate(more)]
    return helper.make_model(
        helper.make_graph(
            [helper.make_node(kind, ["x", *(initialiser.name for initialiser in initialisers)], ["y"], **options)],
            "one",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, X.shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            initialisers,
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )


@pytest.mark.parametrize("name", CASES)
def test_each_operator_gives_what_onnx_says(name: str) -> None:
    import torch

    model = graph(*CASES[name])
    expected = ReferenceEvaluator(model).run(None, {"x": X})[0]
    outputs = OnnxNetwork(model, "y", "y")(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(outputs, expected.reshape(len(expected), -1), atol=1e-5)


def test_what_is_not_written_out_is_named() -> None:
    assert "Loop" not in OPERATORS and "Resize" not in OPERATORS
    with pytest.raises(NoTail, match="LpNormalization is not written out"):
        OnnxNetwork(graph("LpNormalization", [], {}), "y", "y")
