"""Networks made by torchvision and timm themselves, for tests: with random weights, or planted to see brightness."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision
from torch import Tensor, nn

from core.classifiers.imported.spec import InputOutputSpec
from core.classifiers.imported.torch_classifier import WEIGHTS, TorchClassifier, import_torch, load_torch
from core.classifiers.imported.undrawn import Undrawn
from core.classifiers.info import ModelInfo
from core.task import GENDERS

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: Of 130 million weights: kept in half precision here, and the same draws again and again.
LARGE = ("torchvision:vgg11_bn",)
#: Rows and columns of the template where the bright square of planted pictures lies.
ROWS, COLUMNS = slice(72, 112), slice(0, 28)


def declared(**changes: object) -> InputOutputSpec:
    """Two logits, female after male, all of the template at 112×112."""
    values = {"score": "logits", "size": (112, 112), "mean": MEAN, "std": STD, "female": 1, "male": 0}
    return InputOutputSpec(**values | changes)


def empty(architecture: str, outputs: int = 2) -> nn.Module:
    """The library's own network for 112×112, in eval mode, as the library initialises it."""
    library, _, name = architecture.partition(":")
    if library == "timm":
        sized = {"img_size": 112} if name.startswith(("vit_", "swin_")) else {}
        return timm.create_model(name, pretrained=False, num_classes=outputs, **sized).eval()
    quiet = {"init_weights": False} if name == "googlenet" else {}
    return torchvision.models.get_model(name, weights=None, num_classes=outputs, **quiet).eval()


def _drawn_in_part(architecture: str, outputs: int) -> nn.Module:
    """`empty`, its weights a block of draws again and again, of a length that no layer's width divides."""
    with Undrawn():
        network = empty(architecture, outputs)
    block = torch.randn(65_537)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            draws = block.repeat(-(-parameter.numel() // len(block)))[: parameter.numel()]
            parameter.data.copy_(draws.view_as(parameter) * (2 / parameter[0].numel()) ** 0.5)
    return network


def halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """In half precision, but for batch statistics."""
    return {name: t.half() if t.is_floating_point() and "running" not in name else t for name, t in state.items()}


@cache
def made(architecture: str, outputs: int = 2) -> nn.Module:
    """`empty` with seeded random weights, batch statistics as if trained, and a head that is not 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = _drawn_in_part(architecture, outputs) if architecture in LARGE else empty(architecture, outputs)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 2)
        for parameter in network.parameters():
            if parameter.ndim == 2 and not parameter.any():
                nn.init.normal_(parameter, 0, 0.1)
        if architecture in LARGE:
            network.load_state_dict(halved(network.state_dict()))
    return network.requires_grad_(False)


def import_model(
    network: nn.Module, folder: Path, architecture: str, maps: str | None = None, **changes: object
) -> tuple[TorchClassifier, dict]:
    """Save the network's state dict as PyTorch does, import it and load it; with its `model.json` as it is read."""
    source = folder / "weights.pt"
    torch.save(halved(network.state_dict()) if architecture in LARGE else network.state_dict(), source)
    spec = declared(**changes)
    info = import_torch(source, folder / "model", spec, architecture, maps)
    source.unlink()
    info = json.loads(json.dumps(info | {"declaration": spec.as_dict()}))
    return load_torch(folder / "model", as_info(info), "cpu"), info


def as_info(imported: dict) -> ModelInfo:
    """`model.json` with the part that `import_torch` gives and a declaration."""
    rest = {"format": 1, "kind": "torch", "classes": list(GENDERS), "weights": WEIGHTS, "weights_sha256": "0" * 64}
    return ModelInfo.from_json(json.loads(json.dumps(rest | imported)))


def pictures(count: int = 3, seed: int = 5) -> np.ndarray:
    """Noise of mixed grain, uint8 (count, 112, 112, 3)."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 200, (count, 14, 14, 3), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    return coarse + draw.integers(0, 56, coarse.shape, dtype=np.uint8)


def spotted() -> np.ndarray:
    """A black picture with a white square at the lower left, uint8 (1, 112, 112, 3)."""
    picture = np.zeros((1, 112, 112, 3), dtype=np.uint8)
    picture[:, ROWS, COLUMNS] = 255
    return picture


def share_in_square(maps: np.ndarray) -> float:
    """Of what a map (h, w) over the template has besides its background, the share in cells that touch the square."""
    size = 112 / np.array(maps.shape)
    strength = np.abs(maps - np.median(maps))
    rows, columns = (np.arange(n) for n in maps.shape)
    touched_rows = ((rows + 1) * size[0] > ROWS.start) & (rows * size[0] < ROWS.stop)
    touched_columns = ((columns + 1) * size[1] > COLUMNS.start) & (columns * size[1] < COLUMNS.stop)
    return float(strength[np.ix_(touched_rows, touched_columns)].sum() / strength.sum())


def planted(architecture: str) -> nn.Module:
    """A network that sees brightness alone: its first channel carries it from the picture to the head, where it speaks
    for female. The other channels are constants of mean 0 where layers normalise, so that black is 0 everywhere."""
    network = empty(architecture).requires_grad_(False)
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            parameter.zero_()
        if isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
            module.weight.fill_(1)
    {"torchvision:resnet18": _resnet, "timm:convnext_atto": _convnext, "timm:vit_tiny_patch16_224": _vit}[architecture](
        network
    )
    head = network.fc if architecture.endswith("resnet18") else network.get_classifier()
    head.weight[:, 0] = torch.tensor([-2.0, 2.0])
    head.bias[:] = 0.25
    return network


def _resnet(network: nn.Module) -> None:
    network.conv1.weight[0, :, 3, 3] = 1 / 3
    for stage in (network.layer2, network.layer3, network.layer4):
        stage[0].downsample[0].weight[0, 0] = 1


def _convnext(network: nn.Module) -> None:
    for convolution in (network.stem[0], *(stage.downsample[1] for stage in network.stages[1:])):
        outputs, inputs, height, width = convolution.weight.shape
        picture = inputs if inputs == 3 else 1
        convolution.weight[0, :picture] = 1 / (picture * height * width)
        convolution.bias[:] = _constants(outputs)


def _vit(network: nn.Module) -> None:
    width = network.embed_dim
    network.patch_embed.proj.weight[0] = 1 / (3 * 16 * 16)
    network.patch_embed.proj.bias[:] = _constants(width)
    network.cls_token[..., :] = _constants(width)
    last = network.blocks[-1].attn
    last.qkv.weight[2 * width, 0] = 1
    last.proj.weight[0, 0] = 1


def _constants(count: int) -> Tensor:
    """0 for the first channel, then 1 and −1 in turn, as many of each."""
    values = torch.zeros(count)
    values[1 : count - 1] = torch.tensor([1.0, -1.0]).repeat(count)[: count - 2]
    return values
