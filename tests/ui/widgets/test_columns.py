"""Further columns in the pages: the bar, the address, group pickers and groups across columns; names stay literal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import ui.views.faces
from core.audit.folder import Audit
from core.audit.images import AuditImages
from core.data.filters import Filter
from core.errors import LookwhereError
from core.files import write_json
from tests.helpers.made_audit import made_audit
from tests.helpers.made_columns import MADE_COLUMNS
from tests.helpers.made_study import MODEL_INFO
from tests.helpers.pages import headline, needing, page, text
from ui.shell.navigation import Needs
from ui.widgets.filter_query import FilterOptions, read_query, write_query
from ui.widgets.group_picker import ANY, narrow

CAMERA = MADE_COLUMNS[1].levels[0]
DRAWN = needing(Needs.AUDIT, Needs.MAPS)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Audit]:
    """A model with an audit of faces with further columns, in a folder of models."""
    root = tmp_path_factory.mktemp("models")
    audit = made_audit(900, errors={("female", "Black"): 0.3}, own=True, path=root / "made/audits/made-test")
    write_json(root / "made/model.json", MODEL_INFO)
    return root, audit


def counted(app: AppTest) -> str:
    return next(m.value for m in app.metric if m.label == "Faces")


def test_an_address_of_columns_comes_back_and_what_is_not_there_is_told(own) -> None:
    options = FilterOptions.from_audit(own[1])
    query = {"by.camera": [CAMERA, "none such"], "by.skin_tone": ["VI", "II"], "by.<b>*x*": ["1"]}
    selection, notes = read_query(query, options)
    assert selection.columns == (("camera", (CAMERA,)), ("skin_tone", ("II", "VI")))
    assert list(notes) == [
        "No face here has the «camera» «none such».", "These faces have no column «<b>*x*».",
    ]  # fmt: skip
    assert read_query(write_query(selection), options) == (selection, ())
    assert selection.filter() == Filter(age_from=18, columns=selection.columns)
    assert read_query({}, options, selection)[0] == selection, "it goes along to the next page"
    assert read_query({}, FilterOptions(has_age=True), selection)[0].columns == (), (
        "but not to faces without the column"
    )
    assert selection.with_column("camera", ()).columns == (("skin_tone", ("II", "VI")),)


def test_only_levels_that_occur_are_offered(own) -> None:
    audit = own[1]
    some = replace(
        audit, faces=audit.faces[audit.faces["skin_tone"].isin(["I", "III"]) & (audit.faces["glasses"] == "no")]
    )
    offered = {column.name: column.levels for column in FilterOptions.from_audit(some).columns}
    assert offered["skin_tone"] == ("I", "III") and "glasses" not in offered
    assert offered["distance"] == MADE_COLUMNS[3].levels


def test_the_bar_filters_by_a_column_and_keeps_it_in_the_address(own, monkeypatch: pytest.MonkeyPatch) -> None:
    root, audit = own
    app = page(root, "overview", monkeypatch, **{"by.skin_tone": ["II", "IX"]})
    assert not app.exception
    assert counted(app) == f"{int((audit.faces['skin_tone'] == 'II').sum()):,}"
    assert any("IX" in c.value and "In the address" in c.value for c in app.caption)
    assert "Exploratory" in headline(app)
    glasses = next(element for element in app.get("button_group") if element.key == "by.glasses")
    glasses.set_value(["yes"]).run()
    both = ((audit.faces["skin_tone"] == "II") & (audit.faces["glasses"] == "yes")).sum()
    assert counted(app) == f"{int(both):,}"
    assert app.query_params["by.glasses"] in ("yes", ["yes"]) and app.query_params["by.skin_tone"] in ("II", ["II"])
    app.switch_page("pages/accuracy.py").run()
    assert next(element for element in app.get("button_group") if element.key == "by.glasses").value == ["yes"]


@pytest.mark.parametrize("name", ["accuracy", "gaps"])
def test_groups_across_columns(own, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    root = own[0]
    app = page(root, name, monkeypatch, across=["glasses", "skin_tone"])
    assert not app.exception and not app.error
    frames = [frame.value for frame in app.dataframe]
    assert any("skin_tone" in frame or "comparison" in frame for frame in frames)
    assert "Exploratory: the declared analysis is by gender × ethnicity." in text(app)
    long = page(root, name, monkeypatch, across=["glasses", "camera", "gender"])
    assert not long.exception and not long.error
    if name == "gaps":
        assert "Groups are named by their levels alone, in the order of glasses, camera." in text(long).replace(
            "\\", ""
        )
        pairs = next(frame.value for frame in long.dataframe if "comparison" in frame.value)["comparison"]
        assert not pairs.str.contains("camera: ").any() and pairs.str.contains("Women, no, Nikon").any()
    many = page(root, name, monkeypatch, across=["glasses", "skin_tone", "camera", "gender"])
    assert not many.exception and "up to 3 columns are crossed" in text(many)


def test_who_gets_no_answer_stands_on_the_accuracy_page(own, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(own[0], "accuracy", monkeypatch, abstain="20", equal="true", across="age_band")
    assert not app.exception and not app.error
    table = next(frame.value for frame in app.dataframe if "share answered" in frame.value)
    assert table["group"].str.endswith(" years").sum() == 7 and table["share answered"].between(0.79, 0.83).all()
    assert not any("_" in name for name in table), "the page names its columns in words"
    saved = app.session_state["downloads"].items["table abstention"].make()
    assert {"share_low", "share_high", "error_ratio"} <= set(saved), "the file keeps its keys"
    assert "those the model is least sure of in each group" in text(app).replace("\\", "")


def test_no_answers_and_wrong_labels_are_told_by_the_columns_that_are_crossed(
    own, monkeypatch: pytest.MonkeyPatch
) -> None:
    across = ["glasses", "skin_tone", "gender"]
    groups = own[1].faces.groupby(across, observed=True).ngroups
    app = page(own[0], "accuracy", monkeypatch, across=across)
    assert not app.exception and not app.error
    table = app.session_state["downloads"].items["table abstention"].make()
    assert len(table) == groups and table["group"].str.startswith("women, glasses: yes, skin tone: ").sum() == 6
    app = page(own[0], "labels", monkeypatch, across=across)
    assert not app.exception and not app.error
    table = app.session_state["downloads"].items["table suspected"].make()
    assert table["group"].str.startswith("women, glasses: yes, skin tone: ").sum() == 7, "one is not recorded"
    assert table["n"].iloc[1:].sum() == table["n"].iloc[0] == 900
    for name in ("labels", "gaps"):
        app = page(own[0], name, monkeypatch, across=["ethnicity", "glasses", "gender"])
        assert not app.exception and not app.error
        tips = app.session_state["downloads"].items["table tipping-points"].make()
        assert tips["worse"].str.startswith("Black women, glasses: ").any()


def test_a_group_is_picked_by_a_column(own, monkeypatch: pytest.MonkeyPatch) -> None:
    root, audit = own
    app = page(root, "heatmaps", monkeypatch, a_column="camera", a_level=CAMERA)
    assert not app.exception
    n = int(((audit.faces["camera"] == CAMERA) & np.ones(len(audit.faces), bool)).sum())
    assert n > 200 and CAMERA in headline(app).replace("&#x27;", "'")
    with pytest.raises(LookwhereError, match="clear its camera filter"):
        narrow(Filter(columns=(("camera", ("x",)),)), None, None, ANY, "all", ("camera", "y"))
    inside = narrow(Filter(columns=(("glasses", ("no",)),)), None, None, ANY, "all", ("camera", "y"))
    assert inside.columns == (("camera", ("y",)), ("glasses", ("no",)))


def test_evidence_and_comparison_across_columns(own, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(own[0], "evidence", monkeypatch, across=["glasses", "gender"])
    assert not app.exception and not app.error
    table = app.session_state["downloads"].items["table regions-by-group"].make()
    assert len(table) == 6 and table["n"].sum() == 900, "faces without a level are a group too"
    long = page(own[0], "evidence", monkeypatch, across=["glasses", "camera", "gender"])
    groups = next(frame.value for frame in long.dataframe if "forehead" in frame.value)["group"]
    assert groups.str.startswith("Women, no, Nikon").any() and not groups.str.contains("camera: ").any()
    assert "in the order of glasses, camera." in text(long).replace("\\", "")
    root = own[0]
    if not (root / "other").exists():
        made_audit(900, errors=0.1, own=True, path=root / "other/audits/made-test")
        write_json(root / "other/model.json", MODEL_INFO)
    app = page(root, "compare", monkeypatch, across=["skin_tone"])
    assert not app.exception and not app.error
    table = app.session_state["downloads"].items["table paired-across"].make()
    assert list(table["group"][:3]) == ["All faces", "Skin tone: I", "Skin tone: II"]
    assert "table paired-across" not in page(root, "compare", monkeypatch).session_state["downloads"].items


def test_further_terms_of_the_regression(own, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(own[0], "gaps", monkeypatch, terms=["distance", "camera"])
    assert not app.exception and not app.error
    table = app.session_state["downloads"].items["table measured-terms"].make()
    assert {"distance", "gender × distance", "camera", "ethnicity"} <= set(table["term"])
    assert "given all other terms" in text(app)


def test_faces_of_a_group_across_columns(own, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root, audit = own
    images = AuditImages(tmp_path, np.zeros((len(audit.faces), 112, 112, 3), np.uint8), np.arange(len(audit.faces)))
    monkeypatch.setattr(ui.views.faces, "audit_images_of", lambda audit: (images, []))
    app = page(root, "faces", monkeypatch, across=["glasses", "camera"], kind="any")
    assert not app.exception and not app.error
    inside = ((audit.faces["glasses"] == "yes") & (audit.faces["camera"] == CAMERA)).to_numpy()
    wrong = int((inside & ~audit.faces["correct"].to_numpy(bool)).sum())
    label = f"glasses: yes, camera: {CAMERA}: {wrong:,} of {inside.sum():,} incorrect"
    assert label in app.selectbox(key="crossed").options
    app.selectbox(key="crossed").set_value(label.rpartition(": ")[0]).run()
    assert f"1–24 of {inside.sum():,}" in text(app)


def test_levels_stand_as_they_are_written(own, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(own[0], "accuracy", monkeypatch, across=["camera"])
    assert not app.exception and not app.error
    item = app.session_state["downloads"].items["figure across"]
    ticks = str(item.make().to_json())
    assert "a camera whose name is so long" in ticks and "A camera whose name is so long" not in ticks
    frame = next(frame.value for frame in app.dataframe if "camera" in frame.value)
    assert "group" not in frame, "numbers stand beside the level, also on a telephone"


@pytest.mark.parametrize("column", MADE_COLUMNS, ids=lambda column: column.name)
@pytest.mark.parametrize("name", DRAWN)
def test_every_page_by_every_column(name: str, column, own, monkeypatch: pytest.MonkeyPatch) -> None:
    """Crossed, filtered and picked at once, by a column of each kind; what is looked at is told as a person says it."""
    root = own[0]
    levels = dict(zip("ab", column.levels, strict=False))
    picked = {f"{letter}_column": column.name for letter in levels} | {
        f"{letter}_level": level for letter, level in levels.items()
    }
    asked = {f"by.{column.name}": list(levels.values())}
    app = page(root, name, monkeypatch, across=[column.name], **picked, **asked)
    assert not app.exception and not app.error, [element.value for element in (*app.exception, *app.error)]
    shown = text(app).replace("\\", "").replace("&#x27;", "'")
    assert "In the address" not in shown and "all faces," not in shown
    if any(element.key == "gender" for element in app.get("button_group")):  # it has a filter bar
        assert app.session_state["downloads"].scope.startswith(f"faces with {column.said}: {levels['a']} or ")


def test_long_groups_are_told_apart_by_their_levels(own, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where groups have long names, tables and what is left out call them by levels alone, and say so."""
    across = ["glasses", "skin_tone", "camera"]
    app = page(own[0], "accuracy", monkeypatch, across=across)
    table = next(frame.value for frame in app.dataframe if "share answered" in frame.value)
    assert table["group"].str.startswith("No, II, Nikon").any() and not table["group"].str.contains("camera: ").any()
    saved = app.session_state["downloads"].items["table abstention"].make()
    assert saved["group"].str.startswith("glasses: no, skin tone: II, camera: Nikon").any(), "the file tells all"
    app = page(own[0], "gaps", monkeypatch, across=across)
    left_out = next(e.value for e in app.caption if "Left out, since nothing sure" in e.value)
    assert ": no, I, not recorded (" in left_out.replace("\\", "") and "skin tone: " not in left_out
    assert "in the order of glasses, skin" in text(app).replace("\\", "")
    alone = page(own[0], "accuracy", monkeypatch, across=["camera"])
    table = next(frame.value for frame in alone.dataframe if "share answered" in frame.value)
    assert "a camera whose name is so long that no axis and no pill awaits it" in set(table["group"]), (
        "as it is written"
    )
    long = page(own[0], "evidence", monkeypatch, across=["camera"])
    groups = next(frame.value for frame in long.dataframe if "forehead" in frame.value)["group"]
    assert groups.str.startswith("a camera whose").sum() == 1 and "Nikon D750 / 85 mm" in set(groups)
