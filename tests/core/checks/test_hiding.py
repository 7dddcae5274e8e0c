"""What hiding parts of the face costs: a planted network that looks at the mouth alone, the holes, and the sample."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.checks.hidden_costs import CLAIMED, RIVALS, TOGETHER, Way, contrasts, draw_correct, groups_of
from core.checks.hiding import check_hiding, holes
from core.checks.sample import Sample
from core.explain import regions
from tests.helpers.made_audit import made_faces

GROUP = "all faces, predicted correctly"
MOUTH = (regions.label_image(112) == regions.REGIONS.index("mouth")).astype(np.float32)


def looking_at_the_mouth(n: int = 12) -> SimpleNamespace:
    """A probe whose network sums up what in the mouth is lighter than mid-grey; the face is light all over."""
    draw = np.random.default_rng(0)
    images = draw.integers(150, 220, (n, 14, 14, 3)).repeat(8, axis=1).repeat(8, axis=2).astype(np.float32)
    mouth = torch.from_numpy(MOUTH)
    faces = made_faces(n, ages=(18, 60)).assign(correct=True)
    return SimpleNamespace(
        sample=Sample(np.arange(n), np.ones(n), np.zeros(n, dtype=np.int64), faces),
        sign=np.ones(n, dtype=np.float32),
        store=SimpleNamespace(images=images),
        grey=torch.full((3,), 127.5),
        audit=SimpleNamespace(averages=SimpleNamespace(mean=lambda _: (np.full((112, 112, 3), 100, np.uint8), n))),
        device=torch.device("cpu"),
        blocks=lambda size: (slice(k, k + size) for k in range(0, n, size)),
        images=lambda block: torch.from_numpy(images[block]).permute(0, 3, 1, 2),
        margins=lambda x: ((x.mean(dim=1) - 127.5) * mouth).sum(dim=(1, 2)).numpy().astype(np.float64) / 1e4,
    )


def test_hiding_costs_where_the_network_looks_and_nowhere_else() -> None:
    part = check_hiding(looking_at_the_mouth())
    assert part.groups == [(GROUP, 12)]
    costs = part.rows("costs", GROUP).set_index(["way", "fill", "hidden"])["cost"]
    for way in Way:
        for fill in ("grey", "average face"):
            assert costs[way, fill, CLAIMED] > 0
            # The forehead and the eyes share no patch with the mouth.
            assert costs[way, fill, "eyes"] == pytest.approx(0, abs=1e-5)
            assert costs[way, fill, "forehead"] == pytest.approx(0, abs=1e-5)
    # A linear network loses in one hole what it loses in its patches, and grey takes all of it.
    probe = looking_at_the_mouth()
    whole = probe.margins(probe.images(slice(0, 12))).mean()
    assert part.array("patches", GROUP)[0].sum() == pytest.approx(whole, rel=1e-4)
    share = np.isin(np.array(regions.REGIONS)[regions.label_image(112)], TOGETHER).mean()
    assert costs["at once", "grey", CLAIMED] * 100 * share == pytest.approx(whole, rel=1e-3)


def test_the_bounds_are_the_widest_over_places_and_hold_what_is_said() -> None:
    less = check_hiding(looking_at_the_mouth()).rows("less", GROUP).set_index(["way", "fill", "rival"])
    assert (less["low"] <= less["less"]).all() and (less["less"] <= less["high"]).all()
    # Moved up by 8 pixels the jaw lies on the mouth.
    assert less.loc["at once", "grey", "jaw"]["low"] < 0 < less.loc["at once", "grey", "forehead"]["low"]
    draw = np.random.default_rng(1)
    value = np.zeros((2, 3, 5, 7))
    replicates = draw.normal(size=(4000, *value.shape))
    _, low, high = contrasts(value, replicates)
    inside = replicates[..., :1] - replicates[..., 1:]
    coverage = ((inside >= low[:, :, None]) & (inside <= high[:, :, None])).all(axis=(1, 2, 3, 4)).mean()
    assert coverage >= 1 - 0.05 / 6


def test_holes_are_the_regions_moved_and_patches_that_leave_nothing_out() -> None:
    large, small = holes(112)
    together = np.isin(np.array(regions.REGIONS)[regions.label_image(112)], TOGETHER)
    sets = len(RIVALS) + 1
    assert (large[0] == together).all()
    assert (large[sets] == np.roll(together, -8, axis=0)).all(), "eight up"
    assert (large[4 * sets] == np.roll(together, 8, axis=1)).all(), "eight right"
    assert (large.reshape(5, sets, 112, 112).sum(axis=1) == 1).all()
    assert (small.sum(axis=0) == 1).all() and (small.sum(axis=(1, 2)) == 196).all()
    assert (large[:sets].sum(axis=(1, 2)) > 196).all(), "patches are finer than any region"


def test_adults_come_first_and_all_are_correct() -> None:
    faces = made_faces(4000, ages=(0, 60)).assign(correct=np.arange(4000) % 5 > 0)
    sample = draw_correct(faces, 120, 0, 11)
    assert sample.faces["correct"].all()
    assert (sample.faces["age"] >= 18).sum() == 96 and len(sample) == 120
    assert sample.weight.sum() == pytest.approx(faces["correct"].sum())
    names = [group.name for group in groups_of(sample)]
    assert {f"{who}, 18 and older, predicted correctly" for who in ("all faces", "women", "men")} <= {*names}
    young = draw_correct(faces[faces["age"] < 18].reset_index(drop=True), 100, 0, 11)
    assert len(young) == 100 and len(groups_of(young)) == 3
