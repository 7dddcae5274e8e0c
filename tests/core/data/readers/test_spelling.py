"""Names that are the same but for case, blanks or Unicode form."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest

from core.data.readers.read_log import ReadLog
from core.data.readers.spelling import common_spellings, folded, plain


@pytest.mark.parametrize(
    "spelling", [" Sámi", "SÁMI", unicodedata.normalize("NFD", "Sámi"), "Sámi\u00a0", "\ufeffSámi", "S\u200bámi"]
)
def test_spellings_of_one_name(spelling: str) -> None:
    assert folded(spelling) == folded("Sámi")


@pytest.mark.parametrize(
    "name",
    ["👨\u200d👩\u200d👧 family", "🏳\ufe0f\u200d🌈", "می\u200cخواهم", "क्\u200dष"],
    ids=["👪", "flag", "Persian", "Hindi"],
)
def test_signs_that_join_emojis_or_letters_stay_and_make_no_other_name(name: str) -> None:
    assert plain(f" {name}\u200d\u200b ") == name
    assert folded(name) == folded(name.replace("\u200d", "").replace("\u200c", ""))


@pytest.mark.parametrize("spelling", ["\u200fשלום", "שלום\u200e", "\u2067שלום\u2069"])
def test_marks_of_direction_make_no_other_name(spelling: str) -> None:
    assert common_spellings(pd.Series(["שלום", "שלום", spelling])) == {spelling: "שלום"}


@pytest.mark.parametrize(
    ("first_name", "second_name"), [("Asian", "East Asian"), ("Latino_Hispanic", "Latino"), ("1", "01")]
)
def test_names_that_differ_otherwise_stay_apart(first_name: str, second_name: str) -> None:
    assert folded(first_name) != folded(second_name)


def test_inner_blanks_are_single_and_plain() -> None:
    assert plain("East\u00a0\u2007 Asian ") == "East Asian"
    assert plain("NA") == "NA"


def test_the_commonest_spelling_counts_and_of_two_as_common_the_first_in_the_alphabet() -> None:
    names = pd.Series(["white", "white", "White ", "White", "White", "black", "Black", None])
    assert common_spellings(names) == {"white": "White", "White ": "White", "black": "Black"}


def test_each_changed_row_is_a_repair_and_identities_keep_their_case() -> None:
    log = ReadLog()
    names = pd.Series(["Sámi", unicodedata.normalize("NFD", "Sámi"), "sámi", None], dtype="str")
    assert log.one_spelling(names, ["1", "2", "3", "4"], "ethnicity").tolist()[:3] == ["Sámi"] * 3
    assert log.table("repair")["file"].tolist() == ["2", "3"]
    assert log.table("repair")["repair"].str.endswith("the same but for case, blanks or Unicode form").all()
    people = log.one_spelling(pd.Series(["aB", "ab", "Ada\u00a0L"], dtype="str"), ["1", "2", "3"], "identity")
    assert people.tolist() == ["aB", "ab", "Ada L"]
