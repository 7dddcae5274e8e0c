"""The heartbeat's time left, against a machine that other work slows for a while."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from core.training import clock
from core.training.config import Stage, TrainConfig


def test_a_slow_heartbeat_hardly_moves_the_time_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats of three steps of a second each; the last takes eleven times as long, and counts as one of twenty."""
    now = 0.0
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now)
    config = TrainConfig(stages=(Stage(size=32, epochs=4, strength=0.2),), batch=8)
    fabric = SimpleNamespace(world_size=1, is_global_zero=True)
    run = SimpleNamespace(
        config=config,
        fabric=fabric,
        local_batch=8,
        epoch=0,
        step=0,
        steps_per_epoch=100,
        running={"seen": 0, "loss": 0.0},
    )
    heartbeats = []
    ticking = clock.Clock(run, tmp_path, lambda status, row: heartbeats.append(status))
    for seconds in [1.0] * 40 + [11.0]:
        now += seconds * 3
        run.step += 3
        ticking.images = 24 - 8
        ticking.tick()
    assert heartbeats[0].eta == pytest.approx(397)
    assert heartbeats[-2].eta == pytest.approx(280) and heartbeats[-2].images_per_second == 8
    assert heartbeats[-1].eta == pytest.approx(277 * 30 / 20)
