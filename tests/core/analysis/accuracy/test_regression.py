"""Regression, separation and fairness: equal to statsmodels and fairlearn, and right about planted age."""

from __future__ import annotations

import time

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from patsy import dmatrix
from scipy.optimize import linprog, minimize
from scipy.special import expit
from scipy.stats import binom

from core.analysis.accuracy import logistic
from core.analysis.accuracy.fairness import MEASURES, fairness
from core.analysis.accuracy.label_noise import label_noise
from core.analysis.accuracy.regression import FIRTH, LIKELIHOOD, Term, regression
from core.audit.folder import open_audit
from core.data.faces import ADULT_AGE, age_band
from core.data.filters import Filter
from core.errors import LookwhereError
from core.present.text.gaps_report import gaps_report
from tests.helpers.made_audit import made_faces
from tests.helpers.shipped import AUDIT, shipped_or_skip


def people_of(
    size: int, seed: int, young: tuple[float, ...] = (0.1, 0.3, 0.5), by_ethnicity: float = 0.0
) -> pd.DataFrame:
    """Faces whose being right depends on age (band by band) and gender, never on ethnicity unless asked."""
    draw = np.random.default_rng(seed)
    ethnicity, gender = draw.integers(0, 3, size), draw.integers(0, 2, size)
    child = draw.random(size) < np.array(young)[ethnicity]
    age = np.where(child, draw.integers(0, 10, size), draw.integers(18, 70, size))
    eta = np.array([0.4, 1.2, 2.0, 3.0, 3.2, 3.0, 2.5])[age_band(age)] + 0.3 * gender - by_ethnicity * (ethnicity == 2)
    good = draw.random(size) < expit(eta)
    male = (gender == 1) == good
    return pd.DataFrame(
        {
            "gender": np.where(gender, "male", "female"),
            "ethnicity": np.array(["A", "B", "C"])[ethnicity],
            "age": pd.array(age, dtype="Int16"),
            "identity": pd.array([None] * size, dtype="string"),
            "p_male": np.where(male, 0.9, 0.1),
            "y": good.astype(int),
            "band": age_band(age),
        }
    )


@pytest.mark.parametrize("seed", range(8))
def test_maximum_likelihood_is_statsmodels(seed: int) -> None:
    """Every other design has a column that is the sum of two others: they share their effect."""
    draw = np.random.default_rng(seed)
    x = np.column_stack([np.ones(24), draw.integers(0, 2, (24, 3)), draw.normal(size=24)])
    x = np.column_stack([x, x[:, 1] + x[:, 2]]) if seed % 2 else x
    n = draw.integers(5, 300, 24).astype(float)
    k = draw.binomial(n.astype(int), draw.uniform(0.4, 1.0, 24)).astype(float)
    ours, theirs = (
        logistic.maximum_likelihood(x, k, n),
        sm.GLM(np.stack([k, n - k], 1), x, sm.families.Binomial()).fit(tol=1e-10),
    )
    assert ours.beta == pytest.approx(theirs.params, abs=1e-7)
    assert ours.cov == pytest.approx(theirs.cov_params(), rel=1e-5, abs=1e-8)


