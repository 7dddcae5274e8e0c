"""The page «Evidence by region» on a made study, and where there is little or nothing to show."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.analysis.maps.region_evidence import waterfall
from core.data.filters import Filter
from core.explain.maps import TARGETS
from core.files import write_json
from core.present.text.evidence import waterfall_sentence
from tests.helpers.made_audit import made_audit
from tests.helpers.made_study import MODEL_INFO
from tests.helpers.pages import headline, page, text


@pytest.mark.parametrize("target", TARGETS)
def test_the_page_runs_for_each_target(target: str, study, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(study[0], "evidence", monkeypatch, target=target)
    assert not app.exception
    assert not app.error
    assert [s.value for s in app.subheader] == [
        "The regions",
        "From group A to group B",
        "Evidence by region of each group",
        "Share of positive evidence",
    ]
    assert len(app.get("plotly_chart")) == 3
    offered = {item.name for item in app.session_state["downloads"].items.values()}
    assert offered == {"regions", "waterfall", "budgets", "energy"}
    page_text = text(app)
    assert "centred on" in page_text
    assert "opposite by construction" in page_text
    assert "Chin and long hair lie outside" in page_text


def test_the_sentence_is_that_of_the_chosen_groups(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    query = {"a_gender": "female", "a_ethnicity": "White", "b_gender": "male", "b_ethnicity": "Black", "outcome": "all"}
    a, b = Filter(("female",), ("White",)), Filter(("male",), ("Black",))
    app = page(models, "evidence", monkeypatch, **query)
    assert waterfall_sentence(waterfall(audit, a, b)) in headline(app)


def test_under_eleven_faces_only_n_is_told(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    few = Filter(("female",), ("White",), 0, 3)
    n = int(few.mask(audit.faces).sum())
    assert 0 < n < 11
    query = {"a_gender": "female", "a_ethnicity": "White", "a_age": "0–2", "b_gender": "male", "b_ethnicity": "any"}
    app = page(models, "evidence", monkeypatch, **query)
    assert not app.exception
    assert "No evidence by region is shown" in headline(app)
    assert f"only {n} face" in text(app)
    assert len(app.get("plotly_chart")) == 2, "group B alone has its budget and its shares"


def test_both_groups_too_small(study, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {f"{x}_{k}": v for x in "ab" for k, v in (("gender", "female"), ("ethnicity", "White"), ("age", "0–2"))}
    app = page(study[0], "evidence", monkeypatch, **query)
    assert not app.exception
    assert not app.get("plotly_chart")
    assert "Averages need 11" in text(app)


def test_no_face_says_what_to_do(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    empty = {"gender": "female", "ethnicity": "Asian", "split": "test", "age": ["0", "3"]}
    assert not Filter(("female",), ("Asian",), 0, 3, split=("test",)).mask(audit.faces).any()
    app = page(models, "evidence", monkeypatch, **empty)
    assert not app.exception
    assert "No face passes this filter" in headline(app)
    assert not app.get("plotly_chart")


def test_a_group_that_the_filter_bar_leaves_out_is_told(study, monkeypatch: pytest.MonkeyPatch) -> None:
    app = page(study[0], "evidence", monkeypatch, gender="female", a_gender="female", b_gender="male")
    assert not app.exception
    assert any("leaves out male" in w.value for w in app.warning)
    assert "Choose two groups" in headline(app)


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (None, "no group has 11 faces"),
        ("averages_kept_elsewhere", "another audit of these faces, or of some, keeps them"),
    ],
)
def test_without_average_faces_the_page_says_why(
    why: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = {} if why is None else {"averages": {"code": why}}
    made_audit(240, path=tmp_path / "made/audits/test", manifest=manifest)
    write_json(tmp_path / "made/model.json", MODEL_INFO)
    assert f"No average face is stored: {said}" in text(page(tmp_path, "evidence", monkeypatch))
