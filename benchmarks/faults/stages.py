"""The commands that faults are put into, what they are run on, and what of their files is their result."""

from __future__ import annotations

import csv
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

#: Columns of `metrics.csv` and keys of a manifest that tell of time.
CLOCK = ("seconds", "images_per_second", "faces_per_second", "digest")
PICTURES = 24


@dataclass(frozen=True)
class Stage:
    """A command: its words, called in a folder; the files that are its result; what it reads, below the folder.

    `needs` are the stages before it; `resume` are words that it goes on with where it refuses to begin anew.
    """

    words: tuple[str, ...]
    result: tuple[str, ...]
    source: str
    needs: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()


_MODEL = ("--model", "m", "--models", "models")
STAGES = {
    "align": Stage(
        ("align", "--data", "pics", "--out", "store"),
        ("store/faces.npy", "store/landmarks.npy", "store/faces.parquet", "store/rejects.parquet", "store/store.json"),
        "pics",
    ),
    "train": Stage(
        ("train", "--data", "store", "--models", "models", "--name", "m", "--config", "c.yaml"),
        ("models/m/model.safetensors", "models/m/training/metrics.csv", "models/m/training-faces.npz"),
        "store",
        ("align",),
        ("--resume",),
    ),
    "audit": Stage(
        ("audit", *_MODEL, "--data", "store", "--split", "all", "--name", "a"),
        ("models/m/audits/a/faces.parquet", "models/m/audits/a/averages.npz", "models/m/audits/a/audit.json"),
        "store",
        ("align", "train"),
    ),
    # The cheapest of the checks.
    "check": Stage(
        ("check", *_MODEL, "--audit", "a", "--data", "store", "--sample", "24", "--parts", "occlusion"),
        ("models/m/audits/a/checks.npz",),
        "store",
        ("align", "train", "audit"),
    ),
    "report": Stage(
        ("report", *_MODEL, "--audit", "a", "--out", "r.html"),
        ("r.html",),
        "models/m/audits/a",
        ("align", "train", "audit"),
    ),
    "measure": Stage(
        ("measure", "--data", "store", "--source", "pics", *_MODEL, "--audit", "a"),
        ("store/measured.parquet", "models/m/audits/a/measured.parquet"),
        "store",
        ("align", "train", "audit"),
    ),
    "look": Stage(("look", "--data", "store", "--faces", "4", "--out", "look.png"), ("look.png",), "store", ("align",)),
    "show": Stage(
        ("show", *_MODEL, "--audit", "a", "--out", "groups.csv", "groups.tex"),
        ("groups.csv", "groups.tex"),
        "models/m/audits/a",
        ("align", "train", "audit"),
    ),
    "review": Stage(
        ("review", *_MODEL, "--audit", "a", "--out", "suspects.csv"),
        ("suspects.csv",),
        "models/m/audits/a",
        ("align", "train", "audit"),
    ),
    "recount": Stage(
        ("review", *_MODEL, "--audit", "a", "--reviewed", "decisions.csv"),
        tuple(f"models/m/audits/a-reviewed/{name}" for name in ("faces.parquet", "averages.npz", "audit.json")),
        "models/m/audits/a",
        ("align", "train", "audit"),
    ),
    "portraits": Stage(
        ("portraits", "--model", "m", "--models", "models"),
        ("models/m/portraits.npz",),
        "models/m",
        ("align", "train"),
    ),
    "compare": Stage(
        ("compare", "m/a", "m/a-reviewed", "--models", "models", "--out", "c.html"),
        ("c.html",),
        "models/m/audits/a",
        ("align", "train", "audit", "recount"),
    ),
    "table": Stage(
        (
            "table",
            "t.csv",
            "--score-column",
            "score",
            "--score",
            "probability",
            "--of",
            "male",
            "--name",
            "t",
            "--audit",
            "a",
            "--models",
            "models",
        ),
        (
            "models/t/model.json",
            "models/t/predictions.parquet",
            "models/t/audits/a/faces.parquet",
            "models/t/audits/a/audit.json",
            "models/t/CARD.md",
        ),
        "t.csv",
    ),
    "import": Stage(
        ("import", "s.csv", "--name", "theirs", "--score", "probability", "--of", "male", "--models", "models"),
        ("models/theirs/model.json", "models/theirs/predictions.parquet", "models/theirs/CARD.md"),
        "s.csv",
    ),
}


def make_inputs(folder: Path) -> None:
    """Two dozen pictures of one portrait, a training config, and a table of predictions."""
    import matplotlib as mpl

    portrait = Image.open(Path(mpl.get_data_path()) / "sample_data/grace_hopper.jpg").convert("RGB").resize((256, 300))
    draw = random.Random(1)
    (folder / "pics").mkdir(parents=True)
    for n in range(PICTURES):
        picture = portrait.rotate(draw.uniform(-20, 20), Image.Resampling.BICUBIC, fillcolor=(90, 90, 90))
        picture = ImageEnhance.Brightness(picture).enhance(draw.uniform(0.6, 1.4))
        picture.crop((draw.randrange(40), draw.randrange(40), 256, 300)).save(
            folder / "pics" / f"{30 + n}_{n % 2}_{n % 3}_20170101000000{n:03}.png"
        )
    (folder / "c.yaml").write_text("stages:\n  - {size: 32, epochs: 2}\nbatch: 4\nnorm_batches: 1\nchoose: overall\n")
    (folder / "s.csv").write_text("file,score\na.jpg,0.2\nb.jpg,0.8\n")
    rows = [f"f{n},{('female', 'male')[n % 2]},0.{n % 9 + 1}" for n in range(30)]
    (folder / "t.csv").write_text("\n".join(["file,gender,score", *rows, ""]))
    (folder / "decisions.csv").write_text("face_id,decision\n")


def result(stage: Stage, folder: Path) -> list[object]:
    """The result of a command in its folder, without what tells of time."""
    return [content(folder / name) for name in stage.result]


def content(file: Path) -> object:
    """What a file says; None where there is none."""
    if not file.is_file():
        return None
    if file.suffix == ".npz":
        with np.load(file) as arrays:
            return {name: (arrays[name].dtype.str, arrays[name].tobytes()) for name in sorted(arrays.files)}
    if file.name == "metrics.csv":
        rows = csv.DictReader(file.read_text().splitlines())
        return [{key: value for key, value in row.items() if key not in CLOCK} for row in rows]
    if file.suffix == ".json":
        return {key: value for key, value in json.loads(file.read_text()).items() if key not in CLOCK}
    if file.suffix == ".html":
        return re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d UTC", b"", file.read_bytes())
    return file.read_bytes()


def names(folder: Path) -> set[str]:
    """All files under a folder."""
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
