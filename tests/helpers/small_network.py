"""A network of a half or a sixth of the weights, for tests of what happens to a network and not of what it computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from torchvision.models.resnet import Bottleneck, ResNet

from core.classifiers.resnet import GenderResNet
from core.task import GENDERS

#: Blocks a stage, in place of [3, 4, 6, 3]; the last has two, so that dilation reaches a block that is not the first.
BLOCKS = [1, 1, 1, 2]
#: Of 64, where a network is drawn, trained, saved and hashed again and again; maps and head have all their channels.
NARROW = 16


_WHOLE = GenderResNet.__init__


@contextmanager
def small_network(width: int = 64) -> Iterator[None]:
    """While this is open, each `GenderResNet` of this process is small: of fewer blocks, `width` of 64 inside.

    Its files cannot be read by another process, nor after the context has ended: keep them out of `build_once`.
    """

    def small(self: GenderResNet, classes: int = len(GENDERS), dilated: bool = False) -> None:
        ResNet.__init__(self, Bottleneck, BLOCKS, num_classes=classes, zero_init_residual=True, width_per_group=width)
        self.set_dilation(dilated)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GenderResNet, "__init__", small)
        yield


@contextmanager
def whole_network() -> Iterator[None]:
    """Within `small_network`, the ResNet-50 as it is: for the shipped weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GenderResNet, "__init__", _WHOLE)
        yield
