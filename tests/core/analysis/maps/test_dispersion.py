"""Dispersion against a loop over all pairs, resampling against its definition, split halves, the test against flat."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.analysis.maps.dispersion import (
    _resampled,
    compare_dispersion,
    dispersion,
    standardised,
)
from core.errors import LookwhereError


def maps_of(n: int, noise: float, seed: int, shape: tuple[int, int] = (4, 5)) -> np.ndarray:
    """One pattern and noise of its own in each map."""
    draw = np.random.default_rng(seed)
    pattern = np.random.default_rng(99).normal(size=shape)
    return pattern + noise * draw.normal(size=(n, *shape))


def naive(shapes: np.ndarray) -> float:
    pairs = itertools.combinations(shapes.reshape(len(shapes), -1), 2)
    return 1 - float(np.mean([np.corrcoef(x, y)[0, 1] for x, y in pairs]))


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 15), noise=st.floats(0.1, 10), seed=st.integers(0, 1000), scale=st.floats(0.01, 100))
def test_dispersion_is_that_of_all_pairs_whatever_their_strength(n: int, noise: float, seed: int, scale: float) -> None:
    shapes = maps_of(n, noise, seed)
    assert dispersion(shapes) == pytest.approx(naive(shapes), abs=1e-9)
    assert dispersion(shapes * scale + 3) == pytest.approx(dispersion(shapes), abs=1e-9)


def test_the_ends_of_dispersion() -> None:
    shape = maps_of(1, 1.0, 0)
    assert dispersion(np.repeat(shape, 6, axis=0)) == pytest.approx(0)
    assert dispersion(np.concatenate([shape, -shape])) == pytest.approx(2)
    assert np.isnan(dispersion(shape))
    with pytest.raises(LookwhereError, match="2 of 3 maps have one value in all cells"):
        dispersion(np.concatenate([np.ones((2, 4, 5)), shape]))


def test_the_matched_value_is_the_mean_over_all_choices() -> None:
    shapes = maps_of(12, 1.5, 3)
    wrong = np.arange(12) < 4
    groups = np.array([*"aabb", *"aaaabbbb"])
    dispersion = compare_dispersion(shapes, wrong, groups, draws=20)
    assert dispersion.n == 4
    assert dispersion.wrong.value == pytest.approx(naive(shapes[:4]))
    pairs = itertools.product(itertools.combinations(range(4, 8), 2), itertools.combinations(range(8, 12), 2))
    every = [naive(shapes[[*x, *y]]) for x, y in pairs]
    assert dispersion.right.value == pytest.approx(np.mean(every))
    assert dispersion.difference.value == pytest.approx(dispersion.wrong.value - np.mean(every))
    assert dispersion.ratio.value == pytest.approx(dispersion.wrong.value / np.mean(every))


def test_a_resampled_face_is_not_paired_with_itself() -> None:
    z = standardised(maps_of(5, 1.0, 1))
    resampled = _resampled(z, [np.arange(5)], np.array([5]), 3, np.random.default_rng(0))
    rows = np.random.default_rng(0).integers(0, 5, (3, 5))
    for value, picked in zip(resampled, rows, strict=True):
        pairs = [z[i] @ z[j] for i, j in itertools.permutations(picked, 2) if i != j]
        assert value == pytest.approx(1 - np.mean(pairs))
    # With self-pairs the mean would lie far below that of the faces themselves.
    many = _resampled(z, [np.arange(5)], np.array([5]), 4000, np.random.default_rng(1))
    assert np.nanmean(many) == pytest.approx(1 - (z @ z.T)[np.triu_indices(5, 1)].mean(), abs=0.03)


def test_more_scattered_wrong_maps_are_found_and_equal_ones_not() -> None:
    wrong = np.arange(360) < 60
    shapes = np.concatenate([maps_of(60, 2.0, 1), maps_of(300, 1.0, 2)])
    dispersion = compare_dispersion(shapes, wrong, draws=499)
    assert dispersion.p == 1 / 500
    assert dispersion.difference.low > 0
    assert dispersion.ratio.low > 1
    assert dispersion.wrong.low < dispersion.wrong.value < dispersion.wrong.high
    equal = compare_dispersion(maps_of(360, 1.0, 3), wrong, draws=499)
    assert equal.difference.low < 0 < equal.difference.high
    assert equal.p > 0.05
    assert compare_dispersion(shapes, wrong, draws=99, seed=1) == compare_dispersion(shapes, wrong, draws=99, seed=1)


def test_a_mix_of_groups_passes_for_scatter_unless_it_is_matched() -> None:
    draw = np.random.default_rng(4)
    groups = np.array(["tight"] * 300 + ["loose"] * 100 + ["tight"] * 10 + ["loose"] * 50)
    wrong = np.arange(460) >= 400
    shapes = np.random.default_rng(99).normal(size=(4, 5)) + draw.normal(size=(460, 4, 5)) * np.where(
        groups == "loose", 3.0, 0.5
    ).reshape(-1, 1, 1)
    assert compare_dispersion(shapes, wrong, draws=199).difference.low > 0
    matched = compare_dispersion(shapes, wrong, groups, draws=199)
    assert matched.p > 0.05
    assert matched.difference.low < 0 < matched.difference.high


def test_labels_that_are_exchangeable_give_uniform_p() -> None:
    draw = np.random.default_rng(5)
    ratios = []
    for _ in range(200):
        shapes = draw.gamma(0.7, size=(60, 3, 3)) * draw.gamma(1.0, size=(60, 1, 1))
        groups = draw.integers(0, 2, 60)
        ratios.append(compare_dispersion(shapes, draw.random(60) < 0.3, groups, draws=99).p)
    low, high = stats.binom.interval(0.99, 200, 0.05)
    assert low <= np.sum(np.array(ratios) <= 0.05) <= high
    assert 0.4 < np.mean(ratios) < 0.6


def test_the_interval_covers_a_known_dispersion() -> None:
    # Pattern of unit variance and noise of variance s²: correlations are about 1 / (1 + s²) with many cells.
    covered = []
    reference = dispersion(maps_of(4000, 1.0, 77))
    wrong = np.arange(200) < 60
    for seed in range(80):
        estimate = compare_dispersion(maps_of(200, 1.0, seed), wrong, draws=200, seed=seed).wrong
        covered.append(estimate.low <= reference <= estimate.high)
    assert np.mean(covered) >= 0.85


def test_wrong_faces_without_a_right_one_of_their_group_are_counted() -> None:
    shapes = maps_of(50, 1.0, 1)
    groups = np.where(np.arange(50) < 10, "only wrong", "both")
    dispersion = compare_dispersion(shapes, np.arange(50) < 25, groups, draws=20)
    assert (dispersion.n, dispersion.left_out) == (15, 10)
    with pytest.raises(LookwhereError, match="0 incorrect faces have a correct one"):
        compare_dispersion(shapes, np.ones(50, dtype=bool))
