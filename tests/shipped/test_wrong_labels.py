"""docs/wrong-labels.md quotes what the command prints of the shipped audit."""

from __future__ import annotations

from core.analysis.accuracy.tipping import tipping_points
from core.audit.folder import Audit
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.present.text.tipping import tipping_report
from tests.helpers.shipped import ROOT


def test_every_gap_stands_there_as_it_is_printed(shipped_audit: Audit) -> None:
    text = (ROOT / "docs/wrong-labels.md").read_text(encoding="utf-8")
    *lines, _ = tipping_report(tipping_points(shipped_audit, Filter(age_from=ADULT_AGE)))
    assert "```\n" + "\n".join(lines) + "\n```" in text
    assert any("19 of 28 errors" in line for line in lines)
