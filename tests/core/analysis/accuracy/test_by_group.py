"""Intervals against published values, tables against masks made by hand, curves against slow counts."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.accuracy import curves
from core.analysis.accuracy.by_group import accuracy_by, confusion, predict
from core.analysis.accuracy.curves import calibration, calibration_error, roc
from core.analysis.intervals import Z95, newcombe, risk_ratio, wilson
from core.data.faces import AGE_BANDS, AGE_EDGES
from core.errors import LookwhereError
from core.present.text.group_statistics import roc_note


def made_faces(count: int = 300, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    gender = draw.choice(["female", "male"], count)
    margin = draw.normal(0, 1, count).round(1) + np.where(gender == "male", 0.8, -0.8)
    age = pd.array(draw.integers(0, 90, count), dtype="Int16")
    age[:7] = pd.NA
    return pd.DataFrame(
        {
            "gender": gender,
            "ethnicity": draw.choice(["White", "Black", "Asian"], count, p=[0.6, 0.3, 0.1]),
            "age": age,
            "split": draw.choice(["val", "test"], count),
            "logit_female": np.zeros(count),
            "logit_male": margin,
            "p_male": 1 / (1 + np.exp(-margin)),
        }
    )


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, Stat Med 17:857, table I
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
        (5, 11, 0.2127, 0.7199),  # statsmodels' proportion_confint
    ],
)
def test_wilson_gives_the_published_intervals(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_wilson_of_many_is_wilson_of_each_its_ends_exact_and_nan_of_nobody() -> None:
    low, high = wilson(np.array([0, 5, 20, 0]), np.array([20, 11, 20, 0]))
    assert low[0] == 0.0
    assert high[2] == 1.0
    assert (low[1], high[1]) == wilson(5, 11)
    assert np.isnan([low[3], high[3]]).all()
    for n in (1, 7, 50, 10_000):
        bounds = np.array(wilson(np.arange(0, n + 1), np.full(n + 1, n)))
        share = np.arange(0, n + 1) / n
        assert (bounds[0] <= share).all()
        assert (bounds[1] >= share).all()
        assert ((bounds >= 0) & (bounds <= 1)).all()


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),  # Newcombe 1998, Stat Med 17:873, table II, method 10
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_gives_the_published_intervals(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    interval = newcombe(*counts)
    assert interval.value == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])
    assert (interval.low, interval.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert np.isnan(newcombe(0, 0, 3, 10).value)


def test_risk_ratio_by_hand() -> None:
    ratio = risk_ratio(30, 100, 10, 100)
    assert ratio.value == pytest.approx(3.0)
    assert (ratio.low, ratio.high) == (pytest.approx(1.55083, abs=1e-5), pytest.approx(5.80335, abs=1e-5))


@pytest.mark.parametrize(
    ("counts", "value"), [((0, 20, 5, 20), 1 / 11), ((5, 20, 0, 20), 11.0), ((0, 9, 0, 19), 19.5 / 9.5)]
)
def test_risk_ratio_without_events_adds_half_an_event(counts: tuple[int, int, int, int], value: float) -> None:
    a, b, c, d = (count + 0.5 for count in counts)
    error = (1 / a - 1 / b + 1 / c - 1 / d) ** 0.5
    ratio = risk_ratio(*counts)
    assert ratio.value == pytest.approx(value)
    assert np.log(ratio.high / ratio.value) == pytest.approx(1.959964 * error, rel=1e-6)
    assert np.log(ratio.value / ratio.low) == pytest.approx(1.959964 * error, rel=1e-6)
    assert np.isnan(risk_ratio(0, 0, 1, 2).value)


BANDS = {band: (low, high) for band, low, high in zip(AGE_BANDS, AGE_EDGES, [*AGE_EDGES[1:], 999], strict=True)}


def mask_by_hand(faces: pd.DataFrame, column: str, value: str) -> np.ndarray:
    if column != "age band":
        return (faces[column] == value).to_numpy()
    if value == "unknown":
        return faces["age"].isna().to_numpy()
    low, high = BANDS[value]
    return np.array([not pd.isna(age) and low <= age < high for age in faces["age"]])


@pytest.mark.parametrize("threshold", [0.5, 0.7])
@pytest.mark.parametrize(
    "by",
    [[], ["gender"], ["ethnicity"], ["gender", "ethnicity"], ["age band"], ["gender", "age band"], ["split"]],
    ids="+".join,
)
def test_accuracy_by_equals_a_table_masked_by_hand(by: list[str], threshold: float) -> None:
    faces = made_faces()
    predicted = np.array(["male" if p >= threshold else "female" for p in faces["p_male"]])
    right = predicted == faces["gender"].to_numpy()
    table = accuracy_by(faces, by, threshold)
    assert table["n"].sum() == len(faces)
    for row in table.to_dict("records"):
        mask = np.ones(len(faces), dtype=bool)
        for column in by:
            mask &= mask_by_hand(faces, column, row[column])
        assert row["n"] == mask.sum() > 0
        assert row["correct"] == right[mask].sum()
        assert row["errors"] == row["n"] - row["correct"]
        assert row["accuracy"] == pytest.approx(right[mask].mean())
        assert (row["low"], row["high"]) == wilson(row["correct"], row["n"])
    if "age band" in by:
        order = [*AGE_BANDS, "unknown"]
        for _, part in table.groupby(by[:-1]) if by[:-1] else [((), table)]:
            places = [order.index(band) for band in part["age band"]]
            assert places == sorted(places)
        assert "unknown" in set(table["age band"])


def test_accuracy_of_no_face_has_no_group_and_no_number() -> None:
    none = made_faces().iloc[:0]
    assert accuracy_by(none, ["gender", "ethnicity"]).empty
    assert accuracy_by(none, ["age band"]).empty
    assert np.isnan(accuracy_by(none, []).loc[0, "accuracy"])


def test_the_threshold_moves_predictions() -> None:
    faces = pd.DataFrame({"p_male": [0.2, 0.5, 0.6, 0.9], "gender": ["female", "female", "male", "male"]})
    assert predict(faces).tolist() == ["female", "male", "male", "male"]
    assert predict(faces, 0.55).tolist() == ["female", "female", "male", "male"]
    assert predict(faces, 0.95).tolist() == ["female"] * 4
    accuracies = [accuracy_by(faces, [], threshold)["accuracy"][0] for threshold in (0.1, 0.5, 0.55, 0.95)]
    assert accuracies == [0.5, 0.75, 1.0, 0.5]


def test_confusion_by_hand() -> None:
    faces = pd.DataFrame({"p_male": [0.2, 0.5, 0.6, 0.9, 0.1], "gender": ["female", "female", "male", "male", "male"]})
    assert confusion(faces).to_numpy().tolist() == [[1, 1], [1, 2]]
    assert confusion(faces, 0.7).to_numpy().tolist() == [[2, 0], [2, 1]]
    assert confusion(faces[faces["gender"] == "male"]).to_numpy().tolist() == [[0, 0], [1, 2]]
    assert confusion(faces.iloc[:0]).to_numpy().tolist() == [[0, 0], [0, 0]]
    assert list(confusion(faces).index) == list(confusion(faces).columns) == ["female", "male"]


def scored(male: list[float], female: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"gender": ["male"] * len(male) + ["female"] * len(female), "logit_female": 0.0}).assign(
        logit_male=[*male, *female]
    )


def test_roc_and_delong_by_hand() -> None:
    # Wins of the men: 1, 3/4, 1 (variance 1/48); of the women: 5/6, 1 (variance 1/72).
    curve = roc(scored([3, 1, 2], [1, 0]))
    np.testing.assert_allclose(curve.false_positive, [0, 0, 0, 0.5, 1])
    np.testing.assert_allclose(curve.true_positive, [0, 1 / 3, 2 / 3, 1, 1])
    assert curve.auc.value == pytest.approx(11 / 12)
    assert curve.auc.low == pytest.approx(11 / 12 - Z95 * (1 / 48 / 3 + 1 / 72 / 2) ** 0.5)
    assert curve.auc.high == 1.0
    assert curve.n == 5
    assert roc(scored([1, 2, 3], [])) is None


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-3, 4), min_size=2, max_size=25), st.lists(st.integers(-4, 3), min_size=2, max_size=25))
def test_auc_equals_a_slow_count_of_pairs_with_ties(male: list[int], female: list[int]) -> None:
    curve = roc(scored(male, female))
    wins = [1.0 if m > f else 0.5 if m == f else 0.0 for m, f in itertools.product(male, female)]
    assert curve.auc.value == pytest.approx(np.mean(wins))
    assert np.trapezoid(curve.true_positive, curve.false_positive) == pytest.approx(np.mean(wins))
    wins = np.array(wins).reshape(len(male), len(female))
    error = (wins.mean(axis=1).var(ddof=1) / len(male) + wins.mean(axis=0).var(ddof=1) / len(female)) ** 0.5
    assert curve.auc.low == pytest.approx(max(0.0, np.mean(wins) - Z95 * error), abs=1e-9)
    assert curve.auc.high == pytest.approx(min(1.0, np.mean(wins) + Z95 * error), abs=1e-9)


def many_scores(n: int) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    male = draw.random(n) < 0.6
    score = (draw.normal(size=n) * 3 + np.where(male, 4, -4)).astype(np.float32)
    gender = pd.Categorical.from_codes(male.astype(np.int8), ["female", "male"])
    return pd.DataFrame({"gender": gender, "logit_female": np.float32(0), "logit_male": score})


def test_scores_of_many_faces_are_counted_in_steps_within_the_bound_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = many_scores(120_000)
    steps = roc(faces)
    monkeypatch.setattr(curves, "LARGE", 10**9)
    exact = roc(faces)
    assert exact.off == 0 < abs(steps.auc.value - exact.auc.value) <= steps.off < 1e-4
    assert steps.auc.high - steps.auc.low == pytest.approx(exact.auc.high - exact.auc.low, rel=1e-3)
    assert len(steps.true_positive) < len(exact.true_positive) / 3
    note = "Scores of 100,000 faces and more are counted in steps: an area is off by at most 0.00000"
    assert note in roc_note([steps, exact])
    assert "steps" not in roc_note([exact])


def test_a_drawn_curve_has_few_points_of_the_curve_close_to_each_other() -> None:
    curve = roc(many_scores(20_000))
    points = np.stack(curve.drawn())
    assert len(curve.true_positive) > 19_000 and points.shape[1] <= curves.DRAWN + 2
    assert {*zip(*points, strict=True)} <= {*zip(curve.false_positive, curve.true_positive, strict=True)}
    assert points[:, 0].tolist() == [0, 0] and points[:, -1].tolist() == [1, 1]
    assert np.diff(points, axis=1).sum(axis=0).max() < 2.2 / curves.DRAWN
    few = roc(scored([3, 1, 2], [1, 0]))
    assert few.drawn()[0] is few.false_positive


def test_calibration_by_hand() -> None:
    p = [0.02, 0.04, 0.1, 0.55, 0.55, 0.99, 1.0]
    gender = ["female", "male", "female", "male", "female", "male", "male"]
    table = calibration(pd.DataFrame({"p_male": p, "gender": gender}))
    assert table.index.tolist() == [0, 1, 5, 9]
    assert table["n"].tolist() == [2, 1, 2, 2]
    np.testing.assert_allclose(table["p"], [0.03, 0.1, 0.55, 0.995])
    np.testing.assert_allclose(table["share"], [0.5, 0.0, 0.5, 1.0])
    assert calibration_error(table) == pytest.approx((2 * 0.47 + 0.1 + 2 * 0.05 + 2 * 0.005) / 7)
    assert calibration(pd.DataFrame({"p_male": p, "gender": gender}), bins=2).index.tolist() == [0, 1]
    none = calibration(made_faces().iloc[:0])
    assert none.empty
    with pytest.raises(LookwhereError, match="no face"):
        calibration_error(none)


def test_groups_by_a_column_that_is_not_there_are_refused() -> None:
    with pytest.raises(LookwhereError, match="'glasses': no such column; there are gender, ethnicity, age band"):
        accuracy_by(made_faces(), ["gender", "glasses"])
