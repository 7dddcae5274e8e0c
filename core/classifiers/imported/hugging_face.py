"""ViT and Swin as Hugging Face's transformers save them: a config beside weights whose names are theirs.

The architecture is what `config.json` says, and its name in `model.json` has what departs from transformers' defaults:
`huggingface:vit?hidden_size=192&num_attention_heads=3`. The network is timm's of that shape, whose names the weights
then get; nothing of transformers is needed or run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.classifiers.imported.spec import InputOutputSpec
from core.data.readers.labels import GENDER_WORDS
from core.errors import LookwhereError
from core.json_record import read_object
from core.task import GENDERS

if TYPE_CHECKING:
    from torch import Tensor, nn

LIBRARY = "huggingface"
CONFIG, INPUT = "config.json", "preprocessor_config.json"
#: Files of weights in a folder, the one taken first; pickles are read as data.
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
#: What of a config makes the network, with transformers' defaults. `image_size` is the declared size's.
OPTIONS: dict[str, dict[str, object]] = {
    "vit": {
        "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
        "patch_size": 16, "layer_norm_eps": 1e-12, "qkv_bias": True, "hidden_act": "gelu",
    },
    "swin": {
        "embed_dim": 96, "depths": (2, 2, 6, 2), "num_heads": (3, 6, 12, 24), "window_size": 7, "mlp_ratio": 4.0,
        "patch_size": 4, "layer_norm_eps": 1e-5, "qkv_bias": True,
    },
}  # fmt: skip
#: transformers' names of activations, and timm's.
ACTIVATIONS = {
    "gelu": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "quick_gelu": "quick_gelu",
    "relu": "relu", "silu": "silu",
}  # fmt: skip
#: No number of a config may be larger: a network of that size would then be built.
LARGEST = 65_536
#: Pillow's numbers of ways to resize, as an image processor stores them.
RESAMPLE = {1: "pillow-lanczos", 2: "pillow-bilinear", 3: "pillow-bicubic"}
_ATTENTION = re.compile(r"(.*?\.attention)\.(?:(?:attention|self)\.)?(query|key|value|[qkv]_proj)\.(weight|bias)$")
_PART = {"query": "q", "key": "k", "value": "v", "q_proj": "q", "k_proj": "k", "v_proj": "v"}
#: Their names, and timm's: of both what transformers 4 and 5 write.
_NAMES = (
    (r"^(?:vit|swin)\.", ""),
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^embeddings\.norm\.", "patch_embed.norm."),
    (r"^encoder\.layers?\.(\d+)\.(?=attention|layernorm|intermediate|output|mlp)", r"blocks.\1."),
    (r"^layers\.(\d+)\.(?=attention|layernorm|mlp)", r"blocks.\1."),
    (r"^encoder\.layers\.", "layers."),
    (r"\.attention\.qkv\.", ".attn.qkv."),
    (r"\.attention\.(?:output\.dense|o_proj)\.", ".attn.proj."),
    (r"\.attention\.(?:self|relative_position_bias)\.relative_position", ".attn.relative_position"),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
    (r"^layernorm\.", "norm."),
)


@dataclass(frozen=True)
class Found:
    """A model of Hugging Face's on disk: its file of weights, and the content of its `config.json`."""

    weights: Path
    config: dict

    @property
    def architecture(self) -> str:
        """Its name, as `model.json` keeps it. Raises `LookwhereError` for a network that is not read."""
        return architecture_of(self.config, self.weights.parent / CONFIG)


def find(source: Path) -> Found | None:
    """The model of a folder, or of a file of weights in one, where a `config.json` of transformers lies beside it.

    Raises `LookwhereError` where the folder is one, and its weights are not whole.
    """
    folder = source if source.is_dir() else source.parent
    config = _read(folder / CONFIG)
    if config is None or "model_type" not in config or not (source.is_dir() or source.name in WEIGHTS):
        return None
    if source.is_file():
        return Found(source, config)
    weights = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if weights is None:
        parts = sorted(path.name for path in folder.glob("*.index.json"))
        why = f"its weights are in several files ({parts[0]})" if parts else f"no {' or '.join(WEIGHTS)} in it"
        raise LookwhereError(
            f"{folder}: {why}; save it in one file: model.save_pretrained(«folder», max_shard_size='50GB')"
        )
    return Found(weights, config)


