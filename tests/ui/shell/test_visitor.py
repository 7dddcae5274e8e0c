"""Who visits over the network reads no path of the machine that serves; who sits at it reads all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui.views.faces
from tests.helpers.pages import page, text
from ui.shell import visitor

HERE, ABROAD = {"Host": "localhost:8501"}, {"Host": "faces.example.org"}


def broken_page(project: str, home: str, models: str) -> None:
    from core.errors import LookwhereError
    from ui.shell.error_boundary import error_boundary

    with error_boundary():
        raise LookwhereError(f"{project}/models/a/model.json: damaged; {home}/faces/x.npy; {models}/b/model.json")


@pytest.mark.parametrize("headers", [HERE, ABROAD | {"X-Forwarded-For": "198.51.100.7"}, ABROAD])
def test_an_error_names_folders_to_who_sits_at_the_machine_alone(
    headers: dict, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(visitor, "request_headers", lambda: headers)
    monkeypatch.setenv("LOOKWHERE_MODELS", str(tmp_path / "models"))
    home = Path.home() if Path.home() != Path("/") else tmp_path
    folders = [str(visitor.PROJECT), str(home), str(tmp_path / "models")]
    (box,) = AppTest.from_function(broken_page, args=tuple(folders)).run().error
    shown = box.value.replace("\\", "")
    assert all((folder in shown) is (headers is HERE) for folder in folders)
    assert "models/a/model.json: damaged" in shown
    assert "models/b/model.json" in shown


@pytest.mark.parametrize("headers", [HERE, ABROAD])
def test_other_stores_of_the_machine_are_named_to_who_sits_at_it_alone(
    headers: dict, study: tuple, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(visitor, "request_headers", lambda: headers)
    (tmp_path / "stores/clinic-of-mine").mkdir(parents=True)
    monkeypatch.setattr(ui.views.faces, "STORES", tmp_path / "stores")
    for name in ("faces", "labels"):
        shown = text(page(study[0], name, monkeypatch)).replace("\\", "")
        assert "The images of these faces are not at hand" in shown
        assert ("clinic-of-mine" in shown) is (headers is HERE)
        assert (str(tmp_path) in shown) is (headers is HERE)
