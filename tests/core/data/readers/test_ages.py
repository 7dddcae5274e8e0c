"""Ages as tables have them."""

from __future__ import annotations

import pandas as pd
import pytest

from core.data.readers.ages import age_of, low_of_date, with_ages
from core.data.readers.read_log import ReadLog


@pytest.mark.parametrize(
    ("word", "age"),
    [("34", 34), ("34.9", 34), ("34,5", 34), ("0", 0), ("130", 130), ("131", None), ("-1", None), ("34 years", 34)]
    + [(word, None) for word in ("NA", "None", "nan", "old", "?", "1970-05-03", "")],
)
def test_numbers(word: str, age: int | None) -> None:
    assert age_of(word) == (age, False)


@pytest.mark.parametrize(
    ("word", "low"),
    [
        *((word, 25) for word in ("25-32", "25–32", "(25, 32)", "[25, 32)", "25 to 32", "(25,32)", "25 - 32")),
        *((word, 70) for word in ("more than 70", "70+", ">70", "≥ 70", "over 70", "70 and older", "70 or more")),
        *((word, 0) for word in ("under 18", "<3", "0-2", "(0, 2)")),
        *((word, None) for word in ("9-3", "20-300", "200+")),
    ],
)
def test_a_range_gives_its_lower_bound(word: str, low: int | None) -> None:
    assert age_of(word) == (low, True)


@pytest.mark.parametrize(
    ("word", "low"),
    [("3-Sep", 3), ("9-Mar", 3), ("Oct-19", 10), ("12-Aug", 8), ("Jun-04", 4), ("2024-03-09", 3), ("2024-06-04", None)],
)
def test_a_range_made_a_date_by_a_spreadsheet(word: str, low: int | None) -> None:
    assert low_of_date(word) == low


@pytest.mark.parametrize(
    "word", ["9" * 400, "9" * 5000, f"1-{'9' * 5000}", f"over {'9' * 5000}", "²-³-1", "1." + "9" * 9999]
)
def test_numbers_beyond_any_and_raised_digits_are_no_age(word: str) -> None:
    assert age_of(word)[0] is None
    assert low_of_date(word) is None


def told(*ages: str | None) -> tuple[list, ReadLog]:
    log = ReadLog()
    paths = [f"{n}.jpg" for n in range(len(ages))]
    table = with_ages(pd.DataFrame({"path": paths, "age": pd.Series(ages, dtype="str")}), log)
    return [None if pd.isna(age) else int(age) for age in table["age"]], log


def test_what_is_no_age_is_counted_and_ranges_are_told() -> None:
    ages, log = told("34", "(25, 32)", None, "None", "3-Sep")
    assert ages == [34, 25, None, None, 3]
    assert log.remarks == ["age: 1 of 5 are ranges, such as (25, 32): the lower bound is kept"]
    assert log.table("repair").to_numpy().tolist() == [
        ["4.jpg", "age 3-Sep is taken for the range that a spreadsheet made a date of: its lower bound is kept"],
        ["3.jpg", "age None is no number of years: not known"],
    ]


def test_scaled_ages_are_no_years() -> None:
    ages, log = told("0.34", "0.5", "0.11")
    assert ages == [None, None, None]
    assert log.remarks == ["age: none is above 1 (0.34), so they are no years: not known"]
    assert told("0", "0", None)[0] == [0, 0, None]
