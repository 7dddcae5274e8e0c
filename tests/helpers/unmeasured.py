"""Networks whose cells nobody measures, for tests of other things: to measure them is half of an import's time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.explain import receptive_fields
from core.explain.layers import Layer


def on_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells lie on the tiles of the image.

    Where they look is measured in `test_receptive_fields`, once for each architecture in `test_torch_classifier`, and
    in every audit of `tests/whole` and of the pages.
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
