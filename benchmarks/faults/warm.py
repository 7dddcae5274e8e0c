"""What every injected command needs, imported once: the process that forks them imports this module.

The network is small: same stages, fewer blocks, narrow inside. Its files fit no other process.
"""

from __future__ import annotations

import torch
from torchvision.models.resnet import Bottleneck, ResNet

import core.__main__
import core.audit.run
import core.checks.run
import core.classifiers.imported.predictions
import core.data.alignment
import core.data.build_store
import core.present.card
import core.present.report.build
import core.training.loop
import train.__main__
from core.classifiers.resnet import GenderResNet
from core.present.report.reproduction import CodeState
from core.task import GENDERS

#: Imported for what importing them costs.
COMMANDS = (core.__main__, train.__main__)
BLOCKS, NARROW = [1, 1, 1, 1], 4


def _small(self: GenderResNet, classes: int = len(GENDERS), dilated: bool = False) -> None:
    ResNet.__init__(self, Bottleneck, BLOCKS, num_classes=classes, zero_init_residual=True, width_per_group=NARROW)
    self.set_dilation(dilated)


# A report names the code's commit, and whether files differ from it: what another process does in the checkout
# meanwhile is no fault of the report's.
core.present.report.build.code_state = lambda *_: CodeState(None, False, "0" * 64)
# A forked child that finds threads of before the fork waits for them without end.
torch.set_num_threads(1)
GenderResNet.__init__ = _small