def _read(file: Path) -> dict | None:
    try:
        return read_object(file)
    except (OSError, ValueError):  # of no model of theirs, then
        return None


def architecture_of(config: dict, file: Path) -> str:
    """`huggingface:vit?patch_size=8` of a config. Raises `LookwhereError` naming the file and what is not read."""
    kind = config["model_type"]
    if not isinstance(kind, str) or kind not in OPTIONS:
        raise LookwhereError(
            f"{file}: model_type {kind}: of Hugging Face's models vit and swin are read; export it to ONNX: "
            f"optimum-cli export onnx --model {file.parent} --task image-classification onnx"
        )
    if config.get("use_absolute_embeddings"):
        raise LookwhereError(f"{file}: a Swin with absolute position embeddings is not read; export it to ONNX")
    if kind == "swin" and config.get("hidden_act", "gelu") != "gelu":
        raise LookwhereError(f"{file}: a Swin with hidden_act {config['hidden_act']} is not read; export it to ONNX")
    options = {key: _value(config[key]) for key, default in OPTIONS[kind].items() if _differs(config.get(key), default)}
    name = f"{LIBRARY}:{kind}" + ("?" + "&".join(f"{key}={value}" for key, value in options.items()) if options else "")
    options_of(name)
    return name


def _differs(value: object, default: object) -> bool:
    return value is not None and (tuple(value) if isinstance(value, list) else value) != default


