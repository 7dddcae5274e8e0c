"""Opened on an audit of other data, no page says anything of the shipped study's data or of the original study's."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.audit.folder import open_audit
from core.files import write_json
from core.present.report import report_of
from core.present.text.original_study import STUDY
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import INFO
from tests.helpers.pages import opened, text
from ui.shell.navigation import PAGES, PageEntry
from ui.widgets.help_texts import age_note

#: What belongs to two other studies; the pages About and The board are of these themselves.
FOREIGN = re.compile(r"UTKFace|utkface|MORPH|MS1MV2|FairFace|fairface|[Ii]nfants")
OF_ITSELF = ("about", "board")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One audited model, one without an audit, and nothing of the shipped study."""
    root = tmp_path_factory.mktemp("another")
    images = np.full((400, 16, 16, 3), 120, dtype=np.uint8)
    names = {"dataset": "passport-booth", "splits": ["test"]}
    faces = made_faces(400, ethnicities=("Nordic", "Other"), ages=(5, 80))
    made_audit(
        faces=faces, correct=np.arange(400) % 7 > 0, images=images, path=root / "booth/audits/all", manifest=names
    )
    (root / "bare").mkdir()
    for name in ("booth", "bare"):
        write_json(root / name / "model.json", INFO)
    return root


def said(app: AppTest) -> str:
    """All words of a page: texts, commands, labels and help of its controls, charts and tables."""
    assert not app.exception and not app.error, (app.exception, app.error)
    widgets = [*app.selectbox, *app.slider, *app.toggle, *app.multiselect, *app.metric, *app.button]
    parts = [text(app), *(block.value for block in app.get("code"))]
    parts += [f"{getattr(element, 'label', '')} {getattr(element, 'help', '') or ''}" for element in widgets]
    parts += [element.proto.spec for element in app.get("plotly_chart")]
    parts += [element.value.to_csv() for element in app.dataframe]
    return "\n".join(map(str, parts))


@pytest.mark.parametrize("entry", [one for one in PAGES if one.file not in OF_ITSELF], ids=lambda one: one.file)
def test_no_page_speaks_of_other_studies_data(entry: PageEntry, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for query in ({}, {"adults": "false"}) if entry.file in ("overview", "accuracy", "gaps") else ({},):
        words = said(opened(models, entry.file, monkeypatch, model="booth", audit="all", **query))
        assert FOREIGN.findall(words) == []
    assert FOREIGN.findall(said(opened(models, entry.file, monkeypatch, model="bare"))) == []


def test_without_a_model_nothing_is_said_of_them_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = said(opened(tmp_path, "overview", monkeypatch))
    assert "core align --data PATH" in words
    assert FOREIGN.findall(words) == []


def test_nor_in_a_report(models: Path) -> None:
    """But for what the original study was, whose claims the report is about."""
    report = report_of(models / "booth", open_audit(models / "booth/audits/all")).replace("\u00a0", " ")
    assert report.count(STUDY) == 1
    assert FOREIGN.findall(re.sub(r"<style.*?</style>", "", report.replace(STUDY, ""), flags=re.DOTALL)) == []


def test_what_is_said_of_ages_is_counted() -> None:
    faces = made_faces(600, ages=(18, 80)).assign(correct=True)
    assert age_note(faces) == "", "no child is among them"
    age = np.where(np.arange(600) // 2 % 3 == 0, 5, 40)
    words = age_note(faces.assign(age=pd.array(age, dtype="Int16"), correct=np.arange(600) % 6 != 0))
    assert "from 0.0 % (Black) to 100.0 % (White)" in words or "from 0.0 % (Asian) to 100.0 % (White)" in words
    assert "100.0 % of faces under 18" in words
    assert "0.0 % are of faces under 3 years" in words
