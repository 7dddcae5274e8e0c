"""Models of OpenVINO's, written as ONNX: they give what OpenVINO gives; what cannot be read is refused in a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from core.classifiers.imported.openvino_ir import as_onnx
from core.errors import LookwhereError

DRAW = np.random.default_rng(5)


def numbers(*shape: int) -> np.ndarray:
    return DRAW.standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network of every operator that classifiers of OpenVINO's zoo have, saved by OpenVINO itself."""
    import openvino as ov
    from openvino import opset8 as op

    def held(*shape: int) -> object:
        return op.constant(numbers(*shape))

    def one(value: float) -> object:
        return op.constant(np.float32(value))

    x = op.parameter([1, 3, 12, 12], np.float32)
    y = op.convolution(x, held(4, 3, 3, 3), [1, 1], [1, 0], [0, 1], [1, 1])
    y = op.prelu(op.add(y, held(1, 4, 1, 1)), held(4))
    y = op.fake_quantize(y, one(-1), one(2), one(-0.9), one(2.1), 64)
    y = op.max_pool(y, [2, 2], [1, 1], [0, 0], [0, 0], [3, 3], "ceil").output(0)
    y = op.group_convolution(y, held(4, 2, 1, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1])
    y = op.clamp(op.multiply(y, held(1, 8, 1, 1)), -2.0, 2.0)
    y = op.avg_pool(y, [1, 1], [0, 0], [0, 0], [2, 2], True)
    y = op.sigmoid(op.concat([y, op.tanh(y)], 1))
    y = op.reshape(y, op.constant(np.array([1, -1], dtype=np.int64)), False)
    y = op.matmul(y, held(3, y.shape[1]), False, True)
    model = ov.Model([op.softmax(op.relu(y), 1)], [x], "small")
    path = tmp_path_factory.mktemp("ir") / "small.xml"
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def test_each_operator_gives_what_openvino_gives(written: Path) -> None:
    import openvino as ov

    images = numbers(5, 3, 12, 12)
    compiled = ov.Core().compile_model(written, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    expected = np.concatenate([compiled(image[None])[0] for image in images])
    session = onnxruntime.InferenceSession(as_onnx(written).SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: images})[0]
    np.testing.assert_allclose(outputs, expected, atol=2e-5)


def test_what_is_damaged_or_not_read_is_refused(written: Path, tmp_path: Path) -> None:
    text, weights = written.read_text(), written.with_suffix(".bin").read_bytes()
    file = tmp_path / "made.xml"

    def refused(content: str, data: bytes | None, words: str) -> None:
        file.write_text(content)
        file.with_suffix(".bin").unlink(missing_ok=True)
        if data is not None:
            file.with_suffix(".bin").write_bytes(data)
        with pytest.raises(LookwhereError, match=words):
            as_onnx(file)

    refused(text, None, r"made\.bin, are not beside it; .*ONNX$")
    refused(text, weights[:-8], "weights are cut short")
    refused(text[: len(text) // 2], weights, "no XML, or cut short.*ONNX$")
    refused("<net/>", weights, "no model of OpenVINO's; .*ONNX$")
    refused('<!DOCTYPE a [<!ENTITY b "c">]>' + text, weights, "declares entities")
    refused(text.replace('type="Clamp"', 'type="Loop"'), weights, "operator Loop, which is not read here")
