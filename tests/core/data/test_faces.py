"""The vocabulary: age bands, filters, group names, the contract of a faces table."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from core.data.faces import AGE_BANDS, REQUIRED, age_band, check_faces, fingerprint
from core.data.filters import Filter, group_name
from core.errors import LookwhereError


@pytest.fixture
def six() -> pd.DataFrame:
    """Six faces, each filter field splitting them differently; the last has no age and no ethnicity."""
    return pd.DataFrame(
        {
            "face_id": ["a", "b", "c", "d", "e", "f"],
            "path": [f"{n}.jpg" for n in "abcdef"],
            "gender": ["female", "female", "male", "male", "female", "male"],
            "ethnicity": pd.array(["Black", "White", "Black", "Asian", "Indian", pd.NA], dtype="string"),
            "age": pd.array([17, 18, 2, 60, 45, pd.NA], dtype="Int16"),
            "identity": pd.array([pd.NA] * 6, dtype="string"),
            "cluster": range(6),
            "split": ["train", "train", "val", "test", "test", "train"],
            "correct": [True, False, True, False, True, True],
        }
    )


def test_age_bands_meet_without_a_gap() -> None:
    assert AGE_BANDS == ("0–2", "3–9", "10–17", "18–29", "30–44", "45–59", "60+")


@pytest.mark.parametrize(
    ("age", "band"),
    [(0, 0), (2, 0), (3, 1), (9, 1), (10, 2), (17, 2), (18, 3), (29, 3), (30, 4), (45, 5), (59, 5), (60, 6), (116, 6)],
)
def test_age_band_at_the_edges(age: int, band: int) -> None:
    assert age_band(pd.Series([age], dtype="Int16")).tolist() == [band]
    assert age_band(np.array([age])).tolist() == [band]


def test_an_unknown_age_has_no_band() -> None:
    band = age_band(pd.Series([pd.NA, 40, pd.NA], dtype="Int16"))
    assert band.tolist() == [-1, 4, -1]
    assert band.dtype == np.int8
    assert age_band(np.array([np.nan, 17.9])).tolist() == [-1, 2]


@pytest.mark.parametrize(
    ("filter", "passing"),
    [
        (Filter(), "abcdef"),
        (Filter(gender=("female",)), "abe"),
        (Filter(gender=("female", "male")), "abcdef"),
        (Filter(ethnicity=("Black",)), "ac"),
        (Filter(ethnicity=("Black", "Asian")), "acd"),
        (Filter(split=("train",)), "abf"),
        (Filter(split=("val", "test")), "cde"),
        (Filter(age_from=18), "bde"),
        (Filter(age_to=18), "ac"),
        (Filter(age_from=17, age_to=60), "abe"),
        (Filter(age_from=17, age_to=18), "a"),
        (Filter(outcome="correct"), "acef"),
        (Filter(outcome="incorrect"), "bd"),
        (Filter(gender=("male",), ethnicity=("Black", "Asian"), age_from=3, outcome="incorrect", split=("test",)), "d"),
        (Filter(gender=("female",), ethnicity=("Asian",)), ""),
    ],
)
def test_mask(six: pd.DataFrame, filter: Filter, passing: str) -> None:
    mask = filter.mask(six)
    assert mask.dtype == bool
    assert "".join(six.loc[mask, "face_id"]) == passing


def test_mask_without_outcome_needs_no_predictions(six: pd.DataFrame) -> None:
    assert Filter(age_from=18).mask(six.drop(columns="correct")).sum() == 3


def test_mask_of_an_empty_table(six: pd.DataFrame) -> None:
    assert Filter(gender=("male",), age_from=3).mask(six.iloc[:0]).shape == (0,)


@pytest.mark.parametrize("fields", [{"outcome": "wrong"}, {"age_from": 18, "age_to": 18}, {"age_to": 0}])
def test_a_filter_nothing_could_pass_is_refused(fields: dict) -> None:
    with pytest.raises(LookwhereError, match=r"outcome|age_to"):
        Filter(**fields)


def test_narrowed_changes_a_copy() -> None:
    wide = Filter(ethnicity=("Black",))
    assert wide.narrowed(age_from=18) == Filter(ethnicity=("Black",), age_from=18)
    assert wide == Filter(ethnicity=("Black",))
    with pytest.raises(LookwhereError):
        wide.narrowed(outcome="some")


@pytest.mark.parametrize(
    ("filter", "words"),
    [
        (Filter(), "all faces"),
        (Filter(gender=("female", "male")), "women and men"),
        (Filter(gender=("female", "male"), age_to=18), "girls and boys, under 18"),
        (Filter(gender=("not recorded",)), "faces (gender not recorded)"),
        (Filter(("not recorded",), ("Black",)), "Black faces (gender not recorded)"),
        (Filter(("not recorded",), ("not recorded",)), "faces (gender and ethnicity not recorded)"),
        (Filter(("female", "not recorded"), ("Black",)), "Black women and faces (gender not recorded)"),
        (Filter(gender=("male",)), "men"),
        (Filter(ethnicity=("Asian", "Indian")), "Asian and Indian faces"),
        (Filter(gender=("female",), ethnicity=("Others",)), "other-ethnicity women"),
        (Filter(age_from=18), "all faces, 18 and older"),
        (Filter(age_to=18), "all faces, under 18"),
        (Filter(age_from=18, age_to=45), "all faces, 18–44 years"),
        (Filter(outcome="correct", split=("val", "test")), "all faces, predicted correctly, val + test split"),
        (
            Filter(gender=("female",), ethnicity=("Black",), age_from=18, outcome="incorrect", split=("test",)),
            "Black women, 18 and older, predicted incorrectly, test split",
        ),
    ],
)
def test_describe(filter: Filter, words: str) -> None:
    assert filter.describe() == words


def test_group_name_takes_a_single_name_too() -> None:
    assert group_name("female", "Black") == group_name(("female",), ("Black",)) == "Black women"


def test_a_table_that_keeps_the_contract_passes(six: pd.DataFrame) -> None:
    check_faces(six, "six.parquet")


@pytest.mark.parametrize("column", REQUIRED)
def test_a_missing_column_is_named(six: pd.DataFrame, column: str) -> None:
    with pytest.raises(LookwhereError, match=rf"six\.parquet: no column {column};"):
        check_faces(six.drop(columns=column), "six.parquet")


def test_a_face_id_that_occurs_twice_is_named(six: pd.DataFrame) -> None:
    with pytest.raises(LookwhereError, match=r"six\.parquet: face_id 'b' occurs twice"):
        check_faces(six.assign(face_id=["a", "b", "b", "d", "e", "f"]), "six.parquet")


@pytest.mark.parametrize(("gender", "message"), [("woman", "'woman'"), (None, "empty cells")])
def test_a_strange_or_empty_gender_is_named(six: pd.DataFrame, gender: str | None, message: str) -> None:
    with pytest.raises(LookwhereError, match=rf"six\.parquet: gender must be one of .*{message}"):
        check_faces(six.assign(gender=["female", "male", gender, "male", "male", "male"]), "six.parquet")


def test_fingerprint_ignores_row_order_and_other_columns(six: pd.DataFrame) -> None:
    mixed = six.iloc[[3, 0, 5, 1, 4, 2]].drop(columns=["correct", "cluster"]).reset_index(drop=True)
    assert fingerprint(mixed) == fingerprint(six)


@pytest.mark.parametrize(
    ("column", "value"),
    [("face_id", "g"), ("gender", "male"), ("ethnicity", "White"), ("age", 18), ("age", pd.NA), ("split", "val")],
)
def test_fingerprint_tells_a_single_changed_label(six: pd.DataFrame, column: str, value: object) -> None:
    changed = six.copy()
    changed.loc[0, column] = value
    assert fingerprint(changed) != fingerprint(six)


def test_fingerprint_is_fixed(six: pd.DataFrame) -> None:
    """The text it hashes, written out: a change of form would orphan every store and audit."""
    text = (
        "face_id,gender,ethnicity,age,split\n"
        "a,female,Black,17,train\nb,female,White,18,train\nc,male,Black,2,val\n"
        "d,male,Asian,60,test\ne,female,Indian,45,test\nf,male,,,train\n"
    )
    assert fingerprint(six) == hashlib.sha256(text.encode()).hexdigest()
