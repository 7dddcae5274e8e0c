"""Who gets no answer: shares, accuracies and ratios by hand, cutoffs of groups' own, people, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.__main__ import main
from core.analysis.accuracy.abstention import AbstentionRule, abstention, certainty, cutoff_for
from core.analysis.intervals import risk_ratio
from core.data.faces import UNRECORDED
from core.errors import LookwhereError
from core.present.text.abstention import abstention_lines, abstention_sentence
from tests.helpers.made_audit import made_audit


def faces_of(rows: list[tuple[str, float, bool]], persons: list[str] | None = None) -> pd.DataFrame:
    """Faces of (gender, certainty, whether right)."""
    gender, sure, right = zip(*rows, strict=True)
    male = np.array([(g == "male") == r for g, r in zip(gender, right, strict=True)])
    return pd.DataFrame(
        {
            "gender": gender,
            "ethnicity": "A",
            "age": pd.array([30] * len(rows), dtype="Int16"),
            "identity": pd.array(persons or [None] * len(rows), dtype="string"),
            "p_male": np.where(male, sure, 1 - np.array(sure)),
        }
    )


ROWS = [
    *[("male", 0.95, True)] * 60, *[("male", 0.95, False)] * 2, *[("male", 0.6, False)] * 3,
    *[("female", 0.9, True)] * 20, *[("female", 0.9, False)] * 4, *[("female", 0.55, True)] * 11,
]  # fmt: skip


def test_groups_are_by_default_of_what_is_recorded() -> None:
    faces = faces_of(ROWS)
    assert set(abstention(faces).table["group"]) == {"A women", "A men"}
    assert set(abstention(faces.assign(ethnicity=UNRECORDED)).table["group"]) == {"women", "men"}


def test_shares_accuracies_and_ratios_are_those_counted_by_hand() -> None:
    abstained = abstention(faces_of(ROWS), AbstentionRule(cutoff=0.8), ["gender"])
    table = abstained.table.set_index("group")
    assert table["answered"].to_dict() == {"women": 24, "men": 62}
    assert table["share"].to_dict() == pytest.approx({"women": 24 / 35, "men": 62 / 65})
    assert table["accuracy"].to_dict() == pytest.approx({"women": 20 / 24, "men": 60 / 62})
    ratio = risk_ratio(4, 24, 2, 62)
    assert tuple(table.loc["women", ["error_ratio", "ratio_low", "ratio_high"]]) == pytest.approx(
        (ratio.value, ratio.low, ratio.high)
    )
    assert (abstained.share, abstained.accuracy.value) == pytest.approx((86 / 100, 80 / 86))
    assert abstained.accuracy_of_all == pytest.approx(91 / 100)
    assert (table["share_low"] < table["share"]).all() and (table["share"] < table["share_high"]).all()
    assert abstention_sentence(abstained).startswith("Without an answer are 14.0 % of 100 faces")
    assert "95 % of men and 69 % of women; accuracy" in abstention_sentence(abstained)


def test_with_cutoffs_of_their_own_each_group_gets_the_same_share() -> None:
    draw = np.random.default_rng(0)
    rows = [("male", x, True) for x in 0.8 + 0.2 * draw.random(400)]
    rows += [("female", x, bool(y)) for x, y in zip(0.5 + 0.5 * draw.random(300), draw.random(300) < 0.9, strict=True)]
    faces = faces_of(rows)
    pooled, own = (
        abstention(faces, AbstentionRule(0.2, equal=equal), ["gender"]).table.set_index("group")
        for equal in (False, True)
    )
    assert pooled.loc["men", "share"] - pooled.loc["women", "share"] > 0.3
    assert own["share"].to_dict() == pytest.approx({"men": 0.8, "women": 0.8})
    assert own.loc["men", "cutoff"] > pooled.loc["men", "cutoff"] > own.loc["women", "cutoff"]


def test_equally_sure_faces_are_answered_together_and_nobody_is_lost_at_0() -> None:
    faces = faces_of(ROWS)
    assert cutoff_for(certainty(faces), 0.0) == pytest.approx(0.55)
    assert abstention(faces, AbstentionRule(0.0), ["gender"]).share == 1
    assert abstention(faces, AbstentionRule(0.12), ["gender"]).share == pytest.approx(0.89)
    for share in (-0.1, 1.0, np.nan):
        with pytest.raises(LookwhereError, match="from 0 up to under 1"):
            abstention(faces, AbstentionRule(share), ["gender"])


def test_people_are_counted_once_and_a_group_without_an_answer_stays_in_the_table() -> None:
    persons = [f"p{n // 5}" for n in range(len(ROWS))]
    of_people = abstention(faces_of(ROWS, persons), AbstentionRule(cutoff=0.8), ["gender"]).table.set_index("group")
    alone = abstention(faces_of(ROWS), AbstentionRule(cutoff=0.8), ["gender"]).table.set_index("group")
    width = [table["share_high"] - table["share_low"] for table in (of_people, alone)]
    assert (width[0] > width[1]).all()
    none = abstention(faces_of(ROWS), AbstentionRule(cutoff=0.93), ["gender"]).table.set_index("group")
    assert none.loc["women", "answered"] == 0 and np.isnan(none.loc["women", "accuracy"])
    with pytest.raises(LookwhereError, match="no face"):
        abstention(faces_of(ROWS).iloc[:0])
    with pytest.raises(LookwhereError, match="hat"):
        abstention(faces_of(ROWS), by=["hat"])


def test_the_command_goes_by_any_column_and_refuses_what_it_cannot_answer(
    tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_audit(300, errors=0.1, own=True, path=tmp_path / "made/audits/made-test")
    arguments = ["abstain", "--model", "made", "--audit", "made-test", "--models", str(tmp_path), "--ages", "all"]
    assert main([*arguments, "--share", "0.2", "--by", "glasses"]) == 0
    out = capsys.readouterr().out
    assert "glasses: yes" in out and "exploratory" in out and "The same share of each group" in out
    for more in (["--share", "1"], ["--cutoff", "0.3"], ["--by", "hat"]):
        assert main([*arguments, *more]) != 0
        capsys.readouterr()


def test_lines_of_long_names_have_their_numbers_under_each_other() -> None:
    audit = made_audit(400, errors=0.1, own=True, shape=None)
    groups = abstention(audit.faces, by=["camera", "skin_tone"], columns=audit.columns)
    assert len({line.index("  answered from") for line in abstention_lines(groups)}) == 1
    assert "answered are" in abstention_sentence(groups) and " of «camera: " in abstention_sentence(groups)