def test_terms_and_odds_ratios_are_statsmodels() -> None:
    faces = people_of(3000, 1)
    found = regression(faces)

    def fit(formula: str):
        return smf.glm("y ~ " + formula, faces, family=sm.families.Binomial()).fit(tol=1e-10)

    nested = {
        "gender": ("gender + ethnicity + C(band)", "ethnicity + C(band)"),
        "ethnicity": ("gender * C(band) + ethnicity", "gender * C(band)"),
        "gender × ethnicity": ("gender * ethnicity + gender * C(band)", "gender * C(band) + ethnicity"),
        "age": ("gender * ethnicity + C(band)", "gender * ethnicity"),
        "gender × age": ("gender * ethnicity + gender * C(band)", "gender * ethnicity + C(band)"),
    }
    assert found.estimator == LIKELIHOOD
    for row in found.tests.itertuples():
        more, less = (fit(formula) for formula in nested[row.term])
        assert row.statistic == pytest.approx(2 * (more.llf - less.llf), abs=1e-5)
        assert row.df == more.df_model - less.df_model
    base, second_ethnicity = faces["ethnicity"].value_counts().index[:2]
    full = fit(f"gender * C(ethnicity, Treatment('{base}')) + gender * C(band)")
    name = f"C(ethnicity, Treatment('{base}'))[T.{second_ethnicity}]"
    ours = found.odds_ratios.set_index("comparison").loc[f"{second_ethnicity} women against {base} women, same age"]
    assert ours["odds_ratio"] == pytest.approx(np.exp(full.params[name]), rel=1e-5)
    assert [ours["low"], ours["high"]] == pytest.approx(list(np.exp(full.conf_int().loc[name])), rel=1e-5)
    assert ours["p"] == pytest.approx(full.pvalues[name], rel=1e-4)


def test_standardised_accuracy_is_the_mean_prediction_at_everyones_age() -> None:
    faces = people_of(2500, 2)
    full = smf.glm("y ~ gender * ethnicity + gender * C(band)", faces, family=sm.families.Binomial()).fit(tol=1e-10)
    table = regression(faces).standardised
    for row in table.itertuples():
        mean = full.predict(faces.assign(gender=row.gender, ethnicity=row.ethnicity)).mean()
        assert row.standardised == pytest.approx(mean, abs=1e-6)
        assert row.standardised_low < row.standardised < row.standardised_high
    # The delta method beside draws from the coefficients' normal law.
    draw = np.random.default_rng(0).multivariate_normal(full.params, full.cov_params(), 4000)
    first = table.iloc[0]
    here = faces.drop_duplicates("band").assign(gender=first["gender"], ethnicity=first["ethnicity"])
    weight = faces["band"].value_counts(normalize=True).loc[here["band"]].to_numpy()
    x = np.asarray(dmatrix("gender * ethnicity + gender * C(band)", pd.concat([here, faces])))[: len(here)]
    spread = expit(draw @ x.T) @ weight
    bounds = [first["standardised_low"], first["standardised_high"]]
    assert np.quantile(spread, [0.025, 0.975]) == pytest.approx(bounds, abs=0.004)


def test_a_gap_that_age_alone_made_is_no_gap_at_equal_ages() -> None:
    raw, adjusted, reductions = 0, 0, []
    runs = 40
    for seed in range(runs):
        faces = people_of(2400, 100 + seed)
        table = faces.groupby("ethnicity")["y"].agg(["sum", "size"])
        first, last = table.loc["A"], table.loc["C"]
        raw += first["sum"] / first["size"] - last["sum"] / last["size"] > 0.05
        fit = regression(faces)
        adjusted += fit.p(Term.ETHNICITY) < 0.05
        reductions.append(np.ptp(fit.standardised["accuracy"]) - np.ptp(fit.standardised["standardised"]))
    assert raw >= runs - 2, "the planted gap must be there before age is taken out"
    assert adjusted <= binom.ppf(0.975, runs, 0.05)
    assert np.mean(reductions) > 0.05


def test_a_true_gap_stays_at_equal_ages() -> None:
    assert regression(people_of(4000, 3, by_ethnicity=0.8)).p(Term.ETHNICITY) < 1e-4


