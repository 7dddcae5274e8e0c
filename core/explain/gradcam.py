"""Maps of any classifier of torchvision and timm: in closed form where its head allows, else by the grad-cam library.

A map E is in the units of an audit: E/(h·w) is what a cell contributes to the logit. For global average pooling and one
linear layer that is E_c = Σ_k W_ck A_k, whose mean is the logit less its bias; Grad-CAM before its ReLU gives the same
E/(h·w) there (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391, section 3), and is an approximation elsewhere.
HiResCAM (Draelos & Carin 2020, https://arxiv.org/abs/2011.08891) multiplies cell by cell.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from core.devices import autocast
from core.explain.layers import Layer
from core.task import GENDER

#: Images of a run of a method that runs the network by itself.
RERUN_BATCH = 64


def closed_form(
    network: nn.Module, layer: Layer, weight: Tensor, pixels: Tensor, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    """Evidence (B, c, h, w) of the rows of `weight` (c, C), and the pooled activations (B, C), both float32.

    One forward pass, in `dtype` up to the layer; what the network's own head makes of it is not used.
    """
    activations: list[Tensor] = []
    module = network.get_submodule(layer.name)
    handle = module.register_forward_hook(lambda m, i, output: activations.append(output.clone()))
    try:
        with torch.inference_mode(), autocast(pixels.device, dtype):
            network(pixels)
    finally:
        handle.remove()
    with torch.inference_mode():
        maps = layer.view(activations[-1].float())
        return torch.einsum("ck,bkij->bcij", weight, maps), maps.mean(dim=(2, 3))


def signed_cams(
    network: nn.Module,
    layer: Layer,
    pixels: Tensor,
    scores: Callable[[Tensor], Tensor],
    method: str = "GradCAM",
    dtype: torch.dtype = torch.float32,
) -> tuple[Tensor, np.ndarray]:
    """Outputs (B, K), float32, and the library's maps before their ReLU times h·w, float32 (B, T, h, w).

    `scores` turns outputs into what is explained, (B, T). One forward pass, in `dtype` up to the layer and in float32
    from there, and for each score one backward pass down to the layer and no further.
    """
    with _recording(network, layer, method) as cam:
        outputs, activations, gradients = _passes(cam, pixels, scores, dtype)
        module, a = cam.target_layers[0], activations.numpy()
        cam_images = [cam.get_cam_image(pixels, module, None, a, g.numpy(), False) for g in gradients]
    cams = np.stack(cam_images, axis=1)
    return outputs, np.float32(cams * (cams.shape[2] * cams.shape[3]))


@contextmanager
def _recording(network: nn.Module, layer: Layer, method: str) -> Iterator[object]:
    """The library's method hooked to the layer, gradients beginning there in float32; all of it off again after."""
    import pytorch_grad_cam as library

    module = network.get_submodule(layer.name)

    def begin(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        torch.set_autocast_enabled(output.device.type, False)
        return output.detach().float().requires_grad_(True)

    before = module.register_forward_hook(begin)
    cam = getattr(library, method)(network, [module], reshape_transform=layer.view)
    # What follows may work in place, which the library's own copy must not see.
    after = module.register_forward_hook(lambda m, i, output: output.clone())
    try:
        yield cam
    finally:
        cam.activations_and_grads.release()
        before.remove()
        after.remove()


def _passes(
    cam: object, pixels: Tensor, scores: Callable[[Tensor], Tensor], dtype: torch.dtype
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Outputs (B, K), activations (B, C, h, w), and for each score its gradient by them; detached, on the CPU."""
    with torch.enable_grad(), autocast(pixels.device, dtype):
        outputs = cam.activations_and_grads(pixels)
        values = scores(outputs)
    recorder, gradients = cam.activations_and_grads, []
    for target in range(values.shape[1]):
        earlier = len(recorder.gradients)
        values[:, target].sum().backward(retain_graph=True)
        # The library puts what comes later in the backward pass first: of a module called twice, the first call.
        # A copy: the next backward pass adds to the same memory.
        gradients.append(recorder.gradients[len(recorder.gradients) - earlier - 1].clone())
    return outputs.detach(), recorder.activations[-1], gradients


class _Logits(nn.Module):
    """A network with the two classes' logits as its outputs."""

    def __init__(self, network: nn.Module, scores: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network, self.scores = network, scores

    def forward(self, pixels: Tensor) -> Tensor:
        return self.scores(self.network(pixels).float())


@contextmanager
def untouched(network: nn.Module) -> Iterator[None]:
    """Modules, training flags and forward hooks are after the block what they were before, whatever ends it."""
    modules = [(module, dict(module._modules), module.training) for module in network.modules()]
    hooks = [(module, set(module._forward_hooks)) for module, _, _ in modules]
    try:
        yield
    finally:
        for module, children, training in modules:
            module._modules.update(children)
            module.training = training
        for module, earlier_hooks in hooks:
            for key in [key for key in module._forward_hooks if key not in earlier_hooks]:
                del module._forward_hooks[key]


def quiet() -> AbstractContextManager:
    """The library draws a progress bar a face; ours is one for all."""
    return redirect_stderr(io.StringIO())


@dataclass(frozen=True)
class LayerAccess:
    """A classifier's network, opened for attribution methods: `core.explain.method.Layers`, in PyTorch.

    `pixels`: uint8 (B, 112, 112, 3) → the network's input. `scores`: outputs (B, K) → logits of female and male (B, 2),
    linear, with gradients; `to_logits` the same of NumPy arrays, float32, checked. `place`: maps over the input → maps
    over the aligned face. `closed`: the closed form where the head has one, with `bias`. `lock`: held while hooks are
    on the network, which several sessions may share. `dtype` is what is computed in up to the layer.
    """

    network: nn.Module
    layer: Layer
    record: dict
    pixels: Callable[[np.ndarray], Tensor]
    scores: Callable[[Tensor], Tensor]
    to_logits: Callable[[np.ndarray], np.ndarray]
    place: Callable[[np.ndarray], np.ndarray]
    lock: AbstractContextManager
    closed: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None
    bias: list[float] | None = None
    dtype: torch.dtype = torch.float32

    no_gradients: ClassVar[str] = ""

    @property
    def rectified(self) -> bool:
        """Whether a ReLU that is no module follows the layer."""
        return self.layer.view.rectified

    @property
    def convolutional(self) -> bool:
        """Whether the layer's output is channels × height × width."""
        return self.layer.view.form == "nchw"

    @property
    def _before_relu(self) -> Layer:
        # The library puts gradients through the same view as activations.
        return self.layer._replace(view=replace(self.layer.view, rectified=False))

    def closed_form(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits float32 (B, 2), evidence float32 (B, 2, h, w); only where `bias` is not None."""
        return self.closed(images)

    def gradients(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Logits (B, 2), the layer's output A (B, C, h, w), each logit's gradient by A (B, 2, C, h, w); float32."""
        with (
            self.lock,
            torch.inference_mode(False),
            untouched(self.network),
            _recording(self.network, self._before_relu, "GradCAM") as cam,
        ):
            outputs, activations, gradients = _passes(cam, self.pixels(images), self.scores, self.dtype)
        slopes = torch.stack(gradients, dim=1).numpy()
        return self.to_logits(outputs.float().cpu().numpy()), activations.numpy(), slopes

    def library_maps(self, images: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Logits (B, 2), and `signed_cams` of both logits over the aligned face."""
        with self.lock, torch.inference_mode(False), untouched(self.network):
            outputs, maps = signed_cams(
                self.network, self._before_relu, self.pixels(images), self.scores, name, self.dtype
            )
        return self.to_logits(outputs.float().cpu().numpy()), self.place(maps)

    def library_reruns(self, images: np.ndarray, name: str, rest: bool, block: int) -> tuple[np.ndarray, np.ndarray]:
        """The same of a method that runs the network by itself, in float32, `block` faces at a time; `rest`: of each
        logit less its cross-entropy."""
        with self.lock, torch.inference_mode(False), torch.enable_grad(), untouched(self.network), quiet():
            pixels = self.pixels(images)
            with torch.no_grad():
                outputs = self.network(pixels).float().cpu().numpy()
            maps = [self._rerun(pixels[low : low + block], name, rest) for low in range(0, len(pixels), block)]
        return self.to_logits(outputs), self.place(np.concatenate(maps))

    def _rerun(self, pixels: Tensor, name: str, rest: bool) -> np.ndarray:
        """Maps before ReLU and scaling times h·w, float32 (B, 2, h, w)."""
        import pytorch_grad_cam as library
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputReST, ClassifierOutputTarget

        target, module = ClassifierOutputReST if rest else ClassifierOutputTarget, self._module
        maps: list[np.ndarray] = []
        for c in range(len(GENDER.classes)):
            cam = getattr(library, name)(_Logits(self.network, self.scores).eval(), [module])
            # What follows may work in place, which the library's own copy must not see.
            handle = module.register_forward_hook(lambda m, i, output: output.clone())
            cam.batch_size = RERUN_BATCH
            cam.get_cam_image = _kept(cam.get_cam_image, maps)
            try:
                cam(pixels, [target(c)] * len(pixels))
            finally:
                cam.activations_and_grads.release()
                handle.remove()
        return np.float32(np.stack(maps, axis=1) * (maps[0].shape[1] * maps[0].shape[2]))

    @property
    def _module(self) -> nn.Module:
        return self.network.get_submodule(self.layer.name)


def _kept(function: Callable[..., np.ndarray], results: list[np.ndarray]) -> Callable[..., np.ndarray]:
    """The function, which also puts what it gives into a list."""

    def keeping(*arguments: object) -> np.ndarray:
        results.append(function(*arguments))
        return results[-1]

    return keeping
