"""What of an audit's numbers depends on threads, batch size and precision, and by how much.

    python -m benchmarks.determinism --model resnet50-utkface --data data/aligned/utkface --faces 64

Faces of the store go through the model as an audit's do, first in one thread, in batches of 64 and float32; then again
alike, and with one thing changed. Printed are the largest differences of logits and of evidence, how many decisions
change, and whether all is equal to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import tyro

import core.devices
from core.classifiers.folder import load_model
from core.data.store import AlignedStore


def measured(run: Callable[[int], tuple[np.ndarray, np.ndarray]], threads: int, batch: int, kind: str) -> tuple:
    """Logits and evidence with so many threads, faces a batch, and this precision."""
    before, own_precision = torch.get_num_threads(), core.devices.precision
    torch.set_num_threads(threads)
    core.devices.precision = lambda device, asked=None: getattr(torch, kind)
    try:
        return run(batch)
    finally:
        torch.set_num_threads(before)
        core.devices.precision = own_precision


def main(model: str, data: Path, faces: int = 64, models: Path = Path("models")) -> None:
    """Print a row a change.

    Args:
        model: The model's name, one that was trained here.
        data: An aligned store.
        faces: Faces of its test split.
        models: Where model folders lie.
    """
    store = AlignedStore.open(data)
    images = store.images[store.split("test").head(faces)["row"].to_numpy()]

    def run(batch: int) -> tuple[np.ndarray, np.ndarray]:
        loaded = load_model(models / model)
        parts = [loaded.classify(images[low : low + batch]) for low in range(0, len(images), batch)]
        return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))

    logits, evidence = measured(run, 1, 64, "float32")
    print(f"{len(images)} faces of {store.manifest.dataset}; margins from {abs(logits[:, 0] - logits[:, 1]).min():.3g}")
    print("| changed | largest difference of logits | of evidence | decisions changed | equal to the bit |")
    print("|---|---:|---:|---:|---|")
    changes = {
        "nothing": (1, 64, "float32"),
        "2 threads": (2, 64, "float32"),
        "4 threads": (4, 64, "float32"),
        "batches of 16": (1, 16, "float32"),
        "batches of 1": (1, 1, "float32"),
        "bfloat16": (1, 64, "bfloat16"),
    }
    for words, (threads, batch, kind) in changes.items():
        again, maps = measured(run, threads, batch, kind)
        turned = int(((again[:, 1] >= again[:, 0]) != (logits[:, 1] >= logits[:, 0])).sum())
        same = np.array_equal(again, logits) and np.array_equal(maps, evidence)
        by = [f"{np.abs(a.astype(np.float64) - b).max():.2g}" for a, b in ((again, logits), (maps, evidence))]
        print(f"| {words} | {by[0]} | {by[1]} | {turned} | {'yes' if same else 'no'} |", flush=True)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
