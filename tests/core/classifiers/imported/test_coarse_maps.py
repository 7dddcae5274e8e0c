"""No map of an imported model is so fine that it shows the face; and what the command that imports one says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from core.classifiers.imported import torch_classifier
from core.classifiers.imported.torch_classifier import TorchClassifier
from core.commands.importing import import_
from core.errors import LookwhereError
from core.explain.grids import regrid
from tests.helpers.torch_made import MEAN, STD, as_info, import_model, made, pictures
from tests.helpers.unmeasured import on_tiles

WHOLE = (0.0, 0.0, 112.0, 112.0)


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in float32, for comparisons to rounding."""
    monkeypatch.setattr(torch_classifier, "precision", lambda *_: torch.float32)


@pytest.mark.parametrize(
    ("architecture", "maps", "layer", "size", "grid"),
    [
        ("torchvision:resnet18", "hirescam", "relu", 112, (56, 56)),
        ("torchvision:resnet18", None, "layer1", 112, (28, 28)),
        ("torchvision:squeezenet1_1", None, None, 256, (15, 15)),  # closed form
    ],
)
def test_no_map_is_finer_than_privacy_allows(
    tmp_path: Path,
    architecture: str,
    maps: str | None,
    layer: str | None,
    size: int,
    grid: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_tiles(monkeypatch)
    options = {"layer": layer, "size": (size, size)}
    for crop, cells in ((WHOLE, [14, 14]), ((46.0, 0.0, 66.0, 112.0), [14, 14])):
        classifier, info = import_model(made(architecture), tmp_path, architecture, maps, crop=crop, **options)
        assert tuple(info["maps"]["view"]["grid"]) == grid and info["maps"]["cells"] == cells
        logits, evidence = classifier(pictures(2))
        assert list(evidence.shape[2:]) == cells
        if classifier.head_bias is not None:
            np.testing.assert_allclose(evidence.mean(axis=(2, 3)) + classifier.head_bias, logits, atol=1e-5)
    earlier = {**info, "maps": info["maps"] | {"cells": list(grid)}}
    assert TorchClassifier(classifier.network, classifier.spec, as_info(earlier)).maps["cells"] == cells


def test_fine_maps_are_merged_by_area() -> None:
    maps = np.random.default_rng(4).normal(size=(2, 2, 56, 28)).astype(np.float32)
    block_means = maps.reshape(2, 2, 14, 4, 14, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(regrid(maps, WHOLE), block_means, atol=1e-6)
    odd = regrid(maps[..., :17, :15], WHOLE)
    assert odd.shape == (2, 2, 14, 14)
    np.testing.assert_allclose(odd.mean(axis=(2, 3)), maps[..., :17, :15].mean(axis=(2, 3)), atol=1e-6)


def test_maps_that_stay_too_fine_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    classifier, _ = import_model(made("torchvision:resnet18"), tmp_path, "torchvision:resnet18")
    monkeypatch.setattr(torch_classifier.grids, "left_as_it_is", lambda *_: False)
    monkeypatch.setattr(torch_classifier.grids, "regrid", lambda maps, *_: maps.repeat(4, axis=2))
    with pytest.raises(LookwhereError, match="maps of 16×4 cells show the face itself"):
        classifier(pictures(1))


def test_the_import_tells_what_nobody_declared(tmp_path: Path) -> None:
    state = {f"module.{n.replace('fc.', 'fc.1.')}": t for n, t in made("torchvision:resnet18").state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "theirs.pt")
    flags = {"score": "logits", "female": 1, "male": 0, "size": (112, 112), "mean": MEAN, "std": STD}
    models = tmp_path / "my models"
    lines = import_(
        tmp_path / "theirs.pt", "one", architecture="torchvision:resnet18", models=models, channels="bgr", **flags
    ).splitlines()
    assert lines[1:4] == [
        "taken from state_dict; taken off the names: module.; head fc.1 for fc (what else was in it is taken to be "
        "dropout)",
        "layer explained: layer4",
        "taken by default: divisor 255, layout nchw, crop all of the template, resize pillow-bilinear; declare them if "
        "that is not so",
    ]
    assert lines[4].startswith("taken by default, as weights do not tell: pooling avg, bn_eps 1e-05, activation ReLU")
    assert lines[5].startswith("Cells lie") or lines[5].startswith("Cells are drawn")
    assert lines[6].startswith(f"next: python -m core audit --model one --models '{models}' --data ") and not lines[7:]

    pd.DataFrame({"file": ["1.jpg"], "score": [0.5]}).to_csv(tmp_path / "s.csv", index=False)
    lines = import_(tmp_path / "s.csv", "two", score="probability", of="male", models=models).splitlines()
    assert len(lines) == 2 and lines[1].startswith("next: ")
