"""The plain answer to whether maps can be trusted says no more than the checks found."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from core.present.text import checks as words
from core.verdicts import CheckVerdict

PASSES, IN_PART, FAILS, OPEN = CheckVerdict
ASKED, END = "Do the maps follow the model? ", " That they follow it does not show that the model is right."


@pytest.mark.parametrize(
    ("verdicts", "answer"),
    [
        ([PASSES, PASSES, None], "Yes, as far as these 2 checks go: all are passed." + END),
        ([FAILS, FAILS], "Not by these 2 checks: none is passed." + END),
        ([PASSES, IN_PART, FAILS], "In part: of 3 checks 1 is passed, 1 in part (check 1), 1 not (check 2)." + END),
        ([IN_PART, FAILS], "In part: of 2 checks 0 are passed, 1 in part (check 0), 1 not (check 1)." + END),
        ([OPEN, OPEN], "These 2 checks cannot tell." + END),
        (
            [FAILS, OPEN],
            "No check is passed: of 2 checks 0 are passed, 1 not (check 0), 1 cannot tell (check 1)." + END,
        ),
        ([PASSES, OPEN], "In part: of 2 checks 1 is passed, 1 cannot tell (check 1)." + END),
        ([None], ""),
        ([], ""),
    ],
)
def test_the_answer_counts_the_verdicts(monkeypatch: pytest.MonkeyPatch, verdicts: list, answer: str) -> None:
    results = [SimpleNamespace(title=f"check {n}", verdict=verdict) for n, verdict in enumerate(verdicts)]
    monkeypatch.setattr(words, "results", lambda *_: results)
    assert words.plain_answer(None, None) == (ASKED + answer if answer else "")
