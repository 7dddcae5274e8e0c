"""«Findings» of an audit that leaves claims open: what was asked and what an answer needs, before the numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.analysis.findings import all_findings
from core.data.filters import Filter
from core.files import write_json
from core.present.text.unanswered import unanswered_words
from core.verdicts import Verdict
from tests.helpers.made_audit import made_audit
from tests.helpers.made_experiment import INFO
from tests.helpers.pages import opened


def test_open_claims_are_told_in_plain_words_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = made_audit(480, errors=0.1, shape=None, path=tmp_path / "made/audits/all")
    write_json(tmp_path / "made/model.json", INFO)
    findings = all_findings(audit, Filter.of_ages(audit.faces))
    open_ones = [finding for finding in findings if finding.verdict is Verdict.CANNOT_TELL]
    elements = opened(tmp_path, "findings", monkeypatch).main
    said = "\n".join(str(getattr(element, "value", "")) for element in elements).replace("\\", "")
    assert {finding.result is None for finding in open_ones} == {True, False}
    for finding in open_ones:
        plain = unanswered_words(finding) or ""
        assert plain in said
        rest = said[said.index(plain) + len(plain) :]
        # Up to the claim's rule: the next one may be open for the same reason.
        numbers = finding.sentence[:60] in rest[: rest.index(finding.rule[:60])]
        assert numbers == (finding.result is not None), finding.key
