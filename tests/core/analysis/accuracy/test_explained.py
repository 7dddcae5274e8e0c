"""How much of a gap goes with a measure: by hand where counts say it all, and what must not be laid to the image."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from core.analysis.accuracy.explained import AGE, TOGETHER, explain, fifths
from core.data.columns import Column, Kind
from core.errors import LookwhereError
from tests.helpers.made_audit import made_faces

BLUR = Column(name="image_blur", kind=Kind.CATEGORY, levels=("blurred", "sharp"), words="blur", measured=True)


def counted(*cells: tuple[str, str, str, int, int]) -> pd.DataFrame:
    """Faces of cells (gender, ethnicity, level of `BLUR`, n, incorrect); nobody's age is known."""
    rows = [
        {"gender": g, "ethnicity": e, BLUR.name: level, "correct": k >= wrong}
        for g, e, level, n, wrong in cells
        for k in range(n)
    ]
    table = pd.DataFrame(rows)
    faces = made_faces(len(table)).assign(**{name: table[name].to_numpy() for name in table})
    age = pd.array([pd.NA] * len(faces), dtype="Int16")
    return faces.assign(age=age, **{BLUR.name: BLUR.levelled(faces[BLUR.name])})


def row(faces: pd.DataFrame, group: str, columns: tuple[Column, ...] = (BLUR,)) -> pd.Series:
    return explain(faces, columns).table.set_index("group").loc[group]


def test_where_only_the_measure_matters_all_of_the_gap_is_explained() -> None:
    """10 % of blurred and 2 % of sharp faces are wrong, whoever it is; 400 of 500 Black women and 100 of 500 White
    ones are blurred. Right: 458 and 482 of 500, a gap of −4.8 points; at equal blur none is left."""
    explained_row = row(
        counted(
            ("female", "Black", "blurred", 400, 40),
            ("female", "Black", "sharp", 100, 2),
            ("female", "White", "blurred", 100, 10),
            ("female", "White", "sharp", 400, 8),
        ),
        "Black women",
    )
    assert explained_row["gap"] == pytest.approx(-0.048)
    assert explained_row["explained"] == pytest.approx(-0.048, abs=1e-6)
    assert explained_row["left"] == pytest.approx(0, abs=1e-6)
    assert explained_row["low"] < explained_row["explained"] < explained_row["high"] < 0
    assert explained_row["left_low"] < 0 < explained_row["left_high"]
    assert explained_row["sure"] and explained_row["p"] < 1e-5


def test_what_differs_between_groups_only_is_not_laid_to_the_measure() -> None:
    """Black women are more often blurred and more often wrong, but of either group blurred ones are no worse."""
    explained_row = row(
        counted(
            ("female", "Black", "blurred", 400, 40),
            ("female", "Black", "sharp", 100, 10),
            ("female", "White", "blurred", 100, 2),
            ("female", "White", "sharp", 400, 8),
        ),
        "Black women",
    )
    assert explained_row["gap"] == pytest.approx(-0.08)
    assert explained_row["explained"] == pytest.approx(0, abs=1e-6)
    assert explained_row["left"] == pytest.approx(-0.08, abs=1e-6)
    assert not explained_row["sure"] and explained_row["p"] == pytest.approx(1)


def test_equally_distributed_measures_explain_nothing_however_much_they_matter() -> None:
    explained_row = row(
        counted(
            ("female", "Black", "blurred", 200, 60),
            ("female", "Black", "sharp", 200, 6),
            ("female", "White", "blurred", 200, 40),
            ("female", "White", "sharp", 200, 4),
        ),
        "Black women",
    )
    assert explained_row["explained"] == pytest.approx(0, abs=1e-9)
    assert explained_row["gap"] == pytest.approx(-22 / 400)


