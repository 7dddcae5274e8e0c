"""«The same model on other data sets»: the open model on several, of which not all have the columns asked of."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.files import write_json
from tests.helpers.made_audit import made_audit
from tests.helpers.made_experiment import INFO
from tests.helpers.pages import page, text
from ui.views.data_sets import HEADING


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model audited on two data sets, of which one has columns of its own."""
    root = tmp_path_factory.mktemp("abroad")
    for name, own in (("with", True), ("without", False)):
        names = {"dataset": name, "data_fingerprint": name}
        made_audit(300, errors=0.2, shape=None, own=own, path=root / "made/audits" / name, manifest=names)
    write_json(root / "made/model.json", INFO)
    return root


@pytest.mark.parametrize("name", ["overview", "accuracy"])
def test_a_data_set_without_the_column_is_left_out_and_told(
    name: str, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(models, name, monkeypatch, model="made", audit="with", **{"by.glasses": "yes"})
    assert not app.exception and not app.error, [element.value for element in (*app.exception, *app.error)]
    assert "Not beside it: without, which has no column glasses." in text(app)
    app = page(models, name, monkeypatch, model="made", audit="with")
    assert HEADING in text(app) and "Not beside it" not in text(app)
    assert "Over all ages, accuracy on without is " in text(app)
