"""Audits by another attribution method than the model's own: made by the command, opened, shown, compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from core import __main__ as command
from core.audit.average_setting import AverageSetting, KeepAverages
from core.audit.folder import open_audit
from core.audit.run import run_audit
from core.checks.run import run_checks
from core.classifiers import resnet as networks
from core.classifiers.folder import load_model, save_model
from core.classifiers.info import ModelInfo, TrainingInfo
from core.data.store import AlignedStore
from core.errors import LookwhereError
from core.explain.method import OnlyOutputs
from core.explain.methods import method
from tests.helpers.attribution_battery import bare, brightness_method, own_registry
from tests.helpers.made_store import make_store
from tests.helpers.pages import page, text


@dataclass(frozen=True)
class Study:
    """Our ResNet-50 with random weights, saved; and a store of 48 faces."""

    models: Path
    store: Path


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root = tmp_path_factory.mktemp("study")
    make_store(root / "store", faces=48)
    torch.manual_seed(0)
    training = TrainingInfo(choose="overall", seed=0)
    network = networks.GenderResNet(dilated=True).eval()
    save_model(root / "models/made", network, ModelInfo(input_size=32, epoch=1, training=training))
    return Study(root / "models", root / "store")


def audit_command(study: Study, *more: str) -> int:
    places = ["--data", str(study.store), "--models", str(study.models), "--averages", "yes"]
    return command.main(["audit", "--model", "made", *places, *more])


def test_our_network_is_audited_by_occlusion_and_opened(
    study: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audit_command(study, "--split", "all", "--maps", "occlusion") == 0
    assert "maps 7×7 by occlusion" in capsys.readouterr().out
    audit = open_audit(study.models / "made/audits/made-all")
    assert audit.manifest.maps.to_json() == method("occlusion")().record(OnlyOutputs(bare))
    assert not audit.additive and audit.manifest.head_bias is None
    model = load_model(study.models / "made")
    place = model.classify.explained_by("occlusion")
    store = AlignedStore.open(study.store)
    np.testing.assert_allclose(audit.evidence[:2], place(np.array(store.images[:2]))[1], rtol=1e-2, atol=1e-2)
    with pytest.raises(LookwhereError, match=r"--parts randomised: .*this audit's maps are by occlusion"):
        run_checks(audit, model, store, parts=("randomised",))
    card = (study.models / "made/CARD.md").read_text()
    assert "maps of 7×7 cells by occlusion" in card and "They do not add up" in card
    for maps in ([], ["--maps", "gradcam"]):
        assert audit_command(study, "--split", "all", *maps) == 2
        err = capsys.readouterr().err
        by = "GradCAM" if maps else "closed form"
        assert err.splitlines()[-1] == (
            f"error: {audit.path}: holds an audit with maps by occlusion, not by {by}; choose another --name or delete "
            "it"
        )
    for name, message in (
        ("overview", "map by occlusion of 7×7 cells"),
        ("heatmaps", "the score falls where the cell is hidden"),
        ("evidence", "what the score loses without the cell"),
        ("checks", "have not been checked yet"),
    ):
        app = page(study.models, name, monkeypatch, model="made", audit="made-all")
        assert not app.exception and [e.value for e in app.error] == []
        assert message in text(app), name
        assert "Maps by occlusion" in text(app), "the sidebar"


def test_a_method_made_elsewhere_is_reached_by_the_command(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    with own_registry():
        brightness_method()
        assert audit_command(study, "--maps", "toy", "--name", "toy") == 0
    assert "maps 7×7 by Toy" in capsys.readouterr().out
    audit = open_audit(study.models / "made/audits/toy")
    assert audit.map_method == "Toy" and audit.map_words == "map by Toy" and audit.evidence.any()
    assert audit_command(study, "--maps", "toys", "--name", "toys") == 2
    assert "--maps toys: unknown; there are closed-form" in capsys.readouterr().err
    assert audit_command(study, "--maps", "eigencam", "--name", "eigen") == 2
    assert "--maps eigencam: it explains no class" in capsys.readouterr().err


def test_any_registered_method_can_be_compared_with_the_closed_form(study: Study) -> None:
    store, model = AlignedStore.open(study.store), load_model(study.models / "made")
    audit = run_audit(store, model, ("all",), name="compared", averages=AverageSetting(KeepAverages.NO))
    options = {"sample": 200, "parts": ("methods",)}
    with own_registry():
        brightness_method()
        checks = run_checks(audit, model, store, **options, methods=("toy", "occlusion", "gradcam"))
        again = run_checks(audit, model, store, **options, methods=("toy",))
    rows = checks.table("methods", "all faces").set_index("method")
    assert set(rows.index) == set(again.methods) == {"Toy", "occlusion", "GradCAM"}
    assert rows.loc["GradCAM", "mean"] > 0.999 and abs(rows.loc["Toy", "mean"]) < 0.9
