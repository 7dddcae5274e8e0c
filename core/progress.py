"""Progress of long work: what a step reports, and the bars that show it."""

from __future__ import annotations

from collections.abc import Callable

from tqdm import tqdm


class Bars:
    """`progress` for core's functions: one tqdm bar a stage, with ETA."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None

    def __call__(self, stage: str, total: int) -> Callable[..., object]:
        self.close()
        self.bar = tqdm(total=total, desc=stage, unit="face", mininterval=0.5, dynamic_ncols=True)
        return self.bar.update

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


#: `progress(stage, total)` returns a function to call as the work goes on.
Progress = Callable[[str, int], Callable[..., object]]
