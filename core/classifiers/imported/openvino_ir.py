"""A model of OpenVINO's (`NAME.xml`, weights in `NAME.bin` beside it) written as an ONNX graph, in float32.

What runs it then is what runs every ONNX file here, within the same bounds; OpenVINO is not needed. Numbers that
training has rounded to 8 bits (`FakeQuantize`) are rounded as OpenVINO's reference does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

import numpy as np

from core.errors import LookwhereError

if TYPE_CHECKING:
    import onnx

#: Bytes of the description and of the weights, at most.
MOST_TEXT, MOST_WEIGHTS = 2**25, 2**30
OPSET = 13
KINDS = {"f16": "<f2", "f32": "<f4", "f64": "<f8", "i8": "i1", "u8": "u1", "i32": "<i4", "i64": "<i8", "boolean": "?"}
#: Operators whose name and inputs are alike.
ALIKE = {
    "Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "Divide": "Div", "Maximum": "Max", "Minimum": "Min",
    "ReLU": "Relu", "PReLU": "PRelu", "Sigmoid": "Sigmoid", "Tanh": "Tanh", "Convolution": "Conv",
    "MatMul": "MatMul", "Reshape": "Reshape", "MaxPool": "MaxPool", "AvgPool": "AveragePool", "Concat": "Concat",
    "SoftMax": "Softmax", "Softmax": "Softmax", "Clamp": "Clip", "GroupConvolution": "Conv", "Transpose": "Transpose",
    "Squeeze": "Squeeze", "Unsqueeze": "Unsqueeze", "ReduceMean": "ReduceMean",
}  # fmt: skip


class _Step(NamedTuple):
    """A layer of the description: its kind, name, options, and the tensors that it takes."""

    kind: str
    name: str
    data: dict[str, str]
    inputs: list[str]
    shape: tuple[int, ...]


def as_onnx(source: Path) -> onnx.ModelProto:
    """The ONNX graph of `source`, whose outputs (B, K, 1, 1) become (B, K).

    Raises `LookwhereError` where the description or its weights are none of OpenVINO's, are cut short, or have an
    operator that is not written here.
    """
    weights = source.with_suffix(".bin")
    if not weights.is_file():
        raise LookwhereError(
            f"{source}: its weights, {weights.name}, are not beside it; put both in one folder, or export it to ONNX"
        )
    if source.stat().st_size > MOST_TEXT or weights.stat().st_size > MOST_WEIGHTS:
        raise LookwhereError(f"{source}: larger than a classifier is; export it to ONNX")
    root = _root(source)
    steps, constants = _steps(root, source, weights.read_bytes())
    graph = _Writer(source, constants)
    for step in steps:
        graph.write(step)
    return graph.model()


def _root(source: Path) -> ElementTree.Element:
    text = source.read_bytes()
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise LookwhereError(f"{source}: declares entities, which no model of OpenVINO's does")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise LookwhereError(
            f"{source}: no XML, or cut short ({error}); download it again, or export the model to ONNX"
        ) from error
    if root.tag != "net" or root.find("layers") is None or root.find("edges") is None:
        raise LookwhereError(f"{source}: XML, but no model of OpenVINO's; export the model to ONNX")
    if int(root.get("version", 0)) < 10:
        raise LookwhereError(
            f"{source}: of OpenVINO's format {root.get('version')}; export it anew, in format 10 or 11"
        )
    return root


def _steps(root: ElementTree.Element, source: Path, weights: bytes) -> tuple[list[_Step], dict[str, np.ndarray]]:
    """The layers, each after what it takes, and the constants by tensor."""
    layers = {layer.get("id"): layer for layer in root.find("layers")}
    into: dict[str, list[tuple[int, str]]] = {name: [] for name in layers}
    for edge in root.find("edges"):
        where = (int(edge.get("to-port")), _tensor(edge.get("from-layer"), edge.get("from-port")))
        into[edge.get("to-layer")].append(where)
    order, visited = [], set()
    for first in layers:
        waiting = [first]
        while waiting:
            name = waiting[-1]
            before = [tensor.split(":")[0] for _, tensor in into[name]]
            missing = [layer_id for layer_id in before if layer_id not in visited]
            if missing and len(waiting) > len(layers):
                raise LookwhereError(f"{source}: its layers go round in a circle")
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if name not in visited:
                visited.add(name)
                order.append(name)
    steps, constants = [], {}
    for name in order:
        layer = layers[name]
        data = layer.find("data")
        options = dict(data.attrib) if data is not None else {}
        if layer.get("type") == "Const":
            constants[_out(layer)] = _constant(options, weights, source)
            continue
        ports = layer.findall("output/port")
        shape = tuple(int(dim.text) for dim in ports[0].findall("dim")) if ports else ()
        steps.append(_Step(layer.get("type"), _out(layer), options, [t for _, t in sorted(into[name])], shape))
    return steps, constants


def _tensor(layer: str | None, port: str | None) -> str:
    return f"{layer}:{port}"


def _out(layer: ElementTree.Element) -> str:
    port = layer.find("output/port")
    return _tensor(layer.get("id"), "-" if port is None else port.get("id"))


def _constant(options: dict[str, str], weights: bytes, source: Path) -> np.ndarray:
    if options["element_type"] not in KINDS:
        raise LookwhereError(f"{source}: has numbers of the kind {options['element_type']}; export it to ONNX")
    kind = np.dtype(KINDS[options["element_type"]])
    start, size = int(options["offset"]), int(options["size"])
    shape = tuple(int(n) for n in options.get("shape", "").split(",") if n)
    if start < 0 or start + size > len(weights) or size != kind.itemsize * int(np.prod(shape)):
        raise LookwhereError(f"{source}: its weights are cut short, or not those that it was written with")
    array = np.frombuffer(weights, kind, int(np.prod(shape)), start).reshape(shape)
    return array.astype(np.float32 if np.issubdtype(kind, np.floating) else np.int64)


def _ints(text: str) -> list[int]:
    return [int(n) for n in text.split(",") if n]


class _Writer:
    """An ONNX graph as it is written, constants worked out where they can be."""

    def __init__(self, source: Path, constants: dict[str, np.ndarray]) -> None:
        self.source, self.constants, self.names = source, constants, 0
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def model(self) -> onnx.ModelProto:
        """What was written, constants that are used among it."""
        from onnx import helper, numpy_helper

        if len(self.inputs) != 1 or not self.outputs:
            raise LookwhereError(f"{self.source}: expected one input and an output, not {len(self.inputs)}")
        used = {name for node in self.nodes for name in node.input}
        used_constants = [
            numpy_helper.from_array(array, name) for name, array in self.constants.items() if name in used
        ]
        graph = helper.make_graph(self.nodes, "openvino", self.inputs, self.outputs, used_constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="OpenVINO IR")
        model.ir_version = 8
        return model

    def write(self, step: _Step) -> None:
        """One layer more."""
        if step.kind == "Parameter":
            self._input(step)
        elif step.kind == "Result":
            self._output(step)
        elif step.kind == "Convert":
            self._alias(step.name, step.inputs[0])
        elif step.kind == "FakeQuantize":
            self._rounded(step)
        elif step.kind in ALIKE:
            options = _options(step)
            if step.kind == "GroupConvolution":
                options["group"] = len(self._constant(step.inputs[1]))
            self._add(ALIKE[step.kind], self._operator_inputs(step), step.name, **options)
        else:
            raise LookwhereError(
                f"{self.source}: has the operator {step.kind}, which is not read here; export it to ONNX"
            )

    def _add(self, kind: str, inputs: list[str], name: str = "", **options: object) -> str:
        from onnx import helper

        self.names += 1
        name = name or f"step_{self.names}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **options))
        return name

    def _add_constant(self, array: np.ndarray) -> str:
        self.names += 1
        self.constants[f"held_{self.names}"] = array
        return f"held_{self.names}"

    def _alias(self, name: str, tensor: str) -> None:
        if tensor in self.constants:
            self.constants[name] = self.constants[tensor].astype(np.float32)
        else:
            self._add("Identity", [tensor], name)

    def _input(self, step: _Step) -> None:
        from onnx import TensorProto, helper

        shape = ["faces", *_ints(step.data["shape"])[1:]]
        self.inputs.append(helper.make_tensor_value_info(step.name, TensorProto.FLOAT, shape))

    def _output(self, step: _Step) -> None:
        from onnx import TensorProto, helper

        name = f"output_{len(self.outputs)}"
        self._add("Flatten", step.inputs, name, axis=1)
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["faces", "values"]))

    def _operator_inputs(self, step: _Step) -> list[str]:
        """What an operator takes in ONNX's words."""
        inputs = step.inputs
        if step.kind == "GroupConvolution":
            weight = self._constant(inputs[1])
            return [inputs[0], self._add_constant(weight.reshape(-1, *weight.shape[2:]))]
        if step.kind == "PReLU":
            # A slope a channel lies on the second axis here, in ONNX on the last.
            slope = self._constant(inputs[1])
            channels = slope.reshape(-1, *(1,) * (len(step.shape) - 2)) if slope.ndim == 1 and slope.size > 1 else slope
            return [inputs[0], self._add_constant(channels)]
        if step.kind == "MatMul":
            turned = [step.data.get(key) == "true" for key in ("transpose_a", "transpose_b")]
            return [
                self._add_constant(np.swapaxes(self._constant(name), -1, -2)) if turn else name
                for name, turn in zip(inputs, turned, strict=True)
            ]
        if step.kind == "Clamp":
            return [inputs[0], *(self._add_constant(np.float32(step.data[key]).reshape(())) for key in ("min", "max"))]
        if step.kind == "Reshape":
            # A graph of one face at a time is one of any number.
            shape = self._constant(inputs[1]).copy()
            if len(shape) and shape[0] == 1:
                shape[0] = -1 if -1 not in shape else 0
            return [inputs[0], self._add_constant(shape)]
        return inputs[:1] if step.kind in ("Transpose", "ReduceMean") else inputs

    def _constant(self, name: str) -> np.ndarray:
        if name not in self.constants:
            raise LookwhereError(f"{self.source}: computes the shape or the weights of a layer; export it to ONNX")
        return self.constants[name]

    def _rounded(self, step: _Step) -> None:
        """`FakeQuantize`: clipped to a range, rounded to `levels` values of it, laid out over another range."""
        values, *bounds = step.inputs
        low, high, to_low, to_high = (self._constant(name) for name in bounds)
        steps = np.float32(int(step.data["levels"]) - 1)
        if values in self.constants:
            array = np.clip(self.constants[values], np.minimum(low, high), np.maximum(low, high))
            self.constants[step.name] = np.float32(
                np.rint((array - low) / (high - low) * steps) / steps * (to_high - to_low) + to_low
            )
            return
        inside = self._add("Min", [self._add("Max", [values, self._add_constant(low)]), self._add_constant(high)])
        scaled = self._add(
            "Mul",
            [self._add("Sub", [inside, self._add_constant(low)]), self._add_constant(np.float32(steps / (high - low)))],
        )
        whole = self._add(
            "Mul", [self._add("Round", [scaled]), self._add_constant(np.float32((to_high - to_low) / steps))]
        )
        self._add("Add", [whole, self._add_constant(to_low)], step.name)


def _options(step: _Step) -> dict[str, object]:
    """An operator's options in ONNX's words."""
    data, options = step.data, {}
    if step.kind in ("Convolution", "GroupConvolution", "MaxPool", "AvgPool"):
        options["strides"] = _ints(data["strides"])
        if data.get("auto_pad", "explicit") in ("same_upper", "same_lower", "valid"):
            options["auto_pad"] = data["auto_pad"].upper()
        else:
            options["pads"] = _ints(data["pads_begin"]) + _ints(data["pads_end"])
    if step.kind in ("Convolution", "GroupConvolution"):
        options["dilations"] = _ints(data["dilations"])
    if step.kind in ("MaxPool", "AvgPool"):
        options["kernel_shape"] = _ints(data["kernel"])
        options["ceil_mode"] = int(data.get("rounding_type") == "ceil")
    if step.kind == "AvgPool":
        options["count_include_pad"] = int(data.get("exclude-pad") != "true")
    if step.kind in ("SoftMax", "Softmax", "Concat"):
        options["axis"] = int(data["axis"])
    return options