def test_errors_by_person_are_statsmodels_cluster_errors() -> None:
    faces = people_of(1500, 4)
    owner = np.repeat(np.arange(500), 3)
    for column in ("gender", "ethnicity"):
        faces[column] = faces[column].to_numpy()[::3].repeat(3)
    faces["identity"] = pd.array([f"p{n}" for n in owner], dtype="string")
    male = (faces["gender"] == "male") == (faces["y"] == 1)
    faces["p_male"] = np.where(male, 0.9, 0.1)
    fit = regression(faces)
    assert fit.errors == "by person"
    base = faces["ethnicity"].value_counts().index[0]
    formula = f"y ~ gender * C(ethnicity, Treatment('{base}')) + gender * C(band)"
    full = smf.glm(formula, faces, family=sm.families.Binomial()).fit(
        tol=1e-10, cov_type="cluster", cov_kwds={"groups": owner}
    )
    names = [c for c in full.params.index if "gender" in c and "ethnicity" in c]
    wald = full.wald_test(np.eye(len(full.params))[[list(full.params.index).index(c) for c in names]], scalar=True)
    row = fit.tests.set_index("term").loc["gender × ethnicity"]
    assert row["statistic"] == pytest.approx(float(wald.statistic), rel=1e-6)
    assert row["test"] == "Wald, errors by person"


def test_separation_is_found_named_and_kept_finite() -> None:
    faces = people_of(1200, 5)
    name = faces["ethnicity"].value_counts().index[1]
    cell = (faces["gender"] == "female") & (faces["ethnicity"] == name)
    faces.loc[cell, "p_male"] = 0.1
    fit = regression(faces)
    assert fit.estimator == FIRTH
    assert f"{name} women ({cell.sum()} faces)" in fit.separated
    assert np.isfinite(fit.odds_ratios[["odds_ratio", "low", "high"]].to_numpy()).all()
    ours = fit.odds_ratios[fit.odds_ratios["comparison"].str.startswith(f"{name} women")]["odds_ratio"].iloc[0]
    assert 1 < ours < 1e4, "a maximum likelihood of it runs off to e^25"
    assert (fit.tests["test"] == "penalised likelihood ratio").all()
    assert fit.standardised["standardised_high"].max() <= 1


def test_firth_is_the_maximum_of_the_penalised_likelihood() -> None:
    draw = np.random.default_rng(0)
    x = np.column_stack([np.ones(12), draw.integers(0, 2, 12), draw.normal(size=12)])
    n = draw.integers(1, 20, 12)
    k = np.minimum(draw.binomial(n, 0.8), n)

    def loss(beta: np.ndarray) -> float:
        mu = expit(x @ beta)
        value = (k * np.log(mu) + (n - k) * np.log1p(-mu)).sum()
        return -value - 0.5 * np.linalg.slogdet((x * (n * mu * (1 - mu))[:, None]).T @ x)[1]

    best = minimize(loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000})
    fit = logistic.firth(x, k, n)
    assert fit.beta == pytest.approx(best.x, abs=1e-5)
    assert fit.loglik == pytest.approx(-best.fun)
    without_slope = minimize(
        lambda b: loss(np.array([b[0], 0.0, b[1]])), np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9}
    )
    assert logistic.firth(x, k, n, free=np.array([True, False, True])).loglik == pytest.approx(
        -without_slope.fun, abs=1e-7
    )


def test_firth_of_a_two_by_two_table_adds_half_to_each_count() -> None:
    x = np.array([[1.0, 0.0], [1.0, 1.0]])
    fit = logistic.firth(x, np.array([40, 20]), np.array([50, 20]))
    assert fit.beta[1] == pytest.approx(np.log(20.5 / 0.5) - np.log(40.5 / 10.5), abs=1e-6)


def test_separation_by_linear_programme() -> None:
    x = np.column_stack([np.ones(3), [0, 1, 0], [0, 0, 1]]).astype(float)
    n = np.array([10, 10, 10])
    assert not logistic.separated(x, np.array([5, 6, 9]), n).any()
    assert list(logistic.separated(x, np.array([5, 10, 9]), n)) == [False, True, False]
    assert list(logistic.separated(x, np.array([5, 0, 10]), n)) == [False, True, True]
    # All right, but held in place by the mixed rows it shares its columns with.
    assert not logistic.separated(np.ones((2, 1)), np.array([5, 10]), n[:2]).any()


