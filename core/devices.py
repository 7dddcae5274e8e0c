"""The device that torch computes on, and the precision that suits it."""

from __future__ import annotations

import torch

from core.errors import LookwhereError
from core.ranks import Ranks

#: What can be asked for; `auto` is bfloat16 where the device computes in it.
PRECISIONS = ("float32", "bfloat16", "auto")


def precision(device: torch.device | str, name: str | None = None) -> torch.dtype:
    """What is asked for of `PRECISIONS`; by default bfloat16 where the device computes in it (a CPU with AVX-512 BF16
    or AMX, a recent GPU), else float32."""
    if name not in (None, "auto"):
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
    device = torch.device(device)
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if device.type == "cpu" and fast else torch.float32


def usable(device: torch.device | str) -> torch.device:
    """The device of this name. Raises `LookwhereError` where there is none, or torch cannot use it here."""
    try:
        torch_device = torch.device(device)
        if torch_device.type == "cuda" and torch_device.index is None and not (ranks := Ranks.here()).alone:
            torch_device = torch.device("cuda", ranks.local)  # a GPU for each process
        if torch_device.type == "cuda" and not torch.cuda.is_available():
            raise LookwhereError(f"--device {device}: no GPU that torch can use here; leave --device out")
        torch.empty(1, device=torch_device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise LookwhereError(f"--device {device}: torch can use no such device here; give cpu or cuda") from error
    return torch_device


def autocast(device: torch.device | str, dtype: torch.dtype | None = None) -> torch.autocast:
    """Autocast to `dtype` (by default what `precision` says); off for float32."""
    dtype = dtype or precision(device)
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=dtype != torch.float32)
