"""A safetensors file read and not mapped: to read a map beyond the end of its file ends the process (SIGBUS)."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from core.errors import LookwhereError

KINDS = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}  # fmt: skip


#: Tensors of a file, where networks have some thousand, and bytes of its header: each is an object, and 200,000 of none
#: took half a minute to read.
MOST_TENSORS, LONGEST_HEADER = 50_000, 2**24


def check_header(file: Path) -> None:
    """Raises `ValueError` where a file's header tells of more tensors than any network has, before they are made."""
    with file.open("rb") as content:
        length = int.from_bytes(content.read(8), "little")
        if length > LONGEST_HEADER:
            raise ValueError(f"its header tells of {length:,} bytes, where {LONGEST_HEADER:,} are the most")
        if (tensors := content.read(length).count(b"data_offsets")) > MOST_TENSORS:
            raise ValueError(f"it has {tensors:,} tensors, where {MOST_TENSORS:,} are the most")


def read_tensors(file: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a file by name, and the texts in its header.

    Raises `LookwhereError` where the file is cut while it is read, `SafetensorError` where its header does not tell of
    what follows it, `OSError` where it cannot be read or tells of too much.
    """
    try:
        check_header(file)
    except ValueError as error:
        raise OSError(str(error)) from error
    with file.open("rb") as content:
        # Only its header is read here, which is compared with the file's size; the map is let go with the block.
        with safe_open(file, framework="pt") as opened:
            texts, entries = opened.metadata() or {}, [(name, opened.get_slice(name)) for name in opened.offset_keys()]
            shapes = [(name, KINDS.get(entry.get_dtype()), entry.get_shape()) for name, entry in entries]
            del entries
        content.seek(8 + int.from_bytes(content.read(8), "little"))
        tensors = {}
        for name, kind, shape in shapes:
            if kind is None:
                raise OSError(f"{name} has numbers of an unknown type")
            tensors[name] = torch.empty(shape, dtype=kind)
            room = tensors[name].reshape(-1).view(torch.uint8).numpy()
            if room.size and content.readinto(room) < room.size:
                raise LookwhereError(f"{file}: cut while it was read; restore it")
    return tensors, texts
