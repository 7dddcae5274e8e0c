"""Training throughput at several picture sizes, eager and compiled, on noise.

python -m benchmarks.training_step --sizes 64 112
python -m benchmarks.training_step --sizes 64 --compile
python -m benchmarks.training_step --sizes 64 --batch 128 --threads 1   # twice at once: two runs abreast
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
import tyro

from core.classifiers.resnet import GenderResNet
from core.devices import autocast
from core.training.optimisation import weight_decay_groups


def bare_step(size: int, batch: int, dilated: bool = False, compile: bool = False) -> Callable[[], None]:
    """A function that trains a ResNet-50 by one step on the same noise (batch, 3, size, size)."""
    network = GenderResNet(dilated=dilated).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(weight_decay_groups(network, 0.05), lr=1e-3, fused=True)
    run = torch.compile(network) if compile else network
    pixels = torch.randn(batch, 3, size, size).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 2, (batch,))

    def step() -> None:
        with autocast("cpu"):
            loss = F.cross_entropy(run(pixels), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def main(
    sizes: tuple[int, ...] = (64, 96, 112),
    dilated: bool = False,
    compile: bool = False,
    steps: int = 8,
    batch: int = 64,
    threads: int | None = None,
) -> None:
    """Print images a second for each size.

    Args:
        sizes: Sides of the pictures in pixels.
        dilated: Dilate the last stage.
        compile: Run the network through torch.compile.
        steps: Steps that are timed, after two that are not.
        batch: Pictures a step.
        threads: Threads of torch; by default one a core.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    for size in sizes:
        step = bare_step(size, batch, dilated, compile)
        began = time.perf_counter()
        step(), step()
        warm = time.perf_counter() - began
        began = time.perf_counter()
        for _ in range(steps):
            step()
        speed = batch * steps / (time.perf_counter() - began)
        kind = f"{'compiled' if compile else 'eager'}{', dilated' if dilated else ''}"
        print(f"{size:4} px {kind:18} {speed:6.1f} images/s   first two steps {warm:5.1f} s", flush=True)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
