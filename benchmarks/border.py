"""What the border before detection does to a data set: landmarks, faces not found, and a model's accuracy, by group.

    python -m benchmarks.border --data FOLDER --model resnet50-utkface

The same images are looked at with each border, and as the images decide it. A face's landmarks lie elsewhere where they
are a tenth of the eyes' distance and more from those with a border of 30 %, on the mean of the five.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import tyro
from PIL import Image

from core.classifiers.classifier import Classifier
from core.classifiers.folder import load_model
from core.data.alignment import FaceAligner, shrunk, similarity, warp
from core.data.border import ELSEWHERE, decide_border, sampled
from core.data.detection import main_face
from core.data.faces import ADULT_AGE
from core.data.images import decode
from core.data.readers import choose_reader
from core.data.sources import open_source

BATCH = 64
#: Percent; landmarks are compared with those of `REFERENCE`.
BORDERS = (0, 15, 30, 60)
REFERENCE = 30


@dataclass(frozen=True)
class Look:
    """Landmarks of the main faces (N, 5, 2) in pixels of the images, NaN where there is none; which were predicted male
    (N,); seconds of processor time for finding and warping."""

    points: np.ndarray
    male: np.ndarray
    seconds: float


def look(
    images: list[Image.Image], classifier: Classifier, aligner: FaceAligner, border: float, wider: bool = False
) -> Look:
    """Find the main faces with a border of so many percent and classify them; `wider` widens it where faces need it."""
    aligner.border, aligner.wider = border / 100, wider
    points, male = np.full((len(images), 5, 2), np.nan), np.full(len(images), np.nan)
    began = time.process_time()
    crops: dict[int, np.ndarray] = {}
    for start in range(0, len(images), BATCH):
        batch = range(start, min(start + BATCH, len(images)))
        detections = aligner.all_faces([images[n] for n in batch])
        for n, detection in zip(batch, detections, strict=True):
            if detection:
                points[n] = detection.points[main_face(detection, images[n].size)]
                crops[n] = warp([images[n]], similarity(points[n])[None])[0]
    seconds = time.process_time() - began
    rows = list(crops)
    for start in range(0, len(rows), BATCH):
        logits = classifier.logits(np.stack([crops[n] for n in rows[start : start + BATCH]]))
        male[rows[start : start + BATCH]] = logits[:, 1] > logits[:, 0]
    return Look(points, male, seconds)


def main(data: Path, model: str, sample: int = 600, seed: int = 0, models: Path = Path("models")) -> None:
    """Print a line a border, and a line a group for no border and the decided one.

    Args:
        data: A data set that Lookwhere reads.
        model: A model's name.
        sample: How many images of the data set are looked at.
        seed: Which they are.
        models: Where model folders lie.
    """
    torch.set_num_threads(1)
    source = open_source(data)
    faces = choose_reader(source).read(source).faces
    faces = faces.sample(min(sample, len(faces)), random_state=seed).reset_index(drop=True)
    read = {name: shrunk(decode(data)) for name, data in source.iterate(faces["path"])}
    images = [read[name] for name in faces["path"]]
    classifier = load_model(models / model).classify
    aligner = FaceAligner()
    decided = decide_border(sampled(source, faces), aligner.detector)
    print(f"{data}: {len(faces)} images, {decided.to_json()}")

    looks = {f"{border} %": look(images, classifier, aligner, border) for border in BORDERS}
    looks["decided"] = look(images, classifier, aligner, decided.percent, wider=True)
    reference = looks[f"{REFERENCE} %"].points
    print(f"{'border':8} {'found':>7} {'elsewhere':>10} {'mean off':>9} {'images/s':>9} {'correct':>8}")
    is_male = (faces["gender"] == "male").to_numpy()
    for name, look_of_border in looks.items():
        off = distances(look_of_border.points, reference)
        off = off[np.isfinite(off)]
        is_found = np.isfinite(look_of_border.male)
        correct = (look_of_border.male == is_male)[is_found].mean()
        print(
            f"{name:8} {is_found.mean():7.1%} {(off > ELSEWHERE).mean():10.1%} {off.mean():9.3f} "
            f"{len(faces) / look_of_border.seconds:9.1f} {correct:8.1%}"
        )
    print(by_group(faces, looks["0 %"], looks["decided"]))


def distances(points: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """How far landmarks (N, 5, 2) lie from those of `reference`, in distances of its eyes, on the mean of the five."""
    return np.linalg.norm(points - reference, axis=2).mean(axis=1) / np.linalg.norm(
        reference[:, 0] - reference[:, 1], axis=1
    )


def by_group(faces: pd.DataFrame, before: Look, after: Look) -> str:
    """Faces not found, and correct among those found, without a border and with the decided one; adults too."""
    male = (faces["gender"] == "male").to_numpy()
    table = faces[["gender", "ethnicity"]].copy()
    for name, look in (("without", before), ("decided", after)):
        is_found = np.isfinite(look.male)
        table[f"not found, {name}"] = ~is_found
        table[f"correct, {name}"] = np.where(is_found, look.male == male, np.nan)
    parts = {"all": table}
    if (faces["age"] >= ADULT_AGE).any():
        parts[f"{ADULT_AGE} and older"] = table[(faces["age"] >= ADULT_AGE).fillna(False)]
    lines = []
    for title, part in parts.items():
        lines.append(f"-- {title}")
        for keys in ([], ["gender"], ["gender", "ethnicity"]):
            groups = part.groupby(keys) if keys else [((), part)]
            for key, group in groups:
                values = "".join(f"{group[column].astype(float).mean():10.1%}" for column in table.columns[2:])
                lines.append(f"{' '.join(key) or 'all':32} n {len(group):5}{values}")
    return "\n".join([f"{'':39}" + "  ".join(table.columns[2:]), *lines])


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
