"""A ResNet-50 of ours run by OpenVINO on the CPU: convolution, sum and ReLU in one pass over memory.

The graph is built node by node from the folded network, so that nothing is traced or converted, and no tool of
OpenVINO's that could ask for the network of the machine is called. The head stays in PyTorch, in float32.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck

from core.classifiers.folding import folded
from core.classifiers.resnet import GenderResNet


def by_openvino(network: GenderResNet, pixels: Tensor, dtype: torch.dtype) -> GenderResNet:
    """A network with the same head whose `features` OpenVINO computes in `dtype`, from pixels (N, 3, H, W) of any N.

    `pixels` are what folding is tried on. As many threads are used as PyTorch has. Raises `LookwhereError` where batch
    norms cannot be folded, and `ModuleNotFoundError` without the package openvino.
    """
    import openvino

    features = graph(folded(network, pixels), pixels.shape[2:])
    precision = {torch.bfloat16: openvino.Type.bf16, torch.float32: openvino.Type.f32}[dtype]
    options = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
    }
    run = openvino.Core().compile_model(features, "CPU", options)

    def computed(batch: Tensor) -> Tensor:
        return torch.from_numpy(run([batch.contiguous().numpy()])[0])

    copied = copy.copy(network)  # its modules are shared; only what its features are differs
    copied.__dict__["features"] = computed
    return copied


def graph(network: nn.Module, size: tuple[int, ...]) -> Any:
    """`openvino.Model` of the `features` of a network without batch norms, for pixels float32 (N, 3, *size)."""
    import openvino
    from openvino import opset15 as ops

    pixels = ops.parameter([-1, 3, *size], np.float32)
    pool = network.maxpool
    sides = [[value] * 2 for value in (pool.stride, pool.dilation, pool.padding, pool.padding, pool.kernel_size)]
    x = ops.max_pool(ops.relu(_convolution(ops, network.conv1, pixels)), *sides).output(0)
    for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
        for block in stage:
            x = _block(ops, block, x)
    return openvino.Model([x], [pixels])


def _block(ops: Any, block: Bottleneck, x: Any) -> Any:
    y = ops.relu(_convolution(ops, block.conv1, x))
    y = ops.relu(_convolution(ops, block.conv2, y))
    y = _convolution(ops, block.conv3, y)
    return ops.relu(ops.add(y, x if block.downsample is None else _convolution(ops, block.downsample[0], x)))


def _convolution(ops: Any, layer: nn.Conv2d, x: Any) -> Any:
    weight, bias = (values.detach().float().contiguous().numpy() for values in (layer.weight, layer.bias))
    padding = list(layer.padding)
    y = ops.convolution(x, weight, list(layer.stride), padding, padding, list(layer.dilation))
    return ops.add(y, bias[None, :, None, None])
