"""The data sets and the scores of docs/own-columns.md: made images with columns, and a made classifier's answers."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

TONES = ("I", "II", "III", "IV", "V", "VI")
CAMERAS = ("Nikon D750 / 85 mm", "📱 phone", "webcam (built in)")
FACES, SMILES = 600, 120


def write_example(folder: Path) -> None:
    """`faces/faces.csv` beside its images, `columns.yaml`, and `scores.csv`; `smiles/faces.csv` without gender.

    The made classifier errs more on faces with glasses and dark skin, and most on those with both.
    """
    draw = np.random.default_rng(0)
    (folder / "faces").mkdir(parents=True)
    rows, scores = ["path,gender,age,glasses,skin,camera,distance,photo_id"], ["file,p_male"]
    for n in range(FACES):
        name, gender = f"{n:03}.png", n % 2
        glasses, tone, camera = draw.random() < 0.4, int(draw.integers(0, 6)), CAMERAS[int(draw.integers(0, 3))]
        # Noise, so that no two images are near-copies.
        image, out = Image.fromarray(draw.integers(0, 255, (16, 16, 3), dtype=np.uint8)), io.BytesIO()
        image.save(out, "PNG", compress_level=1)
        (folder / "faces" / name).write_bytes(out.getvalue())
        answer = "" if draw.random() < 0.02 else ("yes" if glasses else "No" if draw.random() < 0.1 else "no")
        age, distance = int(draw.integers(18, 80)), draw.uniform(0.4, 4)
        rows.append(f"{name},{'fm'[gender]},{age},{answer},{TONES[tone]},{camera},{distance:.2f},{9000 + 7 * n}")
        wrong = draw.random() < 0.03 + 0.12 * glasses + 0.03 * tone
        sure = draw.uniform(0.55, 1)
        scores.append(f"{name},{sure if bool(gender) != wrong else 1 - sure:.4f}")
    (folder / "faces/faces.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "scores.csv").write_text("\n".join(scores) + "\n", encoding="utf-8")
    (folder / "columns.yaml").write_text(
        "skin: {name: skin_tone, words: skin type (Fitzpatrick)}\n"
        "distance: {edges: [1, 2], words: distance in metres}\n",
        encoding="utf-8",
    )
    _write_without_gender(folder)


def _write_without_gender(folder: Path) -> None:
    """`smiles/faces.csv` beside images that are brighter where they smile, and `tiny.yaml`, a short training."""
    draw = np.random.default_rng(1)
    (folder / "smiles").mkdir()
    rows = ["path,smiling,camera"]
    for n in range(SMILES):
        image = draw.integers(0, 130, (16, 16, 3)) + 120 * (n % 2)
        Image.fromarray(image.astype(np.uint8)).save(folder / "smiles" / f"{n:03}.png", compress_level=1)
        rows.append(f"{n:03}.png,{('no', 'yes')[n % 2]},{('phone', 'webcam')[n // 2 % 2]}")
    (folder / "smiles/faces.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    config = "stages: [{size: 32, epochs: 1, dilated: true}]\nbatch: 24\nnorm_batches: 1\n"
    (folder / "tiny.yaml").write_text(config, encoding="utf-8")
