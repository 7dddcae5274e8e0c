"""Statistics of groups: their numbers, their words, and that a registered one stands everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from core.analysis.accuracy import group_statistics
from core.analysis.accuracy.group_statistics import GROUP_STATISTICS, GroupStatistic, Unit, statistic_table
from core.audit.averages import Averages
from core.audit.folder import Audit
from core.data.faces import ADULT_AGE
from core.data.filters import Filter
from core.estimate import Estimate
from core.present.card.blocks import Items, Table
from core.present.card.failures import known_failures
from core.present.report.blocks import Chart
from core.present.report.group_statistics import statistic_blocks
from core.present.text.group_statistics import statistic_lines, statistic_sentence, value_words
from core.present.text.tables import audit_report
from tests.helpers.made_audit import made_manifest
from tests.helpers.pages import page, text


def made_faces(n: int = 600, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    male = draw.random(n) < 0.5
    ethnicity = np.array(["A", "B", "C"])[np.where(np.arange(n) < 20, 2, np.arange(n) % 2)]
    margin = np.where(male, 1, -1) * np.where(ethnicity == "A", 2.0, 0.7) + draw.normal(size=n)
    p = 1 / (1 + np.exp(-margin))
    gender = np.where(male, "male", "female")
    predicted = np.where(p >= 0.5, "male", "female")
    return pd.DataFrame(
        {
            "face_id": [f"f{k}" for k in range(n)], "path": "x", "gender": gender, "ethnicity": ethnicity,
            "age": pd.array(draw.integers(18, 60, n), dtype="Int16"), "cluster": np.arange(n), "split": "test",
            "identity": pd.array([pd.NA] * n, dtype="string"), "p_male": p, "logit_male": margin,
            "logit_female": np.zeros(n), "predicted": predicted, "correct": predicted == gender,
        }
    )  # fmt: skip


def balanced_accuracy(faces: pd.DataFrame) -> Estimate:
    """The mean of women's and men's accuracy; none unless both genders occur."""
    rates = faces.groupby("gender", observed=True)["correct"].mean()
    return Estimate(float(rates.mean()) if len(rates) == 2 else np.nan, np.nan, np.nan)


BALANCED = GroupStatistic(
    "balanced accuracy", "Balanced accuracy", "The mean of women's and men's accuracy.", balanced_accuracy,
    unit=Unit.SHARE,
)  # fmt: skip


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> GroupStatistic:
    """One more entry in the list, which is all that adding a statistic takes."""
    monkeypatch.setattr(group_statistics, "GROUP_STATISTICS", (*GROUP_STATISTICS, BALANCED))
    return BALANCED


# --- every registered statistic --------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", GROUP_STATISTICS, ids=lambda s: s.name)
def test_a_statistic_has_a_value_for_large_groups_alone_and_survives_one_gender(statistic: GroupStatistic) -> None:
    faces = made_faces()
    table = statistic_table(statistic, faces).set_index("group")
    assert list(table["n"]) == [600, *faces["ethnicity"].value_counts().sort_index()]
    assert table["value"].notna().to_dict() == {"all faces": True, "A faces": True, "B faces": True, "C faces": False}
    bounded = table.dropna(subset="low")
    assert (bounded["low"] <= bounded["value"]).all() and (bounded["value"] <= bounded["high"]).all()
    assert len(bounded) == (3 if statistic.interval else 0)
    statistic_sentence(statistic, statistic_table(statistic, faces[faces["gender"] == "male"]), Filter())
    assert statistic_lines(statistic, faces[:0], Filter()) == []


def test_area_and_calibration_error_are_those_of_the_groups_faces() -> None:
    faces = made_faces()
    area, error = (statistic_table(s, faces).set_index("group")["value"] for s in GROUP_STATISTICS)
    for name in ("A", "B"):
        part = faces[faces["ethnicity"] == name]
        male = (part["gender"] == "male").to_numpy()
        assert area[f"{name} faces"] == pytest.approx(roc_auc_score(male, part["p_male"]))
        bins = np.minimum((part["p_male"].to_numpy() * 10).astype(int), 9)
        gaps = [abs(male[bins == b].sum() - part["p_male"].to_numpy()[bins == b].sum()) for b in range(10)]
        assert error[f"{name} faces"] == pytest.approx(sum(gaps) / len(part))


# --- words -----------------------------------------------------------------------------------------------------------


def test_values_are_written_by_their_unit() -> None:
    area, error = GROUP_STATISTICS
    assert value_words(area, 0.98123, 0.97, 0.99) == "0.981 [0.970–0.990]"
    assert value_words(area, 0.98123, np.nan, np.nan) == "0.981"
    assert value_words(error, 0.0231, np.nan, np.nan) == "2.3 %"
    assert value_words(BALANCED, 0.93, 0.9, 0.95) == "93.0 % [90.0–95.0]"
    assert value_words(area, np.nan, np.nan, np.nan) == "–"


def test_the_sentence_names_worst_and_best_by_the_statistics_direction() -> None:
    area, error = GROUP_STATISTICS
    rows = [("", "all faces", 300, 0.9), ("ethnicity", "A faces", 100, 0.95), ("ethnicity", "B faces", 100, 0.85),
            ("ethnicity", "C faces", 10, np.nan)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["by", "group", "n", "value"]).assign(low=np.nan, high=np.nan)
    assert statistic_sentence(area, table, Filter(age_from=ADULT_AGE)) == (
        "Among adults, the area under the ROC curve is 0.900 (DeLong); by ethnicity it is worst for B faces, 0.850, "
        "and best for A faces, 0.950."
    )
    assert statistic_sentence(error, table, Filter()) == (
        "Over all ages, the expected calibration error is 90.0 %; by ethnicity it is worst for A faces, 95.0 %, and "
        "best for B faces, 85.0 %."
    )
    assert statistic_sentence(error, table[:2], Filter()) == "Over all ages, the expected calibration error is 90.0 %."
    assert statistic_sentence(area, table.assign(value=np.nan), Filter()) == ""


# --- one entry, and it stands everywhere -----------------------------------------------------------------------------


def test_a_registered_statistic_is_in_command_card_and_report(registered: GroupStatistic, tmp_path: Path) -> None:
    faces = made_faces()
    manifest = made_manifest(faces=600, map_shape=None)
    audit = Audit("made", tmp_path, faces, None, Averages(pd.DataFrame(), np.zeros(0)), manifest)
    whole = f"{100 * balanced_accuracy_score(faces['gender'], faces['predicted']):.1f} %"
    sentence = f"Among adults, the balanced accuracy is {whole}; by ethnicity it is worst for B faces, "
    assert sentence in audit_report(audit)
    assert sentence in " ".join(item for block in known_failures(audit) for item in block.items)
    blocks = statistic_blocks(faces, Filter(age_from=ADULT_AGE))
    assert any(sentence in getattr(block, "text", "") for block in blocks)
    assert any(("All faces", "600", whole) in block.rows for block in blocks if isinstance(block, Table))
    (chart,) = (block.data for block in blocks if isinstance(block, Chart) and BALANCED.title in block.data.title)
    assert [row.name for row in chart.rows] == ["A faces", "B faces"]
    assert isinstance(known_failures(audit)[0], Items)


def test_a_registered_statistic_is_on_the_page(registered: GroupStatistic, study, monkeypatch) -> None:
    app = page(study[0], "accuracy", monkeypatch)
    assert not app.exception
    assert BALANCED.title in [s.value for s in app.subheader]
    assert "the balanced accuracy is" in text(app)
    assert any(BALANCED.name in frame.value.columns for frame in app.dataframe)
