"""Made stores of aligned noise faces."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from core import files
from core.data import store_info
from core.data.build_store import build_store
from core.data.faces import fingerprint
from core.data.readers import choose_reader
from core.data.sources import open_source
from core.data.store import AlignedStore
from core.template import TEMPLATE
from tests.helpers.former import write_former


def make_store(path: Path, faces: int = 64, seed: int = 0, columns: Mapping[str, object] | None = None) -> AlignedStore:
    """A finished store of noise images, brighter for male than for female, with groups of every kind.

    `columns` replace labels after the images were made.
    """
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "face_id": [f"face-{n:05}" for n in range(faces)],
            "path": [f"pictures/{n:05}.jpg" for n in range(faces)],
            "gender": np.where(np.arange(faces) % 2, "male", "female"),
            "ethnicity": np.array(["White", "Black", "Asian"])[np.arange(faces) // 2 % 3],
            "age": pd.array(draw.integers(0, 90, faces), dtype="Int16"),
            "identity": pd.array([pd.NA] * faces, dtype="string"),
            "cluster": np.arange(faces),
            "split": np.array(["train", "train", "val", "test"])[np.arange(faces) // 6 % 4],
            "row": np.arange(faces),
        }
    )
    images = draw.integers(0, 120, (faces, 112, 112, 3), dtype=np.uint8)
    images[table["gender"] == "male"] += 100
    table = table.assign(**columns or {}).astype({"age": "Int16"})
    path.mkdir(parents=True)
    np.save(path / "faces.npy", images)
    np.save(path / "landmarks.npy", np.tile(TEMPLATE.astype(np.float32), (faces, 1, 1)))
    files.write_parquet(path / "faces.parquet", table)
    files.write_parquet(path / "rejects.parquet", pd.DataFrame({"file": ["x.jpg"], "reason": ["no face found"]}))
    # Without records of files, so that tests may change them
    write_former(
        path / "store.json",
        {
            "format": store_info.FORMAT,
            "dataset": "made",
            "source_fingerprint": "0" * 64,
            "seed": 0,
            "template": "arcface-112",
            "detector": "none",
            "padding": 0,
            "data_fingerprint": fingerprint(table),
            "read": faces + 1,
            "repaired": [],
            "repairs": {},
            "rejects": {"no face found": 1},
            "near_copy_clusters": 0,
            "faces": faces,
        },
    )
    return AlignedStore.open(path)


def store_of(path: Path, store: Path, **options: object) -> AlignedStore:
    """The store of a data set, without a detector: for images that show no face."""
    source = open_source(path)
    reader = copy.copy(choose_reader(source))
    reader.aligned = True
    return build_store(source, reader, store, **options)


def mend_in_place(file: Path, old: str, new: str) -> None:
    """Another label in a file, of the same size and the same time."""
    before, content = file.stat(), file.read_bytes()
    assert old.encode() in content
    file.write_bytes(content.replace(old.encode(), new.encode()))
    assert file.stat().st_size == before.st_size
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
