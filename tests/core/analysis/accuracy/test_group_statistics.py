"""Statistics of groups: their numbers, their words, and that a registered one stands everywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from core.analysis.accuracy import group_statistics
from core.analysis.accuracy.by_group import LARGE_GROUP
from core.analysis.accuracy.curves import area_bounds, roc
from core.analysis.accuracy.group_statistics import (
    GROUP_STATISTICS,
    GroupStatistic,
    Unit,
    area_under_roc,
    statistic_table,
    sure_area,
)
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
from core.task import ClassWords, Task, carrying
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
def test_a_statistic_keeps_every_group_with_its_n_and_survives_one_gender(statistic: GroupStatistic) -> None:
    faces = made_faces()
    table = statistic_table(statistic, faces).set_index("group")
    assert list(table["n"]) == [600, *faces["ethnicity"].value_counts().sort_index()]
    small = statistic.smallest <= 20  # the faces of C
    assert table["value"].notna().to_dict() == {"all faces": True, "A faces": True, "B faces": True, "C faces": small}
    bounded = table.dropna(subset="low")
    assert (bounded["low"] <= bounded["value"]).all() and (bounded["value"] <= bounded["high"]).all()
    assert len(bounded) == (table["value"].notna().sum() if statistic.interval else 0)
    sure = table.dropna(subset="sure_low")
    assert len(sure) == (table["value"].notna().sum() - 1 if statistic.bounds else 0)  # not of all faces together
    assert (sure["sure_low"] <= sure["low"]).all() and (sure["sure_high"] >= sure["high"]).all()
    statistic_sentence(statistic, statistic_table(statistic, faces[faces["gender"] == "male"]), Filter())
    assert statistic_lines(statistic, faces[:0], Filter()) == []


@pytest.mark.parametrize("statistic", GROUP_STATISTICS, ids=lambda s: s.name)
def test_a_statistic_is_of_what_is_classified_whatever_it_is(statistic: GroupStatistic) -> None:
    """The same labels and probabilities of another task give the same values."""
    faces, words = made_faces(), (ClassWords(label="no glasses"), ClassWords(label="glasses"))
    task = Task(attribute="glasses", classes=("none", "worn"), nouns=words)
    names = {"female": "none", "male": "worn"}
    changed = faces.assign(
        glasses=faces["gender"].map(names), gender="female", predicted=faces["predicted"].map(names)
    ).rename(columns={"p_male": "p_worn", "logit_female": "logit_none", "logit_male": "logit_worn"})
    pd.testing.assert_frame_equal(
        statistic_table(statistic, carrying(changed, task)), statistic_table(statistic, faces), obj=statistic.name
    )


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


def test_a_large_groups_curve_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For its value and for its sure bounds alike; they are those of a curve of the bounds' own."""
    faces, lengths = made_faces(), []
    monkeypatch.setattr(group_statistics, "roc", lambda part: (lengths.append(len(part)), roc(part))[1])
    table = statistic_table(GROUP_STATISTICS[0], faces).set_index("group")
    large = faces["ethnicity"].value_counts()[lambda counts: counts >= LARGE_GROUP]
    assert sorted(n for n in lengths if n >= LARGE_GROUP) == sorted([len(faces), *large])
    z = norm.ppf((1 + 0.95 ** (1 / 3)) / 2)
    for name in large.index:
        part = faces[faces["ethnicity"] == name]
        area, positive = roc(part).auc, int((part["gender"] == "male").sum())
        spread = (area.high - area.low) / 2 / norm.ppf(0.975) * z
        newcombe = area_bounds(area.value, positive, len(part) - positive, z)
        sure = min(newcombe[0], area.value - spread), max(newcombe[1], min(1.0, area.value + spread))
        assert tuple(table.loc[f"{name} faces", ["sure_low", "sure_high"]]) == pytest.approx(sure)


# --- words -----------------------------------------------------------------------------------------------------------


def test_values_are_written_by_their_unit() -> None:
    area, error = GROUP_STATISTICS
    assert value_words(area, 0.98123, 0.97, 0.99) == "0.981 [0.970–0.990]"
    assert value_words(area, 0.98123, np.nan, np.nan) == "0.981"
    assert value_words(error, 0.0231, np.nan, np.nan) == "2.3 %"
    assert value_words(BALANCED, 0.93, 0.9, 0.95) == "93.0 % [90.0–95.0]"
    assert value_words(area, np.nan, np.nan, np.nan) == "–"


