"""The filter bar by AppTest: what an address asks for in vain is told, and the bar goes along from page to page."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from core.data.filters import Filter
from tests.helpers.former import write_former
from tests.helpers.pages import opened, page

HOSTILE = "![x](http://evil/t.png) <script>alert(1)</script> **b**"


def bar(app: AppTest) -> dict[str, object]:
    """What the bar's widgets say."""
    widgets = {element.key: element.value for element in [*app.get("button_group"), *app.toggle, *app.select_slider]}
    return {key: widgets.get(key) for key in ("gender", "ethnicity", "adults", "age", "split", "outcome")}


def in_address(app: AppTest, key: str) -> list[str]:
    """A parameter's values; AppTest gives a single one as text."""
    value = app.query_params[key]
    return [value] if isinstance(value, str) else list(value)


def counted(app: AppTest) -> str:
    return next(m.value for m in app.metric if m.label == "Faces")


def told(app: AppTest) -> list[str]:
    return [c.value.replace("\\", "") for c in app.caption if "In the address" in c.value]


def test_a_link_sets_every_widget(study, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {"gender": "female", "ethnicity": ["Black", "Asian"], "age": ["18", "45"], "split": "test"}
    app = page(study[0], "faces", monkeypatch, **query, outcome="incorrect")
    assert bar(app) == {
        "gender": ["female"], "ethnicity": ["Black", "Asian"], "adults": False, "age": ("18", "45"), "split": ["test"],
        "outcome": "incorrect",
    }  # fmt: skip
    assert told(app) == []
    for key, value in query.items():
        assert in_address(app, key) == (value if isinstance(value, list) else [value])


def test_what_a_link_asks_for_in_vain_is_told_and_left_out(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    query = {"ethnicity": ["Black", HOSTILE], "age": ["60", "3"], "outcome": "perhaps", "adults": "maybe", "split": "x"}
    app = page(models, "heatmaps", monkeypatch, **query)
    assert not app.exception
    assert not app.error
    lines = told(app)
    assert len(lines) == 5
    assert f"«{HOSTILE}"[:50] in lines[0]
    assert all(line.endswith("Left out.") for line in lines)
    in_force = [re.sub(r"\\.", "", c.value) for c in app.caption if "In the address" in c.value]
    assert not any("![" in line or "](" in line or "**b" in line or "<script" in line for line in in_force)
    assert bar(app)["ethnicity"] == ["Black"]
    assert bar(app)["age"] == ("0", "any")
    assert "age" not in app.query_params
    assert "split" not in app.query_params
    next(element for element in app.get("button_group") if element.key == "gender").set_value(["male"]).run()
    assert told(app) == [], "once the filter is changed, the link is history"
    overview = page(models, "overview", monkeypatch, ethnicity=["Black", "Martian"])
    assert counted(overview) == f"{int(Filter(ethnicity=('Black',)).mask(audit.faces).sum()):,}"


def test_the_bar_goes_along_to_every_page_that_has_one(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    app = opened(models, "accuracy", monkeypatch)
    app.toggle(key="adults").set_value(False).run()
    next(element for element in app.get("button_group") if element.key == "ethnicity").set_value(["Black"]).run()
    for name in ("training", "gaps", "faces", "overview"):
        app.query_params.clear()
        app.switch_page(f"pages/{name}.py").run()
        assert not app.exception
        if name == "training":
            continue
        assert bar(app)["adults"] is False, name
        assert bar(app)["ethnicity"] == ["Black"], name
        assert in_address(app, "ethnicity") == ["Black"]
    assert counted(app) == f"{int(Filter(ethnicity=('Black',)).mask(audit.faces).sum()):,}"


def test_a_choice_of_predictions_waits_on_pages_that_show_both(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    app = page(models, "overview", monkeypatch, outcome="incorrect")
    assert counted(app) == f"{len(audit.faces):,}"
    assert bar(app)["outcome"] is None
    app.query_params.clear()
    app.switch_page("pages/faces.py").run()
    assert bar(app)["outcome"] == "incorrect"


def test_another_audit_has_the_bar_that_its_faces_allow(study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that the next audit lacks must not stay chosen, nor «Adults only» where no age is recorded."""
    models = tmp_path / "models"
    shutil.copytree(study[0], models)
    second_audit = models / "made/audits/other"
    shutil.copytree(models / "made/audits/made-all", second_audit)
    table = pq.read_table(second_audit / "faces.parquet")
    for name, column in (
        ("age", pa.nulls(len(table), table["age"].type)),
        ("ethnicity", pa.array(["Martian"] * len(table))),
    ):
        table = table.set_column(table.column_names.index(name), name, column)
    pq.write_table(table, second_audit / "faces.parquet")
    write_former(second_audit / "audit.json", json.loads((second_audit / "audit.json").read_text()))
    app = page(models, "overview", monkeypatch, audit="made-all", adults="true", ethnicity="Black", gender="female")
    few = counted(app)
    app.selectbox(key="audit").set_value("other").run()
    assert not app.exception
    assert counted(app) == f"{int(Filter(('female',)).mask(study[1].faces).sum()):,}" != few
    assert told(app) == [":material/link_off: In the address: No face here has the ethnicity «Black». Left out."], (
        "pages open on adults by themselves, so of ages nobody had asked for anything"
    )
    assert bar(app)["gender"] == ["female"]
    assert "ethnicity" not in app.query_params


def test_a_page_opens_on_adults_and_all_ages_are_one_click_away(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    app = opened(models, "overview", monkeypatch)
    adults = int(Filter(age_from=18).mask(audit.faces).sum())
    assert counted(app) == f"{adults:,}" != f"{len(audit.faces):,}"
    assert "adults" not in app.query_params
    app.toggle(key="adults").set_value(False).run()
    assert counted(app) == f"{len(audit.faces):,}"
    assert in_address(app, "adults") == ["false"]
