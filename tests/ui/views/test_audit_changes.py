"""The open audit is replaced, deleted or put back under the app: the page says so, and draws nothing of another's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.helpers.pages import page, text
from tests.helpers.shipped import ROOT

SHIPPED = ROOT / "models/resnet50-utkface"


def test_an_audit_replaced_or_deleted_under_the_app_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "models/m"
    (model / "audits").mkdir(parents=True)
    shutil.copy(SHIPPED / "model.json", model)
    for name in ("utkface-test", "fairface-val-1000"):
        shutil.copytree(SHIPPED / "audits" / name, model / "audits" / name)
    app = page(tmp_path / "models", "accuracy", monkeypatch, model="m", audit="fairface-val-1000")
    assert not app.exception
    assert not app.error
    faces, good = model / "audits/fairface-val-1000/faces.parquet", SHIPPED / "audits/fairface-val-1000/faces.parquet"
    shutil.copy(model / "audits/utkface-test/faces.parquet", faces)
    app.run()
    assert not app.exception
    errors = [box.value for box in app.error]
    assert len(errors) == 1
    assert "faces" in errors[0] and "bytes where" in errors[0]
    assert "defect" not in text(app)
    shutil.copy(good, faces)
    app.run()
    assert not app.error, "put back, it opens again"
    shutil.rmtree(model / "audits/fairface-val-1000")
    app.run()
    assert not app.exception
    assert "defect" not in text(app)
    assert "fairface-val-1000" in text(app), "the page says what is shown instead"
    shutil.rmtree(model)
    app.run()
    assert not app.exception
    assert "defect" not in text(app)
