"""The process that an ONNX graph runs in, and what is said between it and the one that asks.

A graph is somebody else's program: it may loop without end, ask for any memory, or crash. So each is run in a process
of its own, of which memory is bounded and which can open no file. It is forked from one that has onnxruntime imported
already (`template`): that takes milliseconds.

A message is a line of JSON and arrays behind it; nothing is unpickled on either side.
"""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import struct
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np

#: Bytes of a message's line, at most.
LONGEST_LINE = 1 << 20
#: Kinds of arrays that are sent: floats, whole numbers, true or false.
KINDS = "fiub"


def send(channel: socket.socket, line: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> None:
    """A message. Raises `OSError` where the other side is gone."""
    whole = [np.asarray(array, order="C") for array in arrays]
    line = line | {"arrays": [[array.dtype.str, list(array.shape)] for array in whole]}
    data = json.dumps(line).encode()
    channel.sendall(struct.pack("<I", len(data)) + data)
    for array in whole:
        channel.sendall(memoryview(array.reshape(-1).view(np.uint8)))


def receive(channel: socket.socket, most: int) -> tuple[dict[str, Any], list[np.ndarray]]:
    """A message whose arrays have `most` bytes together.

    Raises `OSError` (`TimeoutError`, or `EOFError` where the other side is gone), `ValueError` where it is larger.
    """
    (length,) = struct.unpack("<I", _exactly(channel, 4))
    if length > LONGEST_LINE:
        raise ValueError("a message without end")
    line = json.loads(bytes(_exactly(channel, length)))
    kinds = [(np.dtype(kind), tuple(shape)) for kind, shape in line.pop("arrays")]
    sizes = [kind.itemsize * math.prod(shape) for kind, shape in kinds]
    if sum(sizes) > most or any(kind.kind not in KINDS for kind, _ in kinds):
        raise ValueError(f"{sum(sizes):,} bytes")
    parts = [_exactly(channel, size) for size in sizes]
    arrays = [np.frombuffer(part, kind).reshape(shape) for part, (kind, shape) in zip(parts, kinds, strict=True)]
    return line, arrays


def _exactly(channel: socket.socket, count: int) -> bytearray:
    data = bytearray(count)
    view, done = memoryview(data), 0
    while done < count:
        got = channel.recv_into(view[done:])
        if not got:
            raise EOFError
        done += got
    return data


def template(descriptor: int) -> None:
    """Fork a process for each channel that comes over this one, until it closes."""
    import onnxruntime  # noqa: F401  - so that no fork has to

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks; that ends this too
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who ended
    with socket.socket(fileno=descriptor) as orders:
        while True:
            order, descriptors, _, _ = socket.recv_fds(orders, 8, 1)
            if not order:
                return
            (memory,) = struct.unpack("<Q", order)
            if os.fork() == 0:
                orders.close()
                serve(socket.socket(fileno=descriptors[0]), memory)
                os._exit(0)
            os.close(descriptors[0])


def serve(channel: socket.socket, memory: int) -> None:
    """Open the model that comes first, say what it takes and gives, and put through what comes then, in its order."""
    _bound(memory)
    send(channel, {"pid": os.getpid()})
    try:
        line, (model,) = receive(channel, 2**31)
        session = open_here(model.tobytes(), line["options"])
        del model
    except EOFError:
        return
    except Exception as error:  # onnxruntime's errors have no class in common but this
        send(channel, {"error": str(error) or type(error).__name__})
        return
    ports = {"inputs": session.get_inputs(), "outputs": session.get_outputs()}
    opening = {key: [[port.name, port.type, list(port.shape)] for port in each] for key, each in ports.items()}
    send(channel, opening)
    answers: SimpleQueue[Future[list[np.ndarray]]] = SimpleQueue()
    threading.Thread(target=_answer, args=(channel, answers), daemon=True).start()
    with ThreadPoolExecutor(line["threads"]) as pool:
        while True:
            try:
                request, arrays = receive(channel, 2**40)
            except (EOFError, OSError):
                os._exit(0)  # whatever still runs, nobody waits for it
            answers.put(pool.submit(_run, session, request, arrays))


def open_here(model: bytes, options: dict[str, int]) -> Any:
    """A session on the CPU in this process."""
    import onnxruntime

    session_options = onnxruntime.SessionOptions()
    for name, value in options.items():
        setattr(session_options, name, value)
    return onnxruntime.InferenceSession(model, session_options, providers=["CPUExecutionProvider"])


def _run(session: Any, request: dict[str, Any], arrays: list[np.ndarray]) -> list[np.ndarray]:
    outputs = [
        np.asarray(output) for output in session.run(request["names"], dict(zip(request["feeds"], arrays, strict=True)))
    ]
    if any(output.dtype.kind not in KINDS for output in outputs):
        raise ValueError("its outputs are no arrays of numbers")
    return outputs


def _answer(channel: socket.socket, answers: SimpleQueue[Future[list[np.ndarray]]]) -> None:
    while True:
        try:
            outputs = answers.get().result()
        except Exception as error:  # as above
            send(channel, {"error": str(error) or type(error).__name__})
        else:
            send(channel, {}, outputs)


def _bound(memory: int) -> None:
    """Bound this process's memory, and let it open no further file."""
    import resource

    for kind, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_NOFILE, 0), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (allowed, allowed))
