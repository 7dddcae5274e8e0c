"""The filter bar in the address: what is written comes back, and whatever else stands there is left out and told."""

from __future__ import annotations

import itertools
from urllib.parse import parse_qs, urlencode

import numpy as np
import pandas as pd
import pytest

from core.data.faces import AGE_BANDS, AGE_EDGES, age_band
from core.data.filters import OUTCOMES, Filter
from core.errors import LookwhereError
from core.task import GENDERS
from tests.helpers.made_audit import made_audit, made_faces
from ui.widgets.filter_query import AGES, LONGEST, FilterOptions, FilterSelection, read_query, write_query, years
from ui.widgets.group_picker import AGES as GROUP_AGES
from ui.widgets.group_picker import narrow

ODD = (
    "Black, Caribbean",
    "中文",
    "👩🏽‍🦱 curly",
    "A/B & C=D?e#f;g",
    "<script>alert(1)</script>",
    "100 % «sure»",
    "any",
    "all",
    "[x](http://evil/)",
    "a+b  c",
    "\\n\"'`",
    "ا",
)
OPTIONS = FilterOptions(("White", "Black", *ODD), ("train", "val", "test"))
RANGES = [(low, high) for low, high in itertools.product(AGES, AGES) if AGES.index(low) <= AGES.index(high)]


def through_an_address(selection: FilterSelection) -> dict[str, list[str]]:
    """The parameters as a browser would give them back."""
    return parse_qs(urlencode(write_query(selection), doseq=True), keep_blank_values=True, strict_parsing=False)


@pytest.mark.parametrize("name", OPTIONS.ethnicities)
def test_every_ethnicity_comes_back(name: str) -> None:
    selection = FilterSelection(ethnicity=(name,))
    assert read_query(through_an_address(selection), OPTIONS) == (selection, ())


@pytest.mark.parametrize("age", RANGES)
def test_every_age_range_comes_back(age: tuple[str, str]) -> None:
    selection = FilterSelection(age=age)
    assert read_query(through_an_address(selection), OPTIONS) == (selection, ())


def test_every_combination_of_the_other_fields_comes_back() -> None:
    genders = [(), *itertools.permutations(GENDERS, 1), GENDERS, GENDERS[::-1]]
    splits = [(), ("test",), ("test", "train"), OPTIONS.splits]
    selections = set()
    for gender, adults, outcome, split in itertools.product(genders, (False, True), OUTCOMES, splits):
        selection = FilterSelection(gender, ("Black", *ODD), adults, ("3", "60"), outcome, split)
        assert read_query(through_an_address(selection), OPTIONS) == (selection, ())
        selections.add(urlencode(write_query(selection), doseq=True))
    assert len(selections) == len(genders) * 2 * len(OUTCOMES) * len(splits), "each has an address of its own"


def test_nothing_filtered_writes_nothing_and_nothing_asked_is_the_bar_before() -> None:
    assert write_query(FilterSelection()) == {}
    before = FilterSelection(("male",), ("Black",), True, ("18", "any"), "incorrect", ("val",))
    assert read_query({}, OPTIONS, before) == (before, ())
    assert read_query({"page": ["x"], "gender": [""], "a_gender": ["female"]}, OPTIONS, before) == (before, ())
    selection, notes = read_query({"gender": ["female"], "outcome": ["all"]}, OPTIONS, before)
    assert (selection.gender, selection.outcome, selection.ethnicity, notes) == (("female",), "all", ("Black",), ())


def test_what_the_page_before_said_is_dropped_quietly_where_this_audit_lacks_it() -> None:
    before = FilterSelection(ethnicity=("Martian", "Black"), split=("holdout",))
    assert read_query({}, OPTIONS, before) == (FilterSelection(ethnicity=("Black",)), ())


