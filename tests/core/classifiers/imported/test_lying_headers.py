"""Safetensors files whose headers lie: refused in a line naming the file, before their claims cost memory."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import pytest

from core.classifiers.imported.state_dicts import read_weights
from core.errors import LookwhereError
from core.training.resume import load_checkpoint, read_meta


def file_of(header: object, body: bytes = bytes(64), length: int | None = None) -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(head) if length is None else length) + head + body


def tensor(**more: object) -> dict:
    return {"a": {"dtype": "F32", "shape": [16], "data_offsets": [0, 64]} | more}


LIES = {
    "a header of 8 EiB": file_of(tensor(), length=2**63),
    "a header longer than the file": file_of(tensor(), length=10_000),
    "a header of no length": file_of(b""),
    "a header that is no JSON": file_of(b"{" * 200),
    "a header nested without end": file_of(b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "more than there is": file_of(tensor(shape=[1 << 40], data_offsets=[0, 1 << 42])),
    "less than its shape": file_of(tensor(shape=[32])),
    "offsets turned round": file_of(tensor(data_offsets=[64, 0])),
    "negative offsets": file_of(tensor(data_offsets=[-64, 0])),
    "a shape beyond numbers": file_of(tensor(shape=[2**63, 2**63])),
    "a negative shape": file_of(tensor(shape=[-16])),
    "an unknown type": file_of(tensor(dtype="PICKLE")),
    "two in one place": file_of(tensor() | {"b": tensor()["a"]}),
    "a gap": file_of(tensor(data_offsets=[4, 68]), bytes(68)),
    "bytes that nobody owns": file_of(tensor(), bytes(1000)),
    "two that lie over each other in part": file_of(
        {
            "a": {"dtype": "F32", "shape": [12], "data_offsets": [0, 48]},
            "b": {"dtype": "F32", "shape": [12], "data_offsets": [16, 64]},
        }
    ),
    "200,000 of no number": file_of(
        {f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(200_000)}, b""
    ),
    "a header of 20 MB": file_of(json.dumps(tensor()).encode() + b" " * 20_000_000),
    "offsets beyond numbers": file_of(tensor(data_offsets=[2**64 - 64, 2**64])),
    "a shape in fractions": file_of(tensor(shape=[16.5])),
    "a pickle": b"\x80\x04cos\nsystem\n(S'false'\ntR.",
    "eight bytes": bytes(8),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_refused(lie: str, tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    file.write_bytes(LIES[lie])
    for read in (read_weights, load_checkpoint, read_meta):
        began = time.process_time()
        with pytest.raises(LookwhereError, match=r"weights\.safetensors"):
            read(file)
        assert time.process_time() - began < 5


def test_an_honest_one_is_read(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    file.write_bytes(file_of(tensor()))
    assert read_weights(file)[0]["a"].shape == (16,)
