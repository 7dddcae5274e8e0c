"""A report for who has never heard of the study: plain words first, the audit's own numbers, and a list of terms."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pytest

from core.analysis.findings import all_findings
from core.audit.folder import Audit
from core.data.filters import Filter
from core.files import write_json
from core.present.report import report_of
from core.present.text.glossary import glossary
from core.present.text.unanswered import unanswered_words
from core.verdicts import Verdict
from core.wording import capital, percent
from tests.helpers.made_audit import made_audit, made_faces
from tests.helpers.made_experiment import INFO


def words(report: str) -> str:
    text = re.sub(r"(?s)<(style|svg|script).*?</\1>|<[^>]*>", " ", report)
    return re.sub(r"\s+", " ", html.unescape(text).replace("\u00a0", " "))


def audit_in(root: Path, errors: dict[tuple[str, str], float], **more: object) -> Audit:
    audit = made_audit(faces=made_faces(480, ages=(20, 60)), errors=errors, path=root / "made/audits/all", **more)
    write_json(root / "made/model.json", INFO)
    return audit


def test_the_summary_comes_first_and_has_the_audits_numbers(tmp_path: Path) -> None:
    audit = audit_in(tmp_path, {("female", "Black"): 0.4}, correct_on=["nose"], incorrect_on=["nose"])
    report = report_of(tmp_path / "made", audit)
    text = words(report)
    head = text.split("Model made")[0]
    assert "one of two words, female or male" in head
    assert text.index("In plain words") < text.index("at equal ages, accuracy for")
    faces = audit.faces
    black = faces[(faces["gender"] == "female") & (faces["ethnicity"] == "Black")]
    assert f"it is right for {percent(faces['correct'].mean())} of 480 faces" in head
    assert f"surely right less often for Black women ({percent(black['correct'].mean())} of {len(black)})" in head
    assert "So large a difference is not chance alone. Ages may be part of it" in head
    assert "study" not in head
    assert "On average that is strongest around the nose" in text
    assert "Nobody has checked yet whether the heatmaps follow" in text
    for term, meaning in glossary().items():
        assert f"{capital(term)}: {meaning}" in text


def test_chance_and_missing_maps_are_called_so(tmp_path: Path) -> None:
    text = words(report_of(tmp_path / "made", audit_in(tmp_path, {}, shape=None)))
    assert "but no two groups are told apart, the differences between them can be chance." in text
    assert "surely right" not in text
    assert "Where in the face it looks cannot be said: there are no heatmaps." in text


@pytest.mark.parametrize("shape", [None, (2, 2)])
def test_claims_that_cannot_be_answered_stand_together(shape: tuple[int, int] | None, tmp_path: Path) -> None:
    audit = audit_in(tmp_path, {}, shape=shape)
    findings = all_findings(audit, Filter.of_ages(audit.faces))
    open_ones = [finding for finding in findings if finding.verdict is Verdict.CANNOT_TELL]
    assert len(open_ones) >= 3
    text = words(report_of(tmp_path / "made", audit))
    assert Verdict.CANNOT_TELL.value not in text
    assert 2 * len(open_ones) > len(findings)
    some = f"{len(open_ones)} of the {len(findings)} claims cannot be answered from these data:"
    assert (some if len(open_ones) < len(findings) else "No claim can be answered from these data:") in text
    for finding in open_ones:
        plain = unanswered_words(finding)
        assert plain is not None and f"{finding.key} · {finding.claim} {plain}" in text
        assert finding.result is None or f"In numbers: {finding.sentence}" in text


def test_claims_are_counted_where_the_study_is_told(tmp_path: Path) -> None:
    """Who has never heard of the study reads of its claims only where they are told who made them."""
    text = words(report_of(tmp_path / "made", audit_in(tmp_path, {("female", "Black"): 0.4})))
    claims = text.split("The original study's claims ", 2)[2]  # after its line in the contents, and its heading
    assert claims.startswith("Of the original study's 6 claims, ")
    assert "Lookwhere began as a study of a ResNet-50" in claims
    assert text.count("Of the original study's 6 claims, ") == 1


def test_nothing_but_open_claims_is_no_headline(tmp_path: Path) -> None:
    faces = made_faces(24, columns={"gender": "female", "ethnicity": "A"})
    audit = made_audit(faces=faces, correct=np.ones(24, bool), shape=None, path=tmp_path / "made/audits/all")
    write_json(tmp_path / "made/model.json", INFO)
    text = words(report_of(tmp_path / "made", audit, all_ages=True))
    assert "No claim can be answered from these data:" in text
    assert "claims, " not in text.split("In plain words")[0]
