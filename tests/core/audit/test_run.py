"""Store × model → audit folder: what is in it, and what happens when things go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from core.audit.averages import average_faces
from core.audit.folder import FILES, Audit, list_audits
from core.audit.manifest import FORMAT
from core.audit.run import run_audit
from core.classifiers.folder import Model, load_model, save_model
from core.classifiers.info import ModelInfo
from core.classifiers.preprocessing import normalise
from core.classifiers.resnet import GenderResNet
from core.data.faces import REQUIRED, SPLITS
from core.data.filters import Filter
from core.data.store import AlignedStore
from core.devices import autocast
from tests.helpers.made_store import make_store
from tests.helpers.shipped import ROOT

FACES = 64


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> AlignedStore:
    store = make_store(tmp_path_factory.mktemp("audited") / "store", FACES)
    return replace(store, faces=store.faces.assign(ethnicity="White"))


@pytest.fixture(scope="module")
def model(store: AlignedStore, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """An untrained dilated ResNet-50 whose margin is centred, so that it says both classes."""
    torch.manual_seed(0)
    network = GenderResNet(dilated=True).eval()
    with torch.inference_mode():
        logits = network.evidence(normalise(np.array(store.images[::3])))[0]
        margin = logits[:, 1] - logits[:, 0]
        network.fc.weight /= margin.std()
        network.fc.bias[:] = torch.tensor([margin.median() / margin.std(), 0.0])
    path = tmp_path_factory.mktemp("models") / "untrained"
    save_model(path, network, ModelInfo(input_size=112))
    return load_model(path)


@pytest.fixture(scope="module")
def audit(store: AlignedStore, model: Model) -> Audit:
    return run_audit(store, model, SPLITS, name="all", batch=32)


def test_the_folder_holds_exactly_the_files_of_the_contract(audit: Audit, model: Model) -> None:
    assert sorted(p.name for p in audit.path.iterdir()) == sorted(FILES)
    assert [p.name for p in (model.path / "audits").iterdir()] == ["all"]
    assert list_audits(model.path) == ["all"]
    assert audit.path == model.path / "audits" / "all"


def test_logits_and_evidence_are_the_networks(audit: Audit, store: AlignedStore, model: Model) -> None:
    with torch.inference_mode(), autocast("cpu"):
        logits, evidence = model.network.evidence(normalise(np.array(store.images[-32:])))
    assert audit.evidence.dtype == np.float16
    assert audit.evidence.shape == (FACES, 2, 7, 7)
    assert audit.map_shape == (7, 7)
    stored = audit.faces[["logit_female", "logit_male"]].tail(32)
    np.testing.assert_allclose(stored, logits.numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(audit.evidence[-32:], evidence.numpy(), rtol=1e-3, atol=1e-4)


def test_the_maps_decompose_the_logits(audit: Audit, model: Model) -> None:
    bias = model.network.fc.bias.numpy()
    logits = audit.faces[["logit_female", "logit_male"]].to_numpy()
    sums = audit.evidence.astype(np.float64).mean(axis=(2, 3)) + bias
    assert np.abs(logits).max() > 0.5
    np.testing.assert_allclose(sums, logits, atol=1e-2)
    np.testing.assert_allclose(sums.mean(axis=0), logits.mean(axis=0), atol=1e-3)
    margin = audit.maps("margin", "raw").sum(axis=(1, 2)).mean() + bias[0] - bias[1]
    assert margin == pytest.approx((logits[:, 0] - logits[:, 1]).mean(), abs=1e-3)


def test_the_faces_table_keeps_the_store_and_adds_the_predictions(audit: Audit, store: AlignedStore) -> None:
    faces = audit.faces
    pd.testing.assert_frame_equal(faces[list(REQUIRED)], store.faces[list(REQUIRED)], check_dtype=False)
    assert not {"row", "sha256", "evidence"} & set(faces.columns)
    female, male = faces["logit_female"].astype(float), faces["logit_male"].astype(float)
    np.testing.assert_allclose(faces["p_male"], np.exp(male) / (np.exp(female) + np.exp(male)), rtol=1e-5)
    assert faces["predicted"].tolist() == ["male" if m > f else "female" for f, m in zip(female, male, strict=True)]
    assert faces["correct"].tolist() == [g == p for g, p in zip(faces["gender"], faces["predicted"], strict=True)]
    assert set(faces["predicted"]) == {"female", "male"}
    stored = pq.read_schema(audit.path / "faces.parquet").field("evidence").type
    assert stored == pa.list_(pa.float16(), 2 * 7 * 7)


def test_the_manifest_says_what_was_audited(audit: Audit, store: AlignedStore, model: Model) -> None:
    manifest = json.loads((audit.path / "audit.json").read_text())
    assert manifest == audit.manifest.to_json()
    expected = {
        "format": FORMAT,
        "model": "untrained",
        "weights_sha256": model.info.weights_sha256,
        "dataset": "made",
        "data_fingerprint": store.manifest.data_fingerprint,
        "splits": list(SPLITS),
        "faces": FACES,
        "map_shape": [7, 7],
        "rejects": {"no face found": 1},
    }
    assert expected.items() <= manifest.items()
    assert manifest["accuracy"] == pytest.approx(audit.faces["correct"].mean(), abs=1e-6)
    assert manifest["faces_per_second"] == pytest.approx(FACES / manifest["seconds"], rel=0.05)
    assert manifest["versions"]["torch"] == torch.__version__.partition("+")[0]


def test_the_averages_are_those_of_the_audited_pictures(audit: Audit, store: AlignedStore) -> None:
    expected = average_faces(store.images, store.faces["row"].to_numpy(), audit.faces)
    assert len(expected.cells) > 0
    pd.testing.assert_frame_equal(audit.averages.cells, expected.cells, check_dtype=False)
    np.testing.assert_array_equal(audit.averages.means, expected.means)


def test_opening_an_audit_does_not_import_torch(audit: Audit) -> None:
    code = (
        "import sys\n"
        "from core.present.text import sentences\n"
        "from core.audit.folder import open_audit\n"
        "from core.analysis.maps.group_means import group\n"
        "from core.data.filters import Filter\n"
        "from core.present.figures import charts, raster\n"
        f"print(group(open_audit({str(audit.path)!r}), Filter()).n, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True)
    assert done.stdout.split() == [str(FACES), "False"], done.stderr


def test_maps_are_computed_once_a_choice(audit: Audit) -> None:
    maps = audit.maps("predicted", "raw")
    assert audit.maps("predicted", "raw") is maps
    own = np.where(audit.faces["predicted"] == "male", 1, 0)
    expected = np.maximum(audit.evidence.astype(np.float32)[np.arange(FACES), own], 0) / 49
    np.testing.assert_allclose(maps, expected, rtol=1e-6)
    assert Filter(outcome="correct").mask(audit.faces).sum() == audit.faces["correct"].sum()
