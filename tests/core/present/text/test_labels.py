"""Whose word labels are: said of those that the faces have, and of no others."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.audit.recorded_labels import recorded_labels
from core.data.columns import Column, Kind
from core.data.faces import UNRECORDED
from core.present.text.labels import not_identity_words, perceived_words

OWN = Column(name="glasses", kind=Kind.YES_NO, levels=("no", "yes"))
MEASURED = Column(name="sharpness", kind=Kind.ORDERED, levels=("low", "high"), measured=True)


@pytest.mark.parametrize(
    ("recorded", "columns", "begins"),
    [
        (
            ("gender", "ethnicity"),
            (MEASURED,),
            "Gender and ethnicity are the data set's labels, as a rule perceived ones",
        ),
        (("gender",), (), "Gender is the data set's label, as a rule a perceived one"),
        (("gender", "ethnicity"), (OWN,), "Gender, ethnicity and other labels are the data set's, as a rule perceived"),
        (("ethnicity",), (OWN,), "Ethnicity and other labels are the data set's, as a rule perceived ones"),
        ((), (OWN, MEASURED), "All labels here are the data set's own, as a rule perceived ones"),
    ],
)
def test_only_what_is_recorded_is_named(recorded: tuple[str, ...], columns: tuple[Column, ...], begins: str) -> None:
    assert perceived_words(recorded, columns).startswith(begins)
    assert not_identity_words(recorded, columns).startswith(begins.partition(", as a rule")[0])
    assert perceived_words(recorded, columns, mark="**").count("**perceived**") == 1


@pytest.mark.parametrize(
    ("gender", "ethnicity", "expected"),
    [
        (["female", "male"], ["Black", UNRECORDED], ("gender", "ethnicity")),
        (["female", UNRECORDED], [UNRECORDED] * 2, ("gender",)),
        ([UNRECORDED] * 2, [UNRECORDED] * 2, ()),
    ],
)
def test_what_is_recorded_is_read_off_the_file(
    gender: list[str], ethnicity: list[str], expected: tuple[str, ...], tmp_path: Path
) -> None:
    table = pd.DataFrame({"gender": gender, "ethnicity": ethnicity}).astype("category")
    table.to_parquet(tmp_path / "faces.parquet")
    assert recorded_labels(tmp_path) == expected
    (tmp_path / "faces.parquet").write_bytes(b"no table")
    assert recorded_labels(tmp_path) == ("gender", "ethnicity"), "what opens the audit says that it is damaged"
