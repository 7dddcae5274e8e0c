"""What nobody measures in tests of other things: where cells lie, which is half of an import's time, and decisions in
float32, which takes every face of a small audit through the network again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.audit import run
from core.explain import receptive_fields
from core.explain.layers import Layer


def on_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells lie on the tiles of the image.

    Where they look is measured in `test_receptive_fields`, once for each architecture in `test_torch_classifier`, and
    in audits of `tests/whole` and of the pages.
    """

    def tiles(
        network: nn.Module, layer: Layer, pixels: Tensor, _margin: Callable[[Tensor], Tensor]
    ) -> tuple[np.ndarray, ...]:
        with torch.inference_mode(False), torch.enable_grad():
            face = receptive_fields._Fields(network, layer, pixels[:1].detach().clone().float())
        return tuple((np.arange(count) + 0.5) / count for count in face.maps.shape[2:])

    monkeypatch.setattr(receptive_fields, "cell_centres", tiles)


@contextmanager
def cells_on_tiles() -> Iterator[None]:
    """While this is open, cells lie on tiles."""
    with pytest.MonkeyPatch.context() as patch:
        on_tiles(patch)
        yield


@contextmanager
def decisions_uncounted() -> Iterator[None]:
    """While this is open, no audit counts the decisions that are others in float32: a face is seen once.

    They are counted in `test_float32_check`, and in audits of `tests/whole` and of the pages.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "with_float32_check", lambda audit, *_: audit)
        yield
