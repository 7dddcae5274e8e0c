"""An ONNX file read as data: checked, its weights of a second file taken in, and what of it a model's record tells.

Its operators are onnxruntime's own: what needs code is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import LookwhereError

if TYPE_CHECKING:
    import onnx

#: Domains of operators that onnxruntime has on the CPU; the first two are ONNX itself.
DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
#: A protobuf message has less than 2 GiB.
MOST_BYTES = 2**31 - 2**24
#: Nodes of a graph, where classifiers have some thousand: each is looked at in Python, before a process of its own runs
#: the graph.
MOST_NODES = 20_000


def parsed(data: bytes, source: Path) -> tuple[onnx.ModelProto, bool]:
    """The model, and whether weights of a second file were taken into it. Raises `LookwhereError`, as `import_onnx`."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError) as error:
        raise LookwhereError(f"{source}: not an ONNX file, or cut short; export or download it again") from error
    if not model.ir_version or not model.graph.node:
        raise LookwhereError(f"{source}: no ONNX model in it, or cut short; export or download it again")
    nodes, tensors = _contents(model)
    if len(nodes) > MOST_NODES:
        raise LookwhereError(f"{source}: {len(nodes):,} nodes, where {MOST_NODES:,} are the most; simplify it first")
    outside = [t for t in tensors if t.data_location == onnx.TensorProto.EXTERNAL or t.external_data]
    _take_in(outside, source)
    own = {(function.domain, function.name) for function in model.functions}
    strange = [n for n in nodes if n.domain not in DOMAINS and (n.domain, n.op_type) not in own]
    if strange:
        raise LookwhereError(
            f"{source}: needs the custom operator {strange[0].domain}.{strange[0].op_type}; export it with ONNX's own"
        )
    return model, bool(outside)


def _take_in(tensors: list[onnx.TensorProto], source: Path) -> None:
    """Read the weights that a model keeps in a second file, which lies beside it, as torch.onnx exports them."""
    import onnx

    total = 0
    for tensor in tensors:
        storage = {entry.key: entry.value for entry in tensor.external_data}
        file = _beside(source, storage.get("location", ""), tensor.name)
        try:
            start, length = int(storage.get("offset", 0)), int(storage.get("length", -1))
            there = max(file.stat().st_size - start, 0)
            with file.open("rb") as stream:
                stream.seek(max(start, 0))
                # What the model says of it may be any number, and the file may be a hole of a terabyte.
                most = min(there if length < 0 else length, there, MOST_BYTES - total + 1)
                tensor.raw_data = stream.read(most) if start >= 0 else b""
        except (OSError, ValueError, OverflowError) as error:
            raise LookwhereError(f"{file}: cannot read the weights of {source.name} ({error})") from error
        if tensor.data_type not in onnx.TensorProto.DataType.values()[1:]:
            raise LookwhereError(
                f"{source}: {tensor.name} has numbers of an unknown type ({tensor.data_type}); export it again"
            )
        size = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize
        values = int(np.prod(list(tensor.dims)))
        if tensor.data_type <= onnx.TensorProto.BFLOAT16 and len(tensor.raw_data) != values * size:
            raise LookwhereError(
                f"{file}: cut short, or not the file that {source.name} was written with; export or download both again"
            )
        total += len(tensor.raw_data)
        if total > MOST_BYTES:
            raise LookwhereError(f"{source}: more than 2 GB of weights; ONNX files of that size cannot be joined")
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _beside(source: Path, location: str, tensor: str) -> Path:
    """The file of weights that a model names: one in its own folder, and no other."""
    file = source.parent / location
    reason = f"{source}: keeps its weights in another file ({tensor}, in {location or 'none named'})"
    if not location or Path(location).is_absolute() or ".." in Path(location).parts:
        raise LookwhereError(f"{reason} that is not beside it; export it as one file, or with both in one folder")
    if not file.is_file():
        raise LookwhereError(f"{reason}, which is not there; put it beside the model, or export it as one file")
    # Links are followed where the model itself is one into the same folder, as downloads are kept.
    folders = (source.parent.resolve(), source.resolve().parent)
    if not any(file.resolve().is_relative_to(folder) for folder in folders):
        raise LookwhereError(f"{reason}, a link to elsewhere; put the file itself beside the model")
    return file


def any_number(model: onnx.ModelProto) -> bool:
    """Write inputs' and outputs' sizes of 0 and −1, which exporters mean as «any», as that; whether there were some.

    onnxruntime would take the 0 at its word.
    """
    changed = False
    for port in (*model.graph.input, *model.graph.output):
        for place, axis in enumerate(port.type.tensor_type.shape.dim):
            if axis.HasField("dim_value") and axis.dim_value < 1:
                axis.dim_param, changed = f"any_{place}", True
    return changed


def _contents(model: onnx.ModelProto) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """All nodes and all tensors, those of branches, loops and functions too."""
    graphs, nodes, tensors = [model.graph, *model.functions], [], []
    for graph in graphs:  # grows as it is walked
        nodes += graph.node
        if hasattr(graph, "initializer"):
            tensors += graph.initializer
            for sparse in graph.sparse_initializer:
                tensors += [sparse.values, sparse.indices]
        for attribute in (a for node in graph.node for a in node.attribute):
            graphs += [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]
            tensors += [*attribute.tensors, *([attribute.t] if attribute.HasField("t") else [])]
            for sparse in (*attribute.sparse_tensors, attribute.sparse_tensor):
                tensors += [sparse.values, sparse.indices]
    return nodes, tensors


def parameters(model: onnx.ModelProto) -> int:
    """Numbers in the tensors of floats."""
    import onnx

    kinds = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16, onnx.TensorProto.DOUBLE)
    return sum(int(np.prod(list(tensor.dims))) for tensor in _contents(model)[1] if tensor.data_type in kinds)
