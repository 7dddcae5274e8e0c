"""The full checkpoint of a run, for an exact resume: all tensors and counters in one safetensors file."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import torch
from lightning_fabric import Fabric
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.classifiers.tensor_file import check_header, read_tensors
from core.data.store_info import aligned_otherwise
from core.errors import LookwhereError
from core.json_record import parsed
from core.locks import put_in_place
from core.training.face_sets import FaceSets

#: Under what a checkpoint's header keeps its SHA-256.
SHA256 = "sha256"


def plain(content: dict) -> dict:
    """The content as JSON would give it back (tuples as lists)."""
    return json.loads(json.dumps(content))


def computed_on(fabric: Fabric) -> dict[str, str | int]:
    """What a run's numbers depend on beside its config and data: precision, kind of device, and processes."""
    precision = str(fabric.strategy.precision.precision)
    return {"precision": precision, "device": fabric.device.type, "processes": fabric.world_size}


def check_computed(meta: dict, fabric: Fabric, file: Path) -> None:
    """Raise `LookwhereError` where a checkpoint was computed otherwise: going on would not be exact.

    Checkpoints of before this was kept say nothing of it, and go on.
    """
    now, then = computed_on(fabric), meta.get("computed") or {}
    changed = [f"{key} {then[key]}, not {now[key]}" for key in now if key in then and then[key] != now[key]]
    if changed:
        raise LookwhereError(f"{file}: computed with {'; '.join(changed)}; go on as it began, or start anew")


def made_of(sets: FaceSets) -> dict[str, object]:
    """The faces of a run, as its checkpoint keeps them: their data, their order, and how they were aligned."""
    return {"data": sets.fingerprint, "faces": sets.faces_sha256, "alignments": sets.alignments}


def check_faces(meta: dict, sets: FaceSets, file: Path) -> None:
    """Raise `LookwhereError` where a checkpoint was made with other data, other images, or other faces of them.

    Checkpoints of before images and order were kept say nothing of these, and go on.
    """
    if meta["data"] != sets.fingerprint:
        raise LookwhereError(f"{file}: made from other data; resume with the same store or start anew")
    for role, then in (meta.get("alignments") or {}).items():
        if how := aligned_otherwise(then, sets.alignments.get(role, {})):
            raise LookwhereError(
                f"{file}: made with {role} faces that were aligned otherwise ({how}); resume with the same store or "
                "start anew"
            )
    if meta.get("faces") not in (None, sets.faces_sha256):
        raise LookwhereError(
            f"{file}: made with other faces of the same data, or in another order; resume with the same store or start "
            "anew"
        )


def save_checkpoint(file: Path, tensors: dict[str, Tensor], meta: dict) -> None:
    """All of a run's tensors and its counters in one safetensors file, whole or not at all."""
    plainly, text = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}, json.dumps(meta)
    with put_in_place(file) as partial:
        save_file(plainly, partial, {"meta": text, SHA256: _digest(plainly, text)})
        with partial.open("rb") as content:
            os.fsync(content.fileno())


def _digest(tensors: dict[str, Tensor], meta: str) -> str:
    """SHA-256 of a checkpoint's counters and tensors, in hex."""
    content = hashlib.sha256(meta.encode())
    for name, tensor in sorted(tensors.items()):
        content.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        content.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return content.hexdigest()


def load_checkpoint(file: Path) -> tuple[dict[str, Tensor], dict]:
    """A checkpoint's tensors by name, and its counters.

    Raises `LookwhereError` where there is none, or it is damaged; one of before digests were kept is not told of.
    """
    if not file.is_file():
        raise LookwhereError(f"{file}: nothing to resume; leave out --resume to start anew")
    try:
        tensors, texts = read_tensors(file)
        if SHA256 in texts and texts[SHA256] != _digest(tensors, texts["meta"]):
            raise ValueError("changed since it was written: its SHA-256 differs")
        return tensors, parsed(texts["meta"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> LookwhereError:
    """Without --resume a folder that holds a run is refused, so that nothing is written over."""
    return LookwhereError(
        f"{file}: the checkpoint is damaged ({error}); restore it, or delete {file.parents[1]} and train again"
    )


def read_meta(file: Path) -> dict:
    """A checkpoint's counters and what it was made of, without its tensors.

    Raises `LookwhereError` where it is damaged.
    """
    try:
        check_header(file)
        with safe_open(file, framework="pt") as opened:
            return parsed(opened.metadata()["meta"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged(file, error) from error


def pack_optimiser(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimiser's state as flat, named tensors."""
    state = optimiser.state_dict()["state"]
    return {
        f"optimiser.{n}.{key}": torch.as_tensor(value) for n, entry in state.items() for key, value in entry.items()
    }


def unpack_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what `pack_optimiser` took, in the memory order of its weights: fused steps walk both as they lie."""
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, index, key = name.split(".", 2)
            weight = weights[int(index)]
            if tensor.shape == weight.shape:
                tensor = torch.empty_like(weight, dtype=tensor.dtype).copy_(tensor)
            state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
