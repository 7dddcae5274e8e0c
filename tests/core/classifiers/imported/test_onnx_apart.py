"""An ONNX graph runs in a process of its own: it may loop, fill the memory, crash or want a file, and is told."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from core.classifiers.imported import declare, import_model, onnx_apart, onnx_worker
from core.classifiers.imported.onnx_apart import Apart, Here, RunError, opened
from core.classifiers.imported.onnx_session import Session
from core.errors import LookwhereError
from tests.helpers.onnx_made import DECLARED, SIZE, small_onnx

FEED = {"x": np.ones((2, 3, SIZE, SIZE), np.float32)}


def made(nodes: list, initialisers: dict[str, np.ndarray], file: Path) -> Path:
    """A graph from x (N, 3, 32, 32) to z (N, 2)."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(value, name) for name, value in initialisers.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), file)
    return file


def endless(file: Path) -> Path:
    """A graph whose loop never ends: 2⁶³ − 1 rounds, for the condition stays true."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Sin", ["v"], ["w"])],
        "body",
        [helper.make_tensor_value_info("n", TensorProto.INT64, []),
         helper.make_tensor_value_info("go", TensorProto.BOOL, []),
         helper.make_tensor_value_info("v", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []),
         helper.make_tensor_value_info("w", TensorProto.FLOAT, None)],
    )  # fmt: skip
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["m"], keepdims=0),
        helper.make_node("Concat", ["m2", "m2"], ["two"], axis=1),
        helper.make_node("Loop", ["rounds", "yes", "two"], ["z"], body=body),
    ]
    nodes.insert(1, helper.make_node("Unsqueeze", ["m", "one"], ["m2"]))
    initialisers = {
        "axes": np.array([1, 2, 3]),
        "one": np.array([1]),
        "rounds": np.array(2**63 - 1),
        "yes": np.array(True),
    }
    return made(nodes, initialisers, file)


def greedy(file: Path) -> Path:
    """A graph that asks for 2 TB: one value, expanded."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], keepdims=1),
        helper.make_node("Expand", ["m", "shape"], ["e"]),
        helper.make_node("ReduceMean", ["e"], ["f"], keepdims=1),
        helper.make_node("Expand", ["f", "small"], ["z"]),
    ]
    return made(nodes, {"shape": np.array([1, 1, 2**20, 2**19]), "small": np.array([2, 2, 1, 1])}, file)


def test_a_process_gives_the_numbers_of_this_one(tmp_path: Path) -> None:
    file = small_onnx(tmp_path / "small.onnx")
    apart, here = Apart(file.read_bytes(), file, 2), Here(file.read_bytes(), file, 2)
    assert (apart.inputs, apart.outputs) == (here.inputs, here.outputs)
    draw = np.random.default_rng(0)
    feeds = [{"x": draw.normal(size=(n, 3, SIZE, SIZE)).astype(np.float32)} for n in (1, 5, 2, 7, 3)]
    for outputs, expected_outputs in zip(apart.run(["z"], feeds), here.run(["z"], feeds), strict=True):
        np.testing.assert_array_equal(outputs[0], expected_outputs[0])
    # A question that fails takes none of the answers to the next.
    with pytest.raises(RunError):
        list(apart.run(["z"], [feeds[0], {"x": np.zeros((1, 5), np.float32)}, feeds[1]]))
    np.testing.assert_array_equal(
        next(iter(apart.run(["z"], feeds[1:2])))[0], next(iter(here.run(["z"], feeds[1:2])))[0]
    )


def test_what_never_ends_is_ended_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, began = endless(tmp_path / "endless.onnx"), time.monotonic()
    monkeypatch.setattr(onnx_apart, "RUNNING", 0.5)
    monkeypatch.setattr(onnx_apart, "AN_IMAGE", 0.0)
    with pytest.raises(LookwhereError, match=r"endless\.onnx: no answer within 0 seconds, and it was ended"):
        import_model(file, "it", declare(None, score="logits", female=0, male=1, size=(SIZE, SIZE), mean=(0.0,) * 3,
                                         std=(1.0,) * 3), models=tmp_path / "models")  # fmt: skip
    assert time.monotonic() - began < 60
    assert not list((tmp_path / "models").iterdir())
    session = Apart(file.read_bytes(), file, 1)
    with pytest.raises(LookwhereError, match="no answer"):
        list(session.run(["z"], [FEED]))
    assert gone(session._pid)


def gone(pid: int) -> bool:
    """Whether a process ends soon."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_memory_beyond_the_bound_is_told(tmp_path: Path) -> None:
    file = greedy(tmp_path / "greedy.onnx")
    session = opened(file.read_bytes(), file)
    with pytest.raises((RunError, LookwhereError), match=r"(?i)alloc|memory"):
        list(session.run(["z"], [FEED]))


def test_a_crash_is_told_and_another_model_goes_on(tmp_path: Path) -> None:
    file = small_onnx(tmp_path / "small.onnx")
    crashed, second_session = Session(file, DECLARED, file), Session(file, DECLARED, file)
    images = np.zeros((3, 112, 112, 3), np.uint8)
    expected = crashed.run(images)[0]
    os.kill(crashed._session._pid, signal.SIGSEGV)
    with pytest.raises(LookwhereError, match=r"small\.onnx: the process that it runs in ended"):
        crashed.run(images)
    np.testing.assert_array_equal(second_session.run(images)[0], expected)
    pid = second_session._session._pid
    del second_session
    assert gone(pid), "a process goes with its session"


def test_a_graph_can_read_no_file(tmp_path: Path) -> None:
    """Weights in a second file are taken in at the import; a graph that names one afterwards gets nothing."""
    (tmp_path / "weights").write_bytes(np.ones(2, np.float32).tobytes())
    model = onnx.load(small_onnx(tmp_path / "small.onnx"))
    tensor = next(initialiser for initialiser in model.graph.initializer if initialiser.name == "b")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "weights", "offset": "0", "length": "8"}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    file = tmp_path / "reads.onnx"
    file.write_bytes(model.SerializeToString())
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        with pytest.raises(LookwhereError, match="cannot open it"):
            Apart(file.read_bytes(), file, 1)
    finally:
        os.chdir(before)


def test_messages_are_bounded_and_hold_numbers_alone() -> None:
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        array = np.arange(6, dtype=np.float16).reshape(2, 3)
        onnx_worker.send(theirs, {"a": 1}, [array, np.array(True)])
        line, (first, second) = onnx_worker.receive(ours, 100)
        assert line == {"a": 1}
        np.testing.assert_array_equal(first, array)
        assert second.shape == ()
        onnx_worker.send(theirs, {}, [np.zeros(1000)])
        with pytest.raises(ValueError, match="8,000 bytes"):
            onnx_worker.receive(ours, 100)
        theirs.sendall(b"\xff" * 8)
    with pytest.raises((ValueError, EOFError, OSError)):
        onnx_worker.receive(ours, 100)
