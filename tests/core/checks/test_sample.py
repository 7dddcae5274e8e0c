"""The sample that checks are made on, its means and intervals, what is published of it; similarity of maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.checks.sample import Means, Sample, SampleGroup, draw_sample, published_groups, spread
from core.checks.similarity import similarity, spearman, ssim
from core.errors import LookwhereError
from core.privacy import MINIMUM_FACES


def faces_table(n: int, seed: int, wrong: float = 0.1) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "gender": draw.choice(["female", "male"], n),
            "ethnicity": draw.choice(["White", "Black", "Asian"], n, p=[0.7, 0.25, 0.05]),
            "age": pd.array(draw.integers(0, 90, n), dtype="Int16"),
            "correct": draw.random(n) > wrong,
        }
    )


# --- the sample ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counts", "total"), [([5, 50, 3], 30), ([1, 1, 1], 9), ([10, 10], 5), ([0, 4], 3)])
def test_places_are_shared_out_as_evenly_as_counts_allow(counts: list[int], total: int) -> None:
    share = spread(np.array(counts), total)
    assert share.sum() == min(total, sum(counts))
    assert (share <= counts).all()
    room = share < counts
    assert not room.any() or share[room].max() - share[room].min() <= 1
    assert not room.any() or share.max() <= share[room].min() + 1


def test_weights_stand_for_the_whole_audit_and_wrong_ones_come_first() -> None:
    faces = faces_table(1000, 0)
    sample = draw_sample(faces, 120, 3)
    assert len(np.unique(sample.place)) == len(sample) == 120
    keys = ["gender", "ethnicity", "correct"]
    stands = sample.faces.assign(weight=sample.weight).groupby(keys)["weight"].sum()
    pd.testing.assert_series_equal(
        stands, faces.groupby(keys).size(), check_names=False, check_dtype=False, check_exact=False
    )
    for _, group in faces.groupby(["gender", "ethnicity"]):
        got = sample.faces.iloc[np.flatnonzero(np.isin(sample.place, group.index))]
        assert (~got["correct"]).sum() == min(
            (~group["correct"]).sum(), max(len(got) // 2, len(got) - group["correct"].sum())
        )
    assert np.array_equal(draw_sample(faces, 120, 3).place, sample.place)
    assert not np.array_equal(draw_sample(faces, 120, 4).place, sample.place)


@pytest.mark.parametrize("groups", [75, 300, 1000])
def test_a_sample_is_no_larger_for_groups_without_number(groups: int) -> None:
    """Each stratum gives a face: of 600 faces in 300 groups ROAD took 344, not 120, and an hour."""
    faces = faces_table(3000, 2, wrong=0.2)
    large = np.random.default_rng(3).random(3000) < 0.3
    faces["ethnicity"] = np.where(large, "large", [f"group {n % groups}" for n in range(3000)])
    sample = draw_sample(faces, 120, 0)
    assert 100 <= len(sample) <= 180 and len(np.unique(sample.stratum)) <= 120
    assert sample.weight.sum() == pytest.approx(3000)
    value = faces["correct"] * 3.0 + large + np.random.default_rng(4).normal(size=3000)
    estimates = []
    for seed in range(100):
        drawn = draw_sample(faces, 120, seed)
        every = SampleGroup("all", np.ones(len(drawn), dtype=bool))
        estimates.append(Means(drawn, every, draws=2).mean(value.to_numpy()[drawn.place]))
    assert abs(np.mean(estimates) - value.mean()) < 4 * stats.sem(estimates)


def test_group_means_over_samples_are_unbiased() -> None:
    faces = faces_table(600, 1, wrong=0.2)
    value = np.random.default_rng(0).normal(size=600) + 3 * ~faces["correct"] + (faces["ethnicity"] == "Black")
    truth = value[faces["gender"] == "female"].mean()
    estimates, plain = [], []
    for seed in range(300):
        sample = draw_sample(faces, 60, seed)
        member = SampleGroup("women", (sample.faces["gender"] == "female").to_numpy())
        estimates.append(Means(sample, member, draws=2).mean(value.to_numpy()[sample.place]))
        plain.append(value.to_numpy()[sample.place][member.mask].mean())
    assert abs(np.mean(estimates) - truth) < 3 * stats.sem(estimates)
    assert abs(np.mean(plain) - truth) > 10 * stats.sem(plain), "without weights it is biased, so the test can fail"


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for seed in range(300):
        n = 60
        sample = Sample(np.arange(n), np.repeat([1.0, 4.0], n // 2), np.repeat([0, 1], n // 2), pd.DataFrame())
        value = rng.normal(np.repeat([2.0, 0.0], n // 2), 1)
        _, low, high = Means(sample, SampleGroup("all", np.ones(n, bool)), seed, draws=400).interval(value)
        hits += low <= (1 * 2.0 + 4 * 0.0) / 5 <= high
    assert stats.binomtest(hits, 300, 0.94).pvalue > 0.01


def test_a_stratum_of_one_face_does_not_look_sure() -> None:
    rng = np.random.default_rng(0)
    n = 20
    sample = Sample(np.arange(n), np.ones(n), np.arange(n), pd.DataFrame())
    value = rng.normal(size=n)
    _, low, high = Means(sample, SampleGroup("all", np.ones(n, bool)), draws=4000).interval(value)
    assert high - low == pytest.approx(2 * 1.96 * stats.sem(value), rel=0.1)


def test_a_missing_value_takes_no_part_in_its_column() -> None:
    sample = Sample(np.arange(4), np.array([1.0, 2, 3, 4]), np.zeros(4, int), pd.DataFrame())
    values = np.array([[1.0, 1], [np.nan, 2], [3, 3], [5, np.nan]])
    mean = Means(sample, SampleGroup("all", np.ones(4, bool))).mean(values)
    assert mean == pytest.approx([(1 + 9 + 20) / 8, (1 + 4 + 9) / 6])


@pytest.mark.parametrize("seed", range(12))
def test_no_published_group_nor_a_difference_of_two_has_under_eleven_faces(seed: int) -> None:
    faces = faces_table(int(np.random.default_rng(seed).integers(12, 160)), seed, wrong=0.15)
    sample = draw_sample(faces, 100, seed)
    groups = published_groups(sample)
    assert len({g.name for g in groups}) == len(groups)
    for a in groups:
        assert a.n >= MINIMUM_FACES
        for b in groups:
            if (a.mask & ~b.mask).sum() == 0:
                assert (b.mask & ~a.mask).sum() == 0 or (b.mask & ~a.mask).sum() >= MINIMUM_FACES, (a.name, b.name)
    for whole in groups[:3]:
        inside = [
            g for g in groups if g is not whole and "predicted" not in g.name and not (g.mask & ~whole.mask).any()
        ]
        parts = [g for g in inside if sum((g.mask & ~h.mask).sum() == 0 for h in inside) == 1]
        if parts:
            rest = whole.n - np.any([g.mask for g in parts], axis=0).sum()
            assert rest == 0 or rest >= MINIMUM_FACES


def test_a_sample_too_small_is_refused() -> None:
    with pytest.raises(LookwhereError, match="--sample"):
        draw_sample(faces_table(10, 0), 100)


# --- similarity ------------------------------------------------------------------------------------------------------


def test_rank_correlation_is_scipys_row_by_row() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(9, 4, 5)).round(1), rng.normal(size=(9, 4, 5)).round(1)
    expected = [stats.spearmanr(x.ravel(), y.ravel()).statistic for x, y in zip(a, b, strict=True)]
    assert spearman(a, b) == pytest.approx(expected)
    assert np.isnan(spearman(np.ones((1, 2, 2)), b[:1, :2, :2])).all()


def test_ssim_is_one_for_equal_maps_low_for_opposite_ones_and_blind_to_scale() -> None:
    a = np.random.default_rng(0).normal(size=(5, 7, 7))
    assert ssim(a, 3 * a) == pytest.approx(1)
    assert (ssim(a, -a) < 0).all()
    assert similarity(a, -a)[:, 1] == pytest.approx(1), "of magnitudes, opposite maps are equal"
    assert similarity(a, -a)[:, 0] == pytest.approx(-1)
