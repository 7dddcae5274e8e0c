"""The detector with its three networks run by OpenVINO on the CPU: the same faces in less time.

Which candidates there are depends on thresholds, so the first two networks compute in float32, and the candidates are
those of PyTorch up to the last bits. The third, which sees most pixels, computes in bfloat16 where the processor does:
it moves landmarks by hundredths of a pixel (docs/performance.md). The graphs are built node by node from
facenet-pytorch's networks, so that nothing is traced or converted, and no tool of OpenVINO's that could ask for the
network of the machine is called.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino
import torch
from openvino import opset15 as ops
from torch import Tensor, nn

from core.data.cascade import CROPS, FINAL, REFINED, Detector, pieces
from core.devices import precision


class OpenVinoDetector(Detector):
    """As `core.data.cascade.Detector`, on the CPU. As many threads are used as PyTorch has."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        exact, third = openvino.Type.f32, {torch.bfloat16: openvino.Type.bf16}.get(precision("cpu"), openvino.Type.f32)
        self._compiled = {
            self.pnet: _compiled(fully_convolutional(self.pnet), exact),
            self.rnet: _compiled(of_crops(self.rnet, REFINED), exact),
            self.onet: _compiled(of_crops(self.onet, FINAL), third),
        }

    def _run(self, network: nn.Module, pixels: np.ndarray, at_once: int) -> list[np.ndarray]:
        run, parts = self._compiled[network], []
        for some in pieces(len(pixels), at_once):
            answers = run.infer([pixels[some]], share_inputs=True)
            parts.append([answers[output].copy() for output in answers])
        return [np.concatenate(part) for part in zip(*parts, strict=True)]


def fully_convolutional(network: nn.Module) -> openvino.Model:
    """The first network, for float32 (N, H, W, 3): shifts (N, 4, h, w), and certainties (N, 2, h, w)."""
    pixels = ops.parameter([-1, -1, -1, 3], np.float32)
    x = _trunk(network, ("conv1", "conv2", "conv3"), {"conv1": network.pool1}, _channels_first(pixels))
    certainty = ops.softmax(_convolution(network.conv4_1, x), 1)
    return openvino.Model([_convolution(network.conv4_2, x), certainty], [pixels])


def of_crops(network: nn.Module, side: int) -> openvino.Model:
    """The second or the third network, for float32 (`CROPS`, side, side, 3): shifts, of the third the points too, and
    certainties, each (`CROPS`, values)."""
    pixels = ops.parameter([CROPS[side], side, side, 3], np.float32)
    names = [name for name in ("conv1", "conv2", "conv3", "conv4") if hasattr(network, name)]
    pools = {f"conv{n}": getattr(network, f"pool{n}") for n in (1, 2, 3) if hasattr(network, f"pool{n}")}
    x = _trunk(network, names, pools, _channels_first(pixels))
    # The library's weights are for values in the order column, row, channel.
    x = ops.reshape(ops.transpose(x, np.array([0, 3, 2, 1])), np.array([CROPS[side], -1]), special_zero=False)
    last = len(names) + 1
    dense, activation = getattr(network, f"dense{last}"), getattr(network, f"prelu{last}")
    x = ops.prelu(_dense(dense, x), _values(activation.weight))
    heads = [getattr(network, f"dense{last + 1}_{n}", None) for n in (2, 3)]
    certainty = ops.softmax(_dense(getattr(network, f"dense{last + 1}_1"), x), 1)
    return openvino.Model([*(_dense(head, x) for head in heads if head is not None), certainty], [pixels])


def _compiled(model: openvino.Model, precision: openvino.Type) -> openvino.InferRequest:
    options = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
    }
    return openvino.Core().compile_model(model, "CPU", options).create_infer_request()


def _trunk(network: nn.Module, names: list[str] | tuple[str, ...], pools: dict[str, Any], x: Any) -> Any:
    """Convolutions, each with its PReLU and its pooling, where it has one."""
    for name in names:
        activation = getattr(network, name.replace("conv", "prelu"))
        x = ops.prelu(_convolution(getattr(network, name), x), _values(activation.weight))
        if name in pools:
            pool = pools[name]
            sides = [[value] * 2 for value in (pool.stride, 1, 0, 0, pool.kernel_size)]
            x = ops.max_pool(x, *sides, rounding_type="ceil").output(0)
    return x


def _channels_first(pixels: Any) -> Any:
    return ops.transpose(pixels, np.array([0, 3, 1, 2]))


def _convolution(layer: nn.Conv2d, x: Any) -> Any:
    y = ops.convolution(x, _values(layer.weight), list(layer.stride), [0, 0], [0, 0], [1, 1])
    return ops.add(y, _values(layer.bias)[None, :, None, None])


def _dense(layer: nn.Linear, x: Any) -> Any:
    return ops.add(ops.matmul(x, _values(layer.weight), False, True), _values(layer.bias))


def _values(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().contiguous().numpy()
