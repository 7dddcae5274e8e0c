"""What every model is to an audit, ours or one that was brought: aligned faces in, logits and evidence maps out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from core.network import GenderResNet

#: How the maps of a ResNet-50 of ours are made: Σ_k W_ck A_k of the last stage, whose mean is the logit less its bias.
CLOSED_FORM = {"method": "closed form", "additive": True, "layer": "layer4"}


class Classifier(Protocol):
    """A model as a function of aligned faces.

    `maps` says how its maps are made: `method`, `additive` (mean(E_c) + b_c is logit_c), `layer` and what else the
    method has; None where it gives none. `head_bias` is b_c of additive maps, `precision` what it computes in.
    """

    maps: dict | None
    head_bias: list[float] | None
    precision: str

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """uint8 (B, 112, 112, 3), RGB, aligned → logits float32 (B, 2), evidence float32 (B, 2, h, w) or None."""
        ...


class ResNetClassifier:
    """A `GenderResNet` with the input that its `model.json` tells; one forward pass gives logits and maps."""

    maps = CLOSED_FORM

    def __init__(self, network: GenderResNet, info: dict) -> None:
        from core.network import precision

        self.network, self.info = network, info
        self.device = next(network.parameters()).device
        self.head_bias = [round(float(b), 7) for b in network.head_bias]
        self.precision = str(precision(self.device)).removeprefix("torch.")

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (B, 112, 112, 3) → logits float32 (B, 2), evidence float32 (B, 2, h, w)."""
        import torch

        from core.network import autocast, normalise

        pixels = normalise(images, self.device, self.info["input_size"], self.info["mean"], self.info["std"])
        with torch.inference_mode(), autocast(self.device):
            logits, evidence = self.network.evidence(pixels)
        return logits.cpu().numpy(), evidence.cpu().numpy()
