"""Reading weights that others saved, without running anything of theirs: safetensors, or a PyTorch state dict."""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.classifiers.tensor_file import check_header
from core.errors import LookwhereError

#: What training scripts put a state dict under, the likeliest first.
WRAPPERS = ("state_dict", "model_state_dict", "model", "state_dict_ema", "model_ema", "net", "weights", "ema", "module")
#: Libraries whose models are no networks.
NO_NETWORKS = (b"sklearn", b"xgboost", b"lightgbm", b"catboost")
MEND_PREDICT = "predict with it, and import a table of each face's file and score"
MEND_BESIDE = (
    "the weights may be beside it: open the file where it was made, and there "
    'torch.save(ckpt["state_dict"], «weights.pt»)'
)
MEND_OTHERS = "save it without: torch.save({k: v for k, v in ckpt.items() if torch.is_tensor(v)}, «weights.pt»)"
MEND = "save the weights alone: safetensors.torch.save_file(model.state_dict(), «weights.safetensors»)"


def read_weights(source: Path) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors of a file by name, and the wrappers that they were in.

    A pickle is read as PyTorch's `weights_only` does, which runs no code of it. Raises `LookwhereError` for what is
    no file of weights, or holds more than tensors where they should be.
    """
    if not source.is_file() or source.stat().st_size == 0:
        raise LookwhereError(f"{source}: {'empty' if source.is_file() else 'no such file'}; give a file of weights")
    notes: list[str] = []
    if source.suffix.lower() == ".safetensors":
        try:
            check_header(source)
            content = load_file(source)
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise LookwhereError(
                f"{source}: not a whole safetensors file ({_first_line(error)}); copy or save it again"
            ) from error
    else:
        content, notes = _unwrap(source, _unpickle(source))
    _check(source, content)
    return content, notes


def _unpickle(source: Path) -> object:
    with source.open("rb") as file:
        head = file.read(4096)
    start = head[:2]
    if start != b"PK" and start[:1] != b"\x80":
        raise LookwhereError(f"{source}: no file of PyTorch's (neither a zip archive nor a pickle); {MEND}")
    if start == b"PK" and not zipfile.is_zipfile(source):
        raise LookwhereError(f"{source}: cut off or damaged; copy or save it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(source, weights_only=True, map_location="cpu")
    except Exception as error:  # whatever a broken or hostile file makes the reader trip over
        # Lightning keeps a run's settings beside its weights: paths, numbers of numpy's.
        code = re.search(r"GLOBAL ([\w.]+)", str(error))
        beside = code and (source.suffix.lower() == ".ckpt" or code.group(1).startswith(("pathlib", "numpy")))
        mend = MEND_BESIDE if beside else MEND
        if any(library in (code.group(1).encode() if code else head) for library in NO_NETWORKS):
            mend = f"such a model has no weights of a network; {MEND_PREDICT}"
        raise LookwhereError(f"{source}: {_why(str(error))}; {mend}") from error


def _why(message: str) -> str:
    """What PyTorch's reader says, in our words."""
    if "TorchScript" in message:
        return "a TorchScript archive is a program, and no program of a file is run"
    code = re.search(r"GLOBAL ([\w.]+)", message)
    if code:
        return f"its pickle asks for code, {code.group(1)}, and no code of a file is run: it could do anything"
    if "Unsupported operand" in message or "Unsupported class" in message:
        return "its pickle does what a state dict never needs, and no code of a file is run"
    if "zip archive" in message or "inline_container" in message or "central directory" in message:
        return "cut off or damaged"
    return f"no state dict that can be read ({_first_line(message) or 'it ends too early'})"


def _unwrap(source: Path, content: object) -> tuple[dict[str, Tensor], list[str]]:
    notes: list[str] = []
    for _ in range(3):
        if not isinstance(content, dict):
            break
        if _tensors(content):
            return {str(key): value for key, value in content.items()}, notes
        inside = [key for key in WRAPPERS if isinstance(content.get(key), dict)]
        if not inside:
            break
        beside = f" (not {', '.join(inside[1:])}, which the file has too)" if inside[1:] else ""
        notes.append(inside[0] + beside)
        content = content[inside[0]]
    raise LookwhereError(f"{source}: no state dict in it, that is tensors by name; {_instead(content)}")


def _instead(content: object) -> str:
    """What the file has, and how to save what of it are weights."""
    if not isinstance(content, dict):
        return f"it is a {type(content).__name__}; {MEND}"
    keys = [str(key) for key in content]
    there = (
        f"there are {', '.join(keys[:8])}{f' and {len(keys) - 8} more' if keys[8:] else ''}" if keys else "it is empty"
    )
    strange = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if len(strange) < len(keys):
        few = f"{', '.join(strange[:5])}{', …' if strange[5:] else ''}"
        return f"{few} in it {'is' if len(strange) == 1 else 'are'} none; {MEND_OTHERS}"
    weights = [key for key, value in content.items() if isinstance(value, dict) and _tensors(value)]
    if not weights:
        return f"{there}; {MEND}"
    return f"{there}; save the one with the weights, as torch.save(ckpt[{str(weights[0])!r}], «weights.pt»)"


def _tensors(content: dict) -> bool:
    return bool(content) and all(isinstance(value, Tensor) for value in content.values())


def _check(source: Path, state: dict[str, Tensor]) -> None:
    if not state:
        raise LookwhereError(f"{source}: no tensor in it; {MEND}")
    for name, tensor in state.items():
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex() or tensor.device.type != "cpu":
            raise LookwhereError(f"{source}: {name} is no plain tensor of real numbers (quantised, sparse); {MEND}")


def check_finite(state: dict[str, Tensor]) -> None:
    """Raises `LookwhereError` naming the weights of a loaded network that are infinite or no number."""
    broken = [name for name, t in state.items() if t.is_floating_point() and not t.isfinite().all()]
    if broken:
        raise LookwhereError(
            f"{len(broken)} of {len(state)} tensors hold values that are not finite (first: {broken[0]}); "
            "training went wrong, import an earlier checkpoint"
        )


def _first_line(error: object) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")
