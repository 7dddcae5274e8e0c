"""The classifiers of torchvision and timm by name, and whether weights of others fit one. Nothing is fetched."""

from __future__ import annotations

import difflib
import os
import re
import warnings
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from importlib.metadata import version
from types import ModuleType

import torch
import torchvision.models
from torch import Tensor, nn

from core.classifiers.imported import hugging_face
from core.classifiers.imported.assumed import pool_by_maximum, set_eps
from core.classifiers.imported.spec import InputOutputSpec
from core.classifiers.imported.undrawn import Undrawn
from core.errors import LookwhereError

LIBRARIES = ("torchvision", "timm")
#: A parameter's shape, with None where it depends on the number of classes.
Plan = dict[str, tuple[int | None, ...]]
#: Those of one network.
Shapes = dict[str, tuple[int, ...]]
#: Names of tensors that older versions of the libraries stored, and that are computed from the architecture alone.
#: ImageNet-21k's classifiers have 21,841.
MOST_OUTPUTS = 100_000
DERIVED = ("num_batches_tracked", "relative_position_index", "attn_mask", "relative_coords_table")
#: Architectures that are tried for weights that do not fit the one named: of its family, and of the nearest names.
TRIED = (16, 12)
PROBES = (7, 11)


def library(name: str) -> str:
    """The library with its version, `torchvision 0.29.1`; what Hugging Face's are built with is timm."""
    name = "timm" if name == hugging_face.LIBRARY else name
    return f"{name} {version(name)}"


def names() -> list[str]:
    """Every architecture that can be imported, `torchvision:…` and `timm:…`."""
    models = {"torchvision": torchvision.models.list_models(module=torchvision.models), "timm": _timm().list_models()}
    return [f"{name}:{model}" for name in LIBRARIES for model in models[name]]


def near(architecture: str, count: int = 3) -> list[str]:
    """The known architectures whose names are most like this one's, in both libraries."""
    asked_name = architecture.rpartition(":")[2].lower()
    like = [(difflib.SequenceMatcher(None, asked_name, name.partition(":")[2]).ratio(), name) for name in names()]
    # Equally like names keep the order of the libraries, the named one first.
    mine = architecture.partition(":")[0]
    return [name for _, name in sorted(like, key=lambda x: (-x[0], not x[1].startswith(mine), x[1]))[:count]]


def parse(architecture: str) -> tuple[str, str]:
    """`timm:convnext_tiny` → its library and name. Raises `LookwhereError` for one that neither library has."""
    name, _, model = architecture.partition(":")
    if name == hugging_face.LIBRARY:
        hugging_face.options_of(architecture)
        return name, model
    if name in LIBRARIES and model:
        exists = _timm().is_model(model) if name == "timm" else f"torchvision:{model}" in names()
        if exists:
            return name, model
    raise LookwhereError(
        f"architecture {architecture!r} unknown to {library('torchvision')} and {library('timm')}; "
        f"near it are {', '.join(near(architecture))}"
    )


def build(architecture: str, spec: InputOutputSpec, classes: int, auxiliary: bool = True) -> nn.Module:
    """The network with no weights yet and `classes` outputs, for the declared input; torch's seed is left as it was.

    `auxiliary` keeps the training heads of GoogLeNet and Inception. Raises `LookwhereError` where the architecture
    cannot take the declared size.
    """
    name, model = parse(architecture)
    make = {"timm": _build_timm, hugging_face.LIBRARY: _build_hugging_face}.get(name, _build_torchvision)
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings(), Undrawn():
            warnings.simplefilter("ignore")
            network = make(model, spec, classes, auxiliary).eval()
            if spec.bn_eps is not None:
                set_eps(network, architecture, spec.bn_eps)
            return network
    except (AssertionError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, NotImplementedError):  # a computation that PyTorch has not without data
            raise
        height, width = spec.size
        options = [f"{name} {getattr(spec, name)}" for name in ("pooling", "activation") if getattr(spec, name)]
        raise LookwhereError(
            f"{architecture} cannot be made for images of {height}×{width}{''.join(options)} "
            f"({_first_line(error)}); declare what it was trained with"
        ) from error


