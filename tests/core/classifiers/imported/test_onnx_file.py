"""Weights that an ONNX file keeps in a second one: whatever it says of them, memory is taken for what is there."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from core.classifiers.imported import onnx_file
from core.errors import LookwhereError
from tests.helpers.onnx_made import small_onnx


def with_weights_beside(folder: Path, **said: int) -> Path:
    """The small model with its second tensor in `w.bin`, of which the model tells `said`."""
    file = small_onnx(folder / "small.onnx")
    model = onnx.load(file)
    tensor = model.graph.initializer[1]
    (folder / "w.bin").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": "w.bin", **said}.items():
        tensor.external_data.add(key=key, value=str(value))
    onnx.save(model, file)
    return file


@pytest.mark.parametrize("length", [2**50, 2**70])
def test_a_length_beyond_the_file_is_the_files(length: int, tmp_path: Path) -> None:
    """Of a petabyte, as much memory was asked for: a traceback."""
    file = with_weights_beside(tmp_path, length=length)
    model, taken_in = onnx_file.parsed(file.read_bytes(), file)
    assert taken_in and model.graph.initializer[1].raw_data == (tmp_path / "w.bin").read_bytes()


def test_numbers_of_an_unknown_type_are_told(tmp_path: Path) -> None:
    file = with_weights_beside(tmp_path)
    model = onnx.load_model_from_string(file.read_bytes())
    for kind in (0, 99, -1):
        model.graph.initializer[1].data_type = kind
        with pytest.raises(LookwhereError, match=rf"small\.onnx: w has numbers of an unknown type \({kind}\)"):
            onnx_file.parsed(model.SerializeToString(), file)


@pytest.mark.parametrize("offset", [2**70, -8, 4])
def test_an_offset_that_leads_elsewhere_is_told(offset: int, tmp_path: Path) -> None:
    file = with_weights_beside(tmp_path, offset=offset)
    message = r"w\.bin: (cannot read the weights of small\.onnx|cut short, or not the file)"
    with pytest.raises(LookwhereError, match=message):
        onnx_file.parsed(file.read_bytes(), file)


def test_a_file_of_weights_without_end_is_read_no_further_than_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hole of a terabyte takes no room on the disk, and all memory where it is read."""
    file = with_weights_beside(tmp_path)
    with (tmp_path / "w.bin").open("wb") as hole:
        hole.truncate(2**40)
    monkeypatch.setattr(onnx_file, "MOST_BYTES", 2**20)
    with pytest.raises(LookwhereError, match=r"w\.bin: cut short, or not the file that small\.onnx was written with"):
        onnx_file.parsed(file.read_bytes(), file)


def test_a_graph_of_nodes_without_end_is_refused_before_each_is_looked_at(tmp_path: Path) -> None:
    """Of 20,000 that do nothing, one after the other, an import took over a minute of this process."""
    file = small_onnx(tmp_path / "small.onnx")
    model = onnx.load(file)
    first = onnx_file.MOST_NODES
    model.graph.node[0].input[0] = f"n{first}"
    nodes = [onnx.helper.make_node("Identity", [f"n{k}" if k else "x"], [f"n{k + 1}"]) for k in range(first)]
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])
    with pytest.raises(LookwhereError, match=r"20,005 nodes, where 20,000 are the most"):
        onnx_file.parsed(model.SerializeToString(), file)
