"""An ONNX graph of usual operators as a network of PyTorch, so that Grad-CAM can be had of it.

Every operator is written out here, so that nothing of a brought file is executed but its numbers, and none can loop.
`onnx_gradients` believes the network once it gives what onnxruntime gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from core.classifiers.imported.onnx_tail import NoTail, attribute

if TYPE_CHECKING:
    import onnx

#: The module whose output is the explained tensor.
EXPLAINED = "explained"
#: An operator: its node, and what it takes (None where an input is left out), to its first output.
Operator = Callable[["onnx.NodeProto", list["Tensor | None"]], Tensor]


def _numbers(node: onnx.NodeProto, inputs: list[Tensor | None], name: str, place: int) -> list[int] | None:
    """Whole numbers that older versions of an operator have as an attribute and newer ones as an input."""
    value = attribute(node, name)
    if value is not None:
        return list(value)
    return [int(n) for n in inputs[place].flatten()] if len(inputs) > place and inputs[place] is not None else None


def _value(node: onnx.NodeProto, name: str, default: float) -> float:
    value = attribute(node, name)
    return default if value is None else value


def _padding(node: onnx.NodeProto, sizes: Sequence[int], kernel: Sequence[int]) -> list[int]:
    """What is added at each side, as `functional.pad` takes it: the last axis first."""
    count = len(kernel)
    steps = list(attribute(node, "strides") or [1] * count)
    apart = list(attribute(node, "dilations") or [1] * count)
    how = (attribute(node, "auto_pad") or b"NOTSET").decode()
    if how.startswith("SAME"):
        pads = []
        for size, width, step, gap in zip(sizes, kernel, steps, apart, strict=True):
            whole = max((-(-size // step) - 1) * step + (width - 1) * gap + 1 - size, 0)
            few = whole // 2
            pads.append((few, whole - few) if how == "SAME_UPPER" else (whole - few, few))
    else:
        numbers = [0] * 2 * count if how == "VALID" else list(attribute(node, "pads") or [0] * 2 * count)
        pads = [(numbers[axis], numbers[axis + count]) for axis in range(count)]
    return [side for pair in reversed(pads) for side in pair]


def _convolution(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    image, weight, *rest = inputs
    image = functional.pad(image, _padding(node, image.shape[2:], weight.shape[2:]))
    options = {key: list(attribute(node, name) or [1, 1]) for key, name in (("stride", "strides"),)}
    apart = list(attribute(node, "dilations") or [1, 1])
    groups = int(_value(node, "group", 1))
    return functional.conv2d(image, weight, rest[0] if rest else None, dilation=apart, groups=groups, **options)


def _pooling(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    image, kernel = inputs[0], list(attribute(node, "kernel_shape"))
    largest = node.op_type == "MaxPool"
    if list(attribute(node, "dilations") or [1, 1]) != [1, 1]:
        raise NoTail(f"{node.op_type} with dilations is not written out here")
    options = {"stride": list(attribute(node, "strides") or [1, 1]), "ceil_mode": bool(_value(node, "ceil_mode", 0))}
    pads = _padding(node, image.shape[2:], kernel)
    padded = functional.pad(image, pads, value=-torch.inf if largest else 0.0)
    if largest:
        return functional.max_pool2d(padded, kernel, **options)
    if options["ceil_mode"] and any(pads):
        raise NoTail("AveragePool with padding that rounds up is not written out here")
    average = functional.avg_pool2d(padded, kernel, **options, count_include_pad=True)
    if any(pads) and not _value(node, "count_include_pad", 0):
        there = functional.pad(torch.ones_like(image[:1, :1]), pads)
        average = average / functional.avg_pool2d(there, kernel, **options)
    return average


def _pad(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    sides = _numbers(node, inputs, "pads", 1)
    how = (attribute(node, "mode") or b"constant").decode()
    if how != "constant" or len(inputs) > 3:
        raise NoTail(f"Pad by {how} is not written out here")
    value = float(inputs[2]) if len(inputs) > 2 and inputs[2] is not None else _value(node, "value", 0.0)
    count = inputs[0].dim()
    return functional.pad(
        inputs[0], [sides[n] for axis in reversed(range(count)) for n in (axis, axis + count)], "constant", value
    )


def _reshape(_node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    image, shape = inputs[0], [int(n) for n in inputs[1].flatten()]
    sizes = [image.shape[place] if size == 0 else size for place, size in enumerate(shape)]
    if sizes and sizes[0] == 1 and image.shape[0] != 1 and -1 not in sizes:
        sizes[0] = image.shape[0]  # a graph of one face at a time, given several
    return image.reshape(sizes)


def _slice(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    starts, ends = _numbers(node, inputs, "starts", 1), _numbers(node, inputs, "ends", 2)
    axes = _numbers(node, inputs, "axes", 3) or list(range(len(starts)))
    steps = _numbers(node, inputs, "steps", 4) or [1] * len(starts)
    if min(steps) < 1:
        raise NoTail("Slice that goes backwards is not written out here")
    tensor = inputs[0]
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        tensor = tensor[(slice(None),) * (axis % tensor.dim()) + (slice(start, end, step),)]
    return tensor


def _reduce(function: Callable[..., Tensor]) -> Operator:
    def reduce(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
        axes = _numbers(node, inputs, "axes", 1) or list(range(inputs[0].dim()))
        return function(inputs[0], dim=axes, keepdim=bool(_value(node, "keepdims", 1)))

    return reduce


def _squeeze(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    axes = _numbers(node, inputs, "axes", 1)
    return inputs[0].squeeze(axes) if axes else inputs[0].squeeze()


def _unsqueeze(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    tensor, axes = inputs[0], _numbers(node, inputs, "axes", 1)
    for axis in sorted(axis % (tensor.dim() + len(axes)) for axis in axes):
        tensor = tensor.unsqueeze(axis)
    return tensor


def _gemm(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    a, b = (t.T if _value(node, name, 0) else t for t, name in zip(inputs[:2], ("transA", "transB"), strict=True))
    product = _value(node, "alpha", 1.0) * (a @ b)
    return product if len(inputs) < 3 else product + _value(node, "beta", 1.0) * inputs[2]


def _normalise(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    image, scale, bias, mean, variance = inputs
    return functional.batch_norm(image, mean, variance, scale, bias, eps=_value(node, "epsilon", 1e-5))


def _clip(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    limits = (*inputs, None, None)[1:3]
    bounds = [
        attribute(node, name) if limit is None else limit for name, limit in zip(("min", "max"), limits, strict=True)
    ]
    return torch.clamp(inputs[0], *bounds) if any(b is not None for b in bounds) else inputs[0]


def _parametric(_node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    image, slope = inputs
    return torch.where(image > 0, image, image * slope)


def _rounded(_node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    # The gradient of rounding is 0 almost everywhere: it is passed straight through (Bengio et al. 2013,
    # https://arxiv.org/abs/1308.3432), or a network of whole numbers would have no map.
    return inputs[0] + (inputs[0].round() - inputs[0]).detach()


def _cast(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    kinds = {1: torch.float32, 6: torch.int64, 7: torch.int64, 10: torch.float32, 11: torch.float32}
    if attribute(node, "to") not in kinds:
        raise NoTail("Cast to another kind of number is not written out here")
    return inputs[0].to(kinds[attribute(node, "to")])


def _softmax(node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
    return functional.softmax(inputs[0], dim=int(_value(node, "axis", -1)))


def _fold(function: Callable[[Tensor, Tensor], Tensor]) -> Operator:
    def fold(_node: onnx.NodeProto, inputs: list[Tensor | None]) -> Tensor:
        total = inputs[0]
        for operand in inputs[1:]:
            total = function(total, operand)
        return total

    return fold


def _of_one(function: Callable[[Tensor], Tensor]) -> Operator:
    return lambda _node, inputs: function(inputs[0])


OPERATORS: dict[str, Operator] = {
    **{name: _fold(function) for name, function in (
        ("Add", torch.add), ("Sub", torch.sub), ("Mul", torch.mul), ("Div", torch.div), ("Min", torch.minimum),
        ("Max", torch.maximum), ("MatMul", torch.matmul), ("Sum", torch.add), ("Pow", torch.pow),
    )},
    **{name: _of_one(function) for name, function in (
        ("Relu", torch.relu), ("Sigmoid", torch.sigmoid), ("Tanh", torch.tanh), ("Exp", torch.exp), ("Neg", torch.neg),
        ("Sqrt", torch.sqrt), ("Abs", torch.abs), ("Erf", torch.erf), ("Identity", lambda t: t),
        ("GlobalAveragePool", lambda t: t.mean(dim=(2, 3), keepdim=True)), ("Softplus", functional.softplus),
        ("GlobalMaxPool", lambda t: t.amax(dim=(2, 3), keepdim=True)), ("HardSwish", functional.hardswish),
    )},
    "Conv": _convolution, "MaxPool": _pooling, "AveragePool": _pooling, "Pad": _pad, "Reshape": _reshape,
    "Slice": _slice, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Gemm": _gemm, "Clip": _clip, "Cast": _cast,
    "BatchNormalization": _normalise, "PRelu": _parametric, "Round": _rounded, "Softmax": _softmax,
    "Dropout": _of_one(lambda t: t), "ReduceMean": _reduce(torch.mean), "ReduceMax": _reduce(torch.amax),
    "ReduceSum": _reduce(torch.sum), "ReduceMin": _reduce(torch.amin),
    "LeakyRelu": lambda node, inputs: functional.leaky_relu(inputs[0], _value(node, "alpha", 0.01)),
    "Elu": lambda node, inputs: functional.elu(inputs[0], _value(node, "alpha", 1.0)),
    "HardSigmoid": lambda node, inputs: (
        inputs[0] * _value(node, "alpha", 0.2) + _value(node, "beta", 0.5)
    ).clamp(0, 1),
    "Transpose": lambda node, inputs: inputs[0].permute(
        *(attribute(node, "perm") or range(inputs[0].dim() - 1, -1, -1))
    ),
    "Flatten": lambda node, inputs: inputs[0].flatten(int(_value(node, "axis", 1))),
    "Concat": lambda node, inputs: torch.cat(inputs, dim=int(attribute(node, "axis"))),
}  # fmt: skip


class OnnxNetwork(nn.Module):
    """Part of an ONNX graph: pixels → the tensor `logits`, the tensor `layer` passing through the module `explained`.

    Raises `NoTail` naming an operator that is not written out here.
    """

    def __init__(self, model: onnx.ModelProto, logits: str, layer: str) -> None:
        super().__init__()
        from onnx import numpy_helper

        nodes = list(model.graph.node)
        origin = {output: place for place, node in enumerate(nodes) for output in node.output if output}
        needed, waiting = set(), [logits]
        while waiting:
            place = origin.get(waiting.pop())
            if place is not None and place not in needed:
                needed.add(place)
                waiting += [name for name in nodes[place].input if name]
        self.nodes = [nodes[place] for place in sorted(needed)]
        for node in self.nodes:
            if node.domain not in ("", "ai.onnx") or node.op_type not in (*OPERATORS, "Constant"):
                raise NoTail(f"the operator {node.op_type} is not written out for gradients")
        used = {name for node in self.nodes for name in node.input}
        initializers = {tensor.name: tensor for tensor in model.graph.initializer}
        self.input = next(port.name for port in model.graph.input if port.name not in initializers)
        self.logits, self.layer = logits, layer
        self.constants: dict[str, Tensor] = {}
        for name in used & set(initializers):
            self._add_constant(name, numpy_helper.to_array(initializers[name]))
        for node in self.nodes:
            if node.op_type == "Constant":
                value = attribute(node, "value")
                if value is None:
                    raise NoTail("a Constant that is no tensor is not written out for gradients")
                self._add_constant(node.output[0], numpy_helper.to_array(value))
        self.explained = nn.Identity()
        # The grad-cam library asks a network's parameters where it is computed.
        self.place = nn.Parameter(torch.zeros(1), requires_grad=False)

    def _add_constant(self, name: str, array: np.ndarray) -> None:
        floats = np.issubdtype(array.dtype, np.floating)
        self.constants[name] = torch.from_numpy(np.array(array, dtype=np.float32 if floats else np.int64))

    def forward(self, pixels: Tensor) -> Tensor:
        """The graph's input, float32 → `logits` (B, K)."""
        tensors: dict[str, Tensor | None] = {**self.constants, self.input: pixels, "": None}
        for node in self.nodes:
            if node.op_type == "Constant":
                continue
            output = OPERATORS[node.op_type](node, [tensors[name] for name in node.input])
            name = node.output[0]
            tensors[name] = self.explained(output) if name == self.layer else output
        return tensors[self.logits].flatten(1)
