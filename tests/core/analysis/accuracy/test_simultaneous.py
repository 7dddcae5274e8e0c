"""Simultaneous intervals and two-group tests: planted nulls, coverage, power, and other people's numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, chi2_contingency, fisher_exact, norm, studentized_range
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import power_proportions_2indep, proportion_effectsize, proportions_ztest

from core.analysis.accuracy import counts
from core.analysis.accuracy.by_group import accuracy_by
from core.analysis.accuracy.counts import Groups, columns_of, design_effect, group_counts, group_rows, resample_cells
from core.analysis.accuracy.pairwise import REST, fisher, pairs_of, pairwise, two_groups
from core.analysis.accuracy.power import detectable, faces_needed, power_of, power_table
from core.analysis.accuracy.simultaneous import (
    gap_of,
    largest_gap,
    simultaneous_accuracy,
    simultaneous_intervals,
    tukey_z,
)
from core.analysis.intervals import holm, newcombe, newcombe_at, wilson
from core.data.faces import people
from core.errors import LookwhereError

BY = ["gender", "ethnicity"]
NULLS = 500
#: Sizes of the shipped audit's ten groups.
SIZES = (312, 381, 292, 156, 788, 269, 396, 377, 121, 937)
#: At most this many of 500 nulls may come out, with probability 97.5 %, at a true rate of 5 %.
MOST = int(binom.ppf(0.975, NULLS, 0.05))


def made(right: list[int], n: tuple[int, ...], identity: np.ndarray | None = None) -> pd.DataFrame:
    """Faces with given right counts in groups women/men × A, B, …"""
    groups = [(g, e) for e in "ABCDEFGH"[: (len(n) + 1) // 2] for g in ("female", "male")][: len(n)]
    gender = np.repeat([g for g, _ in groups], n)
    good = np.concatenate([np.arange(m) < k for k, m in zip(right, n, strict=True)])
    male = (gender == "male") == good
    return pd.DataFrame(
        {
            "gender": gender,
            "ethnicity": np.repeat([e for _, e in groups], n),
            "age": pd.array(np.full(len(gender), 30), dtype="Int16"),
            "identity": pd.array(identity if identity is not None else [None] * len(gender), dtype="string"),
            "p_male": np.where(male, 0.9, 0.1),
        }
    )


def counted(k: np.ndarray, n: tuple[int, ...]) -> Groups:
    """What `group_counts` makes of such faces, without the faces: groups are named by their place in `n`."""
    k, m = np.asarray(k), np.asarray(n)
    order = np.argsort(-k / m, kind="stable")
    k, m = k[order], m[order]
    # No words: they take most of a table's time, and hundreds of tables are made.
    table = pd.DataFrame({"group": order, "gender": 0, "ethnicity": 0, "n": m, "correct": k,
                          "errors": m - k, "accuracy": k / m, "people": m, "effect": 1.0})  # fmt: skip
    return Groups(table, table[:0], np.zeros(0, dtype=int), np.zeros(0, dtype=bool), None)


@pytest.fixture(scope="module", params=[0.925, 0.99], ids=["92.5 %", "99 %"])
def nulls(request: pytest.FixtureRequest) -> tuple[float, pd.DataFrame]:
    """500 test sets of ten groups whose true accuracies are equal."""
    draw, p, rows = np.random.default_rng(5), request.param, []
    for _ in range(NULLS):
        groups = counted(draw.binomial(SIZES, p), SIZES)
        gap, bands = gap_of(groups, draws=400), simultaneous_intervals(groups, draws=400)
        rows.append(
            {
                "holm": (pairs_of(groups)["p_holm"] < 0.05).any(),
                "gap": gap.distinguishable,
                "covered": ((bands.table["low"] <= p) & (p <= bands.table["high"])).all(),
                "observed": gap.difference.value,
                "corrected": gap.corrected,
            }
        )
    return p, pd.DataFrame(rows)


def test_of_500_nulls_no_more_than_5_percent_come_out(nulls: tuple[float, pd.DataFrame]) -> None:
    _, table = nulls
    assert table["holm"].sum() <= MOST
    assert table["gap"].sum() <= MOST


def test_the_family_wise_rate_is_not_far_below_5_percent_either(nulls: tuple[float, pd.DataFrame]) -> None:
    p, table = nulls
    if p < 0.95:  # nearer to 100 % the counts are too discrete for any test to use up its 5 %
        assert table["gap"].sum() >= 5
        assert table["holm"].sum() >= 5


def test_simultaneous_intervals_cover_all_groups_in_95_of_100(nulls: tuple[float, pd.DataFrame]) -> None:
    assert (~nulls[1]["covered"]).sum() <= MOST


def test_the_largest_gap_is_biased_up_and_its_correction_is_nearer_to_the_truth(
    nulls: tuple[float, pd.DataFrame],
) -> None:
    _, table = nulls
    assert table["observed"].mean() > 0.01, "ten equal groups never come out equal"
    assert 0 < table["corrected"].mean() < 0.8 * table["observed"].mean()


@pytest.mark.parametrize(
    ("p", "n"),
    [
        ((0.997,) * 6, (100,) * 6),
        ((0.9, 0.99, 0.95, 0.98, 0.93, 0.88, 0.98, 0.92, 0.99, 0.94), SIZES),
        ((0.99, 0.7, 0.995, 0.9), (60, 60, 400, 1000)),
    ],
)
def test_coverage_of_bands_and_of_the_chosen_pair_near_and_far_from_100_percent(p: tuple, n: tuple) -> None:
    draw, bands_missed, pair_missed = np.random.default_rng(11), 0, 0
    truth = np.array(p)
    for _ in range(NULLS):
        groups = counted(draw.binomial(n, p), n)
        table, gap = simultaneous_intervals(groups, draws=300).table, gap_of(groups, draws=300)
        real = truth[table["group"]]
        bands_missed += not ((table["low"] <= real) & (real <= table["high"])).all()
        apart = truth[int(gap.best["group"])] - truth[int(gap.worst["group"])]
        pair_missed += not gap.difference.low <= apart <= gap.difference.high
    assert bands_missed <= MOST
    assert pair_missed <= MOST


def test_counting_faces_gives_what_the_simulations_count() -> None:
    k = [290, 350, 280, 140]
    faces = group_counts(made(k, SIZES[:4]), BY)
    short = counted(np.array(k), SIZES[:4])
    columns = ["n", "correct", "errors", "accuracy", "people", "effect"]
    assert (faces.table[columns].to_numpy() == short.table[columns].to_numpy()).all()
    assert gap_of(faces).difference == gap_of(short).difference == largest_gap(made(k, SIZES[:4]), BY).difference


def test_a_planted_gap_of_eight_points_is_found() -> None:
    draw, n = np.random.default_rng(3), (400,) * 8
    p = np.array([0.96] * 7 + [0.88])
    widths = []
    for _ in range(40):
        faces = made(list(draw.binomial(n, p)), n)
        gap, tests = largest_gap(faces, BY, draws=300), pairwise(faces, BY, family="rest")
        first = tests.iloc[0]
        widths.append(
            (
                gap.distinguishable and gap.worst["group"] == "D men",
                first["first"] == "D men" and first["p_holm"] < 0.05,
            )
        )
    assert np.mean(widths, axis=0).min() > 0.8


def test_groups_without_an_error_keep_an_interval_and_never_pass_100_percent() -> None:
    faces = made([60, 80, 100, 90], (60, 80, 100, 100))
    table = simultaneous_accuracy(faces, BY).table.set_index("group")
    assert (table["high"] <= 1).all()
    assert table.loc["A women", "high"] == 1
    assert table.loc["A women", "low"] < table.loc["A women", "wilson_low"] < 1
    gap = largest_gap(faces, BY)
    assert gap.worst["group"] == "B men"
    assert gap.plain.low < gap.difference.value < gap.plain.high
    assert gap.difference.low < gap.plain.low


def test_no_band_is_narrower_than_the_exact_one() -> None:
    bands = simultaneous_intervals(counted(np.array([100, 99, 80, 55, 0]), (100, 100, 100, 60, 70)))
    level = 0.95 ** (1 / 5)
    for row in bands.table.itertuples():
        exact = binomtest(row.correct, row.n).proportion_ci(level, "exact")
        assert row.low <= exact.low + 1e-12
        assert row.high >= exact.high - 1e-12
        assert row.low <= wilson(row.correct, row.n, bands.critical)[0] + 1e-12


def test_small_groups_have_exact_intervals_and_no_tests() -> None:
    faces = made([40, 60, 70], (49, 60, 70))
    bands = simultaneous_accuracy(faces, BY)
    assert set(bands.table["group"]) == {"A women", "A men", "B women"} and bands.left_out.empty
    row = bands.table.set_index("group").loc["A women"]
    exact = binomtest(40, 49).proportion_ci(0.95 ** (1 / 3), "exact")
    assert row["low"] <= exact.low + 1e-12 and row["high"] >= exact.high - 1e-12
    excluded = group_counts(faces, BY).left_out
    assert list(excluded["group"]) == ["A women"] and list(excluded["n"]) == [49]
    assert "A women" not in set(pairwise(faces, BY)[["first", "second"]].to_numpy().ravel())
    assert gap_of(group_counts(made([40, 60], (49, 60)), BY)) is None
    assert largest_gap(made([40, 60], (49, 60)), BY).worst["group"] == "A women"
    assert largest_gap(made([40], (49,)), BY) is None
    assert len(pairwise(made([40, 60], (49, 60)), BY)) == 0


def test_the_same_seed_gives_the_same_numbers() -> None:
    faces = made([90, 80, 95, 60], (100, 100, 100, 100))
    assert largest_gap(faces, BY, seed=4).bias == largest_gap(faces, BY, seed=4).bias
    assert largest_gap(faces, BY, seed=4).bias != largest_gap(faces, BY, seed=5).bias


def test_people_are_resampled_whole() -> None:
    # Ten faces of a person are all right or all wrong: 300 faces are worth 30.
    draw, n = np.random.default_rng(0), (300, 300)
    persons = np.repeat(np.arange(60), 10)
    good = np.repeat(draw.random(60) < 0.8, 10)
    faces = made([300, 300], n, np.array([f"p{m}" for m in persons]))
    faces["p_male"] = np.where((faces["gender"] == "male") == good, 0.9, 0.1)
    with_people = simultaneous_accuracy(faces, BY)
    without = simultaneous_accuracy(faces.assign(identity=pd.array([None] * 600, dtype="string")), BY)
    assert with_people.resampled == "people"
    assert without.resampled == "faces"
    ratio = (with_people.table["high"] - with_people.table["low"]) / (without.table["high"] - without.table["low"])
    assert np.allclose(ratio, np.sqrt(10), rtol=0.25)
    assert np.allclose(with_people.table["effect"], 10, rtol=0.15)
    assert pairwise(faces, BY)["p"].iloc[0] > pairwise(faces.assign(identity=pd.NA), BY)["p"].iloc[0]


def test_nulls_of_whole_people_stay_within_5_percent() -> None:
    draw, n, out = np.random.default_rng(8), (240,) * 4, 0
    owner = np.repeat(np.arange(240), 4)
    identity = np.array([f"p{m}" for m in owner])
    runs = 200
    for _ in range(runs):
        good = draw.beta(4.5, 0.5, 240)[owner] > draw.random(960)
        faces = made(list(n), n, identity)
        faces["p_male"] = np.where((faces["gender"] == "male") == good, 0.9, 0.1)
        out += largest_gap(faces, BY, draws=300).distinguishable
    assert out <= binom.ppf(0.975, runs, 0.05)


@pytest.mark.parametrize("kinds", [counts.MOST_KINDS, 0], ids=["by kinds", "one by one"])
def test_the_fast_bootstrap_of_people_is_the_bootstrap_of_people(kinds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_KINDS", kinds)
    draw = np.random.default_rng(1)
    cell, unit = draw.integers(0, 4, 200), draw.integers(0, 40, 200)
    fast = resample_cells(cell, 4, np.unique(unit, return_inverse=True)[1], 20_000, np.random.default_rng(2))
    persons = [np.bincount(cell[unit == u], minlength=4) for u in np.unique(unit)]
    slow = np.stack(
        [np.sum([persons[i] for i in draw.integers(0, len(persons), len(persons))], axis=0) for _ in range(4000)]
    )
    assert np.allclose(fast.mean(axis=0), np.bincount(cell, minlength=4), rtol=0.01)
    assert np.allclose(np.cov(fast.T), np.cov(slow.T), atol=0.12 * np.cov(slow.T).max())


def test_the_design_effect_of_independent_faces_is_one_and_of_copies_their_number() -> None:
    right = np.repeat(np.arange(50) < 30, 4)
    assert design_effect(right, None) == (1.0, 200)
    assert design_effect(right, np.arange(200))[0] == 1.0
    assert design_effect(right, np.repeat(np.arange(50), 4))[0] == pytest.approx(4 * 50 / 49)
    assert design_effect(np.ones(200, bool), np.repeat(np.arange(50), 4)) == (4.0, 50)


def test_faces_without_identity_are_people_of_their_own() -> None:
    faces = pd.DataFrame({"identity": pd.array(["a", None, "a", None, "b"], dtype="string")})
    assert len(set(people(faces))) == 4
    assert people(faces)[0] == people(faces)[2]
    assert people(faces.assign(identity=pd.array([None] * 5, dtype="string"))) is None


def test_counts_agree_with_the_accuracy_table() -> None:
    draw = np.random.default_rng(6)
    faces = made(list(draw.binomial(SIZES, 0.9)), SIZES)
    faces["age"] = pd.array(
        np.where(draw.random(len(faces)) < 0.1, -1, draw.integers(0, 80, len(faces))), dtype="Int16"
    )
    faces["age"] = faces["age"].mask(faces["age"] < 0)
    ours = group_counts(faces, BY, 0.3, order="").table
    theirs = accuracy_by(faces, BY, 0.3)
    assert (ours[["n", "correct", "errors"]].to_numpy() == theirs[["n", "correct", "errors"]].to_numpy()).all()
    assert np.allclose(ours[["accuracy", "wilson_low", "wilson_high"]], theirs[["accuracy", "low", "high"]])
    by_age = group_counts(faces, ["age band"], order="")
    theirs = accuracy_by(faces, ["age band"])
    assert list(by_age.table["n"]) == list(theirs["n"])[:-1]
    assert list(by_age.left_out["why"]) == ["age unknown"]
    assert group_rows(faces, ["gender", "age band"])[1]["group"].iloc[0] == "girls, 0–2 years"


def test_what_groups_are_made_by() -> None:
    faces = made([50] * 4, (50,) * 4)
    assert columns_of(faces) == BY
    assert columns_of(faces[faces["gender"] == "male"]) == BY
    assert columns_of(faces.assign(ethnicity="not recorded")) == ["gender"]
    alone = faces[faces["gender"] == "male"].assign(ethnicity="not recorded")
    assert columns_of(alone) == []
    assert columns_of(alone.assign(age=pd.array(np.arange(100) % 70, dtype="Int16"))) == ["age band"]


@pytest.mark.parametrize("counts", [(90, 100, 80, 100), (380, 396, 271, 312), (45, 90, 60, 80), (150, 300, 1, 20)])
def test_the_score_test_is_pearsons(counts: tuple[int, int, int, int]) -> None:
    k1, n1, k2, n2 = counts
    test = two_groups(*counts)
    assert test.test == "score"
    assert test.p == pytest.approx(chi2_contingency([[k1, n1 - k1], [k2, n2 - k2]], correction=False).pvalue)
    assert test.p == pytest.approx(proportions_ztest([k1, k2], [n1, n2])[1])
    assert test.difference == newcombe(*counts)


@pytest.mark.parametrize("counts", [(99, 100, 95, 100), (50, 50, 60, 61), (100, 100, 100, 100), (3, 400, 0, 50)])
def test_small_expected_counts_take_fishers_test(counts: tuple[int, int, int, int]) -> None:
    k1, n1, k2, n2 = counts
    test = two_groups(*counts)
    assert test.test == "Fisher exact"
    assert test.p == pytest.approx(fisher_exact([[k1, n1 - k1], [k2, n2 - k2]])[1])


@given(st.integers(1, 300), st.integers(1, 300), st.data())
@settings(max_examples=100, deadline=None)
def test_fishers_p_is_scipys(n1: int, n2: int, data: st.DataObject) -> None:
    k1, k2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    expected = fisher_exact([[k1, n1 - k1], [k2, n2 - k2]])[1]
    assert fisher(k1, n1, k2, n2) == pytest.approx(expected, rel=1e-6, abs=1e-14)


def test_no_face_no_test() -> None:
    assert two_groups(0, 0, 3, 5).test == "none"
    assert np.isnan(two_groups(0, 0, 3, 5).p)


def test_newcombe_at_196_is_newcombe() -> None:
    ours, theirs = newcombe_at(56, 70, 48, 80, float(norm.ppf(0.975))), newcombe(56, 70, 48, 80)
    assert (ours.value, ours.low, ours.high) == pytest.approx((theirs.value, theirs.low, theirs.high))
    assert (ours.low, ours.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)  # Newcombe 1998, table II (a)


@pytest.mark.parametrize("groups", [2, 3, 10, 60])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_tukeys_z_is_scipys(groups: int, level: float) -> None:
    expected = studentized_range.ppf(level, groups, np.inf) / np.sqrt(2)
    assert tukey_z(level, groups) == pytest.approx(expected, abs=1e-9)


def test_holm_is_statsmodels() -> None:
    draw = np.random.default_rng(0)
    for size in (1, 2, 45):
        p = draw.beta(0.3, 1, size).round(3)
        assert np.allclose(holm(p), multipletests(p, method="holm")[1])
    assert len(holm(np.zeros(0))) == 0


def test_each_against_the_rest_leaves_itself_out() -> None:
    faces = made([90, 80, 70, 60], (100,) * 4)
    row = pairwise(faces, BY, family="rest").set_index("first").loc["A women"]
    assert row["second"] == REST
    assert row["n_second"] == 300
    assert row["accuracy_second"] == pytest.approx(0.7)
    assert row["p"] == pytest.approx(two_groups(90, 100, 210, 300).p)


@pytest.mark.parametrize(("p", "difference"), [(0.95, 0.02), (0.99, 0.02), (0.8, 0.1), (1.0, 0.05)])
def test_faces_needed_have_the_power_asked_for(p: float, difference: float) -> None:
    n = faces_needed(p, difference)
    assert power_of(p, difference, n, n) >= 0.8 > power_of(p, difference, n - 1, n - 1)
    theirs = power_proportions_2indep(difference, p - difference, n, return_results=False)
    assert theirs == pytest.approx(0.8, abs=0.005)
    if p < 0.97:  # Cohen's arcsine is another approximation, near to ours away from the edge
        needed = NormalIndPower().solve_power(proportion_effectsize(p, p - difference), alpha=0.05, power=0.8)
        assert n == pytest.approx(needed, rel=0.06)


def test_faces_needed_by_simulation() -> None:
    draw, n = np.random.default_rng(2), faces_needed(0.95, 0.05)
    k1, k2 = draw.binomial(n, 0.95, 4000), draw.binomial(n, 0.9, 4000)
    pooled = (k1 + k2) / (2 * n)
    z = np.abs(k1 - k2) / n / np.sqrt(pooled * (1 - pooled) * 2 / n)
    assert (z > norm.ppf(0.975)).mean() == pytest.approx(0.8, abs=0.02)


def test_what_is_detectable_is_what_is_needed() -> None:
    n = faces_needed(0.96, 0.03)
    assert detectable(0.96, n, n) == pytest.approx(0.03, rel=0.01)
    assert detectable(0.96, 300, 30) > detectable(0.96, 300, 300)
    assert np.isnan(detectable(0.96, 300, 0))
    assert np.isnan(detectable(0.5, 2, 2))


def test_an_impossible_difference_is_refused() -> None:
    with pytest.raises(LookwhereError, match="no accuracy lies"):
        faces_needed(0.01, 0.02)
    table = power_table(group_counts(made([0, 80, 90], (60, 90, 90)), BY).table)
    assert table.set_index("group")["needed"].isna().to_dict() == {"B women": False, "A men": False, "A women": True}


def test_groups_by_a_column_that_is_not_there_are_refused_and_not_all_faces() -> None:
    faces = pd.DataFrame(
        {
            "gender": ["female"] * 60,
            "ethnicity": ["A"] * 60,
            "age": 30,
            "identity": None,
            "p_male": 0.2,
            "glasses": "on",
        }
    )
    with pytest.raises(LookwhereError, match="'glasses': no such column; there are gender, ethnicity, age band"):
        group_counts(faces, ["glasses"])
    assert group_counts(faces, []).table["group"].tolist() == ["all faces"]
