"""ViT and Swin as transformers saves them, against the logits that transformers itself gave of the same weights."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from core.classifiers.folder import load_model
from core.classifiers.imported import architectures, hugging_face, import_model
from core.classifiers.imported.spec import declare
from core.classifiers.imported.state_dicts import read_weights
from core.commands.importing import import_
from core.errors import LookwhereError
from tests.helpers.torch_made import pictures

LABELS = {"id2label": {"0": "Male", "1": "Female"}, "label2id": {"Male": 0, "Female": 1}}
CONFIGS = {
    "vit": {
        "architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": 24, "num_hidden_layers": 2,
        "num_attention_heads": 3, "intermediate_size": 40, "image_size": 32, "patch_size": 8, "layer_norm_eps": 1e-6,
        "hidden_act": "gelu_new", "qkv_bias": True, **LABELS,
    },
    "swin": {
        "architectures": ["SwinForImageClassification"], "model_type": "swin", "image_size": 56, "patch_size": 2,
        "embed_dim": 12, "depths": [2, 2], "num_heads": [2, 4], "window_size": 7, "mlp_ratio": 4.0,
        "layer_norm_eps": 1e-3, "hidden_act": "gelu", "use_absolute_embeddings": False, **LABELS,
    },
}  # fmt: skip
#: Printed by transformers 5.24.0's `from_pretrained` of the folders made below, for noise of seed 7.
LOGITS = {
    "vit": [[1.51630, -1.16542], [1.08430, -0.99627], [0.52822, -2.15565]],
    "swin": [[-0.19076, -0.38272], [-0.17727, -0.37268], [-0.17482, -0.40281]],
}


def weighed(name: str, *shape: int) -> Tensor:
    """Weights by their name alone, so that transformers and this test have the same."""
    draw = np.random.default_rng(zlib.crc32(name.encode()))
    tensor = torch.from_numpy(draw.normal(0, 0.2, shape).astype(np.float32))
    return tensor + (1 if "norm" in name and name.endswith("weight") else 0)


def block(prefix: str, width: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a block, but for what of its attention ViT and Swin name otherwise."""
    places = {"layernorm_before": (width,), "layernorm_after": (width,), "attention.output.dense": (width, width)}
    places |= {"intermediate.dense": (hidden, width), "output.dense": (width, hidden)}
    inner = "attention.attention" if prefix.startswith("vit") else "attention.self"
    places |= {f"{inner}.{part}": (width, width) for part in ("query", "key", "value")}
    shapes = {f"{prefix}.{place}.weight": shape for place, shape in places.items()}
    return shapes | {f"{prefix}.{place}.bias": shape[:1] for place, shape in places.items()}


def state(kind: str) -> dict[str, Tensor]:
    """A state dict under transformers' names."""
    if kind == "vit":
        shapes: dict[str, tuple[int, ...]] = {
            "vit.embeddings.cls_token": (1, 1, 24),
            "vit.embeddings.position_embeddings": (1, 17, 24),
            "vit.embeddings.patch_embeddings.projection.weight": (24, 3, 8, 8),
        }
        for n in range(2):
            shapes |= block(f"vit.encoder.layer.{n}", 24, 40)
    else:
        shapes = {"swin.embeddings.patch_embeddings.projection.weight": (12, 3, 2, 2)}
        shapes |= {f"swin.embeddings.norm.{what}": (12,) for what in ("weight", "bias")}
        shapes["swin.encoder.layers.0.downsample.reduction.weight"] = (24, 48)
        shapes |= {f"swin.encoder.layers.0.downsample.norm.{what}": (48,) for what in ("weight", "bias")}
        for stage, width in enumerate((12, 24)):
            for n in range(2):
                prefix = f"swin.encoder.layers.{stage}.blocks.{n}"
                shapes |= block(prefix, width, 4 * width)
                shapes[f"{prefix}.attention.self.relative_position_bias_table"] = (169, 2 + 2 * stage)
    projection = next(name for name in shapes if name.endswith("projection.weight"))
    shapes[projection.replace("weight", "bias")] = shapes[projection][:1]
    shapes |= {f"{kind}.layernorm.{what}": (24,) for what in ("weight", "bias")}
    shapes |= {"classifier.weight": (2, 24), "classifier.bias": (2,)}
    return {name: weighed(name, *shape) for name, shape in shapes.items()}


