"""What of a network its weights do not tell: how it pools, the eps of its batch norms, its activation, its padding."""

from __future__ import annotations

from collections import Counter

from torch import nn

from core.classifiers.imported.spec import InputOutputSpec
from core.errors import LookwhereError

BATCH_NORMS = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm)
#: Names of activations' classes, in torch and timm.
_RELUS = ("relu", "relu6", "leakyrelu", "prelu", "elu", "celu", "selu", "softplus")
_OTHERS = ("silu", "swish", "gelu", "geltanh", "gelutanh", "quickgelu", "mish", "hardswish", "hardmish")
ACTIVATIONS = frozenset(_RELUS + _OTHERS)


def pool_by_maximum(network: nn.Module, pooling: str | None) -> None:
    """Exchange the last pooling of a torchvision network. Raises `ValueError` where it is no module, or for others."""
    last = getattr(network, "avgpool", None)
    if pooling != "max" or not isinstance(last, nn.AdaptiveAvgPool2d) or last.output_size not in (1, (1, 1)):
        raise ValueError(f"torchvision has no pooling {pooling} for it; export such a model to ONNX")
    network.avgpool = nn.AdaptiveMaxPool2d(1)


def set_eps(network: nn.Module, architecture: str, eps: float) -> None:
    """Give every batch norm this eps. Raises `LookwhereError` where there is none."""
    norms = [module for module in network.modules() if isinstance(module, BATCH_NORMS)]
    if not norms:
        raise LookwhereError(f"bn_eps: {architecture} has no batch norm; leave it out")
    for module in norms:
        module.eps = eps


def assumed(network: nn.Module, spec: InputOutputSpec) -> dict[str, str]:
    """What of a network its weights do not tell and nobody declared, by its name in a declaration or «padding».

    A state dict is the same for a network that pools by the maximum or the mean, with this or that eps, activation and
    padding; other ones would be other networks.
    """
    modules = list(network.modules())
    options: dict[str, str] = {}
    pooling = next((m for m in modules[::-1] if isinstance(getattr(m, "pool_type", None), str)), None)
    pooling_name = getattr(network, "global_pool", None)
    if pooling is not None:
        options["pooling"] = pooling.pool_type or "none"
    elif isinstance(pooling_name, str):
        options["pooling"] = pooling_name or "none"
    elif any(isinstance(m, nn.AdaptiveAvgPool2d) for m in modules):
        options["pooling"] = "avg"
    else:
        options["pooling"] = "as the architecture has it"
    eps = sorted({m.eps for m in modules if isinstance(m, BATCH_NORMS)})
    if eps:
        options["bn_eps"] = " and ".join(f"{value:g}" for value in eps)
    kinds = Counter(type(m).__name__ for m in modules if type(m).__name__.lower() in ACTIVATIONS)
    if kinds:
        options["activation"] = " and ".join(name for name, _ in kinds.most_common())
    if any(isinstance(m, nn.Conv2d) for m in modules):
        options["padding"] = "as the architecture has it"
    return {name: value for name, value in options.items() if getattr(spec, name, None) is None}
