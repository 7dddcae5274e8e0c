"""Claims without an answer in plain words: what was asked, why it is open, and what an answer needs."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from core.analysis.findings.base import EthnicityGap, EvidenceDensity, Finding, GenderGap, unable
from core.estimate import Estimate
from core.present.text.unanswered import ASKED, NEEDED, unanswered_words
from core.verdicts import Verdict


def of_gap(low: float, high: float, **more: object) -> Finding:
    gap = GenderGap(Estimate((low + high) / 2, low, high), pd.DataFrame(), None)
    return Finding("1a", "Women …", Verdict.CANNOT_TELL, "numbers", "rule", result=gap, **more)


def test_claims_with_an_answer_have_no_such_words() -> None:
    assert unanswered_words(replace(of_gap(-0.06, 0.02), verdict=Verdict.SUPPORTED)) is None


def test_how_many_more_faces_are_needed_is_worked_out() -> None:
    """Half as wide takes four times as many: from 6 points either way to 2 it is 9 times."""
    assert unanswered_words(of_gap(-0.07, 0.05)) == (
        "Is the model right less often for women than for men? These faces leave open what it is: women's share of "
        "right answers less men's may be −7.0 to 5.0 points. About 9 times as many faces would narrow that to 2 points "
        "either way."
    )
    assert "About 2 times as many" in (unanswered_words(of_gap(-0.035, 0.0)) or "")
    assert (unanswered_words(of_gap(-0.9, 0.9)) or "").endswith("Far more faces would be needed.")


def test_a_difference_that_depends_on_age_or_may_be_chance_is_called_so() -> None:
    assert "depends on age" in (unanswered_words(of_gap(-0.01, 0.01)) or "")
    assert "by chance too often where several claims" in (unanswered_words(of_gap(-0.06, -0.01, by_test=True)) or "")


def test_the_widest_pair_of_one_gender_is_named() -> None:
    pairs = pd.DataFrame(
        [("A men", "A women", 0.2, -0.3, 0.7, False), ("A men", "B men", 0.02, -0.04, 0.08, True),
         ("A women", "B women", 0.03, -0.07, 0.13, True)],
        columns=["best", "worst", "difference", "low", "high", "within"],
    )  # fmt: skip
    gap = EthnicityGap(pairs, (0.1, 0.2), 0.0)
    words = unanswered_words(Finding("1b", "…", Verdict.CANNOT_TELL, "numbers", "rule", result=gap)) or ""
    assert "A women less B women may be −7.0 to 13.0 points. About 25 times as many" in words


@pytest.mark.parametrize(
    ("hidden", "says"), [(0, "which was not done"), (96, "covered in 96 of these faces, it is not sure")]
)
def test_what_was_hidden_is_said(hidden: int, says: str) -> None:
    density = EvidenceDensity(500, Estimate(1.5, 1.4, 1.6), (1.0, 2.0), hidden)
    words = unanswered_words(Finding("2", "…", Verdict.CANNOT_TELL, "numbers", "rule", result=density)) or ""
    assert says in words and "`python -m core check" in words


@pytest.mark.parametrize("key", list(ASKED))
def test_where_nothing_could_be_computed_the_reason_stands_between(key: str) -> None:
    words = unanswered_words(unable(key, "claim", "There are 7 faces.", "rule")) or ""
    assert words.startswith(ASKED[key]) and " There are 7 faces. " in words and words.endswith(NEEDED[key])
