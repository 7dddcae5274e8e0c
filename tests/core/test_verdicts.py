"""The closed sets of verdicts: their printed words, their tones, and the rule that all checks share."""

from __future__ import annotations

import pickle

import pandas as pd
import pytest

from core.verdicts import CheckVerdict, TestVerdict, Tone, Verdict
from ui.widgets.layout import COLOURS


def test_the_printed_words_are_the_values() -> None:
    assert [f"{v}" for v in Verdict] == ["supported", "supported in part", "not supported", "cannot tell here"]
    assert [f"{v}" for v in CheckVerdict] == ["passes", "passes in part", "fails", "cannot tell"]
    assert [f"{v}" for v in TestVerdict] == ["differ", "not after Holm", "no difference seen"]


def test_every_verdict_has_a_tone_and_every_tone_a_colour() -> None:
    assert [v.tone for v in Verdict] == [Tone.GOOD, Tone.MIXED, Tone.BAD, Tone.OPEN]
    assert [v.tone for v in CheckVerdict] == [Tone.GOOD, Tone.MIXED, Tone.BAD, Tone.OPEN]
    assert set(COLOURS) == set(Tone)


@pytest.mark.parametrize(
    ("whole", "part", "verdict"),
    [(True, True, "passes"), (False, True, "passes in part"), (False, False, "fails")],
)
def test_a_check_passes_in_whole_in_part_or_fails(whole: bool, part: bool, verdict: str) -> None:
    assert CheckVerdict.from_parts(whole, part).value == verdict
    assert CheckVerdict.from_parts(whole, part, surely_not=False).value == verdict.replace("fails", "cannot tell")


def test_verdicts_survive_a_cache_and_a_table() -> None:
    assert pickle.loads(pickle.dumps(Verdict.NOT_SUPPORTED)) is Verdict.NOT_SUPPORTED
    table = pd.DataFrame({"verdict": [TestVerdict.DIFFER, TestVerdict.NO_DIFFERENCE_SEEN]})
    assert list(table["verdict"] == TestVerdict.DIFFER) == [True, False]
    assert table.to_csv(index=False).split() == ["verdict", "differ", "no", "difference", "seen"]
