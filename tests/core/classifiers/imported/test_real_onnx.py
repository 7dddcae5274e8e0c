"""The ready-made classifiers of the board, where they are at hand: exact maps by their declarations, or why not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from core.classifiers.folder import load_model
from core.classifiers.imported import declare, import_model
from core.classifiers.imported.onnx_exact import explaining
from core.classifiers.imported.onnx_session import Session
from core.classifiers.imported.onnx_tail import NoTail
from core.classifiers.imported.tried_faces import portraits
from tests.helpers.shipped import ROOT

FILES = Path(os.environ.get("LOOKWHERE_SAMPLES", ROOT.parent / "shared/data")) / "models"


INTEL = "age-gender-recognition-retail-0013"


def at_hand(name: str) -> Path:
    file = FILES / f"{name}.onnx"
    if not file.is_file():
        if os.environ.get("CI"):
            pytest.fail(f"{file} is missing, and CI must not skip the tests that need it")
        pytest.skip(f"{file} is not there: models of others are not part of the project")
    return file


def faces(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 7, 7, 3), dtype=np.uint8).repeat(16, 1).repeat(16, 2)


@pytest.mark.parametrize(
    ("name", "layer", "grid"), [("mini-xception", "Add_168", [4, 4]), ("insightface-genderage-v1", "relu1", [7, 7])]
)
def test_maps_add_up(name: str, layer: str, grid: list[int], tmp_path: Path) -> None:
    path = import_model(at_hand(name), name, declare(ROOT / f"docs/board/{name}.yaml"), models=tmp_path)
    model = load_model(path)
    assert (model.classify.maps["layer"], model.classify.maps["grid"]) == (layer, grid)
    images = np.concatenate([faces(5), portraits()])
    assert images.shape == (13, 112, 112, 3)
    logits, evidence = model.classify(images)
    sums = evidence.mean(axis=(2, 3)) + model.classify.head_bias
    np.testing.assert_allclose(sums, logits, atol=1e-4 * max(1, np.abs(logits).max()))
    assert evidence.std(axis=(2, 3)).min() > 0


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ssrnet-imdb", "no Sigmoid ends it"),
        ("gear", r"Relu \(Relu_103\) comes between"),
        ("faceres", r"Relu \(Relu_361\) comes between"),
    ],
)
def test_what_stands_in_the_way_of_exact_maps_is_named(name: str, why: str) -> None:
    file, declared = at_hand(name), declare(ROOT / f"docs/board/{name}.yaml")
    declared = replace(declared, output=Session(file, declared, file).port.output)
    with pytest.raises(NoTail, match=why):
        explaining(onnx.load(file), declared, file, faces(1))


def test_intels_classifier_decides_as_openvino_has_it(tmp_path: Path) -> None:
    import openvino as ov

    from core.classifiers.imported.prepared import prepare

    at_hand("ssrnet-imdb")  # skipped where none of the files is
    source, declared = FILES / f"{INTEL}.xml", declare(ROOT / f"docs/board/{INTEL}.yaml")
    model = load_model(import_model(source, "intel", declared, models=tmp_path))
    assert model.classify.maps["method"] == "occlusion"
    assert "not_exact" in model.info.source.unknown_keys and "not_by_gradients" in model.info.source.unknown_keys
    compiled = ov.Core().compile_model(source, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    images = faces(24)
    pixels = prepare(images, declared)
    expected = np.concatenate([compiled(image[None])[compiled.output("prob")] for image in pixels]).reshape(-1, 2)
    logits = model.classify.logits(images).astype(np.float64)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    # Values that lie between two of 256 levels fall to either side.
    np.testing.assert_allclose(shares, expected, atol=5e-3)
