"""Building a network whose weights are about to be replaced, without drawing random ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import init
from torch.overrides import TorchFunctionMode

#: Functions that draw random numbers in place, and those by which initialisers go on with them.
DRAWING = (Tensor.normal_, Tensor.uniform_, init.normal_, init.uniform_, init.kaiming_uniform_)
SCALING = (Tensor.erfinv_, Tensor.mul_, Tensor.add_, Tensor.clamp_)


class Undrawn(TorchFunctionMode):
    """Zeros in place of random weights that others are about to replace: drawing 100 million numbers takes seconds.

    Nothing is computed of tensors that have no data (`meta`); there each of these functions is a hundred of Python's.
    """

    def __torch_function__(self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None) -> object:
        kwargs = kwargs or {}
        if func in DRAWING or func in SCALING:
            tensor = args[0] if args else kwargs["tensor"]
            if tensor.is_meta or (func in SCALING and isinstance(tensor, nn.Parameter)):
                return tensor
            if func in DRAWING:
                with torch.no_grad():
                    return tensor.zero_()
        return func(*args, **kwargs)
