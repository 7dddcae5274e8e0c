"""Accuracies at equal ages and terms tested together: other people's numbers, derivatives by difference, and power."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy.special import expit
from scipy.stats import chi2

from core.analysis.accuracy import joint, logistic
from core.analysis.accuracy.equal_ages import equal_ages, reach
from core.analysis.accuracy.regression import Regression, Together, regression
from core.data.faces import age_band
from tests.helpers.made_audit import made_audit

ERRORS = {("female", "A"): 0.2, ("female", "B"): 0.3, ("male", "A"): 0.15, ("male", "B"): 0.1}


@pytest.fixture(scope="module")
def faces() -> pd.DataFrame:
    return made_audit(2400, 3, shape=None, ethnicities=("A", "B", "C"), ages=(18, 75), errors=ERRORS).faces


@pytest.fixture(scope="module")
def fit(faces: pd.DataFrame) -> Regression:
    return regression(faces)


def glm(faces: pd.DataFrame, formula: str):
    table = faces.assign(band=age_band(faces["age"]), y=faces["correct"].astype(int))
    return smf.glm(f"y ~ {formula}", table, family=sm.families.Binomial()).fit()


def test_ethnicity_is_left_out_of_both_its_terms(faces: pd.DataFrame, fit: Regression) -> None:
    more, less = (glm(faces, f) for f in ("gender * ethnicity + gender * C(band)", "gender * C(band)"))
    row = fit.together.set_index("terms").loc[Together.ETHNICITY]
    assert row["statistic"] == pytest.approx(2 * (more.llf - less.llf), abs=1e-6)
    assert row["df"] == more.df_model - less.df_model == 4
    assert fit.p(Together.ETHNICITY) == pytest.approx(chi2.sf(row["statistic"], 4))


def test_the_fit_is_set_against_one_rate_a_cell(faces: pd.DataFrame, fit: Regression) -> None:
    model, cells = (glm(faces, f) for f in ("gender * ethnicity + gender * C(band)", "gender * ethnicity * C(band)"))
    row = fit.together.set_index("terms").loc[Together.FIT]
    assert row["statistic"] == pytest.approx(2 * (cells.llf - model.llf), abs=1e-5)
    assert row["df"] == cells.df_model - model.df_model


def test_women_less_men_is_the_mean_difference_of_predictions(faces: pd.DataFrame, fit: Regression) -> None:
    model = glm(faces, "gender * ethnicity + gender * C(band)")
    table = faces.assign(band=age_band(faces["age"]))
    women, men = (model.predict(table.assign(gender=g)).mean() for g in ("female", "male"))
    assert fit.equal.women_less_men.value == pytest.approx(women - men, abs=1e-8)
    groups = fit.equal.groups.set_index("group")["accuracy"]
    for name, g, e in (("B women", "female", "B"), ("C men", "male", "C")):
        assert groups[name] == pytest.approx(model.predict(table.assign(gender=g, ethnicity=e)).mean(), abs=1e-8)


def by_hand() -> tuple[pd.DataFrame, logistic.Fit, object, np.ndarray]:
    """Women and men of two ethnicities and two ages, a coefficient each and no interaction."""
    draw = np.random.default_rng(2)
    root = 0.3 * draw.normal(size=(4, 4))
    fit = logistic.Fit(np.array([1.0, 0.5, -0.4, 0.8]), root @ root.T, 0.0)
    rows = [(f"{e} {g}", g, e, 100, k, m) for k, g in enumerate(("female", "male")) for m, e in enumerate("AB")]
    table = pd.DataFrame(rows, columns=["group", "gender", "ethnicity", "n", "g", "e"])
    return table, fit, lambda g, e, b: np.array([1.0, g, e, b]), np.array([[30, 10], [20, 40]])


def test_intervals_are_made_of_the_errors_that_draws_of_the_coefficients_have() -> None:
    table, fit, row, counts = by_hand()
    small = logistic.Fit(fit.beta, fit.cov / 100, 0.0)
    adjusted = equal_ages(table, small, row, counts)
    coefficients = np.random.default_rng(0).multivariate_normal(small.beta, small.cov, 20_000)
    weight = counts.sum(axis=0) / counts.sum()
    accuracy = np.stack(
        [
            sum(w * expit(coefficients @ row(g, e, b)) for b, w in enumerate(weight))
            for g, e in table[["g", "e"]].to_numpy()
        ]
    )
    assert adjusted.covariance == pytest.approx(np.cov(accuracy), rel=0.05, abs=1e-7)
    apart = sum(
        counts[e, b] / counts.sum() * (expit(coefficients @ row(0, e, b)) - expit(coefficients @ row(1, e, b)))
        for e in range(2) for b in range(2)
    )  # fmt: skip
    assert adjusted.error == pytest.approx(apart.std(), rel=0.03)
    assert adjusted.women_less_men.value == pytest.approx(apart.mean(), abs=2e-3)
    # All groups at once, and all pairs at once: 95 % of the draws lie inside every interval.
    low, high = (adjusted.groups[side].to_numpy()[:, None] for side in ("low", "high"))
    assert ((low <= accuracy) & (accuracy <= high)).all(axis=0).mean() == pytest.approx(0.95, abs=0.01)
    place = {name: k for k, name in enumerate(table["group"])}
    gap = accuracy[adjusted.pairs["best"].map(place)] - accuracy[adjusted.pairs["worst"].map(place)]
    low, high = (adjusted.pairs[side].to_numpy()[:, None] for side in ("low", "high"))
    assert ((low <= gap) & (gap <= high)).all(axis=0).mean() == pytest.approx(0.95, abs=0.015)
    assert list(adjusted.pairs["within"]) == [
        a.split()[1] == b.split()[1] for a, b in adjusted.pairs[["best", "worst"]].to_numpy()
    ]


def test_not_supported_comes_within_reach_as_errors_shrink() -> None:
    table, fit, row, counts = by_hand()
    shares = [
        reach(equal_ages(table, logistic.Fit(fit.beta, fit.cov / factor, 0.0), row, counts), 0.02)
        for factor in (1, 150, 300)
    ]
    assert shares[0] == 0.0 < shares[1] < shares[2]


def test_the_power_is_how_often_the_test_rejects() -> None:
    cells = pd.MultiIndex.from_product([range(2), range(3), range(3)]).to_frame(index=False).to_numpy()
    g, e, b = cells.T
    x = np.column_stack([np.ones(18), g, e == 1, e == 2, g * (e == 1), g * (e == 2), b == 1, b == 2]).astype(float)
    tested, n = np.isin(np.arange(8), [2, 3, 4, 5]), np.full(18, 120)
    null = np.where(b == 2, 0.9, 0.94)
    truth = null - 0.04 * (e == 2)
    power = joint.power(x, tested, n, truth, 0.05)
    draw, rejections = np.random.default_rng(1), 0
    for _ in range(150):
        rejections += joint.left_out(x, tested, draw.binomial(n, truth), n, None, False)[3] < 0.05
    assert power == pytest.approx(rejections / 150, abs=0.12)
    assert joint.power(x, tested, n, null, 0.05) == pytest.approx(0.05, abs=1e-6)
