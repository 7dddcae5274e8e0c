"""Where an ONNX graph's last spatial tensor goes into its logits by linear steps alone.

Most convolutional classifiers end in an average, one linear layer and perhaps a batch norm and a softmax. Then the
logit is an affine function of the tensor before the average, and each of its cells has an exact part in it (Zhou et al.
2016, https://arxiv.org/abs/1512.04150). The graph says where that may be; numbers put through it say whether it is so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

#: Operators that are affine in what depends on the image; those of the second line where one input alone does.
AFFINE = {
    "Add", "AveragePool", "BatchNormalization", "Cast", "Concat", "Dropout", "Expand", "Flatten", "Gather",
    "GlobalAveragePool", "Identity", "Mean", "Neg", "Pad", "ReduceMean", "ReduceSum", "Reshape", "Slice", "Split",
    "Squeeze", "Sub", "Sum", "Tile", "Transpose", "Unsqueeze",
    "Conv", "Div", "Einsum", "Gemm", "MatMul", "Mul",
}  # fmt: skip
WITH_CONSTANTS = ("Conv", "Div", "Einsum", "Gemm", "MatMul", "Mul")
#: Steps after the linear layer that say no more than it does, by what is declared of the outputs.
ACTIVATIONS = {"probabilities": "Softmax", "probability": "Sigmoid", "logits": "LogSoftmax"}
#: Operators that leave numbers as they are, and may stand on either side of those.
PLAIN = ("Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout")
#: Operators whose output is faces × channels × height × width.
CHANNELS_FIRST = {
    "AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "DepthToSpace", "GroupNormalization",
    "InstanceNormalization", "LRN", "LpPool", "MaxPool", "QLinearConv", "SpaceToDepth",
}  # fmt: skip
#: Operators whose output has its axes in its input's order.
IN_PLACE = {
    "Add", "Cast", "Ceil", "Celu", "Clip", "Concat", "DequantizeLinear", "Div", "Dropout", "Elu", "Erf", "Exp",
    "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Max", "Min", "Mish", "Mul", "Neg", "PRelu", "Pad",
    "Pow", "QuantizeLinear", "Relu", "Resize", "Round", "Selu", "Sigmoid", "Slice", "Softplus", "Softsign", "Split",
    "Sqrt", "Sub", "Sum", "Swish", "Tanh", "ThresholdedRelu", "Upsample", "Where",
}  # fmt: skip
#: Steps back from the logits, and values of a tensor whose every cell has its own rows: no usual network has more.
MOST_STEPS, MOST_VALUES = 64, 2**17


class NoTail(Exception):
    """Why the logits are no affine function of a spatial tensor, in words that end a sentence."""


@dataclass(frozen=True)
class Tail:
    """What of a graph is affine: from each of the tensors `starts`, the last first, to `logits`, the tensor before the
    softmax or sigmoid. `stop` says what comes before that and is not."""

    starts: tuple[str, ...]
    logits: str
    stop: str


class Graph:
    """An ONNX graph's tensors: what makes each, and which depend on the image's values."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model, self.nodes = model, list(model.graph.node)
        self.made = {output: place for place, node in enumerate(self.nodes) for output in node.output if output}
        constants = {tensor.name for tensor in model.graph.initializer}
        self.inputs = [port.name for port in model.graph.input if port.name not in constants]
        self.of_picture = set(self.inputs)
        for node in self.nodes:  # sorted, each after what it takes
            # A shape is no value: what is made of shapes alone is the same for every image.
            if node.op_type not in ("Shape", "Size") and self.of_picture & set(taken(node)):
                self.of_picture |= set(node.output)

    def node(self, tensor: str) -> onnx.NodeProto | None:
        """The node that makes a tensor; None for inputs and constants."""
        place = self.made.get(tensor)
        return None if place is None else self.nodes[place]

    def pictured(self, node: onnx.NodeProto) -> list[str]:
        """Which of a node's inputs depend on the image."""
        return [name for name in node.input if name in self.of_picture]

    def order(self, tensor: str) -> str:
        """`nchw` or `nhwc`, the axes of a tensor. Raises `NoTail` where the graph does not tell them."""
        turns: list[list[int]] = []
        for _ in range(len(self.nodes)):
            node = self.node(tensor)
            if node is None:
                raise NoTail("what is averaged are the image's own pixels")
            if node.op_type in CHANNELS_FIRST:
                break
            if node.op_type == "Transpose":
                turns.append(list(attribute(node, "perm") or ()))
            elif node.op_type not in IN_PLACE:
                raise NoTail(f"{node.op_type} before the average does not tell which of its axes lie on the image")
            tensor = self.pictured(node)[0]
        axes = [0, 1, 2, 3]
        for perm in reversed(turns):
            axes = [axes[place] for place in perm]
        layout = {(0, 1, 2, 3): "nchw", (0, 2, 3, 1): "nhwc"}.get(tuple(axes))
        if layout is None:
            raise NoTail("what is averaged has its axes in no usual order")
        return layout


def taken(node: onnx.NodeProto) -> Iterator[str]:
    """Names of the tensors that a node takes, those of its branches and loops too."""
    yield from (name for name in node.input if name)
    for entry in node.attribute:
        for graph in (*entry.graphs, *([entry.g] if entry.HasField("g") else [])):
            for inner in graph.node:
                yield from taken(inner)


def attribute(node: onnx.NodeProto, name: str) -> object:
    """A node's attribute, None where it has none of that name."""
    import onnx

    matching = [entry for entry in node.attribute if entry.name == name]
    return onnx.helper.get_attribute_value(matching[0]) if matching else None


def find_tail(graph: Graph, output: str, score: str) -> Tail:
    """The tail of an output that is declared as `score`. Raises `NoTail` saying what stands in the way."""
    logits = before_activation(graph, output, score)
    starts, front, stop = [], {logits}, ""
    for _ in range(MOST_STEPS):
        last = max(front, key=lambda name: graph.made.get(name, -1))
        node = graph.node(last)
        if node is None:
            break
        several = node.op_type in WITH_CONSTANTS and len(graph.pictured(node)) > 1
        divided = node.op_type == "Div" and node.input[0] not in graph.of_picture
        if node.op_type not in AFFINE or several or divided:
            stop = f"{node.op_type} ({last[:60]})"
            break
        front = (front - set(node.output)) | set(graph.pictured(node))
        if len(front) == 1:
            starts.append(next(iter(front)))
    if not starts:
        raise NoTail(f"no linear layer ends it, but {stop or 'the image itself'}")
    return Tail(tuple(starts), logits, stop)


def before_activation(graph: Graph, output: str, score: str) -> str:
    """The tensor before the softmax or sigmoid that the declaration speaks of."""
    tensor = output
    while (node := graph.node(tensor)) is not None and node.op_type in (*PLAIN, *ACTIVATIONS.values()):
        before = graph.pictured(node)
        if len(before) != 1:
            break
        if node.op_type in ACTIVATIONS.values():
            if ACTIVATIONS.get(score) != node.op_type:
                raise NoTail(f"its outputs, declared as {score}, come of a {node.op_type}")
            return before[0]
        tensor = before[0]
    if score.startswith("prob"):
        last = "nothing" if node is None else f"{node.op_type} ({tensor[:60]})"
        raise NoTail(f"no {ACTIVATIONS[score]} ends it but {last}, though its outputs are declared as {score}")
    return output
