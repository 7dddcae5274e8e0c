"""What a link carries: model, audit and partner always; what cannot be had is told; Back undoes a filter."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui.shell.open_audit
from tests.helpers.made_study import audited_models
from tests.helpers.pages import page
from tests.helpers.shipped import ROOT
from ui.shell.open_audit import SHIPPED, default_audit, default_model
from ui.widgets.controls import labels

#: A control by page: what a link asks in vain of it.
IN_VAIN = {
    "accuracy": {"threshold": "7"},
    "gaps": {"by": "hair", "family": "nobody", "points": "many"},
    "heatmaps": {"target": "neither", "norm": "x", "groups": "77", "a_ethnicity": "Purple", "b_age": "7–9"},
    "evidence": {"a_gender": "Female", "target": "neither"},
    "faces": {"kinds": "99"},
    "findings": {"grown": "perhaps"},
    "labels": {"listed": "some"},
    "compare": {"model_b": "deleted", "maps": "huge", "shown": "Purple women"},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models audited on the same faces, the second first."""
    root = tmp_path_factory.mktemp("links")
    audited_models(root, 240, names=("b-first", "a-second"))
    for place, name in enumerate(("b-first", "a-second")):
        os.utime(root / name / "audits/all/audit.json", (place, place))
    return root


def told(app: AppTest) -> list[str]:
    """The lines on what the link asks for in vain, as they are read."""
    return [element.value.replace("\\", "") for element in app.caption if "The link asks for" in element.value]


@pytest.mark.parametrize("name", list(IN_VAIN))
def test_what_a_control_has_not_is_told_and_the_rest_of_the_link_holds(
    name: str, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(models, name, monkeypatch, gender="female", **IN_VAIN[name])
    assert not app.exception and not app.error
    lines = told(app)
    assert len(lines) == len(IN_VAIN[name])
    for value in IN_VAIN[name].values():
        assert [line for line in lines if f"«{value}»" in line], value


def test_a_link_to_a_model_that_is_gone_says_what_is_shown_instead(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(models, "overview", monkeypatch, model="deleted", audit="utkface-test", face="nobody")
    model, audit = told(app)
    assert "model «deleted»" in model and "shown is «b-first»" in model
    assert "audit «utkface-test»" in audit and "shown is «all»" in audit
    app.toggle(key="adults").set_value(True).run()
    assert len(told(app)) == 2, "until something else is chosen"
    app.selectbox(key="model").set_value("a-second").run()
    assert told(app) == []


def test_a_link_that_can_be_had_is_not_commented(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {"target": "margin", "groups": "3", "a_ethnicity": "Black", "opacity": "0.25", "norm": "scaled"}
    app = page(models, "heatmaps", monkeypatch, model="a-second", audit="all", **query)
    assert told(app) == []
    assert [app.selectbox(key=key).value for key in ("model", "target", "norm", "a_ethnicity")] == [
        "a-second", "margin", "scaled", "Black",
    ]  # fmt: skip


def test_model_audit_and_partner_are_always_in_the_address(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(models, "overview", monkeypatch)
    assert app.query_params["model"] == "b-first" and app.query_params["audit"] == "all"
    app = page(models, "compare", monkeypatch, model="a-second")
    address = {key: app.query_params[key] for key in ("model", "audit", "model_a", "model_b")}
    assert address == {"model": "a-second", "audit": "all", "model_a": "a-second", "model_b": "b-first"}


def test_a_model_is_found_by_the_name_it_had_with_one_audit_and_with_several(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(models, tmp_path / "models")
    shutil.copytree(tmp_path / "models/a-second/audits/all", tmp_path / "models/a-second/audits/more")
    for name in ("a-second", "a-second · all"):
        app = page(tmp_path / "models", "compare", monkeypatch, model="b-first", model_b=name)
        assert app.selectbox(key="model_b").value == "a-second · all"
        assert told(app) == []
    app = page(models, "compare", monkeypatch, model="b-first", model_b="a-second · all")
    assert app.selectbox(key="model_b").value == "a-second"


def test_what_is_added_later_changes_no_link_that_names_nothing(models: Path, tmp_path: Path) -> None:
    root = tmp_path / "models"
    shutil.copytree(models, root)
    names = ["a-second", "b-first"]
    assert default_model(names) == "a-second", "of models that are not there none is older"
    monkeypatched = pytest.MonkeyPatch()
    monkeypatched.setattr(ui.shell.open_audit, "MODELS", root)
    try:
        assert default_model(names) == "b-first"
        shutil.copytree(root / "b-first/audits/all", root / "b-first/audits/added")
        os.utime(root / "b-first/audits/added/audit.json", (9, 9))
        assert default_audit(root / "b-first") == "all"
        model, audit = SHIPPED
        shutil.copytree(root / "a-second", root / model)
        (root / model / "audits/all").rename(root / model / "audits" / audit)
        shutil.copytree(root / "b-first/audits/all", root / model / "audits/older")
        assert default_model([*names, model]) == model
        assert default_audit(root / model) == audit
    finally:
        monkeypatched.undo()


def test_back_undoes_a_filter(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Back brings the address that was, and runs the page again."""
    app = page(models, "overview", monkeypatch, gender="female", age=["18", "45"])
    faces = next(element.value for element in app.metric if element.label == "Faces")
    app.get("button_group")[1].set_value(["Black"]).run()
    assert app.query_params["ethnicity"] == "Black"
    del app.query_params["ethnicity"]
    app.query_params["age"] = ["18", "45"]
    app.run()
    assert app.get("button_group")[1].value == []
    assert "ethnicity" not in app.query_params
    assert next(element.value for element in app.metric if element.label == "Faces") == faces
    del app.query_params["age"]
    app.run()
    assert app.select_slider[0].value == ("0", "any")


def test_two_names_never_share_a_label() -> None:
    name = labels(["A b", "A\nb", "A  b", "*"])
    assert len({name(text) for text in ("A b", "A\nb", "A  b", "*")}) == 4
    assert name("*") == r"\*"


def test_what_shows_names_or_is_in_the_address_goes_through_the_controls() -> None:
    """Streamlit's own would read names as Markdown, hide what does not fit, or leave out in silence what a link has."""
    through = {
        # The decisions on a suspected label are the page's own words, and no part of the address.
        r"(pills|segmented_control)\(": ("controls.py", "suspects.py"),
        # Forms of commands are not in the address, and their options are the command's own words.
        r"(?<!controls)\.(multiselect|radio)\(|st\.tabs\(": ("controls.py", "option_fields.py"),
        r"\bst\.(caption|markdown|subheader)\(": ("about.py", "open_audit.py", "report_button.py"),
        r"\.dataframe\(|\.data_editor\(|st\.table\(": ("layout.py",),
        r"\.metric\(": ("layout.py",),
        r'bind="query-params"': (
            "controls.py",
            "faces.py",
            "suspects.py",
        ),  # sheets of faces, whose numbers are no names
    }
    for file in sorted((ROOT / "ui").rglob("*.py")):
        for line in file.read_text(encoding="utf-8").splitlines():
            for pattern, homes in through.items():
                own = re.search(pattern, line) and not re.search(r"def |layout\.|controls\.", line)
                assert file.name in homes or not own, f"{file}: {line}"
