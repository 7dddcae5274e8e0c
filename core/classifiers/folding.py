"""Batch norms folded into the convolutions before them: the same function of an image in fewer passes over memory.

A batch norm in eval mode is y = (x − μ)·γ/√(σ² + ε) + β for each channel, so after a convolution W·a + b it is the
convolution of W·γ/√(σ² + ε) and (b − μ)·γ/√(σ² + ε) + β. Rounding apart nothing changes, and that is shown by running.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.errors import LookwhereError

#: Outputs of the folded network and of the network as it is differ by no more than this share of the largest.
TOLERANCE = 1e-4


def folded(
    network: nn.Module, pixels: Tensor, keep: Iterable[str] = (), dtype: torch.dtype = torch.float32
) -> nn.Module:
    """A copy in eval mode whose batch norms are folded into convolutions, the weights of these kept in `dtype`.

    `pixels` (B, 3, H, W) are what it is tried on; modules named in `keep` give what they gave. With `dtype` bfloat16
    the copy runs under autocast only, which then has no weight to convert. Raises `LookwhereError` where there is
    nothing to fold, or the outputs differ by more than `TOLERANCE`.
    """
    copied = copy.deepcopy(network).eval()
    pairs = _pairs(copied, pixels, set(keep))
    if not pairs:
        raise LookwhereError("no batch norm of this network follows a convolution of its own; leave --speed out")
    for before, after in pairs:
        _set(copied, before, fuse_conv_bn_eval(copied.get_submodule(before), copied.get_submodule(after)))
        _set(copied, after, nn.Identity())
    with torch.inference_mode():
        was, now = network(pixels), copied(pixels)
    if not bool((now - was).abs().max() <= TOLERANCE * was.abs().max()):
        raise LookwhereError(
            "this network gives other outputs with its batch norms folded into its convolutions; leave --speed out"
        )
    for before, _ in pairs:
        copied.get_submodule(before).to(dtype)
    return copied.requires_grad_(False).to(memory_format=torch.channels_last)


def _pairs(network: nn.Module, pixels: Tensor, keep: set[str]) -> list[tuple[str, str]]:
    """Names of convolutions, and of the batch norms that take in their very outputs; each called once a pass."""
    made_by: dict[int, str] = {}
    outputs: list[Tensor] = []  # kept until the end, so that no other tensor gets the same id
    calls: Counter[str] = Counter()
    pairs: list[tuple[str, str]] = []

    def convolved(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
            calls[name] += 1
            outputs.append(output)
            made_by[id(output)] = name

        return hook

    def normed(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, inputs: tuple) -> None:
            calls[name] += 1
            before = made_by.get(id(inputs[0])) if inputs else None
            if before is not None and before not in keep:
                pairs.append((before, name))

        return hook

    handles = []
    for name, module in network.named_modules():
        # Subclasses pad, scale or activate besides.
        if type(module) is nn.Conv2d:
            handles.append(module.register_forward_hook(convolved(name)))
        elif type(module) is nn.BatchNorm2d and module.track_running_stats and module.affine:
            handles.append(module.register_forward_pre_hook(normed(name)))
    try:
        with torch.inference_mode():
            network(pixels)
    finally:
        for handle in handles:
            handle.remove()
    once = [pair for pair in pairs if calls[pair[0]] == calls[pair[1]] == 1]
    followers = Counter(before for before, _ in once)
    return [pair for pair in once if followers[pair[0]] == 1]


def _set(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)
