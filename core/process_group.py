"""Processes of one command that wait for each other and add up: `torch.distributed` by gloo, and no code of ours.

`torchrun` starts them, ends all where one dies, and tells each its rank. What each does lies on disk in files of its
own, so the same command goes on from what is there, whoever did it and with however many processes.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from core.errors import LookwhereError
from core.ranks import Ranks

#: A process may wait so long for the slowest: `torchrun` ends it at once where another dies.
PATIENCE = timedelta(days=7)


class GoneError(LookwhereError):
    """Another process of this command has ended."""

    def __init__(self, ranks: Ranks, error: Exception) -> None:
        super().__init__(
            f"process {ranks.rank} of {ranks.world}: another one has ended before its work was done; the same command "
            f"does what is missing, and nothing twice ({str(error).splitlines()[0][:120]})"
        )


@contextlib.contextmanager
def _together(ranks: Ranks) -> Iterator[None]:
    import torch.distributed as group

    try:
        if not group.is_initialized():
            group.init_process_group("gloo", rank=ranks.rank, world_size=ranks.world, timeout=PATIENCE)
        yield
    except (RuntimeError, ValueError) as error:
        raise GoneError(ranks, error) from error


def meet(ranks: Ranks) -> None:
    """Return once all processes are here. Raises `GoneError` where one has ended."""
    if ranks.alone:
        return
    import torch.distributed as group

    with _together(ranks):
        group.barrier()


def told_by_first(ranks: Ranks, value: object) -> object:
    """The first process's `value`, any that can be pickled, in all of them."""
    if ranks.alone:
        return value
    import torch.distributed as group

    box = [value]
    with _together(ranks):
        group.broadcast_object_list(box, src=0)
    return box[0]


def summed(ranks: Ranks, values: np.ndarray) -> np.ndarray:
    """The sum over all processes of an array of one shape and dtype, int64 or float64, the same in each.

    Of integers it is exact in whatever order they come, and so it is where all but one process have zeros.
    """
    if ranks.alone:
        return values
    import torch
    import torch.distributed as group

    total = torch.from_numpy(np.array(values))
    with _together(ranks):
        if total.numel():
            group.all_reduce(total)
    return total.numpy()


def leave(ranks: Ranks) -> None:
    """Take leave of the others at a command's end; nothing where there are none."""
    if ranks.alone:
        return
    import torch.distributed as group

    if group.is_initialized():
        group.destroy_process_group()


class Stop:
    """Whether this process was asked to end (SIGTERM, as `torchrun` asks all where one died)."""

    def __init__(self) -> None:
        self.asked = False

    def between(self) -> None:
        """Called where a piece of work is written and the next not begun. Raises `KeyboardInterrupt` when asked to."""
        if self.asked:
            raise KeyboardInterrupt


@contextlib.contextmanager
def stopping(ranks: Ranks) -> Iterator[Stop]:
    """Within, a process among several that is asked to end does so once the piece it is at is written.

    `torchrun` gives it 30 seconds. A process alone ends at once, as ever.
    """
    stop = Stop()
    if ranks.alone or threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGTERM, lambda *_: setattr(stop, "asked", True))
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