def moved_by_some_direction(x: np.ndarray, k: np.ndarray, n: np.ndarray) -> list[bool]:
    """`separated` row by row: whether a programme of its own moves it."""
    sign = np.where(k == n, 1.0, np.where(k == 0, -1.0, 0.0))
    ahead, mixed = x[sign != 0] * sign[sign != 0, None], x[sign == 0]
    equations = {"A_eq": mixed, "b_eq": np.zeros(len(mixed))} if len(mixed) else {}
    moved = iter(
        [row @ linprog(-row, -ahead, np.zeros(len(ahead)), **equations, bounds=(-1, 1)).x > 1e-7 for row in ahead]
    )
    return [bool(next(moved)) if pure else False for pure in sign != 0]


def test_separated_are_all_rows_that_some_direction_moves() -> None:
    """The sum of moves within bounds, which Konis maximises, leaves the last of these rows where it is."""
    x = np.array(
        [[1.0, -2.0, 0.5, 0.3, 0.0], [1, -0.1, -0.6, 0, 0.4], [1, -0.3, -0.5, 1.2, -1.1], [1, 1, 0.2, -0.8, -0.3]]
    )
    assert list(logistic.separated(x, np.array([1, 0, 0, 2]), np.array([3, 1, 1, 2]))) == [False, True, True, True]
    draw = np.random.default_rng(0)
    some = 0
    for _ in range(150):
        rows, columns = draw.integers(1, 12), draw.integers(0, 6)
        x = np.column_stack([np.ones(rows), draw.integers(-1, 2, (rows, columns))]).astype(float)
        n = draw.integers(1, 4, rows)
        k = draw.binomial(n, draw.choice([0.5, 0.9]))
        assert list(logistic.separated(x, k, n)) == moved_by_some_direction(x, k, n)
        some += logistic.separated(x, k, n).any()
    assert 30 < some < 130


def test_thin_age_bands_join_a_neighbour_and_missing_combinations_are_left_out() -> None:
    faces = people_of(1500, 6)
    faces = faces[(faces["band"] != 5) | (faces.index < 40)]
    faces = faces[~((faces["gender"] == "male") & (faces["ethnicity"] == "C"))]
    fit = regression(faces)
    assert "45–59" not in fit.bands
    assert any(band in fit.bands for band in ("30–59", "45+"))
    assert "C men" not in set(fit.standardised["group"])
    assert np.isfinite(fit.standardised["standardised"]).all()
    assert not any("C men" in text for text in fit.odds_ratios["comparison"])


def test_faces_without_an_age_are_counted_out() -> None:
    faces = people_of(900, 7)
    faces.loc[:99, "age"] = pd.NA
    assert regression(faces).without_age == 100
    assert regression(faces).n == 800


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"age": pd.array([pd.NA] * 900, dtype="Int16")}, "no age is known"),
        ({"age": pd.array([30] * 900, dtype="Int16")}, "one age band"),
        ({"gender": "male", "ethnicity": "A"}, "no two groups"),
    ],
)
def test_where_nothing_can_be_fitted_it_is_said(change: dict, says: str) -> None:
    with pytest.raises(LookwhereError, match=says):
        regression(people_of(900, 8).assign(**change))


def test_all_right_is_nothing_to_explain() -> None:
    faces = people_of(900, 9)
    with pytest.raises(LookwhereError, match="nothing to explain"):
        regression(faces.assign(p_male=np.where(faces["gender"] == "male", 0.9, 0.1)))


def of_fairlearn(faces: pd.DataFrame, threshold: float = 0.5) -> list[float]:
    y, called = (faces["gender"] == "male").astype(int), (faces["p_male"] >= threshold).astype(int)
    functions = (
        fl.demographic_parity_difference,
        fl.demographic_parity_ratio,
        fl.equalized_odds_difference,
        fl.equalized_odds_ratio,
    )
    return [f(y, called, sensitive_features=faces["ethnicity"]) for f in functions]


