"""Two ways to do the same work, measured in turns in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

#: Rounds at least, whatever they take.
LEAST_ROUNDS = 3


@dataclass(frozen=True)
class Measured:
    """Pairs (ours, theirs) of seconds for the same amount of work, one a round.

    `work` is how much of `unit` a round does, so that speeds can be told; 0 where seconds tell more.
    """

    pairs: tuple[tuple[float, float], ...]
    work: float = 0.0
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """How many times as fast ours is: the median of the rounds' ratios."""
        return statistics.median(theirs / ours for ours, theirs in self.pairs)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the largest of the rounds' ratios."""
        ratios = [theirs / ours for ours, theirs in self.pairs]
        return min(ratios), max(ratios)

    def side(self, n: int) -> str:
        """Ours (0) or theirs (1): the median as a speed, or as seconds."""
        seconds = statistics.median(pair[n] for pair in self.pairs)
        return f"{self.work / seconds:,.1f} {self.unit}" if self.work else f"{seconds:.2f} s"


def in_turns(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    seconds: float,
    *,
    work: float = 0.0,
    unit: str = "images/s",
    clock: Callable[[], float] = time.process_time,
) -> Measured:
    """Warm both up, then measure them in turns until `seconds` are spent, at least `LEAST_ROUNDS` times.

    `clock` counts processor seconds by default, of all threads: what else the machine does is not in them. Who begins
    changes from round to round.
    """

    def timed(what: Callable[[], object]) -> float:
        began = clock()
        what()
        return clock() - began

    ours(), theirs()
    pairs: list[tuple[float, float]] = []
    spent = 0.0
    while spent < seconds or len(pairs) < LEAST_ROUNDS:
        if len(pairs) % 2:
            their_seconds, our_seconds = timed(theirs), timed(ours)
        else:
            our_seconds, their_seconds = timed(ours), timed(theirs)
        pairs.append((our_seconds, their_seconds))
        spent += our_seconds + their_seconds
    return Measured(tuple(pairs), work, unit)


@contextmanager
def pinned(threads: int) -> Iterator[None]:
    """So many threads of PyTorch, and denormal numbers flushed to 0, alike for both sides; as it was afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)
