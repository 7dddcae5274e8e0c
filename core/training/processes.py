"""What several processes that train one network together agree on: Lightning Fabric's DDP, by gloo on processors.

Gradients are averaged by DDP. What is decided of an epoch (its score, the rate that follows, whether to stop) is
decided once: processes that decide for themselves would part.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning_fabric import Fabric

from core.errors import LookwhereError
from core.ranks import Ranks


def make_fabric(devices: int, precision: str) -> Fabric:
    """Of the processes that `torchrun` started, or that Fabric starts itself where `devices` is more than one.

    Raises `LookwhereError` where this machine has not so many: each process takes the memory of a training.
    """
    ranks = Ranks.here()
    if ranks.alone:
        gpus = torch.cuda.device_count()
        most = gpus or max(2, os.cpu_count() or 1)
        if not 1 <= devices <= most:
            what = "GPUs" if gpus else "processors"
            raise LookwhereError(f"--devices {devices}: give 1 to {most}; this machine has no more {what}")
        return Fabric(accelerator="auto", devices=devices, precision=precision)
    nodes = ranks.world // ranks.on_machine
    return Fabric(accelerator="auto", devices=ranks.on_machine, num_nodes=nodes, strategy="ddp", precision=precision)


def share_of_batch(batch: int, fabric: Fabric) -> int:
    """Images a process takes of a step. Raises `LookwhereError` where the batch does not share out evenly."""
    if batch % fabric.world_size:
        raise LookwhereError(f"--batch {batch} does not share out evenly among {fabric.world_size} processes")
    return batch // fabric.world_size


def agreed(fabric: Fabric, stop_asked: bool) -> bool:
    """Whether any process was asked to stop: all stop after the same step, or none does."""
    if fabric.world_size == 1:
        return stop_asked
    return bool(fabric.all_reduce(torch.tensor(float(stop_asked), device=fabric.device), reduce_op="sum") > 0)


def by_first(fabric: Fabric, compute: Callable[[], dict]) -> dict:
    """What the first process computes, in all of them."""
    if fabric.world_size == 1:
        return compute()
    return fabric.broadcast(compute() if fabric.is_global_zero else {}, src=0)


def added(fabric: Fabric, running: dict[str, float]) -> dict[str, float]:
    """Sums of loss, of correct predictions and of images over all processes; the seconds are this one's."""
    if fabric.world_size == 1:
        return running
    names = ("loss", "right", "seen")
    values = torch.tensor([running[name] for name in names], dtype=torch.float64, device=fabric.device)
    return running | dict(zip(names, fabric.all_reduce(values, reduce_op="sum").tolist(), strict=True))


@contextmanager
def together(fabric: Fabric, folder: Path) -> Iterator[None]:
    """Raises `LookwhereError` where another process has ended while this one waited for it."""
    try:
        yield
    except RuntimeError as error:
        lost = isinstance(error, torch.distributed.DistError) or "gloo" in str(error)
        if fabric.world_size == 1 or not lost:
            raise
        raise LookwhereError(
            f"{folder}: another process of this run has ended; the same command with --resume goes on from the last "
            "checkpoint"
        ) from error
