"""Maps of any classifier of torchvision and timm: in closed form where its head allows, else by the grad-cam library.

A map E is in the units of an audit: E/(h·w) is what a cell contributes to the logit. For global average pooling and one
linear layer that is E_c = Σ_k W_ck A_k, whose mean is the logit less its bias; Grad-CAM before its ReLU gives the same
E/(h·w) there (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391, section 3), and is an approximation elsewhere.
HiResCAM (Draelos & Carin 2020, https://arxiv.org/abs/2011.08891) multiplies cell by cell.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from core.imports.declaration import MOST_CELLS, SIDE
from core.imports.torch_layers import Layer
from core.network import autocast

#: Methods of the grad-cam library by the names that a command has for them.
LIBRARY_METHODS = {"gradcam": "GradCAM", "hirescam": "HiResCAM"}


def closed_form(
    network: nn.Module, layer: Layer, weight: Tensor, pixels: Tensor, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    """Evidence (B, c, h, w) of the rows of `weight` (c, C), and the pooled activations (B, C), both float32.

    One forward pass, in `dtype` up to the layer; what the network's own head makes of it is not used.
    """
    kept: list[Tensor] = []
    module = network.get_submodule(layer.name)
    handle = module.register_forward_hook(lambda m, i, output: kept.append(output.clone()))
    try:
        with torch.inference_mode(), autocast(pixels.device, dtype):
            network(pixels)
    finally:
        handle.remove()
    with torch.inference_mode():
        maps = layer.view(kept[-1].float())
        return torch.einsum("ck,bkij->bcij", weight, maps), maps.mean(dim=(2, 3))


def signed_cams(
    network: nn.Module,
    layer: Layer,
    pixels: Tensor,
    targets: list[int],
    method: str = "GradCAM",
    dtype: torch.dtype = torch.float32,
) -> tuple[Tensor, np.ndarray]:
    """Outputs (B, K), float32, and the library's maps before their ReLU times h·w, float32 (B, len(targets), h, w).

    One forward pass, in `dtype` up to the layer and in float32 from there, and for each target output one backward
    pass down to the layer and no further.
    """
    import pytorch_grad_cam as library

    module = network.get_submodule(layer.name)

    def begin(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        torch.set_autocast_enabled(output.device.type, False)
        return output.detach().float().requires_grad_(True)

    before = module.register_forward_hook(begin)
    cam = getattr(library, method)(network, [module], reshape_transform=layer.view)
    # What follows may work in place, which the library's own copy must not see.
    after = module.register_forward_hook(lambda m, i, output: output.clone())
    found = []
    try:
        with torch.enable_grad(), autocast(pixels.device, dtype):
            outputs = cam.activations_and_grads(pixels)
        seen = cam.activations_and_grads
        activations = seen.activations[-1].numpy()
        for target in targets:
            known = len(seen.gradients)
            outputs[:, target].sum().backward(retain_graph=True)
            # The library puts what comes later in the backward pass first: of a module called twice, the first call.
            grads = seen.gradients[len(seen.gradients) - known - 1].numpy()
            found.append(cam.get_cam_image(pixels, module, targets, activations, grads, False))
    finally:
        cam.activations_and_grads.release()
        before.remove()
        after.remove()
    cams = np.stack(found, axis=1)
    return outputs.detach(), np.float32(cams * (cams.shape[2] * cams.shape[3]))


def regrid(evidence: np.ndarray, crop: tuple[float, float, float, float]) -> np.ndarray:
    """Maps (…, h, w) over a crop of the template → over all of it, float32, with cells about as large as they were.

    There are at most `MOST_CELLS` rows and columns: finer maps would look like the face. A cell's contribution goes to
    the cells it overlaps in proportion to the area, from beyond the template to the nearest at the border: the mean of
    a map stays what it was. Coarse maps of the whole template are left as they are.
    """
    left, top, right, bottom = crop
    h, w = evidence.shape[-2:]
    if crop == (0, 0, SIDE, SIDE) and max(h, w) <= MOST_CELLS:
        return evidence
    rows, columns = _overlap(h, top, bottom), _overlap(w, left, right)
    found = rows @ evidence.astype(np.float64) @ columns.T
    return np.float32(found * (len(rows) * len(columns) / (h * w)))


def cells_of(grid: tuple[int, int], crop: tuple[float, float, float, float]) -> tuple[int, int]:
    """The grid over the template that `regrid` gives."""
    left, top, right, bottom = crop
    return _cells(grid[0], bottom - top), _cells(grid[1], right - left)


def _cells(count: int, length: float) -> int:
    return min(MOST_CELLS, max(2, round(count * SIDE / length)))


def _overlap(count: int, low: float, high: float) -> np.ndarray:
    """What share of each of `count` cells between two edges lies in each cell of the template: (cells, count)."""
    cells = _cells(count, high - low)
    edges = np.linspace(low, high, count + 1)
    lines = np.linspace(0, SIDE, cells + 1)
    lines[0], lines[-1] = -np.inf, np.inf
    shared = np.minimum(edges[None, 1:], lines[1:, None]) - np.maximum(edges[None, :-1], lines[:-1, None])
    return np.maximum(shared, 0) / np.diff(edges)
