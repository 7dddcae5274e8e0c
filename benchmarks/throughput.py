"""Audit throughput, store reading included, against a bare forward pass of the same network.

    python -m benchmarks.throughput --model resnet50-utkface --data data/aligned/utkface

Same batch, precision and map size; the two are measured in turns, and the median of the rounds' ratios is what counts.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import torch
import tyro

from core.audit.manifest import AuditManifest
from core.audit.run import BATCH, Job, forward_shards
from core.classifiers.folder import load_model
from core.classifiers.preprocessing import normalise
from core.data.store import AlignedStore
from core.devices import autocast


def main(model: str, data: Path, faces: int = 512, rounds: int = 5, models: Path = Path("models")) -> None:
    """Print images a second of both, and their ratio.

    Args:
        model: The model's name.
        data: An aligned store.
        faces: Faces a round, a multiple of the batch.
        rounds: How often each is measured.
        models: Where model folders lie.
    """
    loaded, store = load_model(models / model), AlignedStore.open(data)
    chosen = store.split("test").head(faces)
    info = loaded.info
    first = store.images[chosen["row"].to_numpy()[:BATCH]]
    pixels = normalise(first, size=info.input_size, mean=info.mean, std=info.std)

    def bare() -> float:
        began = time.perf_counter()
        with torch.inference_mode(), autocast("cpu"):
            for _ in range(len(chosen) // BATCH):
                loaded.network(pixels)
        return len(chosen) / (time.perf_counter() - began)

    def audit() -> float:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            planned = AuditManifest(
                model=model, dataset=store.manifest.dataset, splits=("test",), faces=len(chosen), map_shape=None
            )
            job = Job(store, loaded, chosen, None, planned, Path(folder) / "audit", None)
            job.work.mkdir()
            forward_shards(job, BATCH)
            return len(chosen) / (time.perf_counter() - began)

    bare(), audit()
    pairs = [(bare(), audit()) for _ in range(rounds)]
    ratio = statistics.median(a / b for b, a in pairs)
    print(f"bare forward pass  {statistics.median(b for b, _ in pairs):7.1f} images/s")
    print(f"audit              {statistics.median(a for _, a in pairs):7.1f} images/s")
    print(f"ratio              {ratio:7.3f}  (at least 0.90 is asked for)")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