def _build_timm(model: str, spec: InputOutputSpec, classes: int, auxiliary: bool) -> nn.Module:
    options = {"pretrained": False, "num_classes": classes, "in_chans": spec.depth}
    if spec.pooling is not None:
        options["global_pool"] = spec.pooling
    if spec.activation is not None:
        options["act_layer"] = spec.activation
    try:
        return _timm().create_model(model, **options, img_size=tuple(spec.size))
    except TypeError as error:
        if "img_size" not in str(error):
            raise
        return _timm().create_model(model, **options)


def _build_hugging_face(model: str, spec: InputOutputSpec, classes: int, auxiliary: bool) -> nn.Module:
    return hugging_face.build(model, spec, classes)


def _build_torchvision(model: str, spec: InputOutputSpec, classes: int, auxiliary: bool) -> nn.Module:
    height, width = spec.size
    options: dict = {}
    if model.startswith("vit_"):
        if height != width:
            raise ValueError("it takes square images only")
        options["image_size"] = height
    elif model.startswith("maxvit"):
        options["input_size"] = (height, width)
    elif model in ("googlenet", "inception_v3"):
        options |= {"aux_logits": auxiliary, "init_weights": False}
    if spec.activation is not None:
        raise ValueError("torchvision has one activation for each; export such a model to ONNX")
    network = torchvision.models.get_model(model, weights=None, num_classes=classes, **options)
    if spec.pooling not in (None, "avg"):
        pool_by_maximum(network, spec.pooling)
    if spec.depth == 1:
        _one_channel(network)
    return network


def _one_channel(network: nn.Module) -> None:
    """Exchange the first convolution for one of grey images; timm has an option for it."""
    path, first = next((name, m) for name, m in network.named_modules() if isinstance(m, nn.Conv2d))
    grey = nn.Conv2d(1, first.out_channels, first.kernel_size, first.stride, first.padding, bias=first.bias is not None)
    parent, _, name = path.rpartition(".")
    network.get_submodule(parent).register_module(name, grey)


def plan(architecture: str, spec: InputOutputSpec, auxiliary: bool = True) -> Plan:
    """Names and shapes of the architecture's tensors."""
    shapes = []
    for classes in PROBES:
        try:
            shapes.append(_shapes(architecture, spec, classes, auxiliary))
        except NotImplementedError:
            shapes.append(_shapes(architecture, spec, classes, auxiliary, "cpu"))
    return _joined(*shapes)


def _shapes(architecture: str, spec: InputOutputSpec, classes: int, auxiliary: bool, device: str = "meta") -> Shapes:
    """Those with so many classes. Raises `NotImplementedError` where `meta` does not do to build it."""
    with torch.device(device):
        network = build(architecture, spec, classes, auxiliary)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def _joined(first: Shapes, second: Shapes) -> Plan:
    return {key: tuple(a if a == b else None for a, b in zip(first[key], second[key], strict=True)) for key in first}


@dataclass
class Comparison:
    """Weights held against a plan: `state` by the plan's names, what was done for that, and what does not fit.

    `prefix` is what a wrapper had put before the names, and was taken off.
    """

    state: dict[str, Tensor]
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    reshaped: list[str] = field(default_factory=list)
    outputs: int | None = None
    prefix: str = ""

    @property
    def fits(self) -> bool:
        """Whether every tensor has its place and its shape."""
        return not (self.missing or self.unexpected or self.reshaped)


