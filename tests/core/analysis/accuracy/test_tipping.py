"""How many wrong labels a gap needs, against counts that are followed by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from core.analysis.accuracy.suspects import suspects
from core.analysis.accuracy.tipping import tipping_points
from core.analysis.intervals import newcombe
from core.audit.folder import open_audit
from core.data.filters import Filter
from core.present.text.tipping import tipping_report
from tests.helpers.made_audit import made_audit, made_faces, of_glasses
from tests.helpers.shipped import MODEL, shipped_or_skip


def planted(wrong: dict[tuple[str, str], int], each: int = 100) -> pd.DataFrame:
    """Tipping points of four groups of `each` faces with these many errors."""
    faces = made_faces(4 * each, ethnicities=("White", "Black"))
    correct = np.ones(len(faces), dtype=bool)
    for (gender, ethnicity), count in wrong.items():
        rows = np.flatnonzero((faces["gender"] == gender) & (faces["ethnicity"] == ethnicity))
        correct[rows[:count]] = False
    return tipping_points(made_audit(faces=faces, correct=correct, shape=None))


def test_labels_are_moved_to_the_other_gender_until_the_interval_reaches_zero() -> None:
    table = planted({("female", "Black"): 20}).set_index(["worse", "better"])
    for better, joins in (("Black men", True), ("White men", False), ("White women", False)):
        row = table.loc[("Black women", better)]
        needed = next(k for k in range(1, 21) if newcombe(80, 100 - k, 100 + joins * k, 100 + joins * k).high >= 0)
        assert (row["wrong_labels"], row["errors"]) == (needed, 20)
        assert row["high"] < 0 and np.isclose(row["difference"], -0.2)
    assert table["wrong_labels"].is_monotonic_increasing


def test_small_groups_have_exact_bounds_and_are_left_out_of_nothing() -> None:
    faces = made_faces(160, ethnicities=("White", "Black"))  # 40 faces a group
    black = ((faces["gender"] == "female") & (faces["ethnicity"] == "Black")).to_numpy()
    correct = ~(black & (np.cumsum(black) <= 16))
    table = tipping_points(made_audit(faces=faces, correct=correct, shape=None)).set_index(["worse", "better"])
    row = table.loc[("Black women", "Black men")]
    exact = [binomtest(k, 40).proportion_ci(0.95, "exact") for k in (24, 40)]
    high = -0.4 + np.hypot(exact[0].high - 0.6, 1 - exact[1].low)
    assert row["high"] == pytest.approx(high) and row["high"] > newcombe(24, 40, 40, 40).high
    assert 0 < row["wrong_labels"] < 16 and row["errors"] == 16
    assert planted({("female", "Black"): 1}, each=3).empty, "of three faces nothing is sure"


def test_where_glasses_are_classified_a_wrong_label_stays_in_its_group() -> None:
    faces = made_faces(200, ethnicities=("White",))
    women = (faces["gender"] == "female").to_numpy()
    correct = ~(women & (np.cumsum(women) <= 20))
    table = tipping_points(of_glasses(made_audit(faces=faces, correct=correct, shape=None)))
    needed = next(k for k in range(1, 21) if newcombe(80 + k, 100, 100, 100).high >= 0)
    assert table[["worse", "better", "wrong_labels"]].to_numpy().tolist() == [["White women", "White men", needed]]
    assert "of a face of the other class" in tipping_report(table, of_glasses(made_audit(20)).task)[-1]


def test_of_groups_by_a_further_column_a_wrong_label_stays_or_leaves_as_groups_and_filter_say() -> None:
    faces = made_faces(400, ethnicities=("White",))
    glasses = np.repeat(["no", "yes"], 200)  # 100 women and 100 men each
    women = (faces["gender"] == "female").to_numpy()
    wrong = (glasses == "yes") & women & (np.cumsum((glasses == "yes") & women) <= 20)
    audit = made_audit(faces=faces, own=True, correct=~wrong, shape=None)
    column = next(column for column in audit.columns if column.name == "glasses")
    audit = replace(audit, faces=audit.faces.assign(glasses=column.levelled(glasses)))

    def needed(table: pd.DataFrame, worse: str, better: str) -> int:
        return int(table.set_index(["worse", "better"]).loc[(worse, better), "wrong_labels"])

    def first(bounds: Callable[[int], tuple[int, int, int, int]]) -> int:
        return next(k for k in range(1, 21) if newcombe(*bounds(k)).high >= 0)

    stays = tipping_points(audit, by=["glasses"])
    assert needed(stays, "glasses: yes", "glasses: no") == first(lambda k: (180 + k, 200, 200, 200))
    moves = tipping_points(audit, by=["gender", "glasses"])
    worse = "women, glasses: yes"
    assert needed(moves, worse, "men, glasses: yes") == first(lambda k: (80, 100 - k, 100 + k, 100 + k))
    assert needed(moves, worse, "women, glasses: no") == first(lambda k: (80, 100 - k, 100, 100))
    assert needed(moves, worse, "men, glasses: no") == first(lambda k: (80, 100 - k, 100, 100))
    leaves = tipping_points(audit, Filter(gender=("female",)), by=["glasses"])
    assert needed(leaves, "glasses: yes", "glasses: no") == first(lambda k: (80, 100 - k, 100, 100))
    assert len({needed(stays, "glasses: yes", "glasses: no"), needed(leaves, "glasses: yes", "glasses: no")}) == 2


def test_groups_that_do_not_differ_beyond_chance_are_in_no_row() -> None:
    table = planted({("female", "Black"): 3, ("male", "White"): 2})
    assert table.empty
    assert tipping_report(table) == ["Wrong labels that a gap would need: no two groups differ beyond their interval."]


def test_the_shipped_gap_between_black_women_and_men_needs_19_wrong_labels_of_28() -> None:
    shipped_or_skip()
    audit = open_audit(MODEL / "audits/utkface-test")
    table = tipping_points(audit, Filter(age_from=18)).set_index(["worse", "better"])
    row = table.loc[("Black women", "Black men")]
    assert (row["wrong_labels"], row["errors"], row["suspected"]) == (19, 28, 17)


def test_suspects_are_errors_with_the_surest_first_and_an_empty_decision() -> None:
    audit = made_audit(300, errors=0.1)
    listed = suspects(audit)
    chosen = audit.faces.set_index("face_id").loc[listed["face_id"]]
    assert len(listed) and not chosen["correct"].any() and (listed["decision"] == "").all()
    margin = np.abs(audit.task.margin(chosen))
    assert (np.diff(margin) <= 0).all()