@pytest.mark.parametrize(
    ("query", "left", "told"),
    [
        ({"ethnicity": ["Martian"]}, FilterSelection(), "No face here has the ethnicity «Martian»."),
        ({"ethnicity": ["Martian", "Black"]}, FilterSelection(ethnicity=("Black",)), "ethnicity «Martian»."),
        ({"ethnicity": ["black"]}, FilterSelection(), "«black»"),
        ({"gender": ["other", "male", "x"]}, FilterSelection(("male",)), "No face here has the gender «other», «x»."),
        ({"split": ["../../etc"]}, FilterSelection(), "split «../../etc»"),
        ({"outcome": ["perhaps"]}, FilterSelection(), "The outcome is one of all, correct, incorrect, not «perhaps»."),
        ({"outcome": ["correct", "incorrect"]}, FilterSelection(outcome="correct"), "«correct», «incorrect»"),
        ({"adults": ["yes"]}, FilterSelection(), "Adults only is true or false, not «yes»."),
        ({"adults": ["true", "false"]}, FilterSelection(adults=True), "not «true», «false»."),
        ({"age": ["3"]}, FilterSelection(), "An age range is two of 0, 3, 10, 18, 30, 45, 60, any, the lower first"),
        ({"age": ["60", "3"]}, FilterSelection(), "not «60», «3»."),
        ({"age": ["3", "x"]}, FilterSelection(), "not «3», «x»."),
        ({"age": ["-1", "1e9"]}, FilterSelection(), "not «-1», «1e9»."),
        ({"age": ["03", "10"]}, FilterSelection(), "not «03», «10»."),
        ({"age": ["3", "10", "18"]}, FilterSelection(), "not «3», «10», «18»."),
        ({"gender": ["a\nb\x00\u202ec"]}, FilterSelection(), "«a b  c»"),
        ({"gender": ["x" * 10_000]}, FilterSelection(), "«" + "x" * LONGEST + "…»"),
        ({"gender": [str(n) for n in range(40)]}, FilterSelection(), "«3», «4» and 35 more."),
    ],
)
def test_what_cannot_be_had_is_left_out_and_told(query: dict, left: FilterSelection, told: str) -> None:
    selection, notes = read_query(query, OPTIONS)
    assert selection == left
    assert len(notes) == 1
    assert told in notes[0]
    assert "\n" not in notes[0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"ethnicity": ["Black", "Black", "White", "Black"]}, FilterSelection(ethnicity=("Black", "White"))),
        ({"gender": ["male", "male"]}, FilterSelection(("male",))),
        ({"adults": ["1", "1"]}, FilterSelection(adults=True)),
        ({"adults": ["TRUE"]}, FilterSelection(adults=True)),
        ({"adults": ["false"]}, FilterSelection()),
        ({"outcome": ["correct", "correct"]}, FilterSelection(outcome="correct")),
    ],
)
def test_a_value_named_twice_counts_once(query: dict, expected: FilterSelection) -> None:
    assert read_query(query, OPTIONS) == (expected, ())


def test_every_fault_of_an_address_is_told() -> None:
    query = {"gender": ["x"], "ethnicity": ["x"], "split": ["x"], "outcome": ["x"], "adults": ["x"], "age": ["x"]}
    selection, notes = read_query(query, OPTIONS)
    assert selection == FilterSelection()
    assert len(notes) == len(query)


def test_where_nothing_is_recorded_nothing_can_be_filtered_by_it() -> None:
    bare = FilterOptions((), ("test",), has_age=False)
    query = {"ethnicity": ["Black"], "adults": ["true"], "age": ["18", "30"]}
    selection, notes = read_query(query, bare)
    assert selection == FilterSelection()
    assert notes == (
        "No face here has the ethnicity «Black».",
        "No age is recorded of these faces, so they cannot be filtered by it.",
    )
    assert read_query({}, bare, FilterSelection(adults=True))[0] == FilterSelection()


