"""Measures as terms of the regression: what goes with them is found, what does not is not, without them all is as it
was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy import logistic
from core.analysis.accuracy.age_model import Term
from core.analysis.accuracy.measured_terms import measured_terms
from core.analysis.accuracy.regression import regression
from core.data.columns import Column, Kind, number_column
from core.errors import LookwhereError
from core.present.text.measured_terms import how_words, measured_words


def made(seed: int, by_light: float, n: int = 3000, persons: int | None = None) -> tuple[pd.DataFrame, Column]:
    """Faces that are right less often in little light, and of ethnicity B have less of it; nothing else counts."""
    draw = np.random.default_rng(seed)
    ethnicity = np.where(draw.random(n) < 0.5, "A", "B")
    light = draw.normal(np.where(ethnicity == "A", 0.8, -0.8), 1.0)
    right = draw.random(n) < 1 / (1 + np.exp(-(2.0 + by_light * light)))
    gender = np.where(draw.random(n) < 0.5, "female", "male")
    column = number_column("image_lightness", light, words="lightness", measured=True)
    identity = [pd.NA] * n if persons is None else [f"p{k}" for k in draw.integers(0, persons, n)]
    faces = pd.DataFrame(
        {
            "gender": gender, "ethnicity": ethnicity, "age": pd.array(draw.integers(18, 80, n), dtype="Int16"),
            "identity": pd.array(identity, dtype="string"), "image_lightness": column.banded(light),
            "image_lightness_value": light, "p_male": np.where((gender == "male") == right, 0.9, 0.1),
        }
    )  # fmt: skip
    return faces, column


def test_what_goes_with_a_measure_is_laid_to_it_and_not_to_ethnicity() -> None:
    faces, light = made(0, by_light=1.0)
    terms = measured_terms(faces, [light])
    tests = terms.tests.set_index("term")
    assert tests.loc["lightness", "p_holm"] < 1e-6
    assert tests.loc["ethnicity", "p_without"] < 1e-6, "without the measure ethnicity seems to matter"
    assert tests.loc["ethnicity", "p"] > 0.01, "beside it nothing is seen of it"
    assert np.isnan(tests.loc["lightness", "p_without"]) and np.isnan(tests.loc["gender × lightness", "p_without"])
    words = measured_words(terms)
    assert words.startswith("Lightness (p < 0.0001) goes with being correct, given all other terms. Ethnicity beside")


def test_without_the_measures_it_is_the_regression_of_the_page() -> None:
    faces, light = made(1, by_light=0.5)
    tests, before = measured_terms(faces, [light]).tests.set_index("term"), regression(faces)
    for term in Term:
        assert tests.loc[str(term), "p_without"] == pytest.approx(before.p(term), rel=1e-5), term


def test_a_measure_that_says_nothing_is_found_at_its_level() -> None:
    """Of 60 data sets without any effect, p under 5 % in no more than chance would have once in 10,000."""
    p = []
    for seed in range(60):
        faces, light = made(seed, 0.0, 800)
        p.append(measured_terms(faces, [light]).tests.set_index("term").loc["lightness", "p"])
    p_values = np.array(p)
    assert (p_values < 0.05).sum() <= 11 and 0.3 < np.median(p_values) < 0.7


def test_people_faces_without_a_value_and_what_cannot_be_fitted() -> None:
    faces, light = made(2, by_light=0.5, persons=700)
    assert measured_terms(faces, [light]).errors == "by person"
    some = faces.assign(image_lightness_value=faces["image_lightness_value"].where(np.arange(len(faces)) % 10 > 0))
    assert measured_terms(some, [light]).unknown == 300
    with pytest.raises(LookwhereError, match="no measure"):
        measured_terms(faces, [])
    with pytest.raises(LookwhereError, match="all predictions are correct"):
        measured_terms(faces.assign(p_male=np.where(faces["gender"] == "male", 0.9, 0.1)), [light])
    with pytest.raises(LookwhereError, match="no two groups have 50 faces"):
        measured_terms(faces[:60], [light])


def test_what_goes_in_by_fifths_and_what_by_its_levels_is_said() -> None:
    faces, light = made(4, by_light=1.0)
    draw = np.random.default_rng(9)
    camera = Column(name="camera", kind=Kind.CATEGORY, levels=("phone", "webcam"))
    faces = faces.assign(camera=pd.Categorical(draw.choice(camera.levels, len(faces)), camera.levels))
    assert how_words(measured_terms(faces, [light])).startswith("Measures go in by fifths, and may act")
    assert how_words(measured_terms(faces, [camera])).startswith("Camera goes in by its levels, and may act")
    both = measured_terms(faces, [light, camera])
    assert how_words(both).startswith("Lightness by fifths, camera goes in by its levels, and may act")
    assert "Ethnicity beside them: " in measured_words(both) and "faces without them " in measured_words(both)


def test_faces_without_a_gender_are_left_out_and_counted() -> None:
    faces, light = made(5, by_light=1.0)
    part = faces.assign(gender=faces["gender"].where(np.arange(len(faces)) % 5 > 0, "not recorded"))
    terms = measured_terms(part, [light])
    assert (terms.n, terms.unknown) == (2400, 600)
    alone = measured_terms(part[part["gender"] != "not recorded"], [light])
    assert list(terms.tests["df"]) == list(alone.tests["df"]), "no third gender is in the design"
    unknown = part.assign(gender=faces["gender"].where(np.arange(len(faces)) > 0, "not recorded"))
    assert " 1 face is left out whose " in how_words(measured_terms(unknown, [light]))


def test_where_no_gender_is_recorded_nothing_is_said_to_act_differently_on_women_and_men() -> None:
    faces, light = made(6, by_light=1.0)
    terms = measured_terms(faces.assign(gender="not recorded"), [light])
    assert "act differently" not in how_words(terms) and "lightness" in set(terms.tests["term"])


def test_a_column_of_forty_levels_takes_no_hundreds_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = made(7, by_light=1.0, n=900)[0]
    levels = tuple(f"place {n}" for n in range(40))
    place = Column(name="place", kind=Kind.CATEGORY, levels=levels)
    rare = np.minimum(np.random.default_rng(1).geometric(0.08, len(faces)) - 1, 39)
    faces = faces.assign(place=place.levelled(np.array(levels)[rare]))
    steps: list[int] = []
    penalised = logistic._penalised
    monkeypatch.setattr(logistic, "_penalised", lambda *of: steps.append(0) or penalised(*of))
    terms = measured_terms(faces, [place])
    assert terms.estimator == "Firth's penalised likelihood" and {"place", "gender × place"} <= set(terms.tests["term"])
    assert 0 < len(steps) < 60 * 2 * 2 * len(terms.tests)
