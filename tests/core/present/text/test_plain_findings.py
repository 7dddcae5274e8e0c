"""A claim's first sentences, for who has no statistics: counts of a hundred people, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from core.analysis.comparison import Claim, Contrast
from core.analysis.comparison.contrasts import Effect
from core.analysis.comparison.experiment import Expectation, Measure
from core.analysis.findings.base import CauseContrasts, EthnicityGap, Finding, GenderGap
from core.estimate import Estimate
from core.present.text.plain_findings import OF_MAPS, numbers_table, plain_words
from core.verdicts import Verdict

BY_AGE = pd.DataFrame(
    [("18–29 years", 90, 90, 0.019, -0.001, 0.042), ("60+ years", 90, 90, -0.158, -0.227, -0.098)],
    columns=["band", "women", "men", "difference", "low", "high"],
)


def of_gap(verdict: Verdict, low: float, high: float, reversed_at: tuple[str, str] | None = None) -> str | None:
    gap = GenderGap(Estimate((low + high) / 2, low, high), BY_AGE, reversed_at)
    return plain_words(Finding("1a", "Women …", verdict, "numbers", "rule", result=gap))


def test_a_gap_of_genders_is_counted_in_a_hundred() -> None:
    assert of_gap(Verdict.SUPPORTED, -0.047, -0.017) == (
        "The model is right less often for women than for men: about 3 fewer of 100."
    )
    assert of_gap(Verdict.IN_PART, -0.047, -0.017, ("18–29 years", "60+ years")) == (
        "The model is right less often for women than for men: about 3 fewer of 100. It is not so at every age: about "
        "2 more of 100 at 18–29 years, which may be chance; about 16 fewer at 60+ years."
    )
    assert (of_gap(Verdict.NOT_SUPPORTED, 0.01, 0.03) or "").endswith("more often for women than for men: about 2 more "
                                                                      "of 100.")  # fmt: skip
    assert (of_gap(Verdict.NOT_SUPPORTED, -0.019, 0.03) or "").endswith("at all, then for fewer than 2 of 100.")


@pytest.mark.parametrize(
    ("low", "ages_equal", "says"),
    [
        (0.008, True, "it is right for about 96 of 100 A women and about 90 of 100 B women of the same ages."),
        (0.008, False, "it is right for about 96 of 100 A women and about 90 of 100 B women."),
        (-0.01, True, "; between which of them, these faces do not say."),
    ],
)
def test_two_ethnicities_of_one_gender_are_named_where_they_surely_differ(
    low: float, ages_equal: bool, says: str
) -> None:
    pairs = pd.DataFrame(
        [("A men", "B women", 0.09, 0.03, 0.16, False), ("A women", "B women", 0.06, low, 0.13, True)],
        columns=["best", "worst", "difference", "low", "high", "within"],
    )
    numbers = pd.DataFrame({"group": ["A men", "A women", "B women"], "equal_ages": [0.99, 0.9597, 0.9002]})
    gap = EthnicityGap(pairs, (0.1, 0.2), 0.0, ages_equal)
    finding = Finding("1b", "…", Verdict.SUPPORTED, "numbers", "rule", numbers, gap)
    assert (plain_words(finding) or "").endswith(says)
    assert "by less than 2 of 100" in (plain_words(replace(finding, verdict=Verdict.NOT_SUPPORTED)) or "")


def of_causes(measure: Measure, levels: tuple[float, float], verdict: Verdict) -> str | None:
    change = levels[1] - levels[0]
    near = Estimate(change, change - 0.01, change + 0.01)
    effect = Effect((change,) * 3, near, near, levels=levels)
    effects = {measure: effect} | ({Measure.GROUP: effect} if measure is Measure.EXTRA else {})
    contrast = Contrast("Black women", 359, measure, Expectation.CHANGE, effects, (), (True,) * 3)
    claim = Claim("leaving out Black women", "a", "b", "female Black", "", Expectation.CHANGE, measure)
    result = CauseContrasts(((claim, contrast),))
    return plain_words(Finding("4", "…", verdict, "numbers", "rule", result=result))


def test_networks_with_and_without_a_group_stand_beside_each_other() -> None:
    fall = "Of 100 Black women, networks trained with Black women are right for about 88, networks trained without for "
    assert of_causes(Measure.EXTRA, (0.881, 0.709), Verdict.SUPPORTED) == f"{fall}about 71."
    assert (of_causes(Measure.EXTRA, (0.881, 0.709), Verdict.IN_PART) or "").endswith("is not shown.")
    assert "by 2 of 100" in (of_causes(Measure.EXTRA, (0.88, 0.879), Verdict.NOT_SUPPORTED) or "")
    assert "about 80 of 100 before, about 85 then" in (of_causes(Measure.WORST, (0.8, 0.85), Verdict.SUPPORTED) or "")


@pytest.mark.parametrize(("key", "verdict"), list(OF_MAPS))
def test_verdicts_of_maps_have_words(key: str, verdict: Verdict) -> None:
    assert plain_words(Finding(key, "…", verdict, "numbers", "rule")) == OF_MAPS[key, verdict]


def test_numbers_have_heads_in_words() -> None:
    numbers = pd.DataFrame({"group": ["men"], "n": [9], "accuracy": [0.9], "wilson_low": [0.8], "wilson_high": [0.95],
                            "low": [0.7], "high": [0.99]})  # fmt: skip
    table, shares = numbers_table(Finding("1a", "…", Verdict.SUPPORTED, "", "", numbers))
    assert list(table) == ["group", "faces", "accuracy", "group by itself, low", "group by itself, high",
                           "all groups at once, low", "all groups at once, high"]  # fmt: skip
    assert shares == list(table)[2:]
