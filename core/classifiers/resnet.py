"""ResNet-50 for two classes, with the evidence maps that add up to its logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models.resnet import Bottleneck, ResNet

from core.task import GENDER


class GenderResNet(ResNet):
    """torchvision's ResNet-50 (He et al. 2016, https://arxiv.org/abs/1512.03385), same names of weights.

    `dilated` exchanges the last stage's stride for dilation: at 112 px the maps are then 7×7 and not 4×4, with every
    weight's shape unchanged.
    """

    def __init__(self, classes: int = len(GENDER.classes), dilated: bool = False) -> None:
        super().__init__(Bottleneck, [3, 4, 6, 3], num_classes=classes, zero_init_residual=True)
        self.set_dilation(dilated)

    def set_dilation(self, dilated: bool) -> None:
        """Switch the last stage between stride 2 and dilation 2, in place; the weights stay."""
        stride = 1 if dilated else 2
        first, *rest = self.layer4
        first.conv2.stride = first.downsample[0].stride = (stride, stride)
        for block in rest:
            block.conv2.dilation = block.conv2.padding = (2, 2) if dilated else (1, 1)
        self.dilated = dilated

    def features(self, pixels: Tensor) -> Tensor:
        """Normalised pixels (N, 3, H, W) → last feature maps A (N, 2048, h, w)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(pixels))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    @property
    def head_bias(self) -> Tensor:
        """b_c (C,), float32: what of the logits does not lie on the maps."""
        return self.fc.bias.float()

    def evidence(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, C) and signed evidence maps E_c = Σ_k W_ck A_k (N, C, h, w), float32, from one forward pass.

        mean(E_c) + b_c is logit_c, and ReLU(E_c) / (h·w) is Grad-CAM (Selvaraju et al. 2017,
        https://arxiv.org/abs/1610.02391) for this kind of head. The head runs in float32 under any autocast, so that
        the sum is exact to rounding.
        """
        maps = self.features(pixels)
        with torch.autocast(maps.device.type, enabled=False):
            evidence = F.conv2d(maps.float(), self.fc.weight.float()[:, :, None, None])
            return evidence.mean(dim=(2, 3)) + self.head_bias, evidence
