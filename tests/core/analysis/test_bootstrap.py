"""Studentised bootstrap samples: as a plain loop has them, by family, and alike whether units are bundled or not."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis import bootstrap
from core.analysis.bootstrap import highest_t


def by_loop(parts: list[np.ndarray], draws: int) -> np.ndarray:
    draw, highest = np.random.default_rng(9), []
    for _ in range(draws):
        total = variance = 0.0
        for part in parts:
            sample = (part - part.mean(axis=0))[draw.integers(0, len(part), len(part))]
            total = total + sample.sum(axis=0)
            variance = variance + len(part) * sample.var(axis=0, ddof=1)
        highest.append(np.abs(total / np.sqrt(variance)).max())
    return np.array(highest)


@pytest.mark.parametrize("sizes", [(40,), (30, 90)])
def test_the_largest_t_is_that_of_a_plain_loop(sizes: tuple[int, ...]) -> None:
    draw = np.random.default_rng(1)
    parts = [draw.exponential(size=(n, 4)) * scale for scale, n in enumerate(sizes, start=1)]
    mine, theirs = highest_t(parts, 3000, 0)[:, 0], by_loop(parts, 3000)
    for share in (0.5, 0.9, 0.95):
        assert np.quantile(mine, share) == pytest.approx(np.quantile(theirs, share), rel=0.05)


def test_families_are_maxima_of_their_own_cells_in_the_same_samples() -> None:
    part = np.random.default_rng(2).normal(size=(50, 6))
    two, single_family = highest_t([part], 200, 3, families=2), highest_t([part], 200, 3)
    assert two.shape == (200, 2)
    assert two.max(axis=1) == pytest.approx(single_family[:, 0])


def test_a_cell_without_spread_is_never_the_largest() -> None:
    part = np.random.default_rng(3).normal(size=(40, 2))
    flat = np.column_stack([part, np.full(40, 7.0)])
    assert highest_t([flat], 300, 1) == pytest.approx(highest_t([part], 300, 1))


def test_many_units_in_bundles_have_the_same_quantiles(monkeypatch: pytest.MonkeyPatch) -> None:
    part = np.random.default_rng(4).exponential(size=(3000, 5))
    whole = highest_t([part], 2000, 0)
    monkeypatch.setattr(bootstrap, "MOST_UNITS", 500)
    bundled = highest_t([part], 2000, 0)
    assert np.quantile(bundled, 0.95) == pytest.approx(np.quantile(whole, 0.95), rel=0.05)
