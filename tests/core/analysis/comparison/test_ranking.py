"""The area under the curve and the threshold of one's own, against a count of all pairs and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.analysis.accuracy.curves import roc
from core.analysis.comparison.ranking import rank_measures, resampled_ranking


def made(n: int, seed: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    male = draw.random(n) < 0.4
    score = draw.normal(size=n) + male
    return (np.round(score) if ties else score), male


@pytest.mark.parametrize("ties", [False, True])
def test_the_area_is_the_share_of_pairs_in_order_and_that_of_the_page(ties: bool) -> None:
    score, male = made(400, 1, ties)
    area, _ = rank_measures(score, male, np.ones((1, 400)))
    apart = score[male][:, None] - score[~male]
    assert area[0] == pytest.approx(((apart > 0) + 0.5 * (apart == 0)).mean())
    faces = pd.DataFrame({"gender": np.where(male, "male", "female"), "logit_male": score, "logit_female": 0.0})
    assert area[0] == pytest.approx(roc(faces).auc.value)


def test_at_its_own_threshold_women_and_men_are_right_equally_often() -> None:
    """Men at 3 and from 7 on: 4 of 5 men lie above the threshold under which 4.8 of the 6 women lie, so 4 of 5."""
    male = np.isin(np.arange(11), [3, 7, 8, 9, 10])
    area, own = rank_measures(np.arange(11.0), male, np.ones((1, 11)))
    assert own[0] == pytest.approx(4 / 5)
    assert area[0] == pytest.approx((3 + 4 * 6) / 30)


def test_a_threshold_moved_for_all_changes_neither() -> None:
    score, male = made(300, 2, False)
    first, second = (rank_measures(score + shift, male, np.ones((1, 300))) for shift in (0.0, 5.0))
    assert first == second


def test_weights_are_repeated_faces_and_one_gender_has_none() -> None:
    score, male = made(60, 3, True)
    times = np.random.default_rng(4).integers(0, 4, 60)
    weighed = rank_measures(score, male, times[None].astype(float))
    repeated = rank_measures(np.repeat(score, times), np.repeat(male, times), np.ones((1, times.sum())))
    assert np.allclose(weighed, repeated)
    assert np.isnan(rank_measures(score, male, (~male[None]).astype(float))).all()


def test_resamples_scatter_as_the_area_does_and_people_stay_whole() -> None:
    score, male = made(500, 5, False)
    draws, _ = resampled_ranking(score[:, None], male, None, 800, np.random.default_rng(0))
    faces = pd.DataFrame({"gender": np.where(male, "male", "female"), "logit_male": score, "logit_female": 0.0})
    auc = roc(faces).auc
    assert draws.std() == pytest.approx((auc.high - auc.low) / 3.92, rel=0.1)
    person = np.arange(500) // 5
    alike = np.repeat(score[::5], 5), np.repeat(male[::5], 5)
    whole, _ = resampled_ranking(alike[0][:, None], alike[1], person, 800, np.random.default_rng(0))
    apart, _ = resampled_ranking(alike[0][:, None], alike[1], None, 800, np.random.default_rng(0))
    assert whole.std() > 1.7 * apart.std()
