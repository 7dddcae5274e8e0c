"""Which layer of any network to explain, and whether its head lets maps be had in closed form: found by running it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.errors import LookwhereError

#: Tokens before those of the image: none, a class token, another for distillation, and registers.
PREFIXES = (0, 1, 2, 4, 5)
#: Maps of the closed form have to give the logits to this share of the largest.
TOLERANCE = 1e-4
#: Modules that end no stage: two do nothing in eval mode, and a bare linear layer on tokens is part of a head.
NO_STAGE = (nn.Identity, nn.Dropout, nn.Linear)
#: Classes of modules whose insides are no stage of the network, unless the name says that they are a block of it.
INSIDE = re.compile(r"^(?!.*block).*(attention|attn|mlp)", re.IGNORECASE)


@dataclass(frozen=True)
class View:
    """How a module's output (B, …) is maps (B, K, h, w): `nchw`, `nhwc`, or `tokens` with `prefix` that are no cells.

    `rectified`: a ReLU that is no module follows.
    """

    form: str
    grid: tuple[int, int]
    prefix: int = 0
    rectified: bool = False

    def __call__(self, output: Tensor) -> Tensor:
        if self.form == "nhwc":
            output = output.permute(0, 3, 1, 2)
        elif self.form == "tokens":
            output = output[:, self.prefix :].transpose(1, 2).unflatten(2, self.grid)
        return output.relu() if self.rectified else output

    def as_dict(self) -> dict:
        """As JSON keeps it."""
        return asdict(self) | {"grid": list(self.grid)}

    @classmethod
    def from_dict(cls, content: dict) -> View:
        """What `as_dict` gave."""
        return cls(**content | {"grid": tuple(content["grid"])})


class Layer(NamedTuple):
    """A module by its name, and its output as maps."""

    name: str
    view: View


class Head(NamedTuple):
    """Pooled activations (B, C) → outputs (B, K): a linear layer by name, or None where the pooled are the outputs."""

    name: str | None


@dataclass
class _Step:
    name: str
    module: nn.Module
    view: View | None
    shape: tuple[int, ...]
    pooled: bool
    output: Tensor | None


def view_of(shape: tuple[int, ...], size: tuple[int, int], prefix: int | None = None) -> View | None:
    """How an output of this shape (B, …) is maps of an image of this size; None where it is none of 2×2 and more."""
    if len(shape) == 4:
        for form, grid in (("nchw", shape[2:]), ("nhwc", shape[1:3])):
            if _covers(grid, size):
                return View(form, tuple(grid))
    if len(shape) == 3:
        for first in PREFIXES if prefix is None else (prefix, *PREFIXES):
            grid = _token_grid(shape[1] - first, size)
            if grid is not None:
                return View("tokens", grid, first)
    return None


def _token_grid(count: int, size: tuple[int, int]) -> tuple[int, int] | None:
    """The grid of so many tokens over an image of this size; None where they fill none."""
    for h in range(2, size[0] + 1):
        w, rest = divmod(count, h)
        if not rest and _covers((h, w), size):
            return h, w
    return None


def _covers(grid: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Whether cells are about as wide as they are high, at least 2×2 of them."""
    (h, w), (height, width) = grid, size
    return min(h, w) >= 2 and h <= height and w <= width and abs(w * height - h * width) < max(height, width)


def find_layer(network: nn.Module, pixels: Tensor, score: Callable[[Tensor], Tensor], name: str | None = None) -> Layer:
    """The module to explain: the last to run whose output is maps that the score still depends on in every place.

    Pooling does not count (its cells are coarser), nor the inside of attention and of token-wise layers. With a class
    token, which alone is read at the end, this is what the last attention takes in, as the grad-cam library advises.
    `score` turns outputs into one number an image. Raises `LookwhereError` where there is none, or not by this `name`.
    """
    modules = dict(network.named_modules())
    if name is not None and name not in modules:
        near = difflib.get_close_matches(name, modules, 3, 0.3)
        raise LookwhereError(f"layer {name!r} is none of the network; near it are {', '.join(near) or 'none'}")
    with torch.enable_grad():
        steps, outputs = _trace(network, pixels, name)
        score_sum = score(outputs).sum()
        candidates = [step for step in steps if step.view is not None and (name or not step.pooled)]
        if not name:
            candidates = [s for s in candidates if not _inside(s.name, modules)] or candidates
        if name and not candidates:
            shapes = {step.shape[1:] for step in steps}
            output_shapes = ", ".join("×".join(map(str, shape)) or "one number" for shape in shapes) or "no tensor"
            raise LookwhereError(
                f"layer {name!r} gives no map (its output is {output_shapes}); name a convolutional stage"
            )
        if not candidates:
            raise LookwhereError("no layer gives maps of 2×2 cells and more; use --maps occlusion or rise")
        slopes = torch.autograd.grad(score_sum, [s.output for s in candidates], allow_unused=True)
    for step, slope in reversed(list(zip(candidates, slopes, strict=True))):
        if slope is not None and bool((step.view(slope) != 0).any()):
            return Layer(step.name, step.view)
    # Without any slope all layers are alike to Grad-CAM; the closed form, if there is one, still holds at the last.
    return Layer(candidates[-1].name, candidates[-1].view)


def _inside(name: str, modules: dict[str, nn.Module]) -> bool:
    parts = name.split(".")
    return any(INSIDE.search(type(modules[".".join(parts[:n])]).__name__) for n in range(1, len(parts) + 1))


