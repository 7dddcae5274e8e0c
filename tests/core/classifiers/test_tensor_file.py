"""A file of tensors is read as its library reads it, and one that is cut meanwhile is told and ends no process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.classifiers.tensor_file import KINDS, read_tensors
from core.errors import LookwhereError


def test_tensors_of_every_kind_are_read_as_their_library_reads_them(tmp_path: Path) -> None:
    file, draw = tmp_path / "w.safetensors", torch.Generator().manual_seed(0)
    tensors_by_kind = {name: torch.randn(5, 3, generator=draw).to(kind) for name, kind in KINDS.items()}
    tensors_by_kind |= {"one": torch.tensor(7.5), "none": torch.empty(0, 4), "z": torch.arange(1000)}
    save_file(tensors_by_kind, file, {"meta": "words"})
    tensors, texts = read_tensors(file)
    expected = load_file(file)
    assert texts == {"meta": "words"} and tensors.keys() == expected.keys()
    for name, tensor in expected.items():
        assert (tensors[name].dtype, tensors[name].shape) == (tensor.dtype, tensor.shape)
        assert tensors[name].reshape(-1).view(torch.uint8).equal(tensor.reshape(-1).view(torch.uint8)), name


READS = """
import sys
from pathlib import Path
from core.classifiers.tensor_file import read_tensors
from core.errors import LookwhereError
print("begun", flush=True)
for _ in range(10_000):
    try:
        tensors, _ = read_tensors(Path(sys.argv[1]))
        total = sum(float(tensor.sum()) for tensor in tensors.values())
    except LookwhereError as error:
        print(error)
        break
    except Exception as error:
        print(f"{type(error).__name__}: told by the header")
        break
"""


@pytest.mark.parametrize("length", [30_000, 3_999_000])
def test_a_file_cut_while_it_is_read_ends_nothing(length: int, tmp_path: Path) -> None:
    """A process does nothing but read, so that the file is cut in the middle of it. Mapped, it was killed (SIGBUS)."""
    file = tmp_path / "w.safetensors"
    save_file({f"t{n}": torch.ones(250_000) for n in range(40)}, file)
    with subprocess.Popen([sys.executable, "-c", READS, str(file)], stdout=subprocess.PIPE, text=True) as reading:
        assert reading.stdout.readline() == "begun\n"
        time.sleep(0.2)
        os.truncate(file, length)
        message, _ = reading.communicate(timeout=120)
    assert reading.returncode == 0
    assert message in (f"{file}: cut while it was read; restore it\n", "SafetensorError: told by the header\n")


def test_a_file_cut_after_its_header_was_read_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "w.safetensors"
    save_file({f"t{n}": torch.ones(1000) for n in range(4)}, file)
    allocate = torch.empty

    def cut(*arguments: object, **more: object) -> torch.Tensor:
        os.truncate(file, 6000)
        return allocate(*arguments, **more)

    monkeypatch.setattr(torch, "empty", cut)
    with pytest.raises(LookwhereError, match=r"w\.safetensors: cut while it was read; restore it"):
        read_tensors(file)