def test_what_helps_one_class_and_harms_the_other_has_its_own_slopes() -> None:
    """Blur makes women wrong and men right. Black faces are blurred: it explains part of Black women's gap downwards,
    and of Black men's upwards; one slope for both would be flat."""
    faces = counted(
        ("female", "Black", "blurred", 300, 60),
        ("female", "Black", "sharp", 100, 5),
        ("female", "White", "blurred", 100, 20),
        ("female", "White", "sharp", 300, 15),
        ("male", "Black", "blurred", 300, 15),
        ("male", "Black", "sharp", 100, 20),
        ("male", "White", "blurred", 100, 5),
        ("male", "White", "sharp", 300, 60),
    )
    table = explain(faces, (BLUR,)).table.set_index("group")
    assert table.loc["Black women", "high"] < 0 < table.loc["Black men", "low"]


def test_parts_add_up_to_the_gap_with_several_measures_ages_and_missing_values() -> None:
    draw = np.random.default_rng(0)
    faces = made_faces(900, balanced=False)
    value = np.where(draw.random(900) < 0.1, np.nan, draw.normal(size=900))
    number = Column(
        name="image_light", kind=Kind.NUMBER, levels=("low", "mid", "high"), edges=(-0.4, 0.4), measured=True
    )
    faces = faces.assign(
        correct=draw.random(900) < 0.85,
        image_light=number.banded(value),
        image_light_value=value,
        image_blur=BLUR.levelled(np.where(draw.random(900) < 0.5, "blurred", "sharp")),
    )
    explained = explain(faces, (number, BLUR))
    table = explained.table
    assert explained.factors == ("image_light", "image_blur", AGE, TOGETHER)
    np.testing.assert_allclose(table["explained"] + table["left"], table["gap"], atol=1e-12)
    assert table.loc[table["factor"] == "image_light", "n"].sum() == np.isfinite(value).sum()
    assert table.loc[table["factor"] == TOGETHER, "n"].sum() == 900
    terms = explained.terms.set_index("factor")
    np.testing.assert_allclose(terms["p_holm"].dropna(), multipletests(terms["p"].dropna(), method="holm")[1])
    assert terms["p"].isna().tolist() == [False, False, False, True]
    assert set(np.unique(fifths(value))) == {-1, 0, 1, 2, 3, 4}


def test_a_group_without_an_error_has_finite_parts() -> None:
    explained_row = row(
        counted(
            ("female", "Black", "blurred", 60, 12),
            ("female", "Black", "sharp", 60, 2),
            ("female", "White", "blurred", 20, 0),
            ("female", "White", "sharp", 100, 0),
        ),
        "White women",
    )
    assert np.isfinite(explained_row[["explained", "low", "high", "left"]].astype(float)).all()
    assert explained_row["explained"] > 0


def test_errors_are_by_person_where_people_are_known() -> None:
    """Every face four times: as other people the interval halves, as the same people it hardly changes."""
    draw = np.random.default_rng(3)
    faces = made_faces(600, ethnicities=("White", "Black"))
    blurred = draw.random(600) < np.where(faces["ethnicity"] == "Black", 0.7, 0.3)
    faces = faces.assign(
        correct=draw.random(600) > np.where(blurred, 0.25, 0.05),
        image_blur=BLUR.levelled(np.where(blurred, "blurred", "sharp")),
        age=pd.array([pd.NA] * 600, dtype="Int16"),
    )
    four = pd.concat([faces] * 4, ignore_index=True)
    same = four.assign(identity=four["face_id"].astype("string"))
    width = {
        name: float(np.subtract(*row(table, "Black women")[["high", "low"]]))
        for name, table in (("once", faces), ("others", four), ("same", same))
    }
    assert width["others"] == pytest.approx(width["once"] / 2, rel=0.05)
    assert width["same"] == pytest.approx(width["once"], rel=0.1)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([("female", "Black", "sharp", 60, 3), ("female", "White", "sharp", 60, 3)], "nothing was measured"),
        ([("female", "Black", "sharp", 60, 0), ("female", "White", "blurred", 60, 0)], "all predictions are correct"),
        ([("female", "Black", "sharp", 60, 3), ("female", "White", "blurred", 20, 3)], "no two groups"),
    ],
)
def test_what_cannot_be_explained_is_told(cells: list, words: str) -> None:
    with pytest.raises(LookwhereError, match=words):
        explain(counted(*cells), (BLUR,))
