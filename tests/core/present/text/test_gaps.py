"""The words that page, command, report and card share: each is said once, and all four hold it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.pairwise import pairwise
from core.analysis.accuracy.regression import Term
from core.data.faces import UNRECORDED
from core.data.filters import Filter
from core.present.card.failures import known_failures
from core.present.report.gaps import gaps_section
from core.present.text.gaps import differ_words, left_out_words, measure_words
from core.present.text.gaps_report import gaps_report
from core.present.text.sentences import no_groups_words, scope
from core.verdicts import TestVerdict
from core.wording import p_words
from tests.helpers.made_audit import made_audit


@pytest.mark.parametrize(
    ("p", "sentence", "column"),
    [
        (0.0313, "p = 0.031", "0.031"),
        (0.00412, "p = 0.0041", "0.0041"),
        (1e-7, "p < 0.0001", "< 0.0001"),
        (np.nan, "p not known", "not known"),
    ],
)
def test_a_p_value_is_written_with_and_without_its_name(p: float, sentence: str, column: str) -> None:
    assert p_words(p) == sentence
    assert p_words(p, with_name=False) == column


def test_how_many_tests_differ() -> None:
    tests = pd.DataFrame({"verdict": [TestVerdict.DIFFER, TestVerdict.NOT_AFTER_HOLM, TestVerdict.NO_DIFFERENCE_SEEN]})
    assert differ_words(tests) == "1 of 3 differ at 5 % after Holm's correction"
    assert differ_words(tests, "comparisons") == "1 of 3 comparisons differ at 5 % after Holm's correction"


def test_what_is_left_out_is_named_up_to_a_limit() -> None:
    table = pd.DataFrame({"group": ["A", "B", "C"], "n": [3, 1200, 4], "why": "under 50 faces"})
    head = "Left out, since nothing sure can be said of them: A (under 50 faces: 3)"
    assert left_out_words(table) == f"{head}; B (under 50 faces: 1,200); C (under 50 faces: 4)."
    assert left_out_words(table, most=1) == f"{head} and 2 more."
    smiling = pd.DataFrame({"group": ["A"], "n": [99], "why": "under 50 smiling faces"})
    assert left_out_words(smiling).endswith("of them: A (under 50 smiling faces, 99 in all).")


def test_a_fairness_measure_is_written_with_its_interval() -> None:
    assert measure_words({"value": 0.0812, "low": 0.042, "high": 0.12}) == "0.081 [0.042–0.120]"


def test_the_scope_begins_a_sentence_or_stands_inside_it() -> None:
    for filter, words in (
        (Filter(), "ver all ages"),
        (Filter(age_from=18), "mong adults"),
        (Filter(("male",)), "mong men"),
    ):
        assert scope(filter)[1:] == scope(filter, begins=False)[1:] == words
        assert scope(filter)[0].isupper() and scope(filter, begins=False)[0].islower()


def test_command_report_and_card_say_the_same_of_the_pairs() -> None:
    audit = made_audit(800, errors={("female", "Black"): 0.3}, shape=None)
    faces = audit.faces
    holm = pairwise(faces, ["gender", "ethnicity"])["p_holm"]
    count = f"{(holm < 0.05).sum()} of 15"
    assert (holm < 0.05).any()
    assert f"All pairs: {count} differ at 5 % after Holm's correction" in gaps_report(audit, Filter())
    captions = [getattr(block, "caption", "") for block in gaps_section(faces, Filter()).blocks]
    assert f"{count} pairs of groups differ at 5 % after Holm's correction" in captions
    card = " ".join(item for block in known_failures(audit) for item in block.items)
    assert f"{count} pairs of groups differ at 5 % after Holm's correction: " in card


def test_terms_know_what_they_are_made_of() -> None:
    assert [t for t in Term if Term.GENDER.variables < t.variables] == [Term.GENDER_ETHNICITY, Term.GENDER_AGE]
    assert [t for t in Term if Term.AGE.variables < t.variables] == [Term.GENDER_AGE]
    assert not any(Term.GENDER_AGE.variables < t.variables for t in Term)


def test_where_there_are_no_groups_the_reason_is_a_whole_sentence() -> None:
    audit = made_audit(60, columns={"gender": "male", "ethnicity": UNRECORDED, "age": pd.NA}, shape=None)
    sentence = no_groups_words(audit.faces)
    assert sentence.endswith("no groups to compare.")
    assert gaps_report(audit, Filter()).splitlines()[-1] == sentence


def test_numbers_stand_below_each_other_though_names_are_long() -> None:
    """Groups of several columns have longer names than those of gender and ethnicity."""
    audit = made_audit(600, errors=0.2, own=True, shape=None)
    own = [column for column in audit.columns if not column.measured]
    columns = sorted(own, key=lambda column: -max(map(len, column.levels)))
    lines = gaps_report(audit, Filter(), by=["gender", *(column.name for column in columns[:2])]).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("Accuracy, "))
    rows = [line for line in lines[start + 1 : lines.index("", start)] if " %  [" in line]
    assert max(len(row.split("  ")[1]) for row in rows) > 26
    assert len({row.index(" %") for row in rows if "100.0 %" not in row[: row.index(" %") + 2]}) == 1
