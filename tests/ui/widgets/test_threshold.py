"""One decision threshold: it moves three pages, is in their address, and every other page says that it is not moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.tipping import tipping_points
from core.audit.folder import Audit
from core.files import write_json
from core.wording import percent
from tests.helpers.made_audit import made_audit
from tests.helpers.made_study import MODEL_INFO
from tests.helpers.pages import page, text


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Audit]:
    """A model with one audit, in a folder of models."""
    root = tmp_path_factory.mktemp("models")
    audit = made_audit(600, noise=3.0, path=root / "made/audits/made-test")
    write_json(root / "made/model.json", MODEL_INFO)
    return root, audit


def test_the_threshold_goes_along_and_moves_what_says_so(models, monkeypatch: pytest.MonkeyPatch) -> None:
    root, audit = models
    app = page(root, "accuracy", monkeypatch, threshold="0.8")
    assert not app.exception and app.slider(key="threshold").value == 0.8
    app.switch_page("pages/overview.py").run()
    moved = percent(accuracy_by(audit.faces, [], 0.8)["accuracy"].iloc[0])
    own = percent(accuracy_by(audit.faces, [])["accuracy"].iloc[0])
    assert moved != own and next(m.value for m in app.metric if m.label == "Accuracy") == moved
    assert "This grid shows the model's own decisions, from p = 0.50 on. The threshold 0.80" in text(app)
    assert "made at p = 0.80" in text(app) and app.query_params["threshold"] in ("0.8", ["0.8"])
    app.switch_page("pages/heatmaps.py").run()
    assert not app.exception
    assert "model's own decisions, from p = 0.50 on" in text(app)
    app.switch_page("pages/accuracy.py").run()
    assert app.slider(key="threshold").value == 0.8
    app.slider(key="threshold").set_value(0.5).run()
    app.switch_page("pages/gaps.py").run()
    assert not app.exception and "as chosen on" not in text(app)


@pytest.mark.parametrize("asked", ["2", "x", ""])
def test_a_threshold_that_is_none_leaves_the_models_own(models, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    app = page(models[0], "gaps", monkeypatch, threshold=asked)
    assert not app.exception and "as chosen on" not in text(app)


def test_data_sets_beside_each_other_are_at_the_chosen_threshold(models, monkeypatch: pytest.MonkeyPatch) -> None:
    root, audit = models
    second_audit = made_audit(300, noise=3.0, seed=5, path=root / "made/audits/abroad-test")
    manifest = replace(second_audit.manifest, data_fingerprint="2" * 64, files={})
    write_json(second_audit.path / "audit.json", manifest.to_json())
    app = page(root, "overview", monkeypatch, threshold="0.8", audit="made-test")
    assert not app.exception
    assert not app.error, [e.value for e in app.error]
    table = app.session_state["downloads"].items["table data-sets"].make()
    everyone = table[(table["gender"] == "") & (table["ethnicity"] == "")].set_index("audit")["accuracy"]
    for each_audit in (audit, second_audit):
        assert everyone[each_audit.name] == accuracy_by(each_audit.faces, [], 0.8)["accuracy"].iloc[0]
        assert everyone[each_audit.name] != accuracy_by(each_audit.faces, [])["accuracy"].iloc[0]


def test_tipping_points_on_gaps_are_at_the_chosen_threshold(models, monkeypatch: pytest.MonkeyPatch) -> None:
    root, audit = models
    app = page(root, "gaps", monkeypatch, threshold="0.8", audit="made-test", adults="false")
    assert not app.exception
    table = app.session_state["downloads"].items["table tipping-points"].make()
    moved, own = tipping_points(audit, None, 0.8), tipping_points(audit)
    assert len(moved) and not moved.equals(own)
    pd.testing.assert_frame_equal(table.reset_index(drop=True), moved.reset_index(drop=True))
