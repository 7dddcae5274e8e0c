"""Where the cells of a network's maps look: the centres of their evidence's effective receptive fields, the energy of
its gradient by the input (Luo et al. 2016, https://arxiv.org/abs/1701.04128).

Cells of convolutions lie on a lattice: one centre and one step. At the border half of a field lies outside and is cut
off, which pulls its centre of mass inwards by up to a cell; so the lattice is measured in the middle of a larger image,
where nothing is cut off. Networks that take one size only get it from a fit that knows of the border. Arithmetic of
strides and paddings would not do, nor the fields of all features alike: the shipped network's strides begin at the
first pixel and its features look 4 pixels further, but what speaks for a gender lies 8 pixels further: training with
mirror images has put it into the middle of tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit
from torch import Tensor, nn

from core.explain.layers import Layer
from core.explain.placement import Placement
from core.template import SIDE

#: Images that fields are measured on, cells of each, and their seed.
IMAGES, DRAWS, SEED = 3, 4, 0
#: Images that tell what each channel adds to the margin.
FEW = 1
#: Steps by which a larger image is larger: a multiple of every usual network's stride, so that padding stays as it is.
STEP = 64
#: Cells of a larger image along a side, at least, and those in its middle that are measured.
LARGER, MIDDLE = 7, 3
#: Steps to either side of a field's centre that count for it, and rounds in which it is found.
WINDOW, ROUNDS = 1.5, 50
#: What a network that takes no other size may raise.
REFUSED = (RuntimeError, AssertionError, ValueError, IndexError, TypeError)
#: A lattice this near to tiles everywhere, as a share of a cell, is tiles. Its first centre is measured to about a
#: sixteenth of a cell (standard deviation over seeds), and what evidence a network prefers moves it by an eighth.
NEAR = 1 / 4
#: Fields nearer to each other than this share of a tile are one field: no lattice can be fitted to them. Cells of
#: networks without padding lie at half a tile from each other.
CLOSEST = 1 / 4


def clouds(count: int = IMAGES, seed: int = SEED) -> np.ndarray:
    """Seeded noise with the spectrum of photographs (amplitude falls as 1 / frequency), uint8 (count, 112, 112, 3).

    No line of it is a border of cells, and no place of it differs from another.
    """
    draw = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None])
    fall = 1 / np.maximum(frequency, 1 / SIDE)
    noise = np.fft.ifft2(np.fft.fft2(draw.standard_normal((count, 3, SIDE, SIDE))) * fall).real
    noise = (noise - noise.mean(axis=(2, 3), keepdims=True)) / noise.std(axis=(2, 3), keepdims=True)
    return np.clip(127.5 + 55 * noise, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def cell_centres(
    network: nn.Module, layer: Layer, pixels: Tensor, margin: Callable[[Tensor], Tensor]
) -> tuple[np.ndarray, np.ndarray]:
    """Centres of a layer's rows (h,) and columns (w,) as shares of the input's height and width, float64, ascending.

    `pixels` (B, C, H, W) are images as the network takes them; `margin` makes of its outputs what maps explain, one
    number an image. Tokens of patches lie where the patches do. A cell that begins outside the image has its centre
    at the border at most.
    """
    with torch.inference_mode(False), torch.enable_grad():
        few = _Fields(network, layer, pixels[:FEW].detach().clone().float())
        counts = few.maps.shape[2:]
        if layer.view.form == "tokens":
            return tuple(_tiles(count) for count in counts)
        weight = few.weight(margin)
        lattices = _on_larger_images(network, layer, pixels, counts, weight)
        if lattices is None:
            fields = _Fields(network, layer, pixels.detach().clone().float())
            lattices = [fitted_lattice(fields.fields(weight, axis)) for axis in (2, 3)]
    return tuple(_inside(first, step, count) for (first, step), count in zip(lattices, counts, strict=True))


class _Fields:
    """A layer's maps of some images, from which gradients lead back to the images."""

    def __init__(self, network: nn.Module, layer: Layer, pixels: Tensor) -> None:
        layer_outputs: list[Tensor] = []
        handle = network.get_submodule(layer.name).register_forward_hook(
            lambda m, i, output: layer_outputs.append(output)
        )
        self.layer, self.pixels = layer, pixels.requires_grad_(True)
        try:
            self.outputs = network(self.pixels)
        finally:
            handle.remove()
        # Another session may run the same network now: its outputs carry no gradients.
        self.raw = [output for output in layer_outputs if output.requires_grad][-1]
        self.maps = layer.view(self.raw.float())

    def weight(self, margin: Callable[[Tensor], Tensor]) -> Tensor:
        """What each channel (C,) adds to the margin, as Grad-CAM weighs them; random signs where none does."""
        score = margin(self.outputs.float()).sum()
        (slope,) = torch.autograd.grad(score, self.raw, retain_graph=True, allow_unused=True)
        if slope is not None:
            channel_weights = replace(self.layer.view, rectified=False)(slope.float()).mean(dim=(0, 2, 3))
            if bool((channel_weights != 0).any()):
                return channel_weights
        return _signs(self.maps.shape[1:2]).to(self.maps)

    def evidence(self, weight: Tensor) -> Tensor:
        """What each cell adds to the margin, (B, h, w)."""
        return (self.maps * weight[:, None, None]).sum(dim=1)

    def fields(self, weight: Tensor, axis: int) -> np.ndarray:
        """Energy (n, length) along the input's `axis` (2 down, 3 across) of the evidence of each row, or column, as
        shares that sum to 1 in each image, averaged.

        A line's cells get random signs, so that the energy of the gradient of their sum is, on average, the sum of
        their energies."""
        evidence = self.evidence(weight)
        signed = evidence * _signs(evidence.shape).to(evidence)
        lines = range(signed.shape[axis - 1])
        return np.stack([self._energy(signed.select(axis - 1, line).sum(), axis)[0].mean(axis=0) for line in lines])

    def offset(self, weight: Tensor, step: tuple[float, float]) -> tuple[float, float]:
        """Where the lattice of these steps begins: the centre of the fields of single cells in the middle, each moved
        back by as many steps as come before it; rows and columns, in pixels.

        NaN where a field is empty, or two halves of the cells put it more than `NEAR` of a step apart.
        """
        evidence = self.evidence(weight)
        images, *grid = evidence.shape
        draw = np.random.default_rng(SEED)
        moved: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        fields: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for _ in range(DRAWS):
            at = [(n - MIDDLE) // 2 + draw.integers(0, MIDDLE, images) for n in grid]
            total = evidence[torch.arange(images), torch.from_numpy(at[0]), torch.from_numpy(at[1])].sum()
            for place, (cell, energy) in enumerate(zip(at, self._energy(total, 2, 3), strict=True)):
                moved[place].append(np.arange(energy.shape[1]) + 0.5 - step[place] * cell[:, None])
                fields[place].append(energy)
        down, across = (
            agreed_middle(np.concatenate(m), np.concatenate(f), axis_step)
            for m, f, axis_step in zip(moved, fields, step, strict=True)
        )
        return down, across

    def _energy(self, total: Tensor, *axes: int) -> list[np.ndarray]:
        """Energy of the gradient of `total` along axes of each image, (B, length), as shares that sum to 1."""
        (slope,) = torch.autograd.grad(total, self.pixels, retain_graph=True)
        square = slope.double().square()
        energies = [square.sum(dim=(1, 5 - axis)) for axis in axes]
        return [(energy / energy.sum(dim=1, keepdim=True).clamp(min=1e-300)).cpu().numpy() for energy in energies]


def agreed_middle(places: np.ndarray, energy: np.ndarray, step: float) -> float:
    """`middle_of` of all fields; NaN where that of the first half lies elsewhere than that of the second."""
    half = len(places) // 2
    first, second = (middle_of(places[part], energy[part], step) for part in (slice(half), slice(half, None)))
    return middle_of(places, energy, step) if abs(first - second) <= NEAR * step else float("nan")


def middle_of(places: np.ndarray, energy: np.ndarray, step: float) -> float:
    """The centre of fields (n, length) that lie at `places`, all of them together; NaN where one is empty.

    The mean of what lies within `WINDOW` steps of it on both sides. So neither what every cell sees, through attention
    or squeezing, nor a field that the image cuts off pulls it towards the image's middle. It begins at the place that
    has most within half a step.
    """
    if not energy.any(axis=1).all():
        return float("nan")
    at, weights = places.ravel(), energy.ravel()
    begins = np.linspace(-step / 2, 1.5 * step, 33)
    centre = float(begins[np.argmax([weights[np.abs(at - begin) <= step / 2].sum() for begin in begins])])
    for _ in range(ROUNDS):
        near = np.abs(at - centre) <= WINDOW * step
        before, centre = centre, float(at[near] @ weights[near] / max(weights[near].sum(), 1e-300))
        if abs(centre - before) < 1e-3:
            break
    return centre


def _signs(shape: tuple[int, ...]) -> Tensor:
    return torch.randint(0, 2, tuple(shape), generator=torch.Generator().manual_seed(SEED)) * 2.0 - 1


def _on_larger_images(
    network: nn.Module, layer: Layer, pixels: Tensor, cells: tuple[int, ...], weight: Tensor
) -> list[tuple[float, float]] | None:
    """First centre and step of rows and of columns, as shares of the input; None where the network takes no other
    size or its cells do not grow with the image."""
    size = pixels.shape[2:]
    lacking = max((LARGER - n) * length / n for n, length in zip(cells, size, strict=True))
    more = STEP * max(1, int(np.ceil(lacking / STEP)))
    times = [-(-(length + more) // length) for length in size]
    tiled = pixels.detach().float().repeat(1, 1, *times)[..., : size[0] + more, : size[1] + more].clone()
    try:
        large = _Fields(network, layer, tiled)
    except REFUSED:
        return None
    grown = [after - before for after, before in zip(large.maps.shape[2:], cells, strict=True)]
    if min(grown) < 1:
        return None
    steps = more / grown[0], more / grown[1]
    begins = large.offset(weight, steps)
    if not np.isfinite(begins).all():
        return None
    return [(begin / length, step / length) for begin, step, length in zip(begins, steps, size, strict=True)]


def fitted_lattice(energy: np.ndarray) -> tuple[float, float]:
    """First centre and step, as shares of the length, of fields (n, length) that are cut off at the border.

    All fields have one shape, a Gaussian, a Student's t or a Laplace, whichever fits best, on an even background that
    every cell sees (through attention, squeezing, normalisation); least cross-entropy. Tiles where the fields are
    empty, and where all of them lie at one place (`CLOSEST`), as they can with random weights.
    """
    n, length = energy.shape
    tiles = 0.5 / n, 1 / n
    total = energy.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        return tiles
    share, steps = energy / total, (np.arange(length) + 0.5) / length

    def loss(parameters: np.ndarray, shape: object) -> float:
        first, step, width, even = parameters
        z = np.abs(steps - first - step * np.arange(n)[:, None]) / np.exp(width)
        field = shape(z) + 1e-300
        field /= field.sum(axis=1, keepdims=True)
        return -float((share * np.log((1 - expit(even)) * field + expit(even) / length)).sum())

    start = (*tiles, np.log(0.7 / n), -3.0)
    fits = [
        minimize(loss, start, (shape,), "Nelder-Mead", options={"maxiter": 500, "xatol": 1e-4, "fatol": 1e-6})
        for shape in (lambda z: np.exp(-(z**2) / 2), lambda z: (1 + z**2 / 3) ** -2, lambda z: np.exp(-z))
    ]
    first, step = min(fits, key=lambda fit: fit.fun).x[:2]
    return tiles if step < CLOSEST / n else (float(first), float(step))


def measured_placement(
    network: nn.Module,
    layer: Layer,
    pixels: Callable[[np.ndarray], Tensor],
    margin: Callable[[Tensor], Tensor],
    crop: tuple[float, float, float, float] = (0, 0, SIDE, SIDE),
) -> Placement:
    """Where a layer's cells lie on the template, of a network whose input is `crop` of it.

    `pixels`: uint8 (B, 112, 112, 3) → the network's input; `margin`: outputs → what maps explain. It takes a forward
    pass of `IMAGES` images, and one forward and `DRAWS` backward passes of larger ones.
    """
    left, top, right, bottom = crop
    rows, columns = cell_centres(network, layer, pixels(clouds()), margin)
    return Placement(
        tuple(round(float(top + share * (bottom - top)), 2) for share in rows),
        tuple(round(float(left + share * (right - left)), 2) for share in columns),
    )


def _tiles(count: int) -> np.ndarray:
    return (np.arange(count) + 0.5) / count


def _inside(first: float, step: float, count: int) -> np.ndarray:
    """Centres of a lattice, none outside the image; tiles where they are next to them, or two would be one."""
    centres, tiles = np.clip(first + step * np.arange(count), 0, 1), _tiles(count)
    if not (np.diff(centres) > 0).all() or np.abs(centres - tiles).max() < NEAR / count:
        return tiles
    return centres