def test_a_selection_is_the_filter_that_its_words_say() -> None:
    assert FilterSelection().filter() == Filter()
    assert FilterSelection(adults=True, age=("0", "3")).filter() == Filter(age_from=18), "adults go before the range"
    full = FilterSelection(("female",), ("Black",), False, ("18", "45"), "incorrect", ("test",))
    assert full.filter() == Filter(("female",), ("Black",), 18, 45, "incorrect", ("test",))


@pytest.mark.parametrize("age", RANGES)
def test_a_range_of_ages_is_whole_bands(age: tuple[str, str]) -> None:
    low, high = years(*age)
    faces = pd.DataFrame({"age": pd.array(range(100), dtype="Int16")})
    inside = Filter(age_from=low, age_to=high).mask(faces)
    assert inside.any()
    bands = age_band(faces["age"])
    assert all(inside[bands == band].all() or not inside[bands == band].any() for band in range(len(AGE_BANDS)))
    if age[0] == age[1] != "any":
        assert set(bands[inside]) == {AGES.index(age[0])}, "both ends on one edge are that edge's band"


# The groups that a page compares, inside the filter bar's.


def test_the_ages_of_a_group_are_the_bands_and_both_sides_of_18() -> None:
    assert list(GROUP_AGES.values())[3:] == list(itertools.pairwise((*AGE_EDGES, None)))
    assert GROUP_AGES["adults"] == (18, None)
    assert GROUP_AGES["under 18"] == (0, 18)


def test_a_group_lies_inside_the_filter_bar() -> None:
    faces = pd.DataFrame(
        itertools.product(GENDERS, ("White", "Black"), range(0, 90, 4), (True, False)),
        columns=["gender", "ethnicity", "age", "correct"],
    )
    bars = [Filter(), Filter(("female",)), Filter((), ("Black",), 18), Filter(age_to=30), Filter(outcome="correct")]
    combinations = 0
    for bar, gender, ethnicity, age, outcome in itertools.product(
        bars, ("any", *GENDERS), ("any", "White", "Black"), GROUP_AGES, OUTCOMES
    ):
        alone = narrow(Filter(), gender, ethnicity, age, outcome).mask(faces)
        try:
            group = narrow(bar, gender, ethnicity, age, outcome)
        except LookwhereError as error:
            assert "filter bar" in str(error)
            assert not (alone & bar.mask(faces)).any(), "refused only where no face can be in both"
            continue
        combinations += 1
        np.testing.assert_array_equal(group.mask(faces), alone & bar.mask(faces))
    assert combinations > 500


FIRST_ADULTS = FilterOptions(("White", "Black"), (), has_age=True, adults_first=True)


@pytest.mark.parametrize(
    ("query", "adults", "age"),
    [
        ({}, True, ("0", "any")),
        ({"adults": ["false"]}, False, ("0", "any")),
        ({"age": ["3", "45"]}, False, ("3", "45")),
        ({"adults": ["true"], "age": ["3", "45"]}, True, ("3", "45")),
        ({"age": ["45", "3"]}, True, ("0", "any")),
        ({"adults": ["maybe"]}, True, ("0", "any")),
    ],
)
def test_where_a_page_opens_on_adults(query: dict, adults: bool, age: tuple[str, str]) -> None:
    selection, _ = read_query(query, FIRST_ADULTS)
    assert (selection.adults, selection.age) == (adults, age)
    again = parse_qs(urlencode(write_query(selection, FIRST_ADULTS.opening), doseq=True))
    assert read_query(again, FIRST_ADULTS) == (selection, ())


def test_adults_come_first_where_most_ages_are_known() -> None:
    for ages, first in (([30, 4, None], True), ([30, None, None], False), ([4, 5, 6], False), ([None] * 3, False)):
        audit = made_audit(faces=made_faces(3).assign(age=pd.array(ages, dtype="Int16")), correct=np.ones(3, bool))
        assert FilterOptions.from_audit(audit).adults_first is first, ages
