"""The page «The person or the image?»: its numbers are the command's, and it says what it cannot tell."""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.person_or_image import BUT_SKIN_TONE, main_part, person_or_image
from core.analysis.accuracy.skin_tone import ADULTS, UNKNOWN, WITHIN, read_skin_tone
from core.analysis.accuracy.slices import find_slices
from core.audit.folder import Audit
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.data.measures import SKIN_TONE
from core.files import write_json
from core.present.text.image import (
    CAUTION,
    TOLD_OF_ALL,
    image_report,
    image_sentence,
    skin_tone_words,
    slices_report,
    slices_sentence,
    thirds_words,
)
from tests.helpers.made_audit import made_audit
from tests.helpers.made_study import MODEL_INFO
from tests.helpers.pages import headline, page, text
from tests.helpers.shipped import MODEL

GROWN = Filter(age_from=ADULT_AGE)


def test_the_page_says_what_the_command_says(shipped_audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    found = person_or_image(shipped_audit, GROWN)
    app = page(MODEL.parent, "image", monkeypatch, adults="true")
    assert not app.exception
    assert image_sentence(found, GROWN) in html.unescape(headline(app)).replace("\xa0", " ")
    page_text = text(app)
    assert CAUTION in page_text
    faces = shipped_audit.faces[GROWN.mask(shipped_audit.faces)].reset_index(drop=True)
    slices = find_slices(faces, shipped_audit.columns)
    assert slices_sentence(slices, GROWN).split(": ")[0] in page_text
    assert image_sentence(found, GROWN) in image_report(shipped_audit, GROWN, found)
    assert slices_sentence(slices, GROWN) in slices_report(slices, GROWN)


def test_skin_tone_of_the_shipped_audit_is_told_as_counts_and_by_no_face(shipped_audit: Audit) -> None:
    assert not [name for name in shipped_audit.faces if SKIN_TONE in name]
    found, beside = person_or_image(shipped_audit, GROWN), read_skin_tone(shipped_audit)
    assert found.skin_tone == "counts"
    parts = found.thirds[(found.thirds["factor"] == SKIN_TONE) & (found.thirds["group"] == "Black women")]
    counts = next(
        one for one in beside.counts
        if (one.group, one.ages, one.thirds) == ("Black women", ADULTS, WITHIN)
    )  # fmt: skip
    assert parts["incorrect"].tolist() == [part.incorrect for part in counts.parts]
    assert parts["n"].tolist() == [part.n for part in counts.parts]
    table = found.explained.table
    np.testing.assert_allclose(table["explained"] + table["left"], table["gap"], atol=2e-6)
    assert BUT_SKIN_TONE in set(table["words"])
    assert main_part(found)["factor"] in set(table["factor"])
    assert found.of("Black women").shape[0] == len(found.explained.factors)


def test_other_filters_have_no_skin_tone_and_all_else(shipped_audit: Audit) -> None:
    found = person_or_image(shipped_audit, Filter(age_from=30))
    assert found.skin_tone == ""
    assert SKIN_TONE not in set(found.explained.table["factor"]) | set(found.thirds["factor"])
    black = person_or_image(shipped_audit, Filter(ethnicity=("Black", "White"), age_from=ADULT_AGE))
    assert set(black.thirds.loc[black.thirds["factor"] == SKIN_TONE, "group"]) <= {
        "Black women", "Black men", "White women", "White men"
    }  # fmt: skip


def test_an_audit_of_before_is_told_how_to_be_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ages alone are still compared; without these too the page says why there is nothing, and searches slices."""
    nobody = pd.array([pd.NA] * 600, dtype="Int16")
    made_audit(600, errors=0.2, columns={"age": nobody}, path=tmp_path / "made/audits/test")
    write_json(tmp_path / "made/model.json", MODEL_INFO)
    app = page(tmp_path, "image", monkeypatch)
    assert not app.exception
    assert "Nothing was measured from these images" in headline(app)
    assert "python -m core measure --data STORE --model made --audit test" in text(app)
    assert "Slices that hold" in text(app)


def test_thirds_in_words() -> None:
    assert thirds_words({"n": 117, "incorrect": 17.0}) == "17 of 117 (14.5 %)"
    assert thirds_words({"n": 1117, "incorrect": float("nan")}) == "1,117 faces"


def test_the_command_that_counts_skin_tone_stands_as_code_and_not_between_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_audit(600, errors=0.2, path=tmp_path / "made/audits/test")
    write_json(tmp_path / "made/model.json", MODEL_INFO)
    app = page(tmp_path, "image", monkeypatch)
    assert "python -m core measure --data STORE --model made --audit test" in [element.value for element in app.code]
    assert "`" not in text(app).split("Apparent skin tone is not known", 1)[1].split("\n", 1)[0]


def test_without_ages_apparent_skin_tone_is_counted_for_all_faces(
    shipped_audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies beside an audit without ages is of all its faces, and no sentence speaks of adults."""
    beside = read_skin_tone(shipped_audit)
    of_all = replace(beside, counts=tuple(replace(one, ages=UNKNOWN) for one in beside.counts if one.ages == ADULTS))
    monkeypatch.setattr("core.analysis.accuracy.person_or_image.read_skin_tone", lambda audit: of_all)
    nobody = shipped_audit.faces.assign(age=pd.array([pd.NA] * len(shipped_audit.faces), dtype="Int16"))
    found = person_or_image(replace(shipped_audit, faces=nobody), Filter())
    assert not found.has_ages and SKIN_TONE in set(found.thirds["factor"])
    assert skin_tone_words(found) == TOLD_OF_ALL and "adults" not in TOLD_OF_ALL
    assert skin_tone_words(replace(found, skin_tone="")).endswith("This counts it, for all faces:")
    assert skin_tone_words(replace(found, skin_tone="", has_ages=True)).endswith("for all adults:")
