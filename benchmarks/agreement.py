"""How each faster way of an audit agrees with float32: maps, decisions, and accuracy of every group.

    python -m benchmarks.agreement --model resnet50-utkface --data data/aligned/utkface --also int8 compile

A way is offered by `core audit --speed` only if its maps correlate with those in float32 by 0.999 or more and no
group's accuracy moves by more than 0.2 points. What `--also` names was tried and is not offered: `int8` is OpenVINO's
graph quantised by NNCF on other faces of the store (needs nncf), `compile` is torch.compile of the folded network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
import tyro
from torch import Tensor

from core.classifiers.classifier import ResNetClassifier, noise
from core.classifiers.folder import load_model
from core.classifiers.folding import folded
from core.classifiers.openvino_resnet import graph
from core.classifiers.resnet import GenderResNet
from core.classifiers.speed import Speed
from core.data.store import AlignedStore
from core.task import GENDER

BATCH = 64
#: Faces that int8 is calibrated on.
CALIBRATED = 300
Way = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def with_features(network: GenderResNet, features: Callable[[Tensor], Tensor]) -> GenderResNet:
    """The network with its own head on other features."""
    import copy

    copied = copy.copy(network)
    copied.__dict__["features"] = features
    return copied


def int8(classifier: ResNetClassifier, faces: np.ndarray) -> Way:
    """OpenVINO's graph in int8, calibrated on faces."""
    import nncf
    import openvino

    pixels = classifier._pixels(noise())
    whole_graph = graph(folded(classifier.network, pixels), pixels.shape[2:])
    batches = [classifier._pixels(faces[low : low + 1]).contiguous().numpy() for low in range(len(faces))]
    quantised = nncf.quantize(whole_graph, nncf.Dataset(batches), subset_size=len(batches))
    options = {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "NUM_STREAMS": 1}
    run = openvino.Core().compile_model(quantised, "CPU", options)

    def features(batch: Tensor) -> Tensor:
        return torch.from_numpy(run([batch.contiguous().numpy()])[0])

    return ResNetClassifier(with_features(classifier.network, features), classifier.info)


def compiled(classifier: ResNetClassifier) -> Way:
    """torch.compile of the folded network in bfloat16, its weights frozen into the code."""
    import torch._inductor.config as options

    options.freezing = True
    network = folded(classifier.network, classifier._pixels(noise())).to(torch.bfloat16)
    run = torch.compile(network.features)

    def features(batch: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return run(batch.bfloat16()).float()

    return ResNetClassifier(with_features(classifier.network, features), classifier.info)


def through(way: Way, images: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Margins (n,), maps (n, cells) and images a second of processor time; the first batch is not timed."""
    margins, maps, spent = [], [], 0.0
    for low in range(0, len(rows), BATCH):
        began = time.process_time()
        logits, evidence = way(images[rows[low : low + BATCH]])
        spent += (time.process_time() - began) if low else 0.0
        margins.append(logits[:, 1].astype(np.float64) - logits[:, 0])
        maps.append(evidence.reshape(len(evidence), -1).astype(np.float64))
    return np.concatenate(margins), np.concatenate(maps), (len(rows) - BATCH) / spent if spent else float("nan")


def largest_move(faces: pd.DataFrame, margin: np.ndarray, exact: np.ndarray) -> tuple[float, str]:
    """The largest change of a group's accuracy in points, by gender × ethnicity, and that group."""
    truth = GENDER.is_positive(faces)
    table = faces[["gender", "ethnicity"]].assign(
        move=((margin >= 0) == truth) * 100.0 - ((exact >= 0) == truth) * 100.0
    )
    moves = table.groupby(["gender", "ethnicity"], observed=True)["move"].agg(["mean", "size"])
    largest = moves.loc[moves["mean"].abs().idxmax()]
    return float(largest["mean"]), f"{' '.join(map(str, largest.name))}, n = {int(largest['size'])}"


def main(
    model: str,
    data: Path,
    split: Literal["train", "val", "test", "all"] = "test",
    faces: int | None = None,
    speeds: tuple[Literal["plain", "folded", "openvino"], ...] = ("plain", "folded", "openvino"),
    also: tuple[Literal["int8", "compile"], ...] = (),
    models: Path = Path("models"),
) -> None:
    """Print a line for each way.

    Args:
        model: The model's name, one that was trained here.
        data: An aligned store.
        split: Which of its faces.
        faces: How many of them, the first; by default all.
        speeds: Values of `core audit --speed`.
        also: Ways that are not offered.
        models: Where model folders lie.
    """
    classifier, store = load_model(models / model).classify, AlignedStore.open(data)
    sample = (store.faces if split == "all" else store.split(split)).head(faces or len(store.faces))
    rows = sample["row"].to_numpy()
    ways: dict[str, Callable[[], Way]] = {
        speed: lambda speed=speed: classifier.computed(Speed(speed)) for speed in speeds
    }
    if "int8" in also:
        calibration = store.faces[~store.faces["row"].isin(rows)] if len(sample) < len(store.faces) else store.faces
        ways["int8"] = lambda: int8(classifier, store.images[calibration["row"].to_numpy()[:CALIBRATED]])
    if "compile" in also:
        ways["compile"] = lambda: compiled(classifier)
    exact, exact_maps, speed = through(classifier.computed(None), store.images, rows)
    print(f"{len(rows):,} faces; {torch.get_num_threads()} threads; float32 {speed:.1f} images/s of processor time")
    for name, make in ways.items():
        margin, maps, speed = through(make(), store.images, rows)
        each = [np.corrcoef(a, b)[0, 1] for a, b in zip(maps, exact_maps, strict=True)]
        whole = np.corrcoef(maps.ravel(), exact_maps.ravel())[0, 1]
        turned = int(((margin >= 0) != (exact >= 0)).sum())
        move, group = largest_move(sample, margin, exact)
        print(
            f"{name:9} {speed:6.1f} images/s  maps r {whole:.5f}, least face {min(each):.5f}  "
            f"{turned} other decisions  largest move {move:+.2f} points ({group})",
            flush=True,
        )


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
