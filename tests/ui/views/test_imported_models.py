"""Every page on models that were imported: predictions only, and maps that do not add up."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from core.audit.folder import open_audit
from core.audit.run import run_audit
from core.checks.run import run_checks
from core.classifiers.folder import Model, load_model
from core.classifiers.imported import from_dict, import_model
from core.classifiers.info import ModelInfo, model_info
from core.data.store import AlignedStore
from core.files import write_json
from tests.helpers.made_store import make_store
from tests.helpers.made_study import Brightness
from tests.helpers.pages import needing, page, text
from ui.shell.navigation import Needs


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """«scores», predictions imported from a CSV with one face missing; «theirs», maps by occlusion, in a made audit."""
    root = tmp_path_factory.mktemp("imported")
    store, folder = make_store(root / "store", faces=480), root / "models"
    faces = store.faces
    guess = (faces["gender"] == "male").astype(float) * 0.8 + 0.1
    guess[::9] = 1 - guess[::9]
    pd.DataFrame({"file": faces["path"], "score": guess}).iloc[1:].to_csv(root / "scores.csv", index=False)
    import_model(root / "scores.csv", "scores", from_dict({"score": "probability", "of": "male"}), models=folder)
    run_audit(store, load_model(folder / "scores"), ("all",), name="all")
    info = {
        "format": 1,
        "kind": "onnx",
        "architecture": "ONNX",
        "classes": ["female", "male"],
        "declaration": {"score": "logits", "female": 0, "male": 1, "size": [32, 32]},
        "maps": {"method": "occlusion", "additive": False, "layer": None},
        "outputs": 2,
        "source": {"file": "theirs.onnx"},
        "weights": "model.onnx",
        "weights_sha256": "1" * 64,
    }
    (folder / "theirs").mkdir()
    write_json(folder / "theirs" / "model.json", info)
    run_audit(
        store,
        Model("theirs", folder / "theirs", None, ModelInfo.from_json(info), Brightness("occlusion")),
        ("all",),
        name="all",
    )
    return folder


@pytest.mark.parametrize("name", needing(*Needs))
def test_no_page_breaks_on_maps_that_do_not_add_up(name: str, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of predictions alone the battery of pages asks the same."""
    app = page(models, name, monkeypatch, model="theirs")
    assert not app.exception
    # An imported model's weights are not in this made folder, so trying a photo tells that.
    if name != "photo":
        assert [e.value for e in app.error] == []
    page_text = text(app)
    if name == "checks":
        assert "have not been checked yet" in page_text and "core check --model theirs --audit all" in "".join(
            block.value for block in app.code
        )
    if name == "evidence":
        assert "do not add up" in page_text and "Evidence by region of each group" not in page_text


def test_the_sidebar_tells_of_missing_predictions_and_of_the_maps_method(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "**1** of the faces has no prediction" in text(page(models, "accuracy", monkeypatch, model="scores"))
    assert "Maps by occlusion" in text(page(models, "accuracy", monkeypatch, model="theirs"))


def test_checks_of_an_imported_model_say_what_cannot_be_asked(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(models, tmp_path / "models")
    path = tmp_path / "models/theirs"
    model = Model("theirs", path, None, model_info(path), Brightness("occlusion"))
    store = AlignedStore.open(models.parent / "store")
    run_checks(open_audit(path / "audits/all"), model, store, sample=60, parts=("occlusion",))
    app = page(tmp_path / "models", "checks", monkeypatch, model="theirs")
    assert not app.exception and [e.value for e in app.error] == []
    headings = [heading.value for heading in app.subheader]
    assert "Is what it marks what is used?" in headings
    assert "Does it depend on what was learnt?" not in headings and headings[-2] == "What cannot be asked"
    assert "on an imported model these checks cannot be run" in text(app)
