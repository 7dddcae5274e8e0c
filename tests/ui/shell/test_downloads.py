"""What pages offer to take away: all that they draw, traced, made only when clicked, and never a single face."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import ui.shell.open_audit
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.export import NO_BROWSER, SIZES, Item, Provenance, charts, tables
from core.present.figures.raster import Sheet
from tests.helpers.pages import page
from tests.helpers.shipped import AUDIT, MODEL, ROOT, shipped_or_skip
from ui.shell.downloads import LABEL, DownloadRegistry, _one_file
from ui.shell.navigation import PAGES

SHEETS = {
    "overview": {"study-grid"},
    "findings": {"finding-3"},
    "heatmaps": {"heatmaps"},
    "evidence": {"regions"},
    "board": {"board-maps"},
    "checks": {"random-weights", "method-maps"},
    "compare": {"maps"},
    "repeated": {"study-grid"},
}
KINDS = {"chart": go.Figure, "image": Sheet, "table": pd.DataFrame}


def registry(app: AppTest) -> DownloadRegistry:
    return app.session_state["downloads"]


def offered(app: AppTest, kind: str) -> dict[str, object]:
    return {item.name: item.make() for item in registry(app).items.values() if item.kind == kind}


def sections(app: AppTest) -> list[str]:
    return [element.label for element in app.get("expander") if element.label == LABEL]


@pytest.fixture
def shipped() -> Path:
    shipped_or_skip()
    return MODEL.parent


@pytest.mark.parametrize("name", [entry.file for entry in PAGES if not entry.single_faces and entry.file != "runs"])
def test_a_page_offers_all_that_it_draws(name: str, shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(shipped, name, monkeypatch)
    assert not app.exception
    assert sections(app) == [LABEL]
    assert not [b for b in app.get("download_button") if "All of this page" in b.proto.label], "closed, so not drawn"
    rows = [element for element in app.get("html") if "class='lw-rows'" in element.proto.body]
    assert len(offered(app, "chart")) == len(app.get("plotly_chart")) + len(rows)
    assert set(offered(app, "image")) == SHEETS.get(name, set())
    for item in registry(app).items.values():
        made = item.make()
        assert isinstance(made, KINDS[item.kind]), item.name
        assert item.title
    if name not in ("evidence", "heatmaps"):  # these draw no table but have one of what a chart shows
        assert offered(app, "table")


@pytest.mark.parametrize("name", ["gaps", "checks", "compare"])
def test_every_table_of_a_page_is_csv_and_latex(name: str, shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provenance = Provenance((), name, name, "all faces", "2026-01-31")
    for key, frame in offered(page(shipped, name, monkeypatch), "table").items():
        lines = tables.csv(frame).decode().splitlines()
        assert len(lines) == len(frame) + 1, key
        tex = tables.latex(frame, key, key, provenance).decode()
        # Over a page a table breaks: the caption is then a line of it.
        assert tex.count(r" \\") == len(frame) + 1 + (r"\begin{longtable}" in tex), key


def test_what_is_taken_names_the_faces_the_model_and_the_view(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(shipped, "gaps", monkeypatch, ethnicity="Black", adults="true")
    assert registry(app).scope == Filter(ethnicity=("Black",), age_from=18).describe()
    compared = registry(page(shipped, "compare", monkeypatch))
    assert len(compared.audits) == 2
    assert all((path / "audit.json").is_file() for path in compared.audits)


def test_a_trace_has_the_hashes_of_the_audit(shipped: Path) -> None:
    def script() -> None:
        import streamlit as st

        from ui.shell.downloads import DownloadRegistry, _provenance
        from ui.shell.open_audit import OpenAudit

        st.query_params.from_dict(
            {"gender": "female", "face": "part1/face-77.jpg", "age": ["18", "60"], "like": "part1/face-77.jpg"}
        )
        st.session_state.provenance = _provenance(
            DownloadRegistry("gaps"), OpenAudit("resnet50-utkface", "utkface-test")
        )

    provenance = AppTest.from_function(script).run().session_state["provenance"]
    manifest = json.loads((AUDIT / "audit.json").read_text())
    about = "\n".join(provenance.lines())
    assert manifest["weights_sha256"] in about
    assert manifest["data_fingerprint"] in about
    assert "page: gaps?gender=female&age=18&age=60" in provenance.lines()
    assert "face-77" not in about, "whose record is open is not passed on"
    assert provenance.file_name("tests", "csv") == "resnet50-utkface_utkface-test_gaps_tests.csv"


def test_a_page_with_nothing_drawn_offers_nothing(study, tmp_path: Path, monkeypatch) -> None:
    assert sections(page(tmp_path, "overview", monkeypatch)) == []
    empty = {"gender": "female", "ethnicity": "Asian", "split": "test", "age": ["0", "3"]}
    for name in ("overview", "accuracy", "gaps", "evidence"):
        app = page(study[0], name, monkeypatch, **empty)
        assert sections(app) == []
        assert not registry(app).items, "a page that stops has drawn nothing yet that would be lost"


def test_no_picture_of_under_eleven_faces_is_taken_away(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    query = {"gender": "female", "ethnicity": "White", "age": ["0", "3"]}
    n = int(Filter(("female",), ("White",), 0, 3).mask(audit.faces).sum())
    assert 0 < n < 11
    sheet = offered(page(models, "overview", monkeypatch, **query), "image")["study-grid"]
    panels = [panel for _, row in sheet.rows for panel, _ in row]
    assert panels
    assert not any(isinstance(panel, Image.Image) for panel in panels)
    wide = offered(page(models, "overview", monkeypatch), "image")["study-grid"]
    assert any(isinstance(panel, Image.Image) for _, row in wide.rows for panel, _ in row)


@pytest.mark.parametrize("browser", ["/bin/true", "/nowhere/chrome"])
def test_the_section_opened(browser: str, study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_PATH", browser)
    monkeypatch.setattr(ui.shell.open_audit, "MODELS", study[0])
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.switch_page(str(ROOT / "pages/accuracy.py"))
    app.session_state["downloads_open"] = True
    app.run()
    assert not app.exception
    assert not app.error
    labels = [button.proto.label for button in app.get("download_button")]
    missing = [info.value for info in app.info if info.value == NO_BROWSER]
    if browser == "/bin/true":
        assert labels[:2] == ["Download PNG", "All of this page (ZIP)"]
        assert not missing
    else:
        assert labels[0] == "All of this page (ZIP)"
        assert missing == [NO_BROWSER]


def test_why_a_chart_could_not_be_drawn_is_kept_for_the_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chrome")
    one = DownloadRegistry("accuracy")
    item, provenance = Item("chart", "a", "a", go.Figure), Provenance((), "accuracy", "", "", "")
    with pytest.raises(LookwhereError):
        _one_file(one, item, "PNG", SIZES["slide"], 300, provenance)
    assert one.trouble == NO_BROWSER
    assert charts.browser() is None