def table_of(*rows: tuple) -> pd.DataFrame:
    columns = ["by", "group", "n", "value", "low", "high", "sure_low", "sure_high"]
    return pd.DataFrame([("", "all faces", 300, 0.9, *[np.nan] * 4), *rows], columns=columns)


def test_the_sentence_names_worst_and_best_by_what_is_sure_and_the_statistics_direction() -> None:
    area, error = GROUP_STATISTICS
    table = table_of(
        ("ethnicity", "A faces", 100, 0.95, 0.93, 0.97, 0.92, 0.98),
        ("ethnicity", "B faces", 100, 0.85, 0.82, 0.88, 0.81, 0.89),
        ("ethnicity", "C faces", 4, 0.50, 0.20, 0.90, 0.10, 0.96),
        ("ethnicity", "D faces", 1, np.nan, np.nan, np.nan, np.nan, np.nan),
    )
    bounded, whole = table.assign(low=table["low"], high=table["high"]), table[:1]
    assert statistic_sentence(area, bounded, Filter(age_from=ADULT_AGE)) == (
        "Among adults, the area under the ROC curve is 0.900 (DeLong); by ethnicity it is surely worst for B faces, "
        "0.850 [0.820–0.880], and surely best for A faces, 0.950 [0.930–0.970]."
    ), "not C, of which little is known, though its value is the lowest"
    lower = replace(area, higher_is_better=False)
    assert "surely worst for A faces" in statistic_sentence(lower, table, Filter())
    assert "surely best for B faces" in statistic_sentence(lower, table, Filter())
    alike = table.assign(sure_low=0.5, sure_high=1.0)
    assert statistic_sentence(area, alike, Filter()).endswith("by ethnicity no two of 3 groups are told apart.")
    unsure = table.assign(low=np.nan, high=np.nan, sure_low=np.nan, sure_high=np.nan)
    assert statistic_sentence(error, unsure, Filter()) == (
        "Over all ages, the expected calibration error is 90.0 %; by ethnicity it is from 50.0 % (C faces) to 95.0 % "
        "(A faces), without intervals, so that no group is sure to be worst."
    )
    assert statistic_sentence(error, whole, Filter()) == "Over all ages, the expected calibration error is 90.0 %."
    assert statistic_sentence(area, table.assign(value=np.nan), Filter()) == ""


def test_a_perfect_area_of_few_faces_is_not_sure() -> None:
    """DeLong's interval has no width at an area of 1; the sure one has, more with fewer faces."""
    widths = []
    for faces in (6, 12, 40):
        part = pd.DataFrame({"gender": ["female", "male"] * (faces // 2)})
        margin = np.where(part["gender"] == "male", 1, -1) * np.linspace(1, 2, faces)
        part = part.assign(logit_female=0.0, logit_male=margin, p_male=1 / (1 + np.exp(-margin)))
        low, high = sure_area(part, 0.95, area_under_roc(part))
        assert high == 1.0
        widths.append(high - low)
    assert widths[0] > widths[1] > widths[2] > 0.05


def test_newcombes_interval_covers_the_area_of_few_faces() -> None:
    """Of normal scores 1.5 deviations apart, by simulation: 95 % of intervals hold it, within five deviations."""
    draw, true, runs = np.random.default_rng(0), norm.cdf(1.5 / np.sqrt(2)), 1500
    for positive, negative in ((5, 5), (3, 12), (20, 20)):
        inside = 0
        for _ in range(runs):
            a, b = draw.normal(1.5, 1, positive), draw.normal(0, 1, negative)
            low, high = area_bounds(float((a[:, None] > b).mean()), positive, negative)
            inside += low <= true <= high
        assert inside / runs > 0.95 - 5 * np.sqrt(0.95 * 0.05 / runs), (positive, negative)


# --- one entry, and it stands everywhere -----------------------------------------------------------------------------


def test_a_registered_statistic_is_in_command_card_and_report(registered: GroupStatistic, tmp_path: Path) -> None:
    faces = made_faces()
    manifest = made_manifest(faces=600, map_shape=None)
    audit = Audit("made", tmp_path, faces, None, Averages(pd.DataFrame(), np.zeros(0)), manifest)
    whole = f"{100 * balanced_accuracy_score(faces['gender'], faces['predicted']):.1f} %"
    sentence = f"Among adults, the balanced accuracy is {whole}; by ethnicity it is from "
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
