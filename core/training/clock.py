"""A run's heartbeat: how far it is, how fast, and when it will be done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.training import record

if TYPE_CHECKING:
    from core.training.loop import Run

HEARTBEAT_SECONDS = 3.0
#: The time left is told by the speed over so many heartbeats, a minute: other work slows a machine for seconds.
BEATS = 20


class Clock:
    """Heartbeats every few seconds, with throughput since the last one and an ETA by pixels left to see."""

    def __init__(self, run: Run, folder: Path, report: Callable) -> None:
        self.run, self.folder, self.report = run, folder, report
        self.last = time.perf_counter()
        self.images = 0
        self.speed = 0.0
        #: Work and seconds of the last heartbeats.
        self.recent: deque[tuple[float, float]] = deque(maxlen=BEATS)

    def tick(self) -> None:
        self.images += self.run.local_batch * self.run.fabric.world_size
        if time.perf_counter() - self.last >= HEARTBEAT_SECONDS:
            self.beat("running")

    def beat(self, state: str, row: dict | None = None, message: str = "") -> record.Status:
        run, now = self.run, time.perf_counter()
        if self.images and row is None and state == "running":  # an epoch's end is mostly validation
            self.speed = self.images / (now - self.last)
            self.recent.append((self.images * self._work(run.epoch), now - self.last))
        self.last, self.images = now, 0
        images = run.running["seen"]
        status = record.Status(
            state=state,
            epoch=run.epoch,
            epochs=run.config.epochs,
            step=run.step,
            steps=run.steps_per_epoch,
            images_per_second=round(self.speed, 2),
            eta=self._eta() if state == "running" else None,
            loss=run.running["loss"] / images if images else None,
            updated=time.time(),
            message=message,
        )
        if run.fabric.is_global_zero:
            record.write_status(self.folder, status)
            self.report(status, row)
        return status

    def _eta(self) -> float | None:
        """Seconds left, at the speed of the last heartbeats."""
        if not self.recent:
            return None
        run = self.run
        images_left = sum(self._work(epoch) for epoch in range(run.epoch, run.config.epochs)) * run.steps_per_epoch
        images_left -= self._work(run.epoch) * run.step
        done, seconds = (sum(part) for part in zip(*self.recent, strict=True))
        return images_left * run.config.batch / (done / seconds)

    def _work(self, epoch: int) -> float:
        """The work of an image in an epoch: its area, and a third more where dilated."""
        stage = self.run.config.stage_at(min(epoch, self.run.config.epochs - 1))
        return stage.size**2 * (1.3 if stage.dilated else 1.0)