def _value(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def options_of(architecture: str) -> tuple[str, dict]:
    """Kind and options of a name that `architecture_of` made. Raises `LookwhereError` for what it would not make."""
    kind, _, rest = architecture.partition(":")[2].partition("?")
    if kind not in OPTIONS:
        raise LookwhereError(f"architecture {architecture!r}: of Hugging Face's there are {', '.join(OPTIONS)}")
    options = dict(OPTIONS[kind])
    for part in filter(None, rest.split("&")):
        key, _, text = part.partition("=")
        if key not in options:
            raise LookwhereError(f"architecture {architecture!r}: {kind} has no {key}")
        try:
            options[key] = _parsed(text, options[key])
        except ValueError as error:
            raise LookwhereError(f"architecture {architecture!r}: {key} cannot be {text!r}") from error
    if kind == "swin" and len(options["depths"]) != len(options["num_heads"]):
        raise LookwhereError(f"architecture {architecture!r}: as many depths as num_heads are needed")
    return kind, options


def _parsed(text: str, default: object) -> object:
    if isinstance(default, str):
        if text not in ACTIVATIONS:
            raise ValueError(text)
        return text
    if isinstance(default, bool):
        return {"True": True, "False": False}[text] if text in ("True", "False") else _refuse(text)
    if isinstance(default, tuple):
        return tuple(_parsed(part, 1) for part in text.split(","))
    number = type(default)(text)
    return number if 0 < number <= LARGEST else _refuse(text)


def _refuse(text: str) -> object:
    raise ValueError(text)


def build(model: str, spec: InputOutputSpec, classes: int) -> nn.Module:
    """timm's network of this shape, with no weights yet; a `ValueError` says what of the declaration it cannot have."""
    from timm.layers.create_act import get_act_layer
    from timm.models.swin_transformer import SwinTransformer
    from timm.models.vision_transformer import VisionTransformer
    from torch import nn

    kind, options = options_of(f"{LIBRARY}:{model}")
    if spec.pooling is not None or spec.activation is not None:
        raise ValueError("its config says how it pools and which activation it has; leave both out")
    common = {
        "img_size": tuple(spec.size), "patch_size": options["patch_size"], "in_chans": spec.depth,
        "num_classes": classes, "qkv_bias": options["qkv_bias"],
    }  # fmt: skip
    if kind == "vit":
        network: nn.Module = VisionTransformer(
            **common,
            embed_dim=options["hidden_size"],
            depth=options["num_hidden_layers"],
            num_heads=options["num_attention_heads"],
            mlp_ratio=options["intermediate_size"] / options["hidden_size"],
            act_layer=get_act_layer(ACTIVATIONS[options["hidden_act"]]),
        )
    else:
        names = ("embed_dim", "depths", "num_heads", "window_size", "mlp_ratio")
        network = SwinTransformer(**common, **{name: options[name] for name in names})
    for name, module in network.named_modules():
        if isinstance(module, nn.LayerNorm):  # the config's is of blocks and the last one
            module.eps = 1e-5 if "downsample" in name or "patch_embed" in name else options["layer_norm_eps"]
    return network


def converted(state: dict[str, Tensor], architecture: str) -> dict[str, Tensor]:
    """Weights under timm's names: queries, keys and values joined, Swin's merging put before its next stage.

    What has no place there keeps its name, and is told as unexpected when the network is filled. A pooler goes: a
    classifier of these has none.
    """
    import torch

    kind, _ = options_of(architecture)
    tensors: dict[str, Tensor] = {}
    threes: dict[tuple[str, str], dict[str, Tensor]] = {}
    for name, tensor in state.items():
        hit = _ATTENTION.match(name)
        if hit:
            threes.setdefault((hit[1], hit[3]), {})[_PART[hit[2]]] = tensor
        elif not re.match(r"^(vit\.)?pooler\.", name):
            tensors[name] = tensor
    for (place, what), three in threes.items():
        if set(three) == {"q", "k", "v"}:
            tensors[f"{place}.qkv.{what}"] = torch.cat([three[part] for part in "qkv"])
        else:  # one lacks: it is told so
            tensors |= {f"{place}.{part}.{what}": tensor for part, tensor in three.items()}
    return {_renamed(name, kind): tensor for name, tensor in tensors.items()}


def _renamed(name: str, kind: str) -> str:
    if name.startswith("classifier."):
        return name.replace("classifier.", "head." if kind == "vit" else "head.fc.", 1)
    for pattern, new in _NAMES:
        if kind == "swin" and new == r"blocks.\1.":
            continue
        name = re.sub(pattern, new, name)
    return re.sub(r"^layers\.(\d+)\.downsample\.", lambda hit: f"layers.{int(hit[1]) + 1}.downsample.", name)


def declared_beside(source: Path) -> dict:
    """What of a declaration the files beside the weights say: size, mean, std, how to resize, which output is whose.

    Only what they say outright: an output is a class's where exactly one label of `id2label` is a word for it. Raises
    `LookwhereError` for a network that is not read.
    """
    repository = find(source)
    if repository is None:
        return {}
    architecture_of(
        repository.config, repository.weights.parent / CONFIG
    )  # what is not read is told before what is not declared
    declared: dict = {}
    if any("ForImageClassification" in str(name) for name in repository.config.get("architectures") or ()):
        declared["score"] = "logits"
    size = repository.config.get("image_size")
    if isinstance(size, int):
        declared["size"] = (size, size)
    for gender in GENDERS:
        labels = repository.config.get("id2label") or {}
        words = (str(label).strip().lower() for label in labels.values()) if isinstance(labels, dict) else ()
        hits = [key for key, word in zip(labels, words, strict=False) if GENDER_WORDS.get(word) == gender]
        if len(hits) == 1 and str(hits[0]).isdigit():
            declared[gender] = int(hits[0])
    return declared | _input(_read(repository.weights.parent / INPUT) or {})


def _input(processor: dict) -> dict:
    """Mean, std and resize of an image processor that divides pixels by 255; nothing of one that does not say so."""
    declared: dict = {}
    factor = processor.get("rescale_factor", 1 / 255)
    by_255 = isinstance(factor, int | float) and abs(factor - 1 / 255) < 1e-6
    if processor.get("do_rescale", True) and by_255:
        if processor.get("do_normalize") is False:
            declared |= {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
        elif isinstance(processor.get("image_mean"), list) and isinstance(processor.get("image_std"), list):
            declared |= {"mean": tuple(processor["image_mean"]), "std": tuple(processor["image_std"])}
    resample = processor.get("resample")
    if isinstance(resample, int) and resample in RESAMPLE:
        declared["resize"] = RESAMPLE[resample]
    return declared
