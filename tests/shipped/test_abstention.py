"""docs/abstention.md quotes what the command prints of the shipped audit."""

from __future__ import annotations

import pytest

from core import __main__ as command
from core.audit.folder import Audit
from tests.helpers.shipped import MODEL, ROOT


def test_who_gets_no_answer_stands_there_as_it_is_printed(
    shipped_audit: Audit, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["abstain", "--model", MODEL.name, "--audit", shipped_audit.name, "--models", str(MODEL.parent)]
    assert command.main(asked) == 0
    printed = capsys.readouterr().out.strip()
    text = (ROOT / "docs/abstention.md").read_text(encoding="utf-8")
    assert f"```\n{printed}\n```" in text
    assert "other-ethnicity women and 86 % of Asian men" in printed