def compare(state: dict[str, Tensor], plan: Plan) -> Comparison:
    """Find the plan's tensors in a state dict: prefixes of wrappers go, a head of another name is found.

    What is computed from the architecture alone may lack or be there. All of it is told in `notes`, but for batch
    norm's counters, which nothing uses.
    """
    state, notes = _without_prefix(state, plan)
    prefix = "".join(notes)
    derived = [name for name in state if name not in plan and name.endswith(DERIVED)]
    for name in derived:
        del state[name]
    notes += [f"{n} {name} left out: the architecture gives it" for name, n in _last_parts(derived).items()]
    state = {name: torch.zeros((), dtype=torch.int64) for name in plan if name.endswith("num_batches_tracked")} | state
    state = _with_head(state, plan, notes)
    comparison = Comparison(
        state,
        notes,
        [name for name in plan if name not in state],
        [name for name in state if name not in plan],
        prefix=prefix,
    )
    outputs: Counter[int] = Counter()
    # A tensor may claim any size at no cost of bytes (stride 0); a network of that size is then built.
    for name, shape in plan.items():
        if name not in state:
            continue
        own_shape = tuple(state[name].shape)
        if len(own_shape) == len(shape) and all(b in (a, None) for a, b in zip(own_shape, shape, strict=True)):
            outputs.update(a for a, b in zip(own_shape, shape, strict=True) if b is None)
            if max(outputs, default=0) > MOST_OUTPUTS:
                raise LookwhereError(
                    f"{name} has {max(outputs):,} outputs, {MOST_OUTPUTS:,} are the most; is this a classifier?"
                )
        else:
            expected = "×".join("outputs" if n is None else str(n) for n in shape)
            comparison.reshaped.append(
                f"{name} {'×'.join(map(str, own_shape)) or 'one number'}, not {expected or 'one number'}"
            )
    if len(outputs) > 1:
        comparison.reshaped.append(f"heads of {', '.join(map(str, sorted(outputs)))} outputs")
    elif outputs:
        comparison.outputs = next(iter(outputs))
    return comparison


def _last_parts(names: list[str]) -> Counter[str]:
    return Counter(name.rpartition(".")[2] for name in names)


def _without_prefix(state: dict[str, Tensor], plan: Plan) -> tuple[dict[str, Tensor], list[str]]:
    """Without the first parts of names that a wrapper added, if then some are the plan's."""
    stripped, notes = dict(state), []
    while not stripped.keys() & plan.keys():
        firsts = Counter(name.partition(".")[0] for name in stripped if "." in name)
        if not firsts or firsts.most_common(1)[0][1] <= len(stripped) / 2:
            return dict(state), []
        prefix = firsts.most_common(1)[0][0] + "."
        stripped = {name.removeprefix(prefix): tensor for name, tensor in stripped.items()}
        notes.append(prefix)
    return stripped, notes


def _with_head(state: dict[str, Tensor], plan: Plan, notes: list[str]) -> dict[str, Tensor]:
    """A head of one linear layer may lie elsewhere in the classifier: `fc.1` for `fc`, with a dropout as `fc.0`."""
    missing = [name for name in plan if name not in state]
    strange = [name for name in state if name not in plan]
    for tensor_names in (missing, strange):
        parents = {name.rpartition(".")[0] for name in tensor_names}
        if len(parents) != 1 or {name.rpartition(".")[2] for name in tensor_names} != {"weight", "bias"}:
            return state
    mine, theirs = missing[0].rpartition(".")[0], strange[0].rpartition(".")[0]
    weight = plan[f"{mine}.weight"]
    if len(weight) != 2 or weight[0] is not None or mine.partition(".")[0] != theirs.partition(".")[0]:
        return state
    notes.append(f"head {theirs} for {mine} (what else was in it is taken to be dropout)")
    return {f"{mine}.{name.rpartition('.')[2]}" if name in strange else name: tensor for name, tensor in state.items()}


def _family(architecture: str) -> str:
    """`resnet` of `timm:resnet18d`."""
    return re.split(r"[\d_.]", architecture.rpartition(":")[2], maxsplit=1)[0]


def others_that_fit(state: dict[str, Tensor], architecture: str, spec: InputOutputSpec) -> list[str]:
    """Which of the architectures with similar names these weights fit."""
    fitting = []
    family = [name for name in names() if _family(name) == _family(architecture)][: TRIED[0]]
    for name in dict.fromkeys([*family, *near(architecture, TRIED[1])]):
        try:
            first = _shapes(name, spec, PROBES[0], _auxiliary(state))
            if not _may_fit(state, first):
                continue
            shapes = _joined(first, _shapes(name, spec, PROBES[1], _auxiliary(state)))
        except (LookwhereError, NotImplementedError):  # what takes building it is not tried
            continue
        if compare(state, shapes).fits:
            fitting.append(name)
    return fitting


