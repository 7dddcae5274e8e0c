"""Every shipped manifest is read as a record and would be written byte for byte as it lies there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.analysis.comparison.experiment import list_experiments, open_experiment
from core.audit.folder import open_audit, read_manifest
from core.checks.manifest import ChecksManifest
from core.classifiers.info import model_info
from core.training.record import read_status
from tests.helpers.shipped import AUDIT, MODEL, ROOT, shipped_or_skip

AUDITS = sorted((ROOT / "models").rglob("audit.json"))
MODELS = sorted((ROOT / "models").rglob("model.json"))


def written(content: dict) -> str:
    """As `core.files.write_json` writes it."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


@pytest.fixture(autouse=True)
def _shipped() -> None:
    shipped_or_skip()


def test_there_are_some() -> None:
    assert len(AUDITS) >= 16
    assert len(MODELS) >= 16


@pytest.mark.parametrize("file", AUDITS, ids=lambda file: file.parts[-4])
def test_an_audit_is_written_as_it_was(file: Path) -> None:
    manifest = read_manifest(file.parent)
    assert written(manifest.to_json()) == file.read_text()
    assert manifest.trained_here
    assert manifest.warnings == ()


@pytest.mark.parametrize("file", MODELS, ids=lambda file: file.parts[-2])
def test_a_model_is_written_as_it_was(file: Path) -> None:
    info = model_info(file.parent)
    assert written(info.to_json()) == file.read_text()
    assert info.training.seed is not None
    assert sum(group.faces for group in info.data.train_groups) == info.data.faces["train"]


def test_the_checks_are_written_as_they_were() -> None:
    content = json.loads((AUDIT / "checks.json").read_text())["manifest"]
    manifest = ChecksManifest.from_json(content)
    assert list(manifest.to_json().items()) == list(content.items())
    assert manifest.weights_sha256 == open_audit(AUDIT).manifest.weights_sha256


def test_the_status_of_the_training_is_read() -> None:
    assert read_status(MODEL / "training").state == "finished"


def test_every_shipped_experiment_opens() -> None:
    names = list_experiments(ROOT / "models")
    assert {"claims", "repeated"} <= set(names)
    for name in names:
        assert open_experiment(ROOT / "models/experiments" / name).arms, name
