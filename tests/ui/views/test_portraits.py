"""The portraits of «Try a photo»: at once where the model looked before, else computed; never another's answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.classifiers.info import model_info
from core.photo import portraits as kept
from core.photo.portraits import FILE, Drawn, drawn, portraits
from core.photo.uploads import read_upload
from core.wording import percent
from tests.helpers.pages import page, text
from tests.helpers.shipped import ROOT
from ui.views import photo as photo_view

SHIPPED = ROOT / "models/resnet50-utkface"


def test_each_portrait_has_its_image_and_the_set_is_credited() -> None:
    offered = portraits()
    assert len(offered) == 8
    assert {(one.gender, one.ethnicity) for one in offered} == {
        (gender, name) for gender in ("female", "male") for name in ("white", "black", "east asian", "west asian")
    }
    for one in offered:
        with Image.open(one.file) as opened:
            assert min(opened.size) >= 400
    notice = (kept.FOLDER / "ATTRIBUTION.md").read_text()
    assert "DeBruine" in notice and "CC BY 4.0" in notice and "Changes" in notice
    assert offered[2].words == "Black woman, 21"


def shipped() -> dict[str, Drawn]:
    return drawn(SHIPPED, model_info(SHIPPED).weights_sha256)


def test_what_the_shipped_model_was_kept_to_say_adds_up() -> None:
    before = shipped()
    assert list(before) == [one.id for one in portraits()]
    for one in before.values():
        assert one.bias is not None
        assert one.prediction.regions().sum() + one.bias == pytest.approx(one.prediction.margin, abs=0.02)


def test_the_shipped_model_says_the_same_now() -> None:
    """Of one portrait, by the network itself: what is kept is no drawing of another model."""
    from core.classifiers.folder import load_model
    from core.photo.detection import Finder

    one = portraits()[4]
    (face,) = Finder().find(read_upload(one.file.read_bytes(), one.file.name).picture).faces
    before = shipped()[one.id]
    assert np.abs(face.crop.astype(int) - before.face.crop).max() <= 2
    logits, _ = load_model(SHIPPED).classify(face.crop[None])
    np.testing.assert_allclose(logits[0], before.prediction.logits, atol=0.05)


def test_other_weights_and_damaged_files_give_nothing(tmp_path: Path) -> None:
    weights = model_info(SHIPPED).weights_sha256
    assert drawn(SHIPPED, None) == drawn(SHIPPED, "0" * 64) == drawn(tmp_path, weights) == {}
    data = (SHIPPED / FILE).read_bytes()
    for bad in (data[: len(data) // 2], b"", b"PK\x03\x04nonsense"):
        (tmp_path / FILE).write_bytes(bad)
        assert drawn(tmp_path, weights) == {}
    with np.load(SHIPPED / FILE) as file:
        content = {key: file[key] for key in file.files}
    about = json.loads(str(content["about"]))
    for wrong in (about | {"bias": "much"}, about | {"ids": ["1"] * 20}, {}):
        np.savez(tmp_path / FILE, **content | {"about": np.array(json.dumps(wrong))})
        assert drawn(tmp_path, weights) == {}


def test_a_portrait_is_shown_without_loading_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(photo_view, "_model", never)
    monkeypatch.setattr(photo_view, "_finder", never)
    app = page(ROOT / "models", "photo", monkeypatch)
    assert "CC BY 4.0" in text(app)
    app.button_group(key="portrait").set_value(5).run()
    assert not app.exception and not app.error
    said, reading = text(app), shipped()[portraits()[4].id].prediction
    assert f"{reading.predicted} at {percent(reading.probability)}".replace(" %", "&nbsp;%") in said
    assert "make up the margin" in said and "East Asian woman, 24" in said


def test_a_model_that_did_not_look_before_looks_now(study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(study[0], tmp_path / "models")
    shutil.copyfile(SHIPPED / FILE, tmp_path / "models/made" / FILE)
    app = page(tmp_path / "models", "photo", monkeypatch)
    app.button_group(key="portrait").set_value(1).run()
    assert not app.exception and not app.error
    page_text = text(app)
    assert "aligned, with its points" in page_text
    assert "portrait «White woman, 24»" in page_text