def _may_fit(state: dict[str, Tensor], shapes: Shapes) -> bool:
    """Whether a network's tensors, of so many classes as the first probe, have their places: but for a head of another
    name, all names, and all shapes in which no number of classes can be."""
    given, _ = _without_prefix(state, dict(shapes))
    missing = [name for name in shapes if name not in given and not name.endswith("num_batches_tracked")]
    return len(missing) <= 2 and all(
        PROBES[0] in shape or name not in given or tuple(given[name].shape) == shape for name, shape in shapes.items()
    )


def fill(network: nn.Module, state: dict[str, Tensor]) -> None:
    """Put weights into a network. Raises `RuntimeError` where they are not its own.

    A file of plain tensors does not keep the versions of modules that a state dict has, which some networks (MNASNet)
    ask for; keys and shapes were compared with the present version's, so these are told.
    """
    versioned = OrderedDict(state)
    versioned._metadata = network.state_dict()._metadata
    network.load_state_dict(versioned)


def fit(state: dict[str, Tensor], architecture: str, spec: InputOutputSpec) -> tuple[nn.Module, Comparison, Plan]:
    """The network with these weights in it, all of them and no other, in eval mode and float32.

    Raises `LookwhereError` counting the tensors that lack, are too many, or have another shape.
    """
    parse(architecture)
    auxiliary = _auxiliary(state)
    shapes = plan(architecture, spec, auxiliary)
    comparison = compare(state, shapes)
    if not comparison.fits:
        raise LookwhereError(_misfit(state, comparison, architecture, spec))
    network = build_for(comparison.state, architecture, spec, comparison.outputs)
    fill(network, comparison.state)
    return network.requires_grad_(False), comparison, shapes


def build_for(state: dict[str, Tensor], architecture: str, spec: InputOutputSpec, classes: int) -> nn.Module:
    """`build`, with training heads where the weights have them."""
    return build(architecture, spec, classes, _auxiliary(state))


def _auxiliary(state: dict[str, Tensor]) -> bool:
    return any("AuxLogits." in name or "aux1." in name for name in state)


def _misfit(state: dict[str, Tensor], comparison: Comparison, architecture: str, spec: InputOutputSpec) -> str:
    parts = [
        f"{len(tensors)} {word} ({'; '.join(tensors[:2])}{', …' if len(tensors) > 2 else ''})"
        for word, tensors in (
            ("missing", comparison.missing),
            ("unexpected", comparison.unexpected),
            ("of another shape", comparison.reshaped),
        )
        if tensors
    ]
    text = f"these {len(state)} tensors are no {architecture}: " + ", ".join(parts)
    if (
        comparison.reshaped
        and not comparison.missing
        and not comparison.unexpected
        and all("pos" in x for x in comparison.reshaped)
    ):
        height, width = spec.size
        return f"{text}; they were trained at another size than {height}×{width}: declare that one"
    prefix = comparison.prefix
    foreign = [name for name in state if not name.startswith(prefix) and not name.endswith(DERIVED)]
    heads = sorted({name.rpartition(".")[0] for name in foreign})
    if prefix and foreign and comparison.missing:
        own = comparison.missing[0].rpartition(".")[0] or comparison.missing[0]
        return (
            f"{text}; the network under «{prefix}» has no head of its own, {', '.join(heads[:3])} "
            f"{'lie' if heads[1:] else 'lies'} beside it: save one state dict with the head for gender as {own}, or "
            "export the whole model to ONNX"
        )
    if foreign and comparison.unexpected:
        foreign_names = f"{', '.join(foreign[:3])}{', …' if foreign[3:] else ''}"
        return (
            f"{text}; {foreign_names} {'lie' if foreign[1:] else 'lies'} beside the network, which is under "
            f"«{prefix}»: save that alone, torch.save(model.{prefix}state_dict(), «weights.pt»)"
        )
    fitting = others_that_fit(state, architecture, spec)
    if fitting:
        return f"{text}; they fit {' and '.join(fitting[:3])}"
    return f"{text}; name the architecture that they were trained as, or export the model to ONNX"


def _timm() -> ModuleType:
    # timm's models of a hub's names are never asked for (`parse`), and this keeps its hub client still as well.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import timm

    return timm


def _first_line(error: object) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