def _trace(network: nn.Module, pixels: Tensor, only: str | None) -> tuple[list[_Step], Tensor]:
    """Every module as it finished, the last call of each last, and the outputs."""
    size, steps = tuple(pixels.shape[-2:]), []
    prefix = getattr(network, "num_prefix_tokens", None)
    last: list = [None, False]

    def saw(name: str, module: nn.Module) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            tensor = output if isinstance(output, Tensor) and output.requires_grad else None
            pooled = "Pool" in type(module).__name__ or (output is last[0] and last[1])
            last[:] = [output, pooled]
            if tensor is not None and name and (only or not isinstance(module, NO_STAGE)):
                shape = tuple(tensor.shape)
                view = view_of(shape, size, prefix) if shape[0] == len(pixels) else None
                steps.append(_Step(name, module, view, shape, pooled, tensor if view else None))

        return hook

    handles = [m.register_forward_hook(saw(n, m)) for n, m in network.named_modules() if only in (None, n)]
    try:
        outputs = network(pixels.clone().requires_grad_(True))
    finally:
        for handle in handles:
            handle.remove()
    latest: dict[str, _Step] = {}
    for step in steps:
        before = latest.pop(step.name, step)
        if before.shape != step.shape or before.view is None:
            step.view = None  # a module used in places of several shapes is none of them
        latest[step.name] = step
    return list(latest.values()), outputs


def lies_on_image(network: nn.Module, layer: Layer, pixels: Tensor) -> bool:
    """Whether the layer's cells are places of the image: what changes in one half of it changes that half of the
    maps more than the other, for top and bottom and for left and right."""
    activations: list[Tensor] = []
    handle = network.get_submodule(layer.name).register_forward_hook(
        lambda m, i, output: activations.append(output.clone())
    )

    def maps(image: Tensor) -> Tensor:
        activations.clear()
        network(image)
        return layer.view(activations[-1])

    try:
        with torch.no_grad():
            before = maps(pixels)
            leans = [_lean(maps, before, pixels, axis) for axis in (2, 3)]
    finally:
        handle.remove()
    return all(lean > 0 for lean in leans)


def _lean(maps: Callable[[Tensor], Tensor], before: Tensor, pixels: Tensor, axis: int) -> float:
    """How much more the half of the maps (n, K, h, w) changes whose half of the image got another face's pixels.

    `axis` is 2 for top and bottom and 3 for left and right. `before` are the maps of the `pixels` as they are.
    """
    partner_faces = pixels.roll(1, dims=0)
    middle, cells = pixels.shape[axis] // 2, before.shape[axis] // 2
    leans = []
    for first in (True, False):
        half = slice(0, middle) if first else slice(middle, None)
        changed = pixels.transpose(0, axis).clone()
        changed[half] = partner_faces.transpose(0, axis)[half]
        change = (maps(changed.transpose(0, axis)) - before).abs().transpose(0, axis)
        sides = change[:cells].mean(), change[-cells:].mean()
        leans.append(sides[0] - sides[1] if first else sides[1] - sides[0])
    return float(leans[0] + leans[1])


def find_head(network: nn.Module, layer: Layer, pixels: Tensor) -> tuple[Head, View] | None:
    """The head of a closed form, if the outputs are a linear layer of the layer's spatial mean; shown on these pixels.

    What goes into the linear layer must be the mean, and Σ_k W_ck A_k must give each logit, both within `TOLERANCE` of
    the largest. None where it is not so.
    """
    linear_calls: dict[str, tuple[Tensor, Tensor]] = {}
    activations: list[Tensor] = []

    def linear(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, inputs: tuple, output: Tensor) -> None:
            if inputs and isinstance(inputs[0], Tensor) and inputs[0].shape[2:].numel() == 1:
                linear_calls.pop(name, None)
                linear_calls[name] = (inputs[0].flatten(1).clone(), output.flatten(1).clone())

        return hook

    # A convolution of one place is a linear layer as well.
    handles = [
        m.register_forward_hook(linear(n)) for n, m in network.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)
    ]
    handles.append(
        network.get_submodule(layer.name).register_forward_hook(lambda m, i, output: activations.append(output.clone()))
    )
    try:
        with torch.no_grad():
            outputs = network(pixels)
    finally:
        for handle in handles:
            handle.remove()
    heads: list[tuple[str | None, Tensor]] = [(n, x) for n, (x, y) in linear_calls.items() if torch.equal(y, outputs)]
    for name, pooled in [*heads[::-1], (None, outputs)]:
        for rectified in (False, True):
            view = replace(layer.view, rectified=rectified)
            maps = view(activations[-1])
            mean = maps.mean(dim=(2, 3))
            if mean.shape != pooled.shape or not _close(mean, pooled) or not (mean.std(dim=0) > 0).any():
                continue
            weight, bias = head_weights(network, Head(name), outputs.shape[1])
            if weight.shape[1] != maps.shape[1]:
                continue
            evidence = torch.einsum("ck,bkij->bcij", weight, maps)
            if _close(evidence.mean(dim=(2, 3)) + bias, outputs):
                return Head(name), view
    return None


def _close(tensor: Tensor, reference: Tensor) -> bool:
    return bool((tensor - reference).abs().max() <= TOLERANCE * reference.abs().max())


def head_weights(network: nn.Module, head: Head, outputs: int) -> tuple[Tensor, Tensor]:
    """Weights (K, C) and biases (K,) of a closed form's head, float32."""
    if head.name is None:
        parameter = next(network.parameters())
        return torch.eye(outputs, device=parameter.device), torch.zeros(outputs, device=parameter.device)
    linear = network.get_submodule(head.name)
    weight = linear.weight.detach().float().flatten(1)
    return weight, weight.new_zeros(len(weight)) if linear.bias is None else linear.bias.detach().float()
