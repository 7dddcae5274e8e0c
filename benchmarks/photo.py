"""Seconds from an uploaded picture's bytes to what the page shows of it; asked is at most 1.5 s on two cores.

    python -m benchmarks.photo --model resnet50-utkface

Made pictures: waves of colour with a public-domain portrait's head pasted in, of a telephone's size and others. Model
and detector are warm; each step is timed by itself, medians of the rounds. The processor's seconds are those of one
core's work, which say what the steps cost where the machine is busy with something else.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
import tyro
from PIL import Image

from core.audit.folder import list_audits, open_audit
from core.classifiers.folder import load_model
from core.photo.certainty import certainties, certainty_rank
from core.photo.detection import Finder
from core.photo.faces import Found
from core.photo.prediction import Prediction, head_bias, read_faces
from core.photo.uploads import read_upload
from core.present.figures import photo as figures
from core.present.figures import raster
from core.present.figures.plotly_charts import figure_of

PORTRAIT = Path(mpl.get_data_path()) / "sample_data/grace_hopper.jpg"
HEAD = (120, 40, 400, 360)
#: Picture's size, faces, each one's width, format.
CASES = (
    ((1920, 1080), 1, 500, "JPEG"),
    ((4000, 3000), 1, 1600, "JPEG"),
    ((4000, 3000), 6, 500, "JPEG"),
    ((4000, 3000), 20, 250, "JPEG"),
    ((4000, 3000), 1, 1600, "PNG"),
    ((8000, 6000), 1, 3000, "JPEG"),
)
ASKED = 1.5


def made(size: tuple[int, int], count: int, width: int, format: str) -> bytes:
    """A picture of `count` heads in rows on waves of colour."""
    waves = np.random.default_rng(0).integers(60, 200, (6, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(waves).resize(size, Image.Resampling.BICUBIC)
    head = Image.open(PORTRAIT).convert("RGB").crop(HEAD).resize((width, round(width * 8 / 7)))
    across = max(1, min(count, size[0] // (width + 100)))
    for n in range(count):
        picture.paste(head, (50 + (width + 100) * (n % across), 50 + (round(width * 8 / 7) + 80) * (n // across)))
    out = io.BytesIO()
    picture.save(out, format, **({"quality": 92} if format == "JPEG" else {}))
    return out.getvalue()


def main(model: str = "resnet50-utkface", models: Path = Path("models"), rounds: int = 7, threads: int = 1) -> None:
    """Print medians a step and in all, and whether what is asked is kept.

    Args:
        model: The model's name.
        models: Where model folders lie.
        rounds: How often each picture is tried.
        threads: Threads of the network; the page takes one.
    """
    torch.set_num_threads(threads)
    loaded, finder = load_model(models / model), Finder()
    audits = list_audits(models / model)
    faces = open_audit(models / model / "audits" / audits[0]).faces if audits else None

    def draw(picture: Image.Image, faces_found: Found, readings: list[Prediction]) -> None:
        """All that the page makes of them, but for the browser."""
        raster.data_uri(figures.marked(picture, faces_found.faces, 0))
        maps = [reading.map("predicted") for reading in readings if reading.evidence is not None]
        limit = raster.shared_limit(maps)
        for face, reading in zip(faces_found.faces, readings, strict=True):
            raster.data_uri(figures.with_points(face))
            if reading.evidence is not None:
                raster.data_uri(
                    raster.overlay(face.crop, reading.map("predicted"), limit, 0.5, placement=reading.placement)
                )
            if faces is not None:
                certainty_rank(faces, reading.predicted, reading.margin)
        if readings and readings[0].evidence is not None:
            first = readings[0]
            figure_of(figures.region_bars(first.regions(), head_bias(loaded.classify), first.margin)).to_json()
        if readings and faces is not None:
            first = readings[0]
            figure_of(figures.certainty(*certainties(faces, first.predicted), first.margin, first.predicted)).to_json()

    print(f"{'picture':32}{'decode':>8}{'find':>8}{'classify':>10}{'draw':>8}{'all':>8}{'processor':>11}  seconds")
    slowest = 0.0
    for size, count, width, format in CASES:
        data = made(size, count, width, format)
        steps: list[list[float]] = []
        for _ in range(rounds + 1):
            row: list[float] = []
            began = time.process_time()
            upload = _timed(row, lambda data=data: read_upload(data, "made"))
            faces_found = _timed(row, lambda upload=upload: finder.find(upload.picture))
            readings = _timed(row, lambda found=faces_found: read_faces(loaded.classify, [f.crop for f in found.faces]))
            _timed(row, lambda u=upload, f=faces_found, r=readings: draw(u.picture, f, r))
            steps.append([*row, sum(row), time.process_time() - began])
        medians = [statistics.median(column) for column in zip(*steps[1:], strict=True)]
        name = f"{size[0]}×{size[1]} {format}, {len(faces_found.faces)} of {count} faces"
        print(f"{name:32}{medians[0]:8.2f}{medians[1]:8.2f}{medians[2]:10.2f}{medians[3]:8.2f}"
              f"{medians[4]:8.2f}{medians[5]:11.2f}", flush=True)  # fmt: skip
        slowest = max(slowest, medians[4])
    print(f"slowest {slowest:.2f} s; at most {ASKED} s is asked for")


def _timed(row: list[float], do: Callable[[], object]) -> object:
    began = time.perf_counter()
    result = do()
    row.append(time.perf_counter() - began)
    return result


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
