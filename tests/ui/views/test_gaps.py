"""The page «Gaps and tests» by AppTest: its sentence, its parts, and data sets that lack something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.counts import group_counts, tally
from core.analysis.accuracy.extremes import extremes
from core.analysis.accuracy.simultaneous import gap_of, largest_gap
from core.audit.folder import open_audit
from core.data.faces import ADULT_AGE, UNRECORDED
from core.files import write_json
from core.present.text.gaps import gap_sentence, gap_words
from core.wording import p_words, points, span
from tests.helpers.made_audit import made_audit
from tests.helpers.made_experiment import INFO
from tests.helpers.made_study import audited_models
from tests.helpers.pages import page, text
from tests.helpers.shipped import AUDIT, shipped_or_skip
from ui.views.gaps import groupings
from ui.widgets import help_texts

PARTS = (
    "All groups at once",
    "Which groups differ",
    "Age against ethnicity",
    "How many faces it would take",
    "Fairness measures",
    "Label noise and leaks",
)
LACKS = {
    "nothing": ({}, ()),
    "no-ethnicity": ({"ethnicity": UNRECORDED}, (help_texts.NO_ETHNICITY,)),
    "no-age": ({"age": pd.NA}, (help_texts.NO_AGE,)),
    "one-gender": ({"gender": "female"}, (help_texts.ONE_GENDER,)),
    "one-group": ({"gender": "female", "ethnicity": UNRECORDED, "age": pd.NA}, ("one group only",)),
    "one-gender-by-age": ({"gender": "female", "ethnicity": UNRECORDED}, ("years",)),
}


@pytest.fixture(scope="module", params=list(LACKS))
def sparse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    columns, _ = LACKS[request.param]
    models = tmp_path_factory.mktemp("gaps")
    audited_models(models, 360, columns=columns)
    return request.param, models


def test_the_page_says_what_it_can_and_what_it_cannot(sparse, monkeypatch: pytest.MonkeyPatch) -> None:
    lack, models = sparse
    app = page(models, "gaps", monkeypatch)
    assert not app.exception
    assert not app.error
    page_text = text(app)
    assert "lw-headline" in page_text
    for sentence in LACKS[lack][1]:
        assert sentence in page_text
    if lack != "one-group":
        assert [s.value for s in app.subheader] == list(PARTS)


def test_many_groups_left_out_are_told_short_and_stand_in_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = made_audit(400, errors=0.2, shape=None, own=True, path=tmp_path / "made/audits/all")
    write_json(tmp_path / "made/model.json", INFO)
    by = ["glasses", "camera", "skin_tone"]
    left_out = group_counts(audit.faces, by, smallest=1, columns=audit.columns).left_out
    assert len(left_out) > 12
    app = page(tmp_path, "gaps", monkeypatch, across=by)
    assert not app.exception and not app.error
    captions = [element.value for element in app.caption if "nothing sure can be said" in element.value]
    assert f" and {len(left_out) - 6} more." in captions[0] and captions[0].count(" in all)") == 6
    assert "skin_tone" not in captions[0]
    tables = [element.value for element in app.dataframe if "why left out" in element.value]
    assert len(left_out) in map(len, tables) and f"All {len(left_out)} that are left out" in [
        e.label for e in app.expander
    ]


def test_every_grouping_family_and_difference_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = tmp_path
    audit, _ = audited_models(models, 480, ("made0", "made1"))
    app = page(models, "gaps", monkeypatch)
    assert "2 models" in text(app)
    for grouping in groupings(audit.faces):
        app = page(models, "gaps", monkeypatch, by=grouping, family="each against the rest", points="5")
        assert not app.exception
        assert not app.error
        table = next(d.value for d in app.dataframe if "verdict" in d.value)
        assert table["comparison"].str.endswith("all others").all()


def test_no_face_left_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audited_models(tmp_path, 60, columns={"age": 30})
    app = page(tmp_path, "gaps", monkeypatch, age=["0", "3"])
    assert not app.exception
    assert "No face passes this filter" in text(app)


def test_the_shipped_page_gives_the_numbers_that_core_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped_or_skip()
    models = AUDIT.parent.parent.parent
    app = page(models, "gaps", monkeypatch, adults="true", model="resnet50-utkface")
    assert not app.exception
    assert not app.error
    faces = open_audit(AUDIT).faces
    gap = largest_gap(faces[faces["age"] >= ADULT_AGE], ["gender", "ethnicity"])
    sentence = gap_sentence(gap, "Among adults", len(faces))
    assert sentence.replace(" %", "&nbsp;%") in text(app)
    expected = extremes(faces[faces["age"] >= ADULT_AGE])
    assert "are as counted" in text(app) and points(expected.difference).replace(" %", "&nbsp;%") in text(app)
    assert "are as counted" not in text(page(models, "gaps", monkeypatch, by="age")), "Overview has no such gap"
    values = {m.label: m.value for m in app.metric}
    assert values["Gap"] == f"{100 * (gap.best['accuracy'] - gap.worst['accuracy']):.1f} points"
    assert values["Simultaneous 95 % interval"] == span(gap.difference.low, gap.difference.high)
    tests = next(d.value for d in app.dataframe if "verdict" in d.value)
    groups = faces.groupby(["gender", "ethnicity"]).ngroups
    assert len(tests) == groups * (groups - 1) // 2


def test_words() -> None:
    assert span(0.02, 0.091) == "2.0–9.1"
    assert span(-0.004, 0.091) == "−0.4 to 9.1"
    assert span(-0.09, -0.02) == "−9.0 to −2.0"
    assert span(-0.0001, 0.01) == "0.0–1.0"
    assert [p_words(p) for p in (0.00001, 0.0012, 0.0312, np.nan)] == [
        "p < 0.0001",
        "p = 0.0012",
        "p = 0.031",
        "p not known",
    ]
    assert "no two groups" in gap_words(None)
    assert "no two groups" in gap_sentence(None, "Among adults", 40)
    assert gap_sentence(None, "Among adults", 0) == "No face passes this filter."


def test_groups_that_may_be_as_low_are_named_or_counted_where_names_have_commas() -> None:
    rows = [("women", 40, 100), ("men", 99, 100), ("faces", 45, 100), ("others", 46, 100)]
    gaps = []
    for more in ("", ", glasses: no"):
        names = pd.DataFrame({"group": [name + more for name, _, _ in rows]})
        member = np.repeat(np.arange(4), 100)
        right = np.concatenate([np.arange(n) < k for _, k, n in rows])
        gaps.append(gap_of(tally(member, names, right)))
    assert gap_sentence(gaps[0], "Among adults", 400).endswith("; others and faces may be as low.")
    assert gap_sentence(gaps[1], "Among adults", 400).endswith("; 2 of the other 2 groups may be as low.")
