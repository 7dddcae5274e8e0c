"""Each page by Streamlit's AppTest: on a made study everywhere, and with nothing there at all."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.training.record import Status, write_status
from tests.helpers.former import write_former
from tests.helpers.pages import page, text


def test_a_damaged_audit_is_told_in_one_line(tmp_path: Path, study, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(study[0], tmp_path / "models")
    (tmp_path / "models/made/audits/made-all/averages.npz").write_bytes(b"broken")
    app = page(tmp_path / "models", "overview", monkeypatch)
    assert not app.exception
    assert "averages.npz" in app.error[0].value
    assert "run it again" in app.error[0].value


def test_the_filter_narrows_what_is_counted(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    app = page(models, "overview", monkeypatch, ethnicity="Black", adults="true")
    n = int(Filter(ethnicity=("Black",), age_from=ADULT_AGE).mask(audit.faces).sum())
    assert [m.value for m in app.metric if m.label == "Faces"] == [f"{n:,}"]


def test_a_filter_value_that_does_not_exist_is_left_out(study, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(study[0], "accuracy", monkeypatch, ethnicity="Martian", age=["3", "x"], outcome="perhaps")
    assert not app.exception
    assert not app.error


def test_no_face_left_says_what_to_do(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    empty = {"gender": "female", "ethnicity": "Asian", "split": "test", "age": ["0", "3"]}
    assert not Filter(("female",), ("Asian",), 0, 3, split=("test",)).mask(audit.faces).any()
    for name in ("overview", "accuracy"):
        app = page(models, name, monkeypatch, **empty)
        assert not app.exception
        assert "No face passes this filter" in text(app)


def test_the_threshold_moves_the_confusion(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    app = page(models, "accuracy", monkeypatch)
    app.slider(key="threshold").set_value(0.95).run()
    assert not app.exception
    assert (audit.faces["p_male"] < 0.95).all(), "the made network is sure of nothing, so all become female"
    table = app.dataframe[0].value
    women = table[(table["gender"] == "female") & (table["ethnicity"] == "all")].iloc[0]
    assert women["correct"] == women["n"]


@pytest.mark.parametrize("target", ["true", "predicted", "female", "male", "margin"])
@pytest.mark.parametrize("norm", ["raw", "scaled"])
def test_heatmaps_for_each_target_and_normalisation(
    target: str, norm: str, study, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(study[0], "heatmaps", monkeypatch, target=target, norm=norm, groups="4")
    assert not app.exception
    assert not app.error
    assert text(app).count("Average face:") == 4


def test_a_group_under_eleven_faces_is_not_shown(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    small_group = Filter(("female",), ("White",), 0, 3)
    assert 0 < small_group.mask(audit.faces).sum() < 11
    query = {"a_gender": "female", "a_ethnicity": "White", "a_age": "0–2", "b_gender": "male"}
    page_text = text(page(models, "heatmaps", monkeypatch, **query))
    assert f"Only {small_group.mask(audit.faces).sum()} faces in this group" in page_text
    assert "Average face: White women" not in page_text


def test_a_live_run_shows_its_state_and_a_silent_one_is_lost(
    tmp_path: Path, study, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    shutil.copytree(study[0], models)
    write_status(models / "made/training", Status("running", 1, 3, 2, 4, 10.0, 65.0, 0.7, time.time()))
    values = {m.label: m.value for m in page(models, "training", monkeypatch).metric}
    assert values["State"] == "running"
    assert values["Epoch"] == "1 of 3"
    assert values["Time left"] == "1 min"
    write_status(models / "made/training", Status("running", 1, 3, 2, 4, 10.0, 65.0, 0.7, time.time() - 600))
    metrics = page(models, "training", monkeypatch).metric
    values = {m.label: m.value for m in metrics}
    assert values["State"] == "lost"
    assert values["Time left"] == "–"
    assert {m.label: m.delta for m in metrics}["Time left"] == "it is not running", "no speed of what stands still"
    write_status(models / "made/training", Status("finished", 3, 3, 0, 4, 10.0, 0.0, 0.7, time.time()))
    notes = {m.label: m.delta for m in page(models, "training", monkeypatch).metric}
    assert (notes["Epoch"], notes["Time left"]) == ("4 steps each", "it is finished")


def test_renamed_ethnicities_are_told_in_the_sidebar(tmp_path: Path, study, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(study[0], tmp_path / "models")
    file = tmp_path / "models/made/audits/made-all/audit.json"
    write_former(file, json.loads(file.read_text()) | {"names": {"Caucasian": "White"}})
    app = page(tmp_path / "models", "overview", monkeypatch)
    assert any("renamed" in caption.value and "Caucasian → White" in caption.value for caption in app.sidebar.caption)
    assert not any("renamed" in caption.value for caption in page(study[0], "overview", monkeypatch).sidebar.caption)