@pytest.mark.parametrize("seed", range(20))
def test_fairness_is_fairlearns_on_random_tables(seed: int) -> None:
    draw = np.random.default_rng(seed)
    n = int(draw.integers(200, 800))
    faces = pd.DataFrame(
        {
            "gender": draw.choice(["female", "male"], n),
            "ethnicity": draw.choice(list("ABCD"), n, p=draw.dirichlet([5] * 4)),
            "identity": pd.array([None] * n, dtype="string"),
            "p_male": draw.random(n),
        }
    )
    threshold = float(draw.uniform(0.05, 0.95))
    rates = fairness(faces, threshold, draws=50, smallest=1)
    assert [rates[name].value for name in MEASURES] == pytest.approx(of_fairlearn(faces, threshold))
    assert (rates.measures["low"] <= rates.measures["high"]).all()


def test_fairness_leaves_out_what_has_no_rate() -> None:
    faces = people_of(900, 10)
    faces.loc[(faces["ethnicity"] == "C") & (faces["gender"] == "male"), "ethnicity"] = "not recorded"
    rates = fairness(faces)
    assert list(rates.groups["ethnicity"]) == list(faces["ethnicity"].value_counts().drop(["C", "not recorded"]).index)
    assert dict(zip(rates.left_out["ethnicity"], rates.left_out["why"], strict=True)) == {
        "C": "under 50 men",
        "not recorded": "no ethnicity recorded",
    }
    assert fairness(faces[faces["ethnicity"] == "A"]) is None


def test_fairness_intervals_reach_zero_where_there_is_parity_and_leave_it_where_not() -> None:
    at_zero, above_zero = 0, 0
    for seed in range(100):
        draw = np.random.default_rng(seed)
        faces = people_of(1500, 1000 + seed, young=(0.2, 0.2, 0.2))
        low = fairness(faces, draws=300)["equalized odds difference"].low
        at_zero += low == 0
        called = np.where(faces["ethnicity"] == "C", draw.random(len(faces)) < 0.3, False)
        above_zero += (
            fairness(faces.assign(p_male=np.where(called, 0.1, faces["p_male"])), draws=300)[
                "equalized odds difference"
            ].low
            > 0
        )
    assert at_zero >= binom.ppf(0.025, 100, 0.95)
    assert above_zero > 95


def test_the_shipped_audit_equals_fairlearn_and_takes_no_second() -> None:
    shipped_or_skip()
    audit = open_audit(AUDIT)
    for filter in (Filter(), Filter(age_from=ADULT_AGE)):
        faces = audit.faces[filter.mask(audit.faces)]
        rates = fairness(faces)
        assert rates.left_out.empty
        assert [rates[name].value for name in MEASURES] == pytest.approx(of_fairlearn(faces))
        frame = fl.MetricFrame(
            metrics={"tpr": fl.true_positive_rate, "fpr": fl.false_positive_rate},
            y_true=(faces["gender"] == "male").astype(int),
            y_pred=(faces["p_male"] >= 0.5).astype(int),
            sensitive_features=faces["ethnicity"],
        )
        ours = rates.groups.set_index("ethnicity")[["tpr", "fpr"]]
        assert np.allclose(ours, frame.by_group.loc[ours.index])
    gaps_report(audit, Filter())
    start = time.process_time()
    report = gaps_report(audit, Filter())
    label_noise(audit)
    assert time.process_time() - start < 2, "a page's numbers; 1 s on an idle machine"
    assert "Holm" in report
    assert "demographic parity ratio" in report


def test_thirty_ethnicities_by_seven_age_bands_are_counted() -> None:
    """Categories are numbered in eight bits; ethnicity × age band has 210 places."""
    draw = np.random.default_rng(0)
    n = 6000
    gender = draw.choice(["female", "male"], n)
    wrong = draw.random(n) < 0.1
    faces = made_faces(n).assign(
        gender=gender,
        ethnicity=[f"Group {k:02}" for k in draw.integers(0, 30, n)],
        age=pd.array(draw.integers(0, 90, n), dtype="Int16"),
        p_male=np.where((gender == "male") ^ wrong, 0.9, 0.1),
    )
    assert len(regression(faces).equal.pairs) > 0
