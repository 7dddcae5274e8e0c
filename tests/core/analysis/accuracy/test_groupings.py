"""Groups by any column: names, counts against a table made by hand, faces of no known level, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.counts import group_counts, group_rows
from core.analysis.accuracy.groupings import accuracy_of_groups, grouping, grouping_words
from core.audit.folder import Audit
from core.data.targets import task_for
from core.errors import LookwhereError
from core.task import carrying
from tests.helpers.made_audit import made_audit
from tests.helpers.made_columns import MADE_COLUMNS


@pytest.fixture(scope="module")
def audit() -> Audit:
    return made_audit(1200, own=True, errors=0.2, shape=None)


@pytest.mark.parametrize("by", [["glasses"], ["skin_tone", "gender"], ["glasses", "distance", "ethnicity"]])
def test_every_group_is_counted_as_by_hand(audit: Audit, by: list[str]) -> None:
    table = accuracy_of_groups(audit.faces, by, audit.columns)
    faces = audit.faces.assign(**{name: audit.faces[name].astype("object").fillna("not recorded") for name in by})
    hand = faces.groupby(by)["correct"].agg(["size", "sum"])
    counts = table.set_index(by)[["n", "correct"]]
    assert len(counts) == len(hand) and counts["n"].sum() == len(faces)
    for key, row in hand.iterrows():
        assert counts.loc[key].tolist() == row.tolist()
    plain = accuracy_by(audit.faces, by).set_index(by)
    np.testing.assert_allclose(plain.loc[counts.index, "accuracy"].to_numpy(float), counts["correct"] / counts["n"])


def test_groups_are_named_as_a_person_says_them_and_stand_in_the_columns_order(audit: Audit) -> None:
    table = accuracy_of_groups(audit.faces, ["skin_tone", "gender"], audit.columns)
    assert table["group"].tolist()[:2] == ["women, skin tone: I", "women, skin tone: II"]
    assert table["skin_tone"].tolist()[:7] == ["I", "II", "III", "IV", "V", "VI", "not recorded"]
    alone = accuracy_of_groups(audit.faces, ["glasses", "age band"], audit.columns)
    assert alone["group"].iloc[0] == "0–2 years, glasses: no"
    assert grouping_words(["skin_tone", "age band"], audit.columns) == "skin tone × age"
    assert grouping_words([]) == "all faces"


def test_groups_of_the_classified_column_are_named_by_the_tasks_words(audit: Audit) -> None:
    faces = carrying(audit.faces, task_for(MADE_COLUMNS[0]))
    table = group_rows(faces, ["gender", "glasses", "skin_tone"], audit.columns)[1]
    names = set(table["group"])
    assert {"women with glasses, skin tone: I", "men without glasses, skin tone: VI"} <= names
    assert set(group_rows(faces, ["glasses"], audit.columns)[1]["group"]) == {
        "faces without glasses", "faces with glasses", "glasses: not recorded",
    }  # fmt: skip


def test_faces_of_no_known_level_are_neither_best_nor_worst(audit: Audit) -> None:
    groups = group_counts(audit.faces, ["glasses"], smallest=1, columns=audit.columns)
    assert groups.table["glasses"].tolist() in (["no", "yes"], ["yes", "no"])
    assert groups.left_out["why"].tolist() == ["glasses not recorded"]
    assert (groups.member < 0).sum() == audit.faces["glasses"].isna().sum()


def test_what_is_asked_for_is_found_or_what_there_is_is_told(audit: Audit) -> None:
    assert grouping(["Skin-Tone", "age_band", "gender", "skin_tone"], audit.columns) == [
        "skin_tone",
        "age band",
        "gender",
    ]
    with pytest.raises(
        LookwhereError, match="groups by hat: no such column; there are gender, ethnicity, age_band, glas"
    ):
        grouping(["hat"], audit.columns)
    with pytest.raises(LookwhereError, match="up to 3 columns are crossed, not 4"):
        grouping(["glasses", "camera", "gender", "ethnicity"], audit.columns)
    with pytest.raises(LookwhereError, match="'hat'"):
        group_counts(audit.faces, ["hat"], columns=MADE_COLUMNS)


def test_no_face_makes_no_group(audit: Audit) -> None:
    assert accuracy_of_groups(audit.faces[:0], ["glasses", "camera"], audit.columns).empty


def test_forty_levels_crossed_are_counted_apart() -> None:
    levels = np.array([f"level {n:02}" for n in range(40)])
    draw = np.random.default_rng(0)
    faces = made_audit(4000, shape=None, errors=0.1).faces
    faces = faces.assign(
        a=pd.Categorical(levels[draw.integers(0, 40, 4000)], levels),
        b=pd.Categorical(levels[draw.integers(0, 40, 4000)], levels),
    )
    table = accuracy_of_groups(faces, ["a", "b", "age band"])
    assert table["n"].sum() == 4000 and table["group"].is_unique
    row = table.iloc[100]
    inside = (faces["a"] == row["a"]) & (faces["b"] == row["b"])
    assert row["n"] <= inside.sum() and row["n"] >= 1
