"""`gaps --terms`: columns and measures go into the regression as on the page, by one computation."""

from __future__ import annotations

import json

import pytest

from core import __main__ as command
from core.analysis.accuracy.measured_terms import terms_of
from core.audit.folder import open_audit
from core.data.filters import Filter
from core.present.text.measured_terms import measured_words
from tests.helpers.shipped import AUDIT, MODEL

LINE = ["gaps", "--model", MODEL.name, "--audit", AUDIT.name, "--models", str(MODEL.parent)]


def test_terms_are_those_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    audit = open_audit(AUDIT)
    page_terms = terms_of(audit, Filter.of_ages(audit.faces, "adults"), ["image-yaw"])
    assert command.main([*LINE, "--terms", "image_yaw", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)["further_terms"]
    assert [row["term"] for row in record["tests"]] == list(page_terms.tests["term"])
    assert record["tests"][0]["p"] == pytest.approx(page_terms.tests["p"].iloc[0])
    assert command.main([*LINE, "--terms", "image_yaw"]) == 0
    text = capsys.readouterr().out
    assert measured_words(page_terms) in text and "Measures go in by fifths" in text


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (["--terms", "hat"], "terms hat: no such column; there are image_lightness"),
        (["--terms", "image_yaw", "--by", "gender"], "which --by leaves out"),
        (["--terms", "image_yaw", "image_roll", "image_colour", "image_contrast"], "up to 3 go in, not 4"),
    ],
)
def test_terms_that_cannot_go_in_are_refused(asked: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([*LINE, *asked]) == 2
    assert why in capsys.readouterr().err
