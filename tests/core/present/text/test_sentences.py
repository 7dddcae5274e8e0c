"""The computed sentences: the right groups, the right numbers, and no more certainty than there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.analysis.maps.group_means import Group
from core.data.faces import UNRECORDED
from core.data.filters import Filter
from core.estimate import Estimate
from core.present.text.sentences import (
    accuracy_sentence,
    cells_words,
    error_rate,
    heatmap_sentence,
    hottest_place,
    no_average_words,
    pair_names,
    row_name,
    scope,
    target_words,
)
from core.wording import capital, percent, times, with_interval
from tests.helpers.made_audit import made_audit


def made_faces(groups: list[tuple[str, str, int, int]]) -> pd.DataFrame:
    """Faces of (gender, ethnicity, n, errors); p_male 0.9 or 0.1."""
    rows = []
    for gender, ethnicity, n, errors in groups:
        right = 0.9 if gender == "male" else 0.1
        rows += [(gender, ethnicity, 1 - right if k < errors else right) for k in range(n)]
    faces = pd.DataFrame(rows, columns=["gender", "ethnicity", "p_male"])
    return faces.assign(age=pd.array([pd.NA] * len(faces), "Int16"), identity=pd.NA)


def says(text: str, *parts: str) -> bool:
    """The parts stand in the text, in this order."""
    start = 0
    for part in parts:
        start = text.find(part, start)
        if start < 0:
            return False
        start += len(part)
    return True


def test_an_ethnicity_that_no_face_has_recorded_is_not_said_of_each_group() -> None:
    bare = pd.DataFrame({"gender": ["female", "male"], "ethnicity": UNRECORDED})
    assert pair_names(bare) == ["women", "men"] and pair_names(bare, ("Black",)) == ["Black women", "Black men"]
    some = pd.DataFrame({"gender": ["female", "male", "male"], "ethnicity": ["Black", UNRECORDED, ""]})
    assert pair_names(some) == ["Black women", "men (ethnicity not recorded)", "men"]


def test_numbers_are_written_with_their_interval() -> None:
    assert percent(0.0614) == "6.1 %"
    assert percent(0.0614, 0) == "6 %"
    assert with_interval(0.061, 0.0421, 0.0869) == "6.1 % [4.2–8.7]"
    assert with_interval(0.98765, 0.98, 0.99123, 2) == "98.77 % [98.00–99.12]"
    assert times(Estimate(2.94, 1.76, 4.649)) == "2.9 × [1.8–4.6]"
    assert error_rate(pd.Series({"errors": 20, "n": 100})) == "20.0 % [13.3–28.9]"
    assert capital("black women") == "Black women"
    assert capital("") == ""


def test_groups_are_named_as_people_say_it() -> None:
    assert row_name(pd.Series({"gender": "female", "ethnicity": "Black"})) == "Black women"
    assert row_name(pd.Series({"gender": "male", "ethnicity": "Others"})) == "other-ethnicity men"
    assert row_name(pd.Series({"gender": "male"})) == "men"
    assert row_name(pd.Series({"ethnicity": "Asian"})) == "Asian faces"
    assert row_name(pd.Series({"n": 3})) == "all faces"


@pytest.mark.parametrize(
    ("filter", "words"),
    [
        (Filter(age_from=18), ["adults"]),
        (Filter(), ["all ages"]),
        (Filter(gender=("female",), age_to=18), ["girls", "under 18"]),
        (Filter(ethnicity=("Asian",), age_from=18, age_to=45), ["Asian faces", "18–44 years"]),
    ],
)
def test_the_scope_is_said(filter: Filter, words: list[str]) -> None:
    assert says(scope(filter), *words)


def test_the_furthest_groups_are_compared_in_points_and_only_the_declared_analysis_is_not_exploratory() -> None:
    groups = [
        ("male", "White", 200, 5),
        ("female", "Black", 100, 20),
        ("female", "White", 150, 9),
        ("male", "Asian", 49, 30),
        ("female", "Asian", 30, 0),
    ]
    text = accuracy_sentence(made_faces(groups), Filter(age_from=18))
    assert text.startswith("Among adults, accuracy for Asian men lies 58.7 points [3")
    assert text.endswith("below that for White men; none of the other 3 groups is as low.")
    fewer = [("male", "Asian", 3, 2), *(group for group in groups if group[:2] != ("male", "Asian"))]
    text = accuracy_sentence(made_faces(fewer), Filter(age_from=18))
    assert text.startswith("Among adults, accuracy for Black women lies 17.5 points [")
    assert text.endswith("below that for White men; 2 of the other 3 groups may be as low.")
    assert "exploratory" not in text.lower()
    for filter in (Filter(), Filter(age_from=18, ethnicity=("White", "Black"))):
        assert accuracy_sentence(made_faces(groups), filter).endswith("(Exploratory.)")
    assert accuracy_sentence(made_faces(groups), Filter(age_from=18), 0.4).endswith("(Exploratory.)")


def test_where_ages_are_known_the_sentence_is_of_equal_ages() -> None:
    """Young faces are all right, old ones half wrong, and women are the older ones: at equal ages none is behind."""
    audit = made_audit(4000, ethnicities=("A", "B"), ages=(18, 60), errors=0.0)
    faces = audit.faces
    old, women = (faces["age"] >= 45).to_numpy(), (faces["gender"] == "female").to_numpy()
    draw = np.random.default_rng(0)
    rows = np.where(old == women, True, draw.random(len(faces)) < 0.3)
    wrong = draw.random(len(faces)) < np.where(old, 0.4, 0.03)
    faces = faces.assign(p_male=np.where(wrong == women, 0.9, 0.1), correct=~wrong)[rows]
    text = accuracy_sentence(faces, Filter(age_from=18))
    assert text.startswith("Among adults, at equal ages, no two groups are told apart")
    unknown = accuracy_sentence(faces.assign(age=pd.array([pd.NA] * len(faces), "Int16")), Filter())
    assert "at equal ages" not in unknown and "chance" not in unknown


def test_an_interval_that_holds_0_is_called_chance() -> None:
    text = accuracy_sentence(made_faces([("male", "White", 60, 1), ("female", "White", 60, 3)]), Filter())
    assert says(text, "chance", "White women", "3.3 points", "White men")
    sure = accuracy_sentence(made_faces([("male", "White", 60, 1), ("female", "White", 60, 30)]), Filter())
    assert "chance" not in sure


def test_equal_groups_are_not_told_apart() -> None:
    text = accuracy_sentence(made_faces([("male", "White", 60, 0), ("female", "White", 60, 0)]), Filter())
    assert says(text, "no two groups are told apart", "White men", "0.0 points", "White women")


def test_the_threshold_moves_the_sentence() -> None:
    faces = made_faces([("male", "White", 100, 10), ("female", "White", 100, 40)])
    assert says(accuracy_sentence(faces, Filter()), "for White women lies 30.0 points", "White men")
    assert says(accuracy_sentence(faces, Filter(), 0.95), "for White men lies 100.0 points", "White women")


def test_of_one_group_only_the_whole_is_told() -> None:
    few = made_faces([("male", "White", 100, 10)])
    text = accuracy_sentence(few, Filter(gender=("male",), ethnicity=("White",)))
    assert says(text, "White men", "90.0 % [82.6–94.5]", "100", "no two groups")
    tiny = made_faces([("male", "White", 60, 6), ("female", "Black", 1, 1)])
    assert says(accuracy_sentence(tiny, Filter()), "no two groups are told apart beyond chance", "(Exploratory.)")
    assert accuracy_sentence(few.iloc[:0], Filter()) == "No face passes this filter."


def made_group(mean: np.ndarray | None, n: int = 1200, **filters: object) -> Group:
    return Group(Filter(**filters), n, n // 2, mean, None, 0)


def spot(row: int, column: int, value: float = 1.0, side: int = 7) -> np.ndarray:
    mean = np.zeros((side, side))
    mean[row, column] = value
    return mean


@pytest.mark.parametrize(
    ("row", "column", "side", "words"),
    [
        (0, 3, 7, "forehead"),
        (2, 2, 7, "brows"),
        (3, 4, 7, "eyes"),
        (3, 3, 7, "nose"),
        (4, 2, 7, "cheeks"),
        (5, 3, 7, "mouth"),
        (6, 3, 7, "jaw"),
        (6, 4, 7, "jaw"),
        (3, 0, 7, "surround beside the eyes"),
        (4, 6, 7, "surround beside the cheeks"),
        (2, 2, 4, "cheeks"),
        (3, 1, 4, "mouth"),
        (0, 3, 4, "surround beside the forehead"),
        (6, 7, 14, "nose"),
        (0, 0, 1, "surround"),
    ],
)
def test_the_hottest_place_has_a_name(row: int, column: int, side: int, words: str) -> None:
    assert hottest_place(spot(row, column, side=side)) == words
    assert hottest_place(spot(row, column, value=-1.0, side=side)) == words


def test_two_groups_maps_are_placed_and_compared() -> None:
    women = made_group(spot(5, 3, 2.0) + spot(6, 3, 1.0), gender=("female",), ethnicity=("Black",))
    men = made_group(spot(6, 3, 1.5), n=321, gender=("male",))
    text = heatmap_sentence([women, men], "true")
    r = np.corrcoef(women.map.ravel(), men.map.ravel())[0, 1]
    assert says(text, "Grad-CAM for the labelled gender", "Black women", "1,200", "mouth", "men", "321", "jaw")
    assert says(text, f"r = {r:.2f}", "2.00 ×")


def test_the_margin_has_no_strength_to_compare() -> None:
    groups = [made_group(spot(3, 3)), made_group(spot(3, 3, -2.0) + spot(5, 3, -3.0))]
    text = heatmap_sentence(groups, "margin")
    assert says(text, "margin map", "nose", "mouth", "r = −")
    assert "strong" not in text


def test_groups_without_a_map_are_passed_over() -> None:
    small, large = made_group(None, n=7, gender=("male",)), made_group(spot(4, 3), gender=("female",))
    text = heatmap_sentence([small, large], "predicted")
    assert says(text, "predicted gender", "women", "nose")
    assert "correlate" not in text
    assert says(heatmap_sentence([small], "true"), "11 faces")
    assert says(heatmap_sentence([], "true"), "11 faces")


def test_flat_maps_do_not_break_the_sentence() -> None:
    text = heatmap_sentence([made_group(np.zeros((7, 7))), made_group(np.zeros((7, 7)))], "female")
    assert says(text, "«female»", "centred")
    assert "nan" not in text


def test_every_target_has_words() -> None:
    assert says(target_words("male"), "«male»")
    assert len({target_words(target) for target in ("true", "predicted", "female", "male", "margin")}) == 5


def test_why_there_is_no_average_face() -> None:
    """Cells of many columns are small: the groups that they are of need not be, so it is cells that are told of."""
    audit = made_audit(400, images=np.zeros((400, 8, 8, 3), dtype=np.uint8), own=True)
    crossed = replace(
        audit, manifest=replace(audit.manifest, cells=("glasses", "camera")), averages=audit.averages.none()
    )
    words = no_average_words(crossed)
    assert words.startswith("No average face is stored. Average faces tell glasses × camera apart too: 0 of 400 faces")
    assert "no group" not in words and "cells of under 11 people" in words
    assert no_average_words(replace(audit, averages=audit.averages.none())).endswith("no group has 11 faces.")
    kept = replace(audit, manifest=replace(audit.manifest, cells=("glasses",)))
    held = int(audit.averages.cells["n"].sum())
    assert held and f": {held} of 400 faces are in one" in cells_words(kept)
