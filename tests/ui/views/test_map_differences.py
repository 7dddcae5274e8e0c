"""The heatmap page's tested differences: verdict, adjustment, abstention, overlap, and wrong against right by shape."""

from __future__ import annotations

import dataclasses
import html
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.analysis.maps.differences import MapDifference, difference_of, incorrect_less_correct
from core.audit.folder import Audit
from core.data.filters import Filter
from core.present.figures.differences import outlined, painted
from core.present.text import escape
from tests.helpers.pages import page, text

WOMEN = {"a_gender": "female", "a_ethnicity": "any"}
MEN = {"b_gender": "male", "b_ethnicity": "any"}


def said(app) -> str:
    return html.unescape(text(app)).replace("\xa0", " ")


def test_the_page_gives_the_verdict_that_core_does(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    app = page(models, "heatmaps", monkeypatch, **WOMEN, **MEN, target="margin")
    difference = difference_of(audit, Filter(("female",)), Filter(("male",)), "margin", "raw")
    assert difference.verdict.startswith("Adjusted for age, ")
    page_text = said(app)
    assert not app.exception
    assert difference.verdict in page_text
    headline = re.search(r"<p class='lw-headline'>(.*?)</p>", text(app), re.DOTALL)
    assert difference.verdict in html.unescape(headline.group(1)).replace("\xa0", " ")
    assert f"n = {difference.n_a:,} and {difference.n_b:,}" in page_text
    assert "not tested here" not in page_text


def replaced(audit: Audit, path: Path, **fields: object) -> Audit:
    """An audit with some fields replaced, in a folder of its own, so that nothing kept of the first is taken for it."""
    shutil.copy(audit.path / "audit.json", path)
    return dataclasses.replace(audit, path=path, **fields)


def test_a_planted_difference_is_told_in_its_cell(study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    women = (audit.faces["gender"] == "female").to_numpy()
    planted = np.random.default_rng(1).normal(size=audit.evidence.shape).astype(np.float16)
    planted[women, 0, 1, 1] += 4
    changed = replaced(audit, tmp_path, evidence=planted)
    monkeypatch.setattr("ui.shell.open_audit.audit_of", lambda manifest: changed)
    page_text = said(page(models, "heatmaps", monkeypatch, **WOMEN, **MEN, target="female"))
    assert "Adjusted for age, women and men differ beyond chance in 1 of 4 cells" in page_text


def test_adjusting_is_said_and_done_and_ages_can_stay_as_they_are(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    app = page(models, "heatmaps", monkeypatch, **WOMEN, **MEN, target="margin", adjust="ethnicity")
    difference = difference_of(audit, Filter(("female",)), Filter(("male",)), "margin", "raw", ("age", "ethnicity"))
    assert difference.verdict.startswith("Adjusted for age and ethnicity, ")
    assert difference.verdict in said(app)
    buttons = {p.key: p for p in app.get("button_group")}
    assert buttons["adjust"].value == ["ethnicity"] and buttons["adjust"].options == ["ethnicity"]
    assert buttons["ages_as"].options == ["made equal", "as they are"]
    query = {"target": "margin", "adjust": "shoe size", "ages_as": "as they are"}
    plain = said(page(models, "heatmaps", monkeypatch, **WOMEN, **MEN, **query))
    assert difference_of(audit, Filter(("female",)), Filter(("male",)), "margin", "raw", ()).verdict in plain
    assert "Adjusted for" not in plain


def test_what_the_groups_fix_cannot_be_adjusted_for(study, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {"a_gender": "female", "a_ethnicity": "Black", "b_gender": "female", "b_ethnicity": "White"}
    app = page(study[0], "heatmaps", monkeypatch, **query, adjust=["ethnicity", "gender"])
    assert not app.exception
    assert not [p for p in app.get("button_group") if p.key == "adjust"]
    assert "Adjusted for age, " in said(app)


def test_unknown_ages_are_said_not_to_be_adjusted_for(study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    faces = audit.faces.assign(age=pd.array([pd.NA] * len(audit.faces), dtype="Int16"))
    monkeypatch.setattr("ui.shell.open_audit.audit_of", lambda manifest: replaced(audit, tmp_path, faces=faces))
    page_text = said(page(models, "heatmaps", monkeypatch, **WOMEN, **MEN, target="female"))
    assert "Not adjusted for age: ages are not known" in page_text and "Adjusted for age" not in page_text


def test_a_small_group_is_not_tested_and_the_page_says_how_many_more(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    small = Filter(("female",), ("White",), 60)
    n = int(small.mask(audit.faces).sum())
    assert 11 <= n < 30
    query = {"a_gender": "female", "a_ethnicity": "White", "a_age": "60+", **MEN}
    app = page(models, "heatmaps", monkeypatch, **query)
    assert not app.exception
    page_text = said(app)
    assert f"Not tested: White women, 60 and older: {n} faces; a test needs 30, so {30 - n} more." in page_text
    assert "Difference of average maps, A − B" in page_text, "the image is shown, without a verdict"


def test_too_few_faces_to_show_are_counted_all_the_same(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    n = int(Filter(("female",), ("White",), 0, 3).mask(audit.faces).sum())
    assert 0 < n < 11
    query = {"a_gender": "female", "a_ethnicity": "White", "a_age": "0–2", **MEN}
    page_text = said(page(models, "heatmaps", monkeypatch, **query))
    assert f"White girls, under 3: {n} faces; a test needs 30, so {30 - n} more" in page_text
    assert "Difference of average maps" not in page_text


def test_groups_that_overlap_are_told_in_a_line(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    n = int((audit.faces["gender"] == "female").sum())
    app = page(models, "heatmaps", monkeypatch, **WOMEN, b_gender="any", b_ethnicity="any")
    assert not app.exception
    assert not app.error
    assert f"A − B is not shown: women and all faces: {n} faces are in both" in said(app)


def test_wrong_against_right_adds_the_shapes_and_says_why(study, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    outcomes = {"a_outcome": "incorrect", "b_outcome": "correct"}
    # The untrained network calls nearly all faces one gender: of both genders there are right and wrong ones.
    query = {"a_gender": "any", "a_ethnicity": "any", "b_gender": "any", "b_ethnicity": "any", **outcomes}
    app = page(models, "heatmaps", monkeypatch, **query)
    assert not app.exception
    page_text = said(app)
    assert "Incorrect against correct by shape: all faces" in page_text
    assert "by construction" in page_text
    assert incorrect_less_correct(audit, Filter(), same_decision=True).verdict in page_text
    one_gender = query | {"a_gender": "female", "b_gender": "male"}
    assert "by shape" not in said(page(models, "heatmaps", monkeypatch, **one_gender)), (
        "another group is another question"
    )


def test_of_one_gender_both_comparisons_are_shown(study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models, audit = study
    mixed = audit.faces.copy()
    mixed["predicted"] = np.where(np.arange(len(mixed)) % 3 == 0, "male", "female")
    mixed["logit_female"] = np.random.default_rng(0).normal(size=len(mixed))
    mixed["correct"] = mixed["gender"] == mixed["predicted"]
    changed = replaced(audit, tmp_path, faces=mixed)
    monkeypatch.setattr("ui.shell.open_audit.audit_of", lambda manifest: changed)
    query = {**WOMEN, "a_outcome": "incorrect", "b_gender": "female", "b_ethnicity": "any", "b_outcome": "correct"}
    app = page(models, "heatmaps", monkeypatch, **query)
    assert not app.exception
    page_text = said(app)
    assert "Same group, the other class" in page_text
    assert "Same class, other faces" in page_text
    difference = incorrect_less_correct(changed, Filter(("female",)), same_decision=True)
    assert escape.markdown(difference.verdict) in page_text
    assert "At equal certainty, " in page_text


def found_with(mask: np.ndarray, abstained: str | None = None) -> MapDifference:
    zero = np.zeros(mask.shape)
    return MapDifference(
        ("A", "B"), zero, zero, zero, zero, mask, zero, 40, 40, None, None, (0, 0), 99, 0.05, 0, abstained
    )


def test_surviving_cells_are_outlined_and_the_others_hatched() -> None:
    mask = np.zeros((4, 4), dtype=bool)
    mask[1, 2:4] = True
    plain = np.full((80, 80, 3), 200, dtype=np.uint8)
    changed = (np.asarray(outlined(Image.fromarray(plain), mask)) != plain).any(axis=2)
    dark = np.asarray(outlined(Image.fromarray(plain), mask)).max(axis=2) < 40
    rows, columns = np.nonzero(dark)
    assert (rows.min(), rows.max(), columns.min()) == pytest.approx((20, 40, 40), abs=2)
    assert columns.max() > 75, "the border at the image's edge is seen"
    assert not changed[24:36, 44:56].any(), "inside a surviving cell nothing covers the map"
    assert changed[60:80, 0:20].any(), "elsewhere hatching does"


@pytest.mark.parametrize(("abstained", "marked"), [(None, True), ("8 faces", False)])
def test_an_untested_difference_is_neither_outlined_nor_hatched(abstained: str | None, marked: bool) -> None:
    picture = np.asarray(painted(found_with(np.zeros((4, 4), dtype=bool), abstained), 1.0, side=80))
    assert (np.ptp(picture.reshape(-1, 3), axis=0).max() > 0) == marked