def saved(kind: str, folder: Path, file: str = "model.safetensors", **changes: object) -> Path:
    """The folder that `save_pretrained` writes, `changes` in its config; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIGS[kind] | changes))
    processor = {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "resample": 3}
    processor |= {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.6, 0.7]}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    if file.endswith(".bin"):
        torch.save(state(kind), folder / file)
    else:
        save_file(state(kind), folder / file)
    return folder


@pytest.mark.parametrize(("kind", "file"), [("vit", "pytorch_model.bin"), ("swin", "model.safetensors")])
def test_logits_are_those_of_transformers(kind: str, file: str, tmp_path: Path) -> None:
    checkpoint = hugging_face.find(saved(kind, tmp_path, file))
    declared = declare(None, hugging_face.declared_beside(tmp_path))
    weights, _ = read_weights(checkpoint.weights)
    network, _, _ = architectures.fit(
        hugging_face.converted(weights, checkpoint.architecture), checkpoint.architecture, declared
    )
    size = CONFIGS[kind]["image_size"]
    noise = np.random.default_rng(7).normal(0, 1, (3, 3, size, size)).astype(np.float32)
    with torch.no_grad():
        np.testing.assert_allclose(network(torch.from_numpy(noise)).numpy(), LOGITS[kind], atol=2e-5)


@pytest.mark.parametrize(
    ("kind", "maps"), [("vit", "GradCAM of 4×4, which do not add up"), ("swin", "closed form, add up")]
)
def test_a_folder_is_imported_with_what_its_files_say(
    kind: str, maps: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    report = import_(saved(kind, tmp_path / "theirs"), "theirs", mean=(0.1, 0.2, 0.3), models=tmp_path / "models")
    assert f"models/theirs: huggingface:{kind}?" in report
    assert "read from its own files: female 1, male 0, resize pillow-bicubic, score logits, size" in report
    model = load_model(tmp_path / "models/theirs")
    declared = model.classify.spec
    assert (declared.mean, declared.std, declared.female) == ((0.1, 0.2, 0.3), (0.5, 0.6, 0.7), 1), "flags win"
    card = (model.path / "CARD.md").read_text()
    assert "(the model's own files)" in card and "timm " in card
    logits, evidence = model.classify(pictures())
    method, adds = model.info.maps.method, model.info.maps.additive
    assert adds == maps.endswith(", add up") and maps.startswith(method)
    if adds:
        total = evidence.mean((2, 3)) + model.classify.head_bias
        np.testing.assert_allclose(total, logits, atol=1e-4)
    assert model.explained_by("occlusion").classify(pictures(1))[1].shape == (1, 2, 7, 7)


def test_weights_saved_from_memory_by_transformers_5_have_other_names(tmp_path: Path) -> None:
    here = {
        ".attention.attention.query": ".attention.q_proj", ".attention.attention.key": ".attention.k_proj",
        ".attention.attention.value": ".attention.v_proj", ".attention.output.dense": ".attention.o_proj",
        ".intermediate.dense": ".mlp.fc1", "vit.encoder.layer.": "vit.layers.",
    }  # fmt: skip
    renamed = {}
    for name, tensor in state("vit").items():
        for old, new in here.items():
            name = name.replace(old, new)
        renamed[name.replace(".output.dense", ".mlp.fc2")] = tensor
    name = hugging_face.architecture_of(CONFIGS["vit"], tmp_path)
    expected, converted = (hugging_face.converted(weights, name) for weights in (state("vit"), renamed))
    assert expected.keys() == converted.keys() and all(torch.equal(expected[key], converted[key]) for key in expected)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"model_type": "convnext"},
            "model_type convnext: of Hugging Face's models vit and swin are read.*optimum-cli",
        ),
        ({"patch_size": 0}, "patch_size cannot be '0'"),
        ({"hidden_size": 10**9}, "hidden_size cannot be"),
        ({"hidden_act": "snake"}, "hidden_act cannot be 'snake'"),
        ({"num_hidden_layers": 3}, "missing .*blocks.2"),
        ({"num_attention_heads": 5}, "cannot be made"),
        ({"image_size": 64}, "trained at another size than 64×64"),
    ],
)
def test_a_config_that_does_not_do_is_told_in_one_line(changes: dict, words: str, tmp_path: Path) -> None:
    folder = saved("vit", tmp_path / "theirs", **changes)
    size = (changes.get("image_size", 32),) * 2
    flags = {"score": "logits", "female": 1, "male": 0, "size": size, "mean": (0, 0, 0), "std": (1, 1, 1)}
    with pytest.raises(LookwhereError, match=words) as refusal:
        import_model(folder, "x", declare(None, None, **flags), models=tmp_path / "models")
    assert "\n" not in str(refusal.value) and not (tmp_path / "models/x").exists()


@pytest.mark.parametrize("kind", ["deit", ["vit"], None, 7])
def test_a_network_that_is_not_read_is_told_before_what_is_not_declared(kind: object, tmp_path: Path) -> None:
    folder = saved("vit", tmp_path, model_type=kind)
    with pytest.raises(LookwhereError, match="of Hugging Face's models vit and swin are read"):
        hugging_face.declared_beside(folder)


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"rescale_factor": None}, "mean"),
        ({"rescale_factor": "1/255"}, "mean"),
        ({"rescale_factor": 1 / 127.5}, "mean"),
        ({"do_rescale": False}, "mean"),
        ({"resample": [2]}, "resize"),
        ({"resample": "bilinear"}, "resize"),
    ],
)
def test_what_an_image_processor_says_otherwise_is_left_to_be_declared(
    changes: dict, lacks: str, tmp_path: Path
) -> None:
    file = saved("vit", tmp_path) / "preprocessor_config.json"
    assert lacks in hugging_face.declared_beside(tmp_path)
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    assert lacks not in hugging_face.declared_beside(tmp_path)


def test_weights_in_several_files_and_code_in_a_pickle_are_refused(tmp_path: Path) -> None:
    parts = saved("vit", tmp_path / "parts")
    (parts / "model.safetensors").rename(parts / "model-00001-of-00002.safetensors")
    (parts / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(LookwhereError, match=r"in several files \(model.safetensors.index.json\); save it in one"):
        hugging_face.find(parts)

    class Hostile:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "owned"),)

    torch.save({"classifier.weight": Hostile()}, parts / "pytorch_model.bin")
    declared = declare(None, hugging_face.declared_beside(parts))
    with pytest.raises(LookwhereError, match="no code of a file is run"):
        import_model(parts, "x", declared, models=tmp_path / "models")
    assert not (tmp_path / "owned").exists()


def test_labels_that_are_no_genders_leave_the_outputs_to_be_declared(tmp_path: Path) -> None:
    folder = saved("vit", tmp_path, id2label={"0": "LABEL_0", "1": "LABEL_1"})
    beside = hugging_face.declared_beside(folder)
    assert "female" not in beside and "male" not in beside
    with pytest.raises(LookwhereError, match="female, male not declared"):
        declare(None, beside)
