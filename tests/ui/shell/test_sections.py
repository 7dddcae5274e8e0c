"""A closed section is drawn when it is opened; what pages do is looked after once they stand."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path

import pytest

from core.files import write_json
from tests.helpers.made_audit import made_audit
from tests.helpers.made_experiment import INFO
from tests.helpers.pages import page
from tests.helpers.shipped import ROOT
from ui.shell import heap


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model audited on two data sets."""
    root = tmp_path_factory.mktemp("sections")
    for name in ("one", "two"):
        names = {"dataset": name, "data_fingerprint": name}
        made_audit(300, errors=0.2, shape=None, path=root / "made/audits" / name, manifest=names)
    write_json(root / "made/model.json", INFO)
    return root


def test_a_table_that_nobody_opened_is_not_drawn(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(models, "overview", monkeypatch, model="made", audit="one")
    assert not app.exception and "As a table" in [section.label for section in app.expander]
    assert not app.dataframe
    app.session_state["data_sets_table"] = True
    app.run()
    assert not app.exception
    (table,) = app.dataframe
    assert set(table.value["audit"]) == {"one", "two"}


def test_pages_are_looked_after_together_and_later(monkeypatch: pytest.MonkeyPatch) -> None:
    for earlier in list(heap._later):  # of another test's page
        earlier.join()
    asked, done = [], threading.Event()

    def settle(visitors: int) -> None:
        asked.append((visitors, threading.current_thread()))
        done.set()

    monkeypatch.setattr(heap, "settle", settle)
    monkeypatch.setattr(heap, "LATER", 0.05)
    for visitors in (1, 2, 3):
        heap.settle_soon(lambda visitors=visitors: visitors)
    assert done.wait(20)
    (once,) = asked
    assert once[0] == 1 and once[1] is not threading.current_thread()
    done.clear()
    heap.settle_soon(lambda: 4)
    assert done.wait(20) and asked[1][0] == 4, "the next one has a turn of its own"


def test_garbage_is_left_to_the_app_itself() -> None:
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["runner"]["postScriptGC"] is False, "Streamlit's collection would hold back a page's last messages"
